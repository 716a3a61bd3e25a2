"""Largest: which of several regions covers most of the picture."""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from converters.asking import Asker, Common
from converters.choosing import LETTERS, options_of, with_options
from converters.geometry_words import cut_off
from converters.singles import singles
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction


class Largest:
    """One choice for each image with at least two regions, each alone with its label and all of one kind."""

    name: ClassVar[str] = "largest"

    class Options(Common):
        """Options."""

        margin: float = Field(default=1.25, ge=1)
        """The largest must be this many times as large as the next."""
        choices: int = Field(default=4, ge=2, le=10)

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions."""
        if not case.regions:
            return
        ask = Asker(case, context, self.name, self.options)
        for index in range(len(case.images)):
            row = self._row(ask, index)
            if row is not None:
                yield row

    def _row(self, ask: Asker, index: int) -> Instruction | None:
        found = singles(ask.case, index)
        if len(found) < 2 or len({seen.place.kind for _, seen in found.values()} | {"point"}) != 2:
            return None
        order = sorted(found, key=lambda label: -found[label][1].share)
        first, second = (found[label][1] for label in order[:2])
        if first.share < self.options.margin * second.share or any(cut_off(seen) for _, seen in found.values()):
            return None
        row = ask.id(f"image{index}")
        labels, right = options_of(ask, row, order[0], order[1:], self.options.choices)
        options = tuple(ask.words.name(label) for label in labels)
        template = ask.draw("ask", row)
        return ask.row(
            row,
            "mcq",
            with_options(template.fill(ask.slots((index,))), options, ask.language),
            LETTERS[right],
            images=(index,),
            template=template.id,
            facts=tuple(f"regions[{found[label][0]}]" for label in labels),
            short=options[right],
            options=options,
            answer_index=right,
            regions=tuple(found[label][1].place for label in labels),
            labels=tuple(found),
        )
