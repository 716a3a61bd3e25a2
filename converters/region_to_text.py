"""Region to text: a box is given, the answer names what it holds; as a choice or open."""

from collections.abc import Iterator
from itertools import islice
from typing import ClassVar

from pydantic import Field

from converters.asking import Asker, PerImage
from converters.boxes import BoxStyle, box_note, numbers
from converters.geometry_words import Spot
from converters.regional import RegionalChoices, asked
from converters.visible import clear_regions, within_box
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction


class RegionToTextOptions(PerImage, RegionalChoices):
    """Options."""

    per_image: int = Field(default=2, ge=1)
    choice_share: float = Field(default=0.25, ge=0, le=1)
    box: BoxStyle = "fraction"


class RegionToText:
    """Up to ``per_image`` questions for each image, about regions whose box names one thing only."""

    name: ClassVar[str] = "region_to_text"

    Options = RegionToTextOptions

    def __init__(self, options: RegionToTextOptions) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions."""
        if not case.regions:
            return
        ask = Asker(case, context, self.name, self.options)
        for index in range(len(case.images)):
            for number, seen in islice(clear_regions(ask, index), self.options.per_image):
                yield self._row(ask, index, number, seen)

    def _row(self, ask: Asker, index: int, number: int, seen: Spot) -> Instruction:
        label = ask.case.regions[number].label
        row = ask.about(f"image{index}/region{number}")
        view = ask.case.images[index].view
        template, words = ask.draw("ask", row), ask.words
        slots = ask.slots((index,)) | {"box": numbers(seen.place, self.options.box, view)}
        question = words.SPACE.join([template.fill(slots), box_note(ask, self.options.box, named=False)])
        said = ask.draw("answer", row).fill({"thing": words.phrase(label), "label": words.name(label)})
        held = within_box(ask.case, index, number)
        made = asked(ask, row, label, question, said, self.options, held)
        return ask.row(
            row,
            made.task,
            made.question,
            made.said,
            images=(index,),
            template=template.id,
            facts=(f"regions[{number}]",),
            short=made.short,
            options=made.options,
            answer_index=made.index,
            regions=(seen.place,),
            labels=(label,),
        )
