"""What is known about a case, in plain sentences, each with the path into the case that proves it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schemas.case import Case, ImageRef, Region
from schemas.view import Box

MAX_TEXT = 2000
"""Characters of one source text that go into a prompt."""
MAX_REGIONS = 24


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is known."""

    path: str
    """E.g. ``labels[0]`` or ``regions[3]``."""
    sentence: str


def facts(case: Case, shown: Sequence[ImageRef]) -> list[Fact]:
    """Everything about the case that its annotation states, of the images in ``shown`` where it is about one image."""
    places = {case.images.index(ref): number for number, ref in enumerate(shown, 1) if ref in case.images}
    return [*_acquisition(case), *_labels(case, places), *_regions(case, places), *_texts(case)]


def _acquisition(case: Case) -> Iterator[Fact]:
    made = case.acquisition
    names = ("modality", "anatomy", "view", "plane", "laterality", "contrast")
    for name in names:
        value = getattr(made, name)
        if value:
            yield Fact(f"acquisition.{name}", f"{name}: {value}.")


def _labels(case: Case, places: dict[int, int]) -> Iterator[Fact]:
    words = {"present": "present", "absent": "absent", "uncertain": "possible, not certain"}
    for index, label in enumerate(case.labels):
        if label.image_index == -1 or label.image_index in places:
            where = _image(label.image_index, places)
            yield Fact(f"labels[{index}]", f"{label.name}: {words[label.polarity]}{where}.")


def _regions(case: Case, places: dict[int, int]) -> Iterator[Fact]:
    seen = [(index, region) for index, region in enumerate(case.regions) if region.image_index in places]
    objects = {(region.label, region.instance or str(index)) for index, region in seen}
    counts = Counter(label for label, _ in sorted(objects))
    if case.complete_regions:
        for name, count in counts.items():
            paths = ",".join(f"regions[{index}]" for index, region in seen if region.label == name)
            yield Fact(paths, f"number of {name}: {count}.")
    for index, region in seen[:MAX_REGIONS]:
        where = _image(region.image_index, places)
        yield Fact(f"regions[{index}]", f"{region.label} in the {place(case, region)} of the picture{where}.")


def _texts(case: Case) -> Iterator[Fact]:
    for index, text in enumerate(case.texts):
        content = text.content.strip()
        if content:
            title = text.title or text.kind
            yield Fact(f"texts[{index}]", f"{title}: {content[:MAX_TEXT]}")


def _image(index: int, places: dict[int, int]) -> str:
    return f" (picture {places[index]})" if index in places and len(places) > 1 else ""


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
