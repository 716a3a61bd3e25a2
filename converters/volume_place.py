"""Volume place: where a part of a volume lies, as words of the patient's sides, as a 3D box, and back from the box."""

from collections.abc import Callable, Iterator
from typing import ClassVar, Literal

from pydantic import Field

from converters.asking import Asker, Common
from converters.choosing import LETTERS, options_of, with_options
from converters.drawing import Row
from converters.solids import (
    Solids,
    asked,
    box_text,
    codes,
    contradicting,
    frame,
    names,
    one_piece,
    overlap,
    solids,
    sure,
)
from schemas.case import Case, Region3D
from schemas.context import Context
from schemas.instruction import Instruction
from schemas.taxonomy.kinship import related

Asked = Literal["words", "box", "which"]
_APART = 0.5
"""Labels whose boxes share more of the smaller one are not offered against each other for one box."""


class VolumePlace:
    """Up to ``per_volume`` questions for each volume, about labels that stand once and are completely annotated."""

    name: ClassVar[str] = "volume_place"

    class Options(Common):
        """Options."""

        per_volume: int = Field(default=3, ge=1)
        ways: tuple[Asked, ...] = ("words", "box", "which")
        """``words``: name -> place in words, open or a choice; ``box``: name -> 3D box; ``which``: 3D box -> name."""
        choice_share: float = Field(default=0.5, ge=0, le=1)
        """Share of questions about words that are asked as a choice."""
        choices: int = Field(default=4, ge=2, le=10)

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions; none where the volume does not say where the patient's sides are."""
        if not case.complete_regions or not case.volume_regions:
            return
        ask = Asker(case, context, self.name, self.options)
        for found in solids(ask):
            if found.turned:
                yield from self._volume(ask, found)

    def _volume(self, ask: Asker, found: Solids) -> Iterator[Instruction]:
        pairs = [
            (way, label)
            for way in self.options.ways
            for label, (_, region) in found.present.items()
            if one_piece(region) and (way != "words" or sure(region.extent))
        ]
        order = ask.generator(f"volume{found.index}", "pairs")
        ways: dict[Asked, Callable[[Asker, Solids, str, Row], Instruction | None]] = {
            "words": self._words,
            "box": self._box,
            "which": self._which,
        }
        made = 0
        for way, label in order.sample(pairs, len(pairs)):
            row = ways[way](ask, found, label, ask.about(f"volume{found.index}/{way}/{label}"))
            if row is not None:
                yield row
                made += 1
            if made == self.options.per_volume:
                return

    def _words(self, ask: Asker, found: Solids, label: str, row: Row) -> Instruction:
        proofs, region = found.present[label]
        right = codes(region.extent)
        place = ask.words.location(right, True, False)
        template = ask.draw("words", row)
        slots = names(ask) | _thing(ask, label) | {"place": place}
        question = asked(ask, found.volume, template.fill(slots))
        answer = ask.draw("words_answer", row).fill(slots)
        options: tuple[str, ...] = ()
        index = -1
        if row.chance() < self.options.choice_share:
            others = [ask.words.location(one, True, False) for one in contradicting(right)]
            options, index = options_of(row, place, others, self.options.choices)
            question, answer = with_options(question, options, ask.language), LETTERS[index]
        return ask.row(
            row,
            "mcq" if options else "open",
            question,
            answer,
            images=(),
            template=template.id,
            facts=proofs,
            short=place,
            options=options,
            answer_index=index,
            labels=(label,),
            volumes=(found.volume,),
        )

    def _box(self, ask: Asker, found: Solids, label: str, row: Row) -> Instruction:
        proofs, region = found.present[label]
        template = ask.draw("box", row)
        slots = names(ask) | _thing(ask, label) | {"box": box_text(region.extent)}
        return ask.row(
            row,
            "text_to_region",
            asked(ask, found.volume, template.fill(slots), frame(ask)),
            ask.draw("box_answer", row).fill(slots),
            images=(),
            template=template.id,
            facts=proofs,
            short=box_text(region.extent),
            labels=(label,),
            volumes=(found.volume,),
        )

    def _which(self, ask: Asker, found: Solids, label: str, row: Row) -> Instruction | None:
        proofs, region = found.present[label]
        others = [other for other in ask.context.spec.canonical() if _differs(other, label, region, ask.case)]
        if not others:
            return None
        labels, index = options_of(row, label, others, self.options.choices)
        options = tuple(ask.words.name(one) for one in labels)
        template = ask.draw("which", row)
        question = template.fill(names(ask) | {"box": box_text(region.extent)})
        return ask.row(
            row,
            "mcq",
            with_options(asked(ask, found.volume, question, frame(ask)), options, ask.language),
            LETTERS[index],
            images=(),
            template=template.id,
            facts=proofs,
            short=options[index],
            options=options,
            answer_index=index,
            labels=(label,),
            volumes=(found.volume,),
        )


def _differs(other: str, label: str, region: Region3D, case: Case) -> bool:
    """Whether ``other`` is a wrong name for the region's box."""
    near = [
        one
        for one in case.volume_regions
        if one.label == other and one.volume_index == region.volume_index
        and overlap(one.extent.place, region.extent.place) > _APART
    ]  # fmt: skip
    return not near and not related(other, label)


def _thing(ask: Asker, label: str) -> dict[str, str]:
    return {"thing": ask.words.definite(label), "be": ask.words.be(label)}
