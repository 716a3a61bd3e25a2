"""The regions of a case that can be seen on its pictures, worked out once for all converters that ask about it."""

from collections.abc import Iterator

from converters.asking import Asker
from converters.geometry_words import Spot, overlap, spot
from converters.memo import of_last_case
from converters.scenes import regions_on, too_small
from schemas.case import Case

SAME_BOX = 0.6
"""Boxes of different labels that overlap by more than this (IoU) cannot be told apart by their box."""


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


def clear_regions(ask: Asker, index: int) -> Iterator[tuple[int, Spot]]:
    """(index in the case, place) of the regions that their box tells from all others, in an order drawn by the hash."""
    seen, unclear = spots_on(ask.case, index), ambiguous(ask.case, index)
    for number in ask.generator(f"image{index}", "regions").each(seen):
        if number not in unclear:
            yield number, seen[number]
