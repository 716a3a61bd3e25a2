"""The synthesis step of a partition: cases in, the same cases with written rows out, many requests in flight."""

import atexit
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from schemas import plugins
from schemas.context import Context
from schemas.errors import UserError
from schemas.instruction import Instruction
from schemas.ledger import Status
from schemas.recipe import Choice, EngineChoice, Price
from schemas.work import Drop, Work
from schemas.yaml_file import validate
from synthesis.ask_again import Agreement, ImageNeeded
from synthesis.asking import STAGE, AnyTask, Asked, Waiting, ask, run_down
from synthesis.base import AHEAD, Engine, Failure
from synthesis.chain import Chain
from synthesis.checks.rows import CheckOptions, RowChecker
from synthesis.consistency import Consistency
from synthesis.judging import Judge
from synthesis.verify import Verifier


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
    from synthesis.reply import usable

    if choice.type == "openai":
        options = validate(OpenAIOptions, choice.options, "engine.options")
        return OpenAIEngine(choice, options, AnswerStore(answers, usable))
    from synthesis.vllm_server import VllmServer, vllm_options

    store, server = AnswerStore(answers, usable), VllmServer(choice)
    choice = choice.model_copy(update={"base_urls": [server.address()]})
    return OpenAIEngine(choice, vllm_options(choice), store, server.address, server.close)


@cache
def _shared(choice: str, answers: str) -> Engine | None:
    engine = open_engine(EngineChoice.model_validate_json(choice), answers)
    if engine is not None:
        atexit.register(engine.close)
    return engine


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
    """Raise `UserError` where the recipe's ``synthesis.checks`` are wrong, or a judge could not answer."""
    options = validate(CheckOptions, dict(checks), "synthesis.checks")
    for name, _, chosen in judges_of(options):
        if chosen.engine is not None:
            if chosen.engine.type == "template":
                raise UserError(f"synthesis.checks.{name} needs an engine that can judge; 'template' cannot")
            check_engine(chosen.engine)


def judges_of(options: CheckOptions) -> list[tuple[str, type[Judge], Any]]:
    """The judges that are asked for, those that cost least first."""
    kinds: tuple[tuple[str, type[Judge], Any], ...] = (
        ("consistency", Consistency, options.consistency),
        ("image_needed", ImageNeeded, options.image_needed),
        ("agreement", Agreement, options.agreement),
        ("verifier", Verifier, options.verifier),
    )
    return [one for one in kinds if one[2] is not None]


def judges_prices(checks: Mapping[str, Any]) -> dict[str, Price]:
    """What the judges' own models cost, by model."""
    options = validate(CheckOptions, dict(checks), "synthesis.checks")
    return {
        chosen.engine.model: chosen.engine.price for _, _, chosen in judges_of(options) if chosen.engine is not None
    }


def open_tasks(choices: Sequence[Choice]) -> list[AnyTask]:
    """The tasks that a recipe names, their options checked."""
    tasks = []
    for choice in choices:
        kind: type[AnyTask] = plugins.load("tasks", choice.type)
        tasks.append(kind(validate(kind.Options, choice.options, f"synthesis task {choice.type!r}: options")))
    return tasks


def synthesise(
    works: Iterator[Work],
    tasks: Sequence[AnyTask],
    engine: Engine | None,
    context: Context,
    checks: Mapping[str, Any] | None = None,
) -> Iterator[Work]:
    """Ask what the tasks want to know about each case and append the rows; yields in the order of ``works``.

    As many requests are kept in flight as the engine takes; at most `AHEAD` cases (with their pictures) are held for
    each, so that one slow answer does not keep the engine from the cases behind it.  A request without an answer
    becomes a line of ``Work.lost``, a row that contradicts its annotation or betrays how it was made goes to
    ``Work.refused``.  Tasks that start from rows (`Chain.reads_rows`) get those that are left after
    all checks.  Without an engine every case passes unchanged.

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
    checker = RowChecker(options, context)
    of_rows = [task for task in tasks if isinstance(task, Chain) and task.reads_rows]
    of_cases = [task for task in tasks if task not in of_rows]
    works = _write(works, of_cases, engine, context, checker)
    for name, kind, chosen in judges_of(options) if engine is not None else ():
        assert engine is not None
        asked = engine if chosen.engine is None else shared_engine(chosen.engine, engine.answers)
        if asked is None:
            raise UserError(f"synthesis.checks.{name} needs an engine that can judge; 'template' cannot")
        works = kind(chosen, asked).judge(works, [task.name for task in of_cases])
    return _write(works, of_rows, engine, context, checker) if of_rows else works


def _write(
    works: Iterator[Work], tasks: Sequence[AnyTask], engine: Engine | None, context: Context, checker: RowChecker
) -> Iterator[Work]:
    waiting: deque[Waiting] = deque()
    most = AHEAD * engine.capacity if engine is not None else 0
    chained = any(isinstance(task, Chain) for task in tasks)
    for work in works:
        waiting.append(ask(work, tasks, engine, context, checker))
        while waiting and (len(waiting) > most or waiting[0].done()):
            yield _collect(waiting.popleft(), waiting, engine, context, checker)
        if chained and engine is not None:
            _go_on(waiting, engine)
    while waiting:
        yield _collect(waiting.popleft(), waiting, engine, context, checker)
    if engine is not None:
        engine.account()


def _go_on(waiting: Iterable[Waiting], engine: Engine) -> None:
    for one in waiting:
        for row in one.chains():
            row.advance(engine)


def _collect(
    first: Waiting, others: Iterable[Waiting], engine: Engine | None, context: Context, checker: RowChecker
) -> Work:
    if engine is not None:
        run_down(first, others, engine)
    work = first.work
    for asked in first.rows:
        row = _outcome(asked, work, context)
        if not isinstance(row, Failure) and work.case is not None:
            row, drop = checker.check(row, work.case, getattr(asked.task, "allow_advice", False))
            work.rows += [row] if drop is None else []
            work.refused += [(row, drop)] if drop is not None else []
        elif isinstance(row, Failure):
            work.lost.append((asked.row_id, Drop(Status(row.status), STAGE, row.code, row.detail)))
    return work


def _outcome(asked: Asked, work: Work, context: Context) -> Instruction | Failure:
    """The row, parsed here and not when its answer came, since a task holds the facts of one case at a time."""
    if asked.outcome is not None:
        return asked.outcome
    answer = asked.future.result()
    if isinstance(answer, Failure):
        return answer
    assert work.case is not None and not isinstance(asked.task, Chain)
    return asked.task.parse(asked.row_id, answer, work.case, context)
