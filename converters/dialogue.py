"""Dialogue: turns from several converters about the same pictures of one case, in one row.

Every turn states what the same annotations prove, so no turn can contradict another; of each converter at most one row
is taken.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, ClassVar

from pydantic import Field

from converters.asking import Asker, Common
from converters.drawing import generator
from schemas.case import Case, ImageRef
from schemas.context import Context
from schemas.instruction import IMAGE, Instruction, Message, Place, Provenance
from schemas.plugins import load

_ASKED = (
    "acquisition",
    "open_question",
    "count",
    "yes_no",
    "location",
    "relation",
    "size",
    "multiple_choice",
    "caption",
)

_PHASES = {"acquisition": 0, "open_question": 2, "caption": 3}
"""Other questions name the kind of picture, so that is asked first; what names everything comes last."""


class Dialogue:
    """One row for each set of pictures about which at least ``fewest`` converters have a question."""

    name: ClassVar[str] = "dialogue"

    class Options(Common):
        """Options."""

        converters: tuple[str, ...] = _ASKED
        """Registered names, asked with their default options."""
        fewest: int = Field(default=2, ge=2)
        most: int = Field(default=5, ge=2)
        """Turns of the user."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._converters = [self._built(name) for name in options.converters]

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the rows."""
        if not case.images:
            return
        ask = Asker(case, context, self.name, self.options)
        rows = [row for converter in self._converters for row in converter.convert(case, context) if row.images]
        rows.sort(key=lambda row: _order(row, case))
        for pictures, group in groupby(rows, key=lambda row: row.images):
            index = _order(next(iter(group_rows := list(group))), case)
            parts = self._parts(ask, "/".join(map(str, index)), group_rows)
            if len(parts) >= self.options.fewest:
                yield _joined(ask, ask.id("/".join(map(str, index))), pictures, parts)

    def _built(self, name: str) -> Any:
        kind = load("converters", name)
        return kind(kind.Options(language=self.options.language, variant=f"dialogue/{self.options.variant}"))

    def _parts(self, ask: Asker, variant: str, rows: list[Instruction]) -> list[Instruction]:
        """At most one row of each converter, drawn by the hash; what a later turn gives away comes before it."""
        draw = generator(ask.context.seed, ask.id(variant), "turns")
        draw.shuffle(rows)
        first = {row.provenance.converter: row for row in reversed(rows)}
        kept = list(first.values())[: self.options.most]
        return sorted(kept, key=lambda row: _PHASES.get(row.provenance.converter, 1))


def _order(row: Instruction, case: Case) -> tuple[int, ...]:
    return tuple(case.images.index(picture) for picture in row.images)


def _joined(ask: Asker, row: str, pictures: tuple[ImageRef, ...], parts: list[Instruction]) -> Instruction:
    messages: list[Message] = []
    for number, part in enumerate(parts):
        question = part.messages[0].content.replace(f"{IMAGE}\n", "")
        opening = f"{IMAGE}\n" * len(pictures) if number == 0 else ""
        messages += [Message("user", opening + question), part.messages[1]]
    places: dict[Place, None] = {place: None for part in parts for place in part.regions}
    return Instruction(
        id=row,
        task="dialogue",
        messages=tuple(messages),
        provenance=Provenance(
            ask.converter,
            "+".join(part.provenance.template for part in parts),
            ask.context.seed,
            ask.language,
            tuple(dict.fromkeys(fact for part in parts for fact in part.provenance.facts)),
        ),
        images=pictures,
        answer=parts[-1].messages[1].content,
        regions=tuple(places),
        labels=tuple(dict.fromkeys(label for part in parts for label in part.labels)),
    )
