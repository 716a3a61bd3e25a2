"""Slices of one volume that are shown together: which of a case's pictures they are, in which order, how far apart."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from converters.asking import Asker
from converters.geometry_words import plane_of
from converters.scenes import SMALLEST, regions_on
from converters.templating import load_table
from schemas.case import Case, ImageRef, Region
from schemas.view import View

MOST_MM = 0.05
"""Slice distances that differ by no more are told as one."""


@dataclass(frozen=True, slots=True)
class Stack:
    """Slices of one volume in one plane, in patient order, as several pictures or as one montage."""

    images: tuple[int, ...]
    """Indices of the pictures; a single one is a montage."""
    views: tuple[View, ...]
    """Of the slices."""
    plane: str
    positions: tuple[float, ...]
    """Millimetres of each slice from the first; empty where the spacing is unknown."""

    @property
    def montage(self) -> bool:
        """Whether one picture shows all of them."""
        return len(self.images) == 1


def stacks(case: Case, most: int) -> Iterator[Stack]:
    """Every montage, and every run of two to ``most`` pictures that are slices of one volume in one plane."""
    runs: dict[tuple[tuple[str, ...], str], list[int]] = {}
    for index, image in enumerate(case.images):
        planes = {plane_of(tile.image.view) for tile in image.tiles}
        if len(planes) == 1 and planes != {""}:
            views = tuple(tile.image.view for tile in image.tiles)
            yield Stack((index,), views, plane_of(views[0]), _positions(case, image, views))
        elif not image.tiles and plane_of(image.view) and not image.marks:
            runs.setdefault((image.files, plane_of(image.view)), []).append(index)
    for (_, plane), found in runs.items():
        if 2 <= len(found) <= most:
            views = tuple(case.images[index].view for index in found)
            yield Stack(tuple(found), views, plane, _positions(case, case.images[found[0]], views))


def _positions(case: Case, image: ImageRef, views: tuple[View, ...]) -> tuple[float, ...]:
    spacing = next((volume.spacing[views[0].axis] for volume in case.volumes if volume.files[0] in image.files), 0.0)
    return tuple(abs(view.index - views[0].index) * spacing for view in views) if spacing > 0 else ()


def areas(case: Case, stack: Stack) -> dict[str, tuple[list[float], list[int]]]:
    """Label -> (labelled pixels on each slice, indices of the regions that say so)."""
    found: dict[str, tuple[list[float], list[int]]] = {}
    for place, index in enumerate(stack.images):
        for number, region in regions_on(case, index):
            line, proofs = found.setdefault(region.label, ([0.0] * len(stack.views), []))
            line[_tile(case.images[index], region) if stack.montage else place] += region.area
            proofs.append(number)
    return found


def _tile(image: ImageRef, region: Region) -> int:
    """The tile on which a region of a montage stands: it never leaves it."""
    x, y = (region.box[0] + region.box[2]) / 2, (region.box[1] + region.box[3]) / 2
    inside = [
        number
        for number, tile in enumerate(image.tiles)
        if tile.x <= x < tile.x + tile.image.view.width and tile.y <= y < tile.y + tile.image.view.height
    ]
    return inside[0]


def faint(area: float, view: View) -> bool:
    """Whether so few pixels of a slice could not be seen, though there are some."""
    return 0 < area < SMALLEST * view.source_width * view.source_height


def described(ask: Asker, stack: Stack) -> str:
    """The sentence that says what is shown in which order, and where each slice lies."""

    def said(which: str, slots: dict[str, str]) -> str:
        return load_table("slice_series").fixed(which, ask.language).fill(slots)

    kind = "montage" if stack.montage else "images"
    slots = {"number": str(len(stack.views)), "plane": said(stack.plane, {}), "order": said(f"{stack.plane}_order", {})}
    gaps = [after - before for before, after in pairwise(stack.positions)]
    if not gaps:
        return said(kind, slots)
    if max(gaps) - min(gaps) <= MOST_MM:
        return said(f"{kind}_apart", slots | {"apart": f"{gaps[0]:.1f}"})
    at = ask.words.listed([f"{value:.1f}" for value in stack.positions])
    return said(f"{kind}_at", slots | {"positions": at})
