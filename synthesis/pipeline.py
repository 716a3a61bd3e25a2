"""The synthesis step of a partition: cases in, the same cases with written rows out, many requests in flight."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from schemas import identity, plugins
from schemas.context import Context
from schemas.errors import CaseError, UserError
from schemas.ledger import Status
from schemas.recipe import Choice, EngineChoice
from schemas.work import Drop, Work
from schemas.yaml_file import validate
from synthesis.base import Answer, Engine, Failure, Task
from synthesis.checks.rows import CheckOptions, RowChecker
from synthesis.verify import Verifier

STAGE = "synthesis"


@dataclass(slots=True)
class Asked:
    """A case whose answers are on their way."""

    work: Work
    rows: list[tuple[Task, str, "Future[Answer | Failure]"]] = field(default_factory=list)


def open_engine(choice: EngineChoice, answers: str | Path) -> Engine | None:
    """The engine that a recipe names, checked and ready; ``None`` for ``template``, which asks nobody.

    Args:
        choice: the recipe's engine.
        answers: folder or fsspec address of the answer store.

    Raises:
        UserError: nobody answers at the address, or the model is not there.
    """
    if choice.type == "template":
        return None
    from synthesis.answers import AnswerStore
    from synthesis.openai_engine import OpenAIEngine
    from synthesis.openai_options import OpenAIOptions

    if choice.type == "openai":
        return OpenAIEngine(choice, validate(OpenAIOptions, choice.options, "engine.options"), AnswerStore(answers))
    from synthesis.vllm_server import VllmServer, vllm_options

    options, server = vllm_options(choice), VllmServer(choice)
    choice = choice.model_copy(update={"base_urls": [server.address()]})
    return OpenAIEngine(choice, options, AnswerStore(answers), server.address, server.close)


@cache
def _shared(choice: str, answers: str) -> Engine | None:
    return open_engine(EngineChoice.model_validate_json(choice), answers)


def shared_engine(choice: EngineChoice, answers: str) -> Engine | None:
    """This process's engine, opened once and shared by all its partitions; see `open_engine`."""
    return _shared(choice.model_dump_json(), answers)


def check_engine(choice: EngineChoice) -> None:
    """Raise `UserError` where the recipe's engine could not answer: nobody there, another model, wrong options."""
    if choice.type == "openai":
        from synthesis.openai_options import OpenAIOptions
        from synthesis.servers import check

        validate(OpenAIOptions, choice.options, "engine.options")
        check(choice)
    if choice.type == "vllm":
        from synthesis.vllm_server import vllm_options

        vllm_options(choice)


def check_checks(checks: Mapping[str, Any]) -> None:
    """Raise `UserError` where the recipe's ``synthesis.checks`` are wrong, or the verifier could not answer."""
    options = validate(CheckOptions, dict(checks), "synthesis.checks")
    if options.verifier is not None:
        if options.verifier.engine.type == "template":
            raise UserError("synthesis.checks.verifier needs an engine that can judge; 'template' cannot")
        check_engine(options.verifier.engine)


def open_tasks(choices: Sequence[Choice]) -> list[Task]:
    """The tasks that a recipe names, their options checked."""
    tasks = []
    for choice in choices:
        kind: type[Task] = plugins.load("tasks", choice.type)
        tasks.append(kind(validate(kind.Options, choice.options, f"synthesis task {choice.type!r}: options")))
    return tasks


def synthesise(
    works: Iterator[Work],
    tasks: Sequence[Task],
    engine: Engine | None,
    context: Context,
    checks: Mapping[str, Any] | None = None,
) -> Iterator[Work]:
    """Ask what the tasks want to know about each case and append the rows; yields in the order of ``works``.

    As many requests are kept in flight as the engine takes, so as many cases (with their pictures) are held.  A
    request without an answer becomes a line of ``Work.lost``, a row that contradicts its annotation or betrays how it
    was made goes to ``Work.refused``.  Without an engine every case passes unchanged.

    Args:
        works: cases with the pictures that the tasks show.
        tasks: what to write.
        engine: who writes; see `open_engine`.
        context: dataset, seed and language.
        checks: the recipe's ``synthesis.checks``.

    Raises:
        UserError: no request can be answered any more; run again to go on from the stored answers.
    """
    options = validate(CheckOptions, dict(checks or {}), "synthesis.checks")
    written = _write(works, tasks, engine, context, RowChecker(options, context))
    if options.verifier is None or engine is None:
        return written
    judge = shared_engine(options.verifier.engine, engine.answers)
    if judge is None:
        raise UserError("synthesis.checks.verifier needs an engine that can judge; 'template' cannot")
    return Verifier(options.verifier, judge).judge(written, [task.name for task in tasks])


def _write(
    works: Iterator[Work], tasks: Sequence[Task], engine: Engine | None, context: Context, checker: RowChecker
) -> Iterator[Work]:
    waiting: deque[Asked] = deque()
    in_flight = 0
    for work in works:
        asked = _ask(work, tasks, engine, context)
        waiting.append(asked)
        in_flight += len(asked.rows)
        while waiting and (in_flight >= _capacity(engine) or _done(waiting[0])):
            first = waiting.popleft()
            in_flight -= len(first.rows)
            yield _collect(first, context, checker)
    while waiting:
        yield _collect(waiting.popleft(), context, checker)
    if engine is not None:
        engine.account()


def _capacity(engine: Engine | None) -> int:
    return engine.capacity if engine is not None else 0


def _done(asked: Asked) -> bool:
    return all(future.done() for _, _, future in asked.rows)


def _ask(work: Work, tasks: Sequence[Task], engine: Engine | None, context: Context) -> Asked:
    asked = Asked(work)
    if engine is None or work.case is None or work.dropped is not None:
        return asked
    for task in tasks:
        try:
            for row_id, request in task.prompt(work.case, work.pictures, context):
                asked.rows.append((task, row_id, engine.submit(request)))
        except CaseError as error:
            row_id = identity.row_id(work.case.dataset, work.case.key, task.name, "prompt")
            work.lost.append((row_id, Drop(Status(error.status), STAGE, error.code, error.detail)))
    return asked


def _collect(asked: Asked, context: Context, checker: RowChecker) -> Work:
    work = asked.work
    for task, row_id, future in asked.rows:
        outcome = future.result()
        if isinstance(outcome, Answer) and work.case is not None:
            row = task.parse(row_id, outcome, work.case, context)
            if not isinstance(row, Failure):
                row, drop = checker.check(row, work.case, getattr(task, "allow_advice", False))
                work.rows += [row] if drop is None else []
                work.refused += [(row, drop)] if drop is not None else []
                continue
            outcome = row
        if isinstance(outcome, Failure):
            work.lost.append((row_id, Drop(Status(outcome.status), STAGE, outcome.code, outcome.detail)))
    return work
