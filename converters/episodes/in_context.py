"""In-context examples: solved questions about other patients, then the question, with their order under control."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from pydantic import Field

from converters.asking import Asker, Common
from converters.drawing import Draw, Row
from schemas.context import Context
from schemas.episode import Episode, Lent
from schemas.instruction import Instruction, Message, Provenance


@dataclass(frozen=True, slots=True)
class _Shot:
    number: int
    lent: Lent
    row: Instruction


class InContext:
    """One row for each case with a fitting row of its own and enough of them in the pool, of other groups.

    ``scores`` tell the order: ``shots``, ``query_place`` (0: before the examples, ``shots``: behind them) and
    ``same_answer_place`` (of the first example with the query's answer, -1 where none has it).
    """

    name: ClassVar[str] = "in_context"

    class Options(Common):
        """Options."""

        shots: int = Field(default=2, ge=1, le=8)
        """Examples in a row, no more and no fewer."""
        converters: tuple[str, ...] = ("multiple_choice", "yes_no", "open_question")
        """Whose rows are examples and queries; an example is of the same converter as its query."""
        order: Literal["query_last", "query_first", "both"] = "query_last"
        """``both``: half and half, by the row's hash."""
        balance: bool = True
        """Examples with different answers, in turn, as far as there are; without, any."""
        same_answer: Literal["any", "none", "first", "last"] = "any"
        """Whether an example has the query's answer: no rule, none has, or exactly the first or the last has."""
        share: float = Field(default=1.0, gt=0, le=1)
        """Of the cases that get a row."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert_many(self, cases: Sequence[Lent], context: Context) -> Iterator[Episode]:
        """Yield the rows."""
        there = [_Shot(number, lent, row) for number, lent in enumerate(cases) for row in self._fitting(lent)]
        for number, lent in enumerate(cases):
            ask = Asker(lent.case, context, self.name, self.options)
            own = [shot.row for shot in there if shot.number == number]
            name = ask.about("row")
            if own and name.chance() < self.options.share:
                query = name.choice(own)
                shots = self._shots(name, query, [shot for shot in there if _may_show(shot, query, lent, cases)])
                if len(shots) == self.options.shots:
                    yield self._episode(ask, name, _Shot(number, lent, query), shots)

    def _fitting(self, lent: Lent) -> Iterator[Instruction]:
        for row in lent.rows:
            simple = len(row.messages) == 2 and row.images and not row.volumes
            if simple and row.provenance.converter in self.options.converters and set(row.images) <= set(lent.pictures):
                yield row

    def _shots(self, draw: Draw, query: Instruction, there: list[_Shot]) -> list[_Shot]:
        """At most one example of a person; fewer than wanted where the pool lacks them."""
        wanted, rule = self.options.shots, self.options.same_answer
        there = draw.sample(there, len(there))
        if rule == "any":
            return _dealt(there, wanted, self.options.balance)
        others = [shot for shot in there if shot.row.answer != query.answer]
        if rule == "none":
            return _dealt(others, wanted, self.options.balance)
        same = next((shot for shot in there if shot.row.answer == query.answer), None)
        if same is None:
            return []
        rest = _dealt(
            [shot for shot in others if not shot.lent.same_person(same.lent)], wanted - 1, self.options.balance
        )
        return [same, *rest] if rule == "first" else [*rest, same]

    def _episode(self, ask: Asker, name: Row, query: _Shot, shots: list[_Shot]) -> Episode:
        first = self.options.order == "query_first" or (self.options.order == "both" and name.chance() < 0.5)
        parts = [query, *shots] if first else [*shots, query]
        before = sum(len(shot.row.images) for shot in parts[: parts.index(query)])
        text, template = _written(ask, name, query.row, shots, first)
        same = next((place for place, shot in enumerate(shots) if shot.row.answer == query.row.answer), -1)
        place = 0 if first else len(shots)
        row = replace(
            query.row,
            id=name.id,
            task="interleaved",
            messages=(Message("user", text), query.row.messages[1]),
            provenance=Provenance(
                self.name, template, ask.context.seed, ask.language,
                tuple(f"{shot.number}:{fact}" for shot in [query, *shots] for fact in shot.row.provenance.facts),
            ),
            images=tuple(ref for shot in parts for ref in shot.row.images),
            regions=tuple(replace(one, image_index=one.image_index + before) for one in query.row.regions),
            flags=tuple(dict.fromkeys(flag for shot in parts for flag in shot.row.flags)),
            scores=(("shots", len(shots)), ("query_place", place), ("same_answer_place", same)),
        )  # fmt: skip
        return Episode(row, query.number, tuple(shot.number for shot in parts for _ in shot.row.images))


def _may_show(shot: _Shot, query: Instruction, lent: Lent, cases: Sequence[Lent]) -> bool:
    alike = shot.row.provenance.converter == query.provenance.converter
    foreign = not lent.same_person(cases[shot.number]) and not set(shot.row.images) & set(query.images)
    return alike and foreign and shot.row.provenance.language == query.provenance.language


def _dealt(there: list[_Shot], wanted: int, balance: bool) -> list[_Shot]:
    """The first ``wanted`` of different persons; where balanced, answers in turn, by their first example."""
    queues: dict[str, list[_Shot]] = {}
    for shot in there:
        queues.setdefault(shot.row.answer if balance else "", []).append(shot)
    taken: list[_Shot] = []
    while len(taken) < wanted and queues:
        for answer in list(queues):
            free = [one for one in queues[answer] if not any(one.lent.same_person(other.lent) for other in taken)]
            if not free:
                del queues[answer]
            elif len(taken) < wanted:
                taken.append(free[0])
    return taken


def _written(ask: Asker, name: Row, query: Instruction, shots: list[_Shot], first: bool) -> tuple[str, str]:
    """The user's turn, and the template of its first sentence."""
    intro = ask.draw("intro_first" if first else "intro", name)
    example = ask.draw("example", name)
    examples = [
        example.fill({
            "number": str(place), "question": shot.row.messages[0].content, "answer": shot.row.messages[1].content,
        })
        for place, shot in enumerate(shots, 1)
    ]  # fmt: skip
    question = ask.draw("query_first" if first else "query", name).fill({"question": query.messages[0].content})
    closing = [ask.draw("closing", name).fill({})] if first else []
    parts = [intro.fill({}), question, *examples, *closing] if first else [intro.fill({}), *examples, question]
    return "\n\n".join(parts), intro.id
