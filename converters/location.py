"""Location: where a region lies, in words of the patient's frame or of the picture's; open or as a choice."""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from converters.asking import Asker, Common
from converters.choosing import LETTERS, options_of, with_options
from converters.drawing import generator
from converters.geometry_words import THIRD, Spot, opposite, where
from converters.singles import singles
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction
from schemas.view import View

_UNSURE = 0.03
"""A centre this near to the border of a third could be called either."""


class Location:
    """Up to ``per_image`` questions for each image, about regions that are alone with their label."""

    name: ClassVar[str] = "location"

    class Options(Common):
        """Options."""

        per_image: int = Field(default=1, ge=1)
        choice_share: float = Field(default=0.5, ge=0, le=1)
        """Share of questions that are asked as a choice."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions."""
        if not case.regions:
            return
        ask = Asker(case, context, self.name, self.options)
        for index in range(len(case.images)):
            clear = {label: found for label, found in singles(case, index).items() if sure(found[1])}
            order = generator(context.seed, ask.id(f"image{index}"), "labels")
            for label in order.sample(list(clear), min(self.options.per_image, len(clear))):
                yield self._row(ask, index, label, *clear[label])

    def _row(self, ask: Asker, index: int, label: str, number: int, seen: Spot) -> Instruction:
        row = ask.id(f"image{index}/{label}")
        view, words = ask.case.images[index].view, ask.words
        place = where(seen, view)
        right = words.location(place.codes, place.patient, place.wide)
        template = ask.draw("ask", row)
        slots = ask.slots((index,)) | {"thing": words.definite(label), "be": words.be(label), "place": right}
        question, answer = template.fill(slots), ask.draw("answer", row).fill(slots)
        options: tuple[str, ...] = ()
        right_index = -1
        if ask.chance(row, "choice") < self.options.choice_share:
            others = [words.location(codes, place.patient, False) for codes in all_codes(view) if codes != place.codes]
            options, right_index = options_of(ask, row, right, others, 4)
            question, answer = with_options(question, options, ask.language), LETTERS[right_index]
        return ask.row(
            row,
            "mcq" if options else "open",
            question,
            answer,
            images=(index,),
            template=template.id,
            facts=(f"regions[{number}]",),
            short=right,
            options=options,
            answer_index=right_index,
            regions=(seen.place,),
            labels=(label,),
        )


def sure(seen: Spot) -> bool:
    """Whether the centre is clear of the borders between the thirds, and the region does not span the picture."""
    near = min(abs(value - border) for value in seen.centre for border in (THIRD, 1 - THIRD))
    x0, y0, x1, y1 = seen.place.box
    return near > _UNSURE and x1 - x0 < THIRD * 1.5 and y1 - y0 < THIRD * 1.5


def all_codes(view: View) -> list[str]:
    """The nine places that `where` tells apart on this view."""
    across, down = list(view.orientation if len(view.orientation) == 2 else ">v")
    rows, columns = (down, opposite(down), ""), (across, opposite(across), "")
    return ["".join(sorted(y + x, key="SIAP^v<>LR".index)) for y in rows for x in columns]
