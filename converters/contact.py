"""Contact: whether one mask touches another, or lies inside it, as yes/no with balanced answers."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from converters.asking import Asker, Common
from converters.cutout import cutout, edges_of, pasted, within
from converters.drawing import generator
from converters.geometry_words import Spot
from converters.kinship import is_lesion, lesion
from converters.scenes import regions_on
from converters.singles import singles
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction, Place
from schemas.masks import Mask

_FAR = 4
"""Masks must be this many pixels apart to be said not to touch."""
_INSIDE = 0.95
"""Part of a mask that must lie within the other, its holes filled, to be said to lie inside it."""

Pair = tuple[str, str]


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
            inside = _inside(found, {region.label for _, region in regions_on(case, index)})
            for which, judged in (("touches", _touching(found)), ("inside", inside)):
                yield from self._asked(ask, index, which, judged, found)

    def _asked(
        self, ask: Asker, index: int, which: str, judged: dict[Pair, bool], found: dict[str, tuple[int, Spot]]
    ) -> Iterator[Instruction]:
        row = ask.id(f"image{index}/{which}")
        sides = {answer: [pair for pair, truth in judged.items() if truth is answer] for answer in (True, False)}
        if not (sides[True] and sides[False]) and not (self.options.one_sided and judged):
            return
        answer = ask.chance(row, "side") < 0.5
        answer = answer if sides[answer] else not answer
        one, two = generator(ask.context.seed, row, "pair").choice(sides[answer])
        words, template = ask.words, ask.draw(which, row)
        # "Is the liver tumor inside the liver?" would be answered by its own words.
        slots = ask.slots((index,)) | {
            "one": words.definite("lesion" if which == "inside" else one),
            "two": words.definite(two),
            "be": words.be(one),
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


def _touching(found: dict[str, tuple[int, Spot]]) -> dict[Pair, bool]:
    """Pairs that clearly touch or clearly do not; neighbours across a gap of a few pixels are left out."""
    judged: dict[Pair, bool] = {}
    for one, two in combinations(found, 2):
        a, b = found[one][1].place, found[two][1].place
        if _meet(a, b, 1):
            judged[one, two] = True
        elif not _meet(a, b, _FAR):
            judged[one, two] = False
    return judged


def _inside(found: dict[str, tuple[int, Spot]], labels: set[str]) -> dict[Pair, bool]:
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
        a, b = found[one][1].place, found[two][1].place
        if _boxes_meet(a, b, 1) and _part_inside(a, b) >= _INSIDE:
            judged[one, two] = True
        elif not _meet(a, b, _FAR):
            judged[one, two] = False
    return judged


def _meet(one: Place, two: Place, reach: int) -> bool:
    """Whether the masks come within ``reach`` pixels of each other, side by side or corner to corner."""
    if not _boxes_meet(one, two, reach):
        return False
    edges = edges_of(one, reach)
    grown, there = within(one, edges), within(two, edges)
    for _ in range(reach):
        grown = _grown(grown)
    return bool((grown & there).any())


def _boxes_meet(one: Place, two: Place, reach: int) -> bool:
    """Whether less than ``reach`` pixels lie between the boxes."""
    a, b = edges_of(one), edges_of(two)
    return all(max(a[axis], b[axis]) - min(a[axis + 2], b[axis + 2]) < reach for axis in (0, 1))


def _part_inside(one: Place, two: Place) -> float:
    """How much of one mask lies in the other, whose holes are filled."""
    mask, left, top = cutout(one)
    edges = (left, top, left + mask.shape[1], top + mask.shape[0])
    _, at_left, at_top = cutout(two)
    return float(np.count_nonzero(mask & pasted(_filled(two), at_left, at_top, edges)) / np.count_nonzero(mask))


def _grown(mask: Mask) -> Mask:
    wide = np.pad(mask, 1)
    rows = wide[:-2] | wide[1:-1] | wide[2:]
    return np.asarray(rows[:, :-2] | rows[:, 1:-1] | rows[:, 2:])


@lru_cache(maxsize=64)
def _filled(place: Place) -> Mask:
    from scipy.ndimage import binary_fill_holes

    filled: np.ndarray[Any, np.dtype[np.bool_]] = binary_fill_holes(cutout(place)[0])
    return filled
