"""What all judges share: they ask about written rows, many requests in flight, and let nothing unproven through."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, ClassVar

from schemas.instruction import IMAGE, Instruction, Verdict
from schemas.ledger import Status
from schemas.work import Drop, Work
from synthesis.base import AHEAD, Answer, Engine, Failure, Request

STAGE = "synthesis"
Outcome = Answer | Failure
Judged = list[tuple[Instruction, list["Future[Outcome]"]]]


class Judge(ABC):
    """Asks one engine about rows, and keeps or refuses them by its answers."""

    _engine: Engine
    tasks: ClassVar[tuple[str, ...]] = ()
    """Only rows of these are asked about; empty for all."""

    @abstractmethod
    def __init__(self, options: Any, engine: Engine) -> None:
        """Set ``_engine``, and what the options say."""

    @abstractmethod
    def requests(self, work: Work, row: Instruction) -> Sequence[Request]:
        """What to ask about a row; nothing where this judge has nothing to say of it."""

    @abstractmethod
    def verdict(self, row: Instruction, outcomes: Sequence[Outcome]) -> tuple[Instruction, Drop | None]:
        """The row with its verdicts, and why it is out where it is."""

    @classmethod
    def most(cls, options: Any) -> tuple[int, int]:
        """Requests about one row and samples of all of them together, at most; what a dry run counts."""
        return 1, 1

    @classmethod
    def sees(cls, options: Any) -> bool:
        """Whether it is shown the pictures."""
        return False

    def judge(self, works: Iterator[Work], written: Sequence[str]) -> Iterator[Work]:
        """Have every row of the tasks in ``written`` judged; yields in order, many requests in flight.

        A row that does not pass goes to ``Work.refused``; one that could not be judged goes there too, with the
        reason why.
        """
        waiting: deque[tuple[Work, Judged]] = deque()
        most = AHEAD * self._engine.capacity
        for work in works:
            asked = [(row, self._submit(work, row)) for row in work.rows if row.provenance.converter in written]
            waiting.append((work, asked))
            while waiting and (len(waiting) > most or _done(waiting[0][1])):
                yield self._settle(*waiting.popleft())
        while waiting:
            yield self._settle(*waiting.popleft())
        self._engine.account()

    def _submit(self, work: Work, row: Instruction) -> list["Future[Outcome]"]:
        return [self._engine.submit(request) for request in self.requests(work, row)]

    def _settle(self, work: Work, asked: Judged) -> Work:
        for row, futures in asked:
            if futures:
                judged, drop = self.verdict(row, [future.result() for future in futures])
                work.rows[work.rows.index(row)] = judged
                if drop is not None:
                    work.refuse(judged, drop)
        return work


def _done(asked: Judged) -> bool:
    return all(future.done() for _, futures in asked for future in futures)


def with_verdicts(row: Instruction, verdicts: Sequence[Verdict]) -> Instruction:
    """The row with further verdicts."""
    made = row.provenance
    return replace(row, provenance=replace(made, verdicts=(*made.verdicts, *verdicts)))


def quarantined(code: str, detail: str) -> Drop:
    """Why a row is out."""
    return Drop(Status.QUARANTINED, STAGE, code, detail)


def said_by(row: Instruction, role: str) -> str:
    """Everything that one side says."""
    return "\n".join(message.content.replace(IMAGE, "").strip() for message in row.messages if message.role == role)
