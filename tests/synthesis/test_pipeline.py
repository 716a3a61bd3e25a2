"""The synthesis step: order, bounded lookahead, every request accounted for."""

import json
import random
import re
import threading
import time

import pytest

from schemas.case import Case, ImageRef, Label
from schemas.context import Context
from schemas.errors import UserError
from schemas.ledger import Status
from schemas.recipe import EngineChoice
from schemas.spec import DatasetSpec
from schemas.view import View
from schemas.work import Work
from synthesis.pipeline import check_engine, open_engine, shared_engine, synthesise
from synthesis.unblinded import Unblinded, UnblindedOptions

SPEC = DatasetSpec.model_validate(
    {
        "name": "films", "title": "Films", "license": "CC0-1.0", "access": "open", "root": "/x",
        "reader": {"type": "class_folders"}, "modality": "X-ray", "anatomy": "chest", "clinical_task": "diagnosis",
    }
)  # fmt: skip
CONTEXT = Context(SPEC, seed=1)
TASKS = [Unblinded(UnblindedOptions(style="short"))]


def work_of(number, picture):
    view = View(source_width=40, source_height=40, width=40, height=40)
    ref = ImageRef((f"{number}.png",), "image/png", view)
    case = Case("films", str(number), None, "", images=(ref,), labels=(Label(f"finding {number}", "f"),))
    return Work(str(number), case, pictures={ref: picture((number % 256, 7, 7))})


def echo(say):
    """Answers with the label that the prompt names, at a random pace."""
    pace = random.Random(0)

    def script(body, number):
        time.sleep(pace.random() / 50)
        text = next(part["text"] for part in body["messages"][0]["content"] if part["type"] == "text")
        name = re.search(r"finding \d+", text)[0]
        return say(json.dumps({"description": name, "question": "What?", "answer": name}))

    return script


@pytest.fixture
def engine(server, tmp_path):
    opened = open_engine(
        EngineChoice(type="openai", base_urls=[server.url], concurrency=8, options={"retries": 0}), tmp_path / "answers"
    )
    yield opened
    opened.close()


def test_every_case_gets_its_own_answer_in_order(server, say, engine, picture):
    server.script = echo(say)
    works = list(synthesise((work_of(n, picture) for n in range(100)), TASKS, engine, CONTEXT))
    assert [work.case_id for work in works] == [str(n) for n in range(100)]
    assert [[row.answer for row in work.rows] for work in works] == [[f"finding {n}"] * 2 for n in range(100)]
    assert len(server.asked) == 100, "two rows come of one request"


def test_a_rerun_asks_nothing_and_gives_the_same_rows(server, say, engine, picture):
    server.script = echo(say)
    first = list(synthesise((work_of(n, picture) for n in range(30)), TASKS, engine, CONTEXT))
    second = list(synthesise((work_of(n, picture) for n in range(30)), TASKS, engine, CONTEXT))
    assert [work.rows for work in first] == [work.rows for work in second]
    assert len(server.asked) == 30


def test_no_more_cases_are_held_than_twice_the_requests_that_may_fly(server, say, engine, picture):
    server.script = echo(say)
    read = 0

    def works():
        nonlocal read
        for n in range(200):
            read += 1
            yield work_of(n, picture)

    ahead = []
    for given, _ in enumerate(synthesise(works(), TASKS, engine, CONTEXT), 1):
        ahead.append(read - given)
    assert max(ahead) <= 2 * engine.capacity


def test_one_slow_answer_does_not_stop_the_others(server, say, engine, picture):
    """The first case hangs until thirty others are asked about, nearly twice as many as may fly at once."""
    good, gate = echo(say), threading.Event()

    def script(body, number):
        if number >= 30:
            gate.set()
        if "finding 0:" in json.dumps(body):
            assert gate.wait(20)
        return good(body, number)

    server.script = script
    works = list(synthesise((work_of(n, picture) for n in range(40)), TASKS, engine, CONTEXT))
    assert gate.is_set()
    assert [work.case_id for work in works] == [str(n) for n in range(40)]
    assert engine.counts.retries == 0
    assert all(len(work.rows) == 2 for work in works)


def test_failures_are_recorded_per_row(server, say, engine, picture):
    good = echo(say)
    server.script = lambda body, number: say(status=400) if "finding 3:" in json.dumps(body) else good(body, number)
    works = list(synthesise((work_of(n, picture) for n in range(6)), TASKS, engine, CONTEXT))
    assert [len(work.rows) for work in works] == [2, 2, 2, 0, 2, 2]
    assert len(works[3].lost) == 2
    assert {(drop.status, drop.stage, drop.reason) for _, drop in works[3].lost} == {
        (Status.FAILED, "synthesis", "refused_request")
    }
    assert len({row_id for row_id, _ in works[3].lost}) == 2


def test_wrong_json_is_recorded_and_not_asked_again(server, say, engine, picture):
    server.script = lambda body, number: say('{"description": "half')
    for _ in range(2):
        (work,) = synthesise(iter([work_of(1, picture)]), TASKS, engine, CONTEXT)
        assert [drop.reason for _, drop in work.lost] == ["invalid_json", "invalid_json"]
    assert len(server.asked) == 1


def test_dropped_and_unread_cases_pass_by(server, engine, picture):
    dropped = work_of(1, picture)
    dropped.drop(Status.FAILED, "read", "corrupt", "the file is broken")
    unread = Work("2")
    assert list(synthesise(iter([dropped, unread]), TASKS, engine, CONTEXT)) == [dropped, unread]
    assert server.asked == []


def test_a_template_engine_asks_nobody(picture, tmp_path):
    choice = EngineChoice(type="template")
    check_engine(choice)
    work = work_of(1, picture)
    assert list(synthesise(iter([work]), TASKS, open_engine(choice, tmp_path), CONTEXT)) == [work]
    assert (work.rows, work.lost) == ([], [])


def test_a_server_that_is_gone_stops_the_run_and_a_rerun_goes_on(start_server, say, tmp_path, picture):
    dying = start_server()
    good = echo(say)

    def script(body, number):
        if number == 10:
            dying.stopped.set()
        return good(body, number)

    dying.script = script
    options = {"patience_s": 0.2, "backoff_s": 0.01}
    choice = EngineChoice(type="openai", base_urls=[dying.url], model="fake-vlm", concurrency=2, options=options)
    engine = open_engine(choice, tmp_path)
    with pytest.raises(UserError, match="run the same command again"):
        list(synthesise((work_of(n, picture) for n in range(40)), TASKS, engine, CONTEXT))
    engine.close()
    answered = len(dying.asked)
    assert 10 <= answered < 40
    fresh = start_server()
    fresh.script = good
    engine = open_engine(choice.model_copy(update={"base_urls": [fresh.url]}), tmp_path)
    works = list(synthesise((work_of(n, picture) for n in range(40)), TASKS, engine, CONTEXT))
    engine.close()
    assert all(len(work.rows) == 2 for work in works)
    assert len(fresh.asked) == 40 - answered


def test_one_engine_per_process(server, tmp_path):
    choice = EngineChoice(type="openai", base_urls=[server.url])
    check_engine(choice)
    engine = shared_engine(choice, str(tmp_path))
    assert engine is shared_engine(choice.model_copy(), str(tmp_path))
    engine.close()
