"""Dialogue: turns from several converters about the same pictures of one case, in one row.

Every turn states what the same annotations prove, so no turn can contradict another; of each converter at most one row
is taken, and none whose answer has been given in an earlier turn.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import Field

from converters.asking import Asker, Common
from converters.drawing import Draw
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import IMAGE, Instruction, Message, Place, Provenance
from schemas.plugins import load

Images = tuple[int, ...]
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
        draw = ask.generator("", "turns")
        found: dict[Images, list[Instruction]] = {}
        # A picture is told by identity, since hashing one costs as much as asking about it.
        known = {id(image): index for index, image in enumerate(case.images)}
        for converter in draw.sample(self._converters, len(self._converters)):
            self._take(draw, converter.convert(case, context), known, found)
            # One picture makes one dialogue: when that is long enough, nobody else need be asked.
            if len(known) == 1 and len(found.get((0,), ())) == self.options.most:
                break
        for images in sorted(found):
            if len(found[images]) >= self.options.fewest:
                parts = sorted(found[images], key=lambda part: _PHASES.get(part.provenance.converter, 1))
                yield _joined(ask, ask.id("/".join(map(str, images))), parts)

    def _built(self, name: str) -> Any:
        kind = load("converters", name)
        return kind(kind.Options(language=self.options.language, variant=f"dialogue/{self.options.variant}"))

    def _take(
        self, draw: Draw, rows: Iterator[Instruction], known: dict[int, int], found: dict[Images, list[Instruction]]
    ) -> None:
        """One of a converter's rows for each set of pictures that has room for another turn.

        Rows that show anything but pictures of the case as they are have no turn.
        """
        groups: dict[Images, list[Instruction]] = {}
        for row in rows:
            images = tuple([known.get(id(image), -1) for image in row.images])
            if images and -1 not in images:
                groups.setdefault(images, []).append(row)
        for images, group in groups.items():
            turns = found.setdefault(images, [])
            if len(turns) < self.options.most:
                said = {turn.answer for turn in turns if turn.task != "yes_no"}
                fresh = [row for row in group if row.answer not in said]
                if fresh:
                    turns.append(draw.choice(fresh))


def _joined(ask: Asker, row: str, parts: list[Instruction]) -> Instruction:
    pictures = parts[0].images
    opening = f"{IMAGE}\n" * len(pictures)
    messages = [*parts[0].messages]
    for part in parts[1:]:
        messages += [Message("user", part.messages[0].content.removeprefix(opening)), part.messages[1]]
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
