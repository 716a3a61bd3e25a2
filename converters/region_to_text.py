"""Region to text: a box is given, the answer names what it holds."""

from collections.abc import Iterator
from itertools import islice
from typing import ClassVar

from pydantic import Field

from converters.asking import Asker, Common
from converters.boxes import BoxStyle, numbers
from converters.drawing import generator
from converters.geometry_words import Spot, overlap, spot
from converters.memo import OfLastCase
from converters.scenes import regions_on, too_small
from converters.templating import load_table
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction

SAME_BOX = 0.6
"""Boxes of different labels that overlap by more than this (IoU) cannot be told apart by their box."""


class RegionToText:
    """Up to ``per_image`` questions for each image, about regions whose box names one thing only."""

    name: ClassVar[str] = "region_to_text"

    class Options(Common):
        """Options."""

        per_image: int = Field(default=2, ge=1)
        box: BoxStyle = "fraction"

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions."""
        if not case.regions:
            return
        ask = Asker(case, context, self.name, self.options)
        for index in range(len(case.images)):
            seen = spots_on(case, index)
            order = generator(context.seed, ask.id(f"image{index}"), "regions").sample(list(seen), len(seen))
            clear = (number for number in order if not ambiguous(number, seen, case))
            for number in islice(clear, self.options.per_image):
                yield self._row(ask, index, number, seen[number])

    def _row(self, ask: Asker, index: int, number: int, seen: Spot) -> Instruction:
        label = ask.case.regions[number].label
        row = ask.id(f"image{index}/region{number}")
        view = ask.case.images[index].view
        template, words = ask.draw("ask", row), ask.words
        slots = ask.slots((index,)) | {"box": numbers(seen.place, self.options.box, view)}
        asked = words.SPACE.join([template.fill(slots), box_note(ask, self.options.box)])
        said = ask.draw("answer", row).fill({"thing": words.phrase(label), "label": words.name(label)})
        return ask.row(
            row,
            "region_to_text",
            asked,
            said,
            images=(index,),
            template=template.id,
            facts=(f"regions[{number}]",),
            short=words.name(label),
            regions=(seen.place,),
            labels=(label,),
        )


_remembered: OfLastCase[dict[int, Spot]] = OfLastCase()


def spots_on(case: Case, index: int) -> dict[int, Spot]:
    """Regions of one image that can be seen on it, by their index in the case."""
    return _remembered.get(case, index, lambda: _spots_on(case, index))


def _spots_on(case: Case, index: int) -> dict[int, Spot]:
    view = case.images[index].view
    on = {number: spot(region, view) for number, region in regions_on(case, index) if not too_small(region, case)}
    return {number: seen for number, seen in on.items() if seen is not None}


def box_note(ask: Asker, style: BoxStyle) -> str:
    """The sentence that says how boxes are written."""
    return load_table("boxes").choose(style, ask.language, 0, "").fill({})


def ambiguous(number: int, seen: dict[int, Spot], case: Case) -> bool:
    """Whether a region of another label has nearly the same box, so that the box does not tell which one is meant."""
    label, here = case.regions[number].label, seen[number].place
    return any(
        case.regions[other].label != label and overlap(here, there.place) > SAME_BOX for other, there in seen.items()
    )
