"""What is known about a case, in plain sentences, each with the path into the case that proves it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from schemas.case import Case, ImageRef, Region
from schemas.spec import DatasetSpec
from schemas.taxonomy.labels import canonical_label
from schemas.view import Box

MAX_TEXT = 2000
"""Characters of one source text that go into a prompt."""
MAX_REGIONS = 24
PATIENT = {"L": "left", "R": "right"}
ACQUISITION = ("modality", "anatomy", "view", "plane", "laterality", "contrast")


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is known."""

    path: str
    """E.g. ``labels[0]`` or ``regions[3]``."""
    sentence: str


def facts(case: Case, shown: Sequence[ImageRef], spec: DatasetSpec | None = None) -> list[Fact]:
    """Everything that is known about the case, of the images in ``shown`` where it is about one image.

    Args:
        case: with its annotation.
        shown: the images that the text is about.
        spec: says modality and anatomy where the case itself does not.
    """
    places = {case.images.index(ref): number for number, ref in enumerate(shown, 1) if ref in case.images}
    return [
        *_acquisition(case, spec), *_sides(case, places), *_labels(case, places), *_regions(case, places),
        *_texts(case),
    ]  # fmt: skip


def about_the_case(known: Sequence[Fact]) -> bool:
    """Whether anything is known of the case itself, and not only of the dataset and of how its pictures lie."""
    return any(not fact.path.startswith(("spec.", "images[")) for fact in known)


def _acquisition(case: Case, spec: DatasetSpec | None) -> Iterator[Fact]:
    for name in ACQUISITION:
        value = getattr(case.acquisition, name)
        if value:
            yield Fact(f"acquisition.{name}", f"{name}: {value}.")
        elif spec is not None and name in ("modality", "anatomy"):
            yield Fact(f"spec.{name}", f"{name}: {getattr(spec, name)}.")


def _sides(case: Case, places: dict[int, int]) -> Iterator[Fact]:
    """Which side of the patient lies on the left of a picture, where its header says so."""
    for index in places:
        rightwards = case.images[index].view.orientation[:1]
        if rightwards in PATIENT:
            side = PATIENT["R" if rightwards == "L" else "L"]
            sentence = f"the left of the picture is the patient's {side}{_image(index, places)}."
            yield Fact(f"images[{index}].view.orientation", sentence)


def _labels(case: Case, places: dict[int, int]) -> Iterator[Fact]:
    words = {"present": "present", "absent": "absent", "uncertain": "possible, not certain"}
    for index, label in enumerate(case.labels):
        if label.image_index != -1 and label.image_index not in places:
            continue
        if not _is_none(label.name):
            sentence = f"{label.name}: {words[label.polarity]}{_image(label.image_index, places)}."
            yield Fact(f"labels[{index}]", sentence)
        elif label.polarity == "present":  # that "no finding" is absent says nothing that the findings do not
            yield Fact(f"labels[{index}]", f"no abnormal finding{_image(label.image_index, places)}.")


@lru_cache(maxsize=4096)
def _is_none(name: str) -> bool:
    """Whether a label says that nothing was found."""
    return canonical_label(name) == "no finding"


def _regions(case: Case, places: dict[int, int]) -> Iterator[Fact]:
    seen = [(index, region) for index, region in enumerate(case.regions) if region.image_index in places]
    objects = {(region.label, region.instance or str(index)) for index, region in seen}
    counts = Counter(label for label, _ in sorted(objects))
    if case.complete_regions:
        for name, count in counts.items():
            paths = ",".join(f"regions[{index}]" for index, region in seen if region.label == name)
            yield Fact(paths, f"number of {name}: {count}.")
    for index, region in seen[:MAX_REGIONS]:
        where = f"in the {place(case, region)} of the picture{_image(region.image_index, places)}"
        yield Fact(f"regions[{index}]", f"{region.label} {where}{_extent(case, region)}.")


def _texts(case: Case) -> Iterator[Fact]:
    for index, text in enumerate(case.texts):
        content = text.content.strip()
        if content:
            title = text.title or text.kind
            yield Fact(f"texts[{index}]", f"{title}: {content[:MAX_TEXT]}")


def _image(index: int, places: dict[int, int]) -> str:
    return f" (picture {places[index]})" if index in places and len(places) > 1 else ""


def _extent(case: Case, region: Region) -> str:
    """Width and height on the picture, where its pixels have a known size."""
    view = case.images[region.image_index].view
    if region.kind == "point" or min(view.spacing) <= 0:
        return ""
    x0, y0, x1, y1 = view.box_to_view(region.box)
    return f", {_millimetres((x1 - x0) * view.spacing[0])} x {_millimetres((y1 - y0) * view.spacing[1])} mm"


def _millimetres(length: float) -> str:
    return f"{length:.0f}" if length >= 10 else f"{length:.1f}"


def place(case: Case, region: Region) -> str:
    """The ninth of the picture in which the centre of the region lies, e.g. ``upper left``, as the viewer sees it."""
    x0, y0, x1, y1 = region_box(case, region)
    row = ("upper", "middle", "lower")[_third((y0 + y1) / 2)]
    column = ("left", "centre", "right")[_third((x0 + x1) / 2)]
    return "centre" if (row, column) == ("middle", "centre") else f"{row} {column}"


def region_box(case: Case, region: Region) -> Box:
    """x0 y0 x1 y1 of a region as fractions of its picture as it is published."""
    view = case.images[region.image_index].view
    return view.normalised(view.box_to_view(region.box))


def _third(fraction: float) -> int:
    return min(2, max(0, int(fraction * 3)))
