"""What the annotation of a case proves, term by term, in the form that the checks compare texts with."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from schemas.case import Case, ImageRef, Polarity, Region
from schemas.spec import DatasetSpec
from schemas.view import View

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Known:
    """The facts of one case.  A term that is missing from a mapping is not known in that respect."""

    polarity: Mapping[str, Polarity] = field(default_factory=dict)
    sides: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Sides of the patient: ``left``, ``right``."""
    centres: Mapping[str, tuple[Point, ...]] = field(default_factory=dict)
    """Centres of the term's regions as fractions of the picture, x to the right, y downwards."""
    counts: Mapping[str, int] = field(default_factory=dict)
    sizes_mm: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Widths, heights and diagonals of the term's regions."""
    oriented: bool = False
    """Whether left and right in a text mean the patient's."""
    paths: Mapping[str, str] = field(default_factory=dict)
    """Term to the path into the case that proves what is said here."""

    def terms(self) -> list[str]:
        """Every term about which something is known."""
        return sorted({*self.polarity, *self.sides, *self.centres, *self.counts, *self.sizes_mm})


def known_of(case: Case, spec: DatasetSpec, shown: Sequence[ImageRef]) -> Known:
    """Everything that the annotation proves about the pictures in ``shown``."""
    numbers = {case.images.index(ref) for ref in shown if ref in case.images}
    regions = [region for region in case.regions if region.image_index in numbers]
    paths = {label.name: f"labels[{index}]" for index, label in enumerate(case.labels)}
    paths |= {region.label: f"regions[{case.regions.index(region)}]" for region in reversed(regions)}
    centres = [(region, _centre(case, region)) for region in regions]
    views = [case.images[number].view for number in sorted(numbers)]
    return Known(
        polarity=_polarity(case, spec, regions),
        sides=_sides(case, centres),
        centres=_grouped((region.label, centre) for region, centre in centres),
        counts=_counts(case, spec, regions),
        sizes_mm=_sizes(case, regions),
        oriented=any(set(view.orientation) & {"L", "R"} for view in views),
        paths=paths,
    )


def _polarity(case: Case, spec: DatasetSpec, regions: Sequence[Region]) -> dict[str, Polarity]:
    found: dict[str, Polarity] = {}
    one_is_true = spec.label_kind in ("multi_class", "ordinal") and case.present()
    if one_is_true:
        found |= dict.fromkeys(spec.canonical(), "absent")
    for label in case.labels:
        found[label.name] = label.polarity
    return found | dict.fromkeys([region.label for region in regions], "present")


def _counts(case: Case, spec: DatasetSpec, regions: Sequence[Region]) -> dict[str, int]:
    if not case.complete_regions or not regions:
        return {}
    objects = {(region.label, region.instance or str(index)) for index, region in enumerate(regions)}
    return dict(Counter(label for label, _ in objects))


def _sides(case: Case, centres: Iterable[tuple[Region, Point]]) -> dict[str, frozenset[str]]:
    sides: dict[str, set[str]] = {}
    for region, centre in centres:
        side = patient_side(case.images[region.image_index].view, centre[0])
        if side:
            sides.setdefault(region.label, set()).add(side)
    if case.acquisition.laterality in ("left", "right"):
        for label in case.labels:
            if label.polarity == "present":
                sides.setdefault(label.name, {case.acquisition.laterality})
    return {label: frozenset(found) for label, found in sides.items()}


def patient_side(view: View, x: float) -> str:
    """The patient's side at ``x`` (0..1 along the picture); empty in the middle or where the view does not tell."""
    towards = view.orientation[:1]
    if towards not in ("L", "R") or 0.45 < x < 0.55:
        return ""
    return "left" if (towards == "L") == (x > 0.5) else "right"


def _sizes(case: Case, regions: Sequence[Region]) -> dict[str, tuple[float, ...]]:
    sizes: dict[str, list[float]] = {}
    for region in regions:
        view = case.images[region.image_index].view
        if view.spacing[0] > 0 and view.spacing[1] > 0:
            x0, y0, x1, y1 = view.box_to_view(region.box)
            width, height = (x1 - x0) * view.spacing[0], (y1 - y0) * view.spacing[1]
            sizes.setdefault(region.label, []).extend((width, height, (width**2 + height**2) ** 0.5))
    return {label: tuple(found) for label, found in sizes.items()}


def _centre(case: Case, region: Region) -> Point:
    view = case.images[region.image_index].view
    x0, y0, x1, y1 = view.normalised(view.box_to_view(region.box))
    return (x0 + x1) / 2, (y0 + y1) / 2


def _grouped(pairs: Iterable[tuple[str, Point]]) -> dict[str, tuple[Point, ...]]:
    found: dict[str, tuple[Point, ...]] = {}
    for label, point in pairs:
        found[label] = (*found.get(label, ()), point)
    return found
