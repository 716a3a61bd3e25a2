"""Volume question: modality or body part of a volume that the row carries whole, as a choice.

A case lists the slices that its reader chose, so what the other slices hold is not known here: nothing is asked about
absence, and no box in three dimensions is told.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from converters.acquisition import distractors, fact_of, values
from converters.asking import Asker, Common
from converters.choosing import LETTERS, options_of, with_options
from converters.drawing import generator
from schemas.case import Case, VolumeRef
from schemas.context import Context
from schemas.instruction import Instruction

Asked = Literal["modality", "anatomy"]


class VolumeQuestion:
    """Up to ``per_volume`` questions for each volume."""

    name: ClassVar[str] = "volume_question"

    class Options(Common):
        """Options."""

        per_volume: int = Field(default=1, ge=1)
        facts: tuple[Asked, ...] = ("modality", "anatomy")
        choices: int = Field(default=4, ge=2, le=10)

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions."""
        if not case.volumes:
            return
        ask = Asker(case, context, self.name, self.options)
        known = {fact: found for fact in self.options.facts if (found := fact_of(case, context, fact))}
        for number, volume in enumerate(case.volumes):
            order = generator(context.seed, ask.id(f"volume{number}"), "facts")
            for fact in order.sample(list(known), min(self.options.per_volume, len(known))):
                yield self._row(ask, number, volume, fact, known[fact])

    def _row(self, ask: Asker, number: int, volume: VolumeRef, fact: Asked, known: tuple[str, str]) -> Instruction:
        canonical, proof = known
        row = ask.id(f"volume{number}/{fact}")
        table = values().facts[fact]
        translated = [table[name].names.get(ask.language, name) for name in distractors(fact, canonical)]
        right = table[canonical].names.get(ask.language, canonical)
        options, index = options_of(ask, row, right, translated, self.options.choices)
        template = ask.draw(fact, row)
        return ask.row(
            row,
            "mcq",
            with_options(template.fill({}), options, ask.language),
            LETTERS[index],
            images=(),
            template=template.id,
            facts=(proof, f"volumes[{number}]"),
            short=right,
            options=options,
            answer_index=index,
            volumes=(volume,),
        )
