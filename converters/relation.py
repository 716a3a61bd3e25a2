"""Relation: on which side of one region another lies, as yes/no with balanced answers or as an open question."""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from converters.asking import Asker, PerImage
from converters.geometry_words import Spot, opposite
from converters.singles import separated, singles
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction


class Relation:
    """Up to ``per_image`` questions for each image, about pairs that one axis separates clearly."""

    name: ClassVar[str] = "relation"

    class Options(PerImage):
        """Options."""

        open_share: float = Field(default=0.5, ge=0, le=1)
        """Share of open questions; the others are yes/no."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions."""
        if not case.regions:
            return
        ask = Asker(case, context, self.name, self.options)
        for index in range(len(case.images)):
            pairs = separated(case, index)
            order = ask.generator(f"image{index}", "pairs")
            for one, two, code in order.sample(pairs, min(self.options.per_image, len(pairs))):
                yield self._row(ask, index, (one, two), code, singles(case, index))

    def _row(
        self, ask: Asker, index: int, pair: tuple[str, str], code: str, found: dict[str, tuple[int, Spot]]
    ) -> Instruction:
        row = ask.about(f"image{index}/{'/'.join(pair)}")
        if row.chance() < 0.5:
            pair, code = (pair[1], pair[0]), opposite(code)
        words = ask.words
        open_one = row.chance() < self.options.open_share
        true = row.chance() < 0.5
        template = ask.draw("open" if open_one else "closed", row)
        slots = ask.slots((index,)) | {
            "one": words.definite(pair[0]),
            "two": words.definite(pair[1]),
            "be": words.be(pair[0]),
            "side": words.beside(code if true or open_one else opposite(code)),
        }
        said = ask.draw("answer", row).fill(slots) if open_one else words.YES if true else words.NO
        return ask.row(
            row,
            "open" if open_one else "yes_no",
            template.fill(slots),
            said,
            images=(index,),
            template=template.id,
            facts=tuple(f"regions[{found[label][0]}]" for label in pair),
            short=words.side(code) if open_one else said,
            regions=tuple(found[label][1].place for label in pair),
            labels=pair,
        )
