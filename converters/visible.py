"""The regions of a case that can be seen on its pictures, worked out once for all converters that ask about it."""

from collections.abc import Iterator

from converters.asking import Asker
from converters.geometry_words import Spot, overlap, spot
from converters.memo import of_last_case
from converters.scenes import regions_on, too_small
from schemas.case import Case
from schemas.view import Box

SAME_BOX = 0.6
"""Boxes of different labels that overlap by more than this (IoU) cannot be told apart by their box."""
_HELD = 0.5
"""A region that lies in a box by more than this is also what the box holds."""


@of_last_case
def every_spot(case: Case, index: int) -> dict[int, Spot]:
    """Regions of one image of which anything lies on its view, by their index in the case."""
    view = case.images[index].view
    on = {number: spot(region, view) for number, region in regions_on(case, index)}
    return {number: seen for number, seen in on.items() if seen is not None}


@of_last_case
def spots_on(case: Case, index: int) -> dict[int, Spot]:
    """Those of `every_spot` that are large enough to be asked about."""
    every = every_spot(case, index)
    return {number: seen for number, seen in every.items() if not too_small(case.regions[number], case)}


@of_last_case
def ambiguous(case: Case, index: int) -> frozenset[int]:
    """The regions whose box nearly is that of another label's, so that the box does not tell which one is meant."""
    return frozenset(_same_box(case, index))


def _same_box(case: Case, index: int) -> Iterator[int]:
    seen = sorted(spots_on(case, index).items(), key=lambda found: found[1].place.box)
    for place, (one, here) in enumerate(seen, 1):
        for other, there in seen[place:]:
            if there.place.box[0] >= here.place.box[2]:  # nor does any after it reach back
                break
            if case.regions[other].label != case.regions[one].label and overlap(here.place, there.place) > SAME_BOX:
                yield from (one, other)


def within_box(case: Case, index: int, number: int) -> frozenset[str]:
    """Labels of other regions that lie by more than half in a region's box, so that the box holds them too."""
    every = every_spot(case, index)
    edges = every[number].place.box
    held = (other for other, there in every.items() if other != number and _share(there.place.box, edges) > _HELD)
    return frozenset(case.regions[other].label for other in held)


def _share(inner: Box, outer: Box) -> float:
    """Part of the inner box that lies in the outer one, 0..1."""
    wide, high = min(inner[2], outer[2]) - max(inner[0], outer[0]), min(inner[3], outer[3]) - max(inner[1], outer[1])
    area = (inner[2] - inner[0]) * (inner[3] - inner[1])
    return wide * high / area if wide > 0 and high > 0 and area > 0 else 0.0


def clear_regions(ask: Asker, index: int) -> Iterator[tuple[int, Spot]]:
    """(index in the case, place) of the regions that their box tells from all others, in an order drawn by the hash."""
    seen, unclear = spots_on(ask.case, index), ambiguous(ask.case, index)
    for number in ask.generator(f"image{index}", "regions").each(seen):
        if number not in unclear:
            yield number, seen[number]
