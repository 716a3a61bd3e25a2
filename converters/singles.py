"""Regions that a text may call "the spleen": the only one of their label on a completely annotated picture."""

from collections.abc import Callable, Iterator
from itertools import combinations

from converters.asking import Asker
from converters.geometry_words import Spot, direction
from converters.memo import of_last_case
from converters.scenes import regions_on
from converters.visible import spots_on
from schemas.case import Case


@of_last_case
def singles(case: Case, index: int) -> dict[str, tuple[int, Spot]]:
    """Label -> (index in the case, place on the view) of regions that are alone with their label on one image.

    None where the annotation is not complete: another of the same name could lie beside it.  None on a montage, either:
    what lies on the left of another there may lie anywhere in the patient.
    """
    if not case.complete_regions or case.images[index].tiles:
        return {}
    numbers: dict[str, list[int]] = {}
    for number, region in regions_on(case, index):
        numbers.setdefault(region.label, []).append(number)
    seen = spots_on(case, index)
    return {
        label: (found[0], seen[found[0]]) for label, found in numbers.items() if len(found) == 1 and found[0] in seen
    }


@of_last_case
def separated(case: Case, index: int) -> list[tuple[str, str, str]]:
    """(one, other, `direction` of the one from the other) of `singles` that an axis separates clearly."""
    found, view = singles(case, index), case.images[index].view
    return [
        (one, other, code)
        for one, other in combinations(found, 2)
        if (code := direction(found[one][1], found[other][1], view))
    ]


def drawn_singles(ask: Asker, index: int, most: int, fit: Callable[[Spot], bool]) -> Iterator[tuple[str, int, Spot]]:
    """(label, index in the case, place) of up to ``most`` `singles` that fit, drawn by the hash."""
    found = {label: pair for label, pair in singles(ask.case, index).items() if fit(pair[1])}
    for label in ask.generator(f"image{index}", "labels").sample(list(found), min(most, len(found))):
        yield label, *found[label]
