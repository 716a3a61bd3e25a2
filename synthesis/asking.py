"""Requests under way: which rows of a case still wait for an answer, and what is asked next in a chain."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field, replace

from schemas import identity
from schemas.context import Context
from schemas.errors import CaseError
from schemas.instruction import Instruction
from schemas.ledger import Status
from schemas.work import Drop, Work
from synthesis.base import Answer, Engine, Failure, Task
from synthesis.chain import About, Chain, Checker

STAGE = "synthesis"
AnyTask = Task | Chain


@dataclass(slots=True)
class Asked:
    """One row that is being written."""

    row_id: str
    task: AnyTask
    future: "Future[Answer | Failure]"
    about: About | None = None
    """Given to chains only."""
    answers: list[Answer] = field(default_factory=list)
    """Of a chain's earlier stages."""
    outcome: Instruction | Failure | None = None
    """Set once a chain has come to its end."""

    def done(self) -> bool:
        """Whether nothing more is to come."""
        return self.future.done() and (self.outcome is not None or self.about is None)

    def advance(self, engine: Engine) -> None:
        """Where a chain's answer has come, ask its next request, or end it."""
        while self.about is not None and self.outcome is None and self.future.done():
            self._step(engine, self.about)

    def _step(self, engine: Engine, about: About) -> None:
        assert isinstance(self.task, Chain)
        answer = self.future.result()
        if isinstance(answer, Failure):
            self.outcome = answer
            return
        self.answers.append(answer)
        try:
            following = self.task.follow(self.row_id, self.answers, about)
        except CaseError as error:
            following = Failure(error.code, error.detail, answer.digest)
        if isinstance(following, Failure):
            self.outcome = following
        elif following is None:
            self.outcome = self.task.finish(self.row_id, self.answers, about)
        else:
            self.future = engine.submit(following)


@dataclass(slots=True)
class Waiting:
    """A case whose answers are on their way."""

    work: Work
    rows: list[Asked] = field(default_factory=list)

    def done(self) -> bool:
        """Whether all of its rows are."""
        return all(row.done() for row in self.rows)

    def chains(self) -> Iterator[Asked]:
        """The rows that chains are still writing."""
        return (row for row in self.rows if row.about is not None and row.outcome is None)


def ask(work: Work, tasks: Sequence[AnyTask], engine: Engine | None, context: Context, checker: Checker) -> Waiting:
    """Ask the first requests of every task about one case."""
    waiting = Waiting(work)
    if engine is None or work.case is None or work.dropped is not None:
        return waiting
    for task in tasks:
        try:
            for one in _requests(task, work, engine, context, checker):
                waiting.rows.append(one)
        except CaseError as error:
            row_id = identity.row_id(work.case.dataset, work.case.identity, task.name, "prompt")
            work.lost.append((row_id, Drop(Status(error.status), STAGE, error.code, error.detail)))
    return waiting


def _requests(task: AnyTask, work: Work, engine: Engine, context: Context, checker: Checker) -> Iterator[Asked]:
    assert work.case is not None
    if not isinstance(task, Chain):
        for row_id, request in task.prompt(work.case, work.pictures, context):
            yield Asked(row_id, task, engine.submit(request))
        return
    for about in abouts(task, work, context, checker):
        for row_id, request in task.start(about):
            yield Asked(row_id, task, engine.submit(request), about)


def abouts(task: Chain, work: Work, context: Context, checker: Checker) -> Iterator[About]:
    """What a chain starts from: the case, or each of its rows."""
    assert work.case is not None
    about = About(work.case, work.pictures, context, checker)
    if task.reads_rows:
        yield from (replace(about, row=row) for row in work.rows)
    else:
        yield about


def run_down(first: Waiting, others: Iterable[Waiting], engine: Engine) -> None:
    """Wait until ``first`` is done, keeping the chains of all others going meanwhile."""
    everything = [first, *others]
    while any(first.chains()):
        open_rows = [row for one in everything for row in one.chains()]
        wait([row.future for row in open_rows], return_when=FIRST_COMPLETED)
        for row in open_rows:
            row.advance(engine)
