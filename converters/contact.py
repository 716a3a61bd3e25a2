"""Contact: whether one mask touches another, or lies inside it, as yes/no with balanced answers."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from converters.asking import Asker, Common
from converters.cutout import Edges, cutout, edges_of, pasted, within
from converters.geometry_words import Spot
from converters.kinship import is_lesion, lesion
from converters.scenes import regions_on
from converters.singles import singles
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction, Place
from schemas.runs import Mask

_FAR = 4
"""Masks must be this many pixels apart to be said not to touch."""
_INSIDE = 0.95
"""Part of a mask that must lie within the other, its holes filled, to be said to lie inside it."""

Pair = tuple[str, str]
Gap = Literal["none", "narrow", "wide"]


class Contact:
    """One question about touching and one about what the lesion lies in, for each image that allows both answers."""

    name: ClassVar[str] = "contact"

    class Options(Common):
        """Options."""

        one_sided: bool = Field(default=False)
        """Also ask where only one answer is possible on the picture."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions."""
        if not any(region.kind == "mask" for region in case.regions):
            return
        ask = Asker(case, context, self.name, self.options)
        for index in range(len(case.images)):
            found = {label: pair for label, pair in singles(case, index).items() if pair[1].place.rle}
            gaps = _gaps(found)
            inside = _inside(found, gaps, {region.label for _, region in regions_on(case, index)})
            for which, judged in (("touches", _touching(gaps)), ("inside", inside)):
                yield from self._asked(ask, index, which, judged, found)

    def _asked(
        self, ask: Asker, index: int, which: str, judged: dict[Pair, bool], found: dict[str, tuple[int, Spot]]
    ) -> Iterator[Instruction]:
        row = ask.about(f"image{index}/{which}")
        sides = {answer: [pair for pair, truth in judged.items() if truth is answer] for answer in (True, False)}
        if not (sides[True] and sides[False]) and not (self.options.one_sided and judged):
            return
        answer = row.chance() < 0.5
        answer = answer if sides[answer] else not answer
        one, two = row.choice(sides[answer])
        words, template = ask.words, ask.draw(which, row)
        # "Is the liver tumor inside the liver?" would be answered by its own words.
        said = "lesion" if which == "inside" else one
        slots = ask.slots((index,)) | {
            "one": words.definite(said),
            "two": words.definite(two),
            "be": words.be(said),
        }
        yield ask.row(
            row,
            "yes_no",
            template.fill(slots),
            words.YES if answer else words.NO,
            images=(index,),
            template=template.id,
            facts=(f"regions[{found[one][0]}]", f"regions[{found[two][0]}]"),
            regions=(found[one][1].place, found[two][1].place),
            labels=(one, two),
        )


def _gaps(found: dict[str, tuple[int, Spot]]) -> dict[Pair, Gap]:
    """What lies between the masks of each pair."""
    places = {label: seen.place for label, (_, seen) in found.items()}
    around = {label: edges_of(place) for label, place in places.items()}
    wide = {label: edges_of(place, _FAR) for label, place in places.items()}
    return {
        (one, two): _gap(places[one], places[two], wide[one]) if _overlap(wide[one], around[two]) else "wide"
        for one, two in combinations(places, 2)
    }


def _touching(gaps: dict[Pair, Gap]) -> dict[Pair, bool]:
    """Pairs that clearly touch or clearly do not; neighbours across a gap of a few pixels are left out."""
    return {pair: gap == "none" for pair, gap in gaps.items() if gap != "narrow"}


def _inside(found: dict[str, tuple[int, Spot]], gaps: dict[Pair, Gap], labels: set[str]) -> dict[Pair, bool]:
    """Ordered pairs of the only lesion on the picture and a structure: clearly inside, or clearly apart.

    What merely touches is left out: in a label map a tumour is cut out of its organ, and at the rim it only touches it.
    """
    judged: dict[Pair, bool] = {}
    lesions = [label for label in labels if lesion(label)]
    if len(lesions) != 1 or lesions[0] not in found or not is_lesion(lesions[0]):
        return judged
    one = lesions[0]
    for two in found:
        if lesion(two):
            continue
        if _lies_inside(found[one][1].place, found[two][1].place):
            judged[one, two] = True
        elif (gaps[one, two] if (one, two) in gaps else gaps[two, one]) == "wide":
            judged[one, two] = False
    return judged


def _gap(one: Place, two: Place, edges: Edges) -> Gap:
    """None where the masks touch, be it corner to corner; wide where they are `_FAR` apart.

    ``edges`` are those of the first, `_FAR` away from it.
    """
    grown, there = within(one, edges), within(two, edges)
    for reach in range(1, _FAR + 1):
        grown = _grown(grown)
        if (grown & there).any():
            return "none" if reach == 1 else "narrow"
    return "wide"


def _overlap(one: Edges, two: Edges) -> bool:
    return one[0] < two[2] and two[0] < one[2] and one[1] < two[3] and two[1] < one[3]


def _lies_inside(one: Place, two: Place) -> bool:
    """Whether nearly all of one mask lies in the other, whose holes are filled."""
    around = edges_of(two)
    if not _overlap(edges_of(one), around):
        return False
    mask, left, top = cutout(one)
    pixels = np.count_nonzero(mask)
    if np.count_nonzero(within(one, around)) / pixels < _INSIDE:
        return False
    edges = (left, top, left + mask.shape[1], top + mask.shape[0])
    return bool(np.count_nonzero(mask & pasted(_filled(two), *around[:2], edges)) / pixels >= _INSIDE)


def _grown(mask: Mask) -> Mask:
    """With every neighbour of a pixel, as far as the canvas goes."""
    rows = mask.copy()
    rows[1:] |= mask[:-1]
    rows[:-1] |= mask[1:]
    grown = rows.copy()
    grown[:, 1:] |= rows[:, :-1]
    grown[:, :-1] |= rows[:, 1:]
    return grown


@lru_cache(maxsize=64)
def _filled(place: Place) -> Mask:
    from scipy.ndimage import binary_fill_holes

    filled: np.ndarray[Any, np.dtype[np.bool_]] = binary_fill_holes(cutout(place)[0])
    return filled
