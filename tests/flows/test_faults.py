"""A fault injected at each stage loses something silently: the books do not balance, and nothing is published."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows import mixing, steps, worker
from flows.books import balanced
from quality.judge import Judge
from schemas.case import Case
from schemas.errors import ReleaseError
from schemas.instruction import Instruction, Message, Provenance
from schemas.ledger import Status
from schemas.staged import StagedCase
from schemas.work import Drop, Work
from storage import pack
from storage.stage import StageWriter
from tests.flows.test_episodes import Made


def _row(number: int) -> Instruction:
    turns = (Message("user", "What is it?"), Message("assistant", "A chest."))
    return Instruction(f"row{number}", "text", turns, Provenance("test"))


def _through(change: Callable[[Work], None]) -> list[Work]:
    """Two rows in, through a step that does ``change``."""

    def faulty(works: Iterator[Work]) -> Iterator[Work]:
        for work in works:
            change(work)
            yield work

    work = Work("c1", Case("d", "c1", None, ""), rows=[_row(0), _row(1)])
    return list(steps.run_steps(iter([work]), [faulty]))


DROP = Drop(Status.QUARANTINED, "gate", "too_long", "the answer is too long")


@pytest.mark.parametrize(
    "change",
    [
        lambda work: None,
        lambda work: work.refuse(work.rows[0], DROP),
        lambda work: work.drop(Status.FAILED, "gate", "broken", "it is broken"),
        lambda work: work.rows.append(_row(2)),
        lambda work: work.lost.append(("row2", DROP)),
    ],
)
def test_a_step_that_says_what_became_of_each_row_passes(change: Any) -> None:
    assert len(_through(change)) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda work: work.rows.pop(),
        lambda work: work.rows.__setitem__(0, _row(7)),
        lambda work: work.rows.__setitem__(0, work.rows[1]),
    ],
)
def test_a_step_that_loses_a_row_is_named(change: Any) -> None:
    with pytest.raises(ReleaseError, match="the step faulty lost 1 rows of a case without a reason"):
        _through(change)


def test_steps_made_by_a_function_bear_its_name() -> None:
    def losing(_: Iterator[Work]) -> Iterator[Work]:
        work.rows.clear()
        yield work

    def screen() -> steps.Step:
        def step(works: Iterator[Work]) -> Iterator[Work]:
            yield from losing(iter(list(works)))

        return step

    work = Work("c1", rows=[_row(0)])
    with pytest.raises(ReleaseError, match="the step screen lost 1 rows"):
        list(balanced(screen())(iter([work])))


def _forgets_an_item(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = worker.read_items
    monkeypatch.setattr(worker, "read_items", lambda path: list(whole(path))[1:])


def _swallows_a_case(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = worker.close_cases
    monkeypatch.setattr(worker, "close_cases", lambda works: whole(work for n, work in enumerate(works) if n))


def _loses_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    judge = Judge.judge

    def losing(self: Judge, work: Work) -> None:
        judge(self, work)
        work.rows[-1:] = []

    monkeypatch.setattr(Judge, "judge", losing)


def _stages_a_row_less(monkeypatch: pytest.MonkeyPatch) -> None:
    add = StageWriter.add

    def losing(self: StageWriter, case: StagedCase) -> None:
        case.rows[-1:] = case.rows[-1:] if len(case.rows) == 1 else []
        add(self, case)

    monkeypatch.setattr(StageWriter, "add", losing)


def _decides_about_a_case_less(monkeypatch: pytest.MonkeyPatch) -> None:
    settle = mixing.settle_cases

    def losing(*args: Any) -> Any:
        done = settle(*args)
        return type(done)(done.cases.slice(1), done.met, done.away)

    monkeypatch.setattr(mixing, "settle_cases", losing)


def _forgets_what_the_mixture_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    finish = mixing.finish

    def losing(*args: Any) -> Any:
        found = finish(*args)
        dropped = args[-1].dropped
        pl.read_parquet(dropped).slice(1).write_parquet(dropped)
        return found

    monkeypatch.setattr(mixing, "finish", losing)


def _packs_a_row_less(monkeypatch: pytest.MonkeyPatch) -> None:
    import tests.flows.test_episodes as made

    whole = pack.pack_shard

    def losing(*args: Any, **more: Any) -> Any:
        return [file.model_copy(update={"rows": file.rows - 1}) for file in whole(*args, **more)]

    monkeypatch.setattr(made, "pack_shard", losing)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (_forgets_an_item, r"cases of \w+ came in"),
        (_swallows_a_case, r"cases of \w+ came in"),
        (_loses_a_row, "the step gate lost 1 rows"),
        (_stages_a_row_less, "rows in data/ came in"),
        (_decides_about_a_case_less, "rows in data/ came in"),
        (_forgets_what_the_mixture_dropped, "should hold 5 cases and 10 rows, but the stages hold 5 and 11"),
        (_packs_a_row_less, "rows in data/ came in"),
    ],
)
def test_every_stage(
    fault: Callable[[pytest.MonkeyPatch], None], sentence: str, root: Path, hospital: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("MEDCURATE_DEMO", str(hospital))
    fault(monkeypatch)
    with pytest.raises(ReleaseError, match=sentence):
        Made(
            root, tmp_path, datasets=[{"spec": "spec.yaml", "limit": 12}], episodes={},
            converters=[{"type": "caption"}, {"type": "multiple_choice"}, {"type": "yes_no"}],
            mixture={"caps": [{"by": ["case"], "max": 2}]},
        )  # fmt: skip
