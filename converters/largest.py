"""Largest: which of several regions covers most of the picture."""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from converters.asking import Asker
from converters.choosing import Choices, choose, with_options
from converters.geometry_words import cut_off
from converters.singles import singles
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction


class LargestOptions(Choices):
    """Options; ``hard`` offers those whose areas come next."""

    margin: float = Field(default=1.25, ge=1)
    """The largest must be this many times as large as the next."""
    none_share: float = Field(default=0.0, ge=0, le=0)
    """One of several is always the largest."""


class Largest:
    """One choice for each image with at least two regions, each alone with its label and all of one kind."""

    name: ClassVar[str] = "largest"

    Options = LargestOptions

    def __init__(self, options: LargestOptions) -> None:
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
        row = ask.about(f"image{index}")
        chosen = choose(ask, row, order[0], order[1:], self.options, near=lambda _, other: found[other][1].share)
        template = ask.draw("ask", row)
        return ask.row(
            row,
            "mcq",
            with_options(template.fill(ask.slots((index,))), chosen.options, ask.language),
            chosen.letter,
            images=(index,),
            template=template.id,
            facts=tuple(f"regions[{found[label][0]}]" for label in chosen.labels),
            short=chosen.right,
            options=chosen.options,
            answer_index=chosen.index,
            regions=tuple(found[label][1].place for label in chosen.labels),
            labels=tuple(found),
        )
