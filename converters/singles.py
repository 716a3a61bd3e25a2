"""Regions that a text may call "the spleen": the only one of their label on a completely annotated picture."""

from converters.geometry_words import Spot
from converters.memo import OfLastCase
from converters.region_to_text import spots_on
from converters.scenes import regions_on
from schemas.case import Case

_remembered: OfLastCase[dict[str, tuple[int, Spot]]] = OfLastCase()


def singles(case: Case, index: int) -> dict[str, tuple[int, Spot]]:
    """Label -> (index in the case, place on the view) of regions that are alone with their label on one image.

    None where the annotation is not complete: another of the same name could lie beside it.
    """
    if not case.complete_regions:
        return {}
    return _remembered.get(case, index, lambda: _singles(case, index))


def _singles(case: Case, index: int) -> dict[str, tuple[int, Spot]]:
    numbers: dict[str, list[int]] = {}
    for number, region in regions_on(case, index):
        numbers.setdefault(region.label, []).append(number)
    seen = spots_on(case, index)
    return {
        label: (found[0], seen[found[0]]) for label, found in numbers.items() if len(found) == 1 and found[0] in seen
    }
