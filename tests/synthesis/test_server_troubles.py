"""Faults of whole servers, which must cost no request: one that is bad, one that starts, one that a request kills."""

import json
import logging
import threading
import time

import pytest

from schemas.errors import UserError
from schemas.recipe import EngineChoice
from synthesis import openai_engine
from synthesis.base import Answer, Failure, Request
from synthesis.limiter import Limiter
from synthesis.pipeline import check_engine
from synthesis.pipeline import open_engine as open_it

MANY = 60


def hello(number: object) -> Request:
    return Request((("user", f"hello {number}"),), ())


def asks(body: dict) -> str:
    return body["messages"][0]["content"]


@pytest.fixture
def open_engine(tmp_path):
    engines = []

    def make(*servers, **changes):
        options = {"backoff_s": 0.01, "patience_s": 2.0, "retries": 2, **changes.pop("options", {})}
        choice = EngineChoice(
            type="openai", base_urls=[s.url for s in servers], options=options,
            **{"timeout_s": 5, "concurrency": 8, "model": "fake-vlm", **changes},
        )  # fmt: skip
        engines.append(open_it(choice, tmp_path / "answers"))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()


def failures(futures):
    return [outcome for future in futures if isinstance(outcome := future.result(20), Failure)]


@pytest.mark.parametrize("trouble", [{"status": 500}, {"status": 429}, {"body": b"{"}, {"finish": "error"}], ids=str)
def test_a_server_that_fails_at_once_does_not_draw_all_requests(start_server, say, open_engine, trouble):
    """It has the least to do of all, always."""
    bad, good = start_server(), start_server()
    bad.script = lambda body, number: say(**trouble)
    good.script = lambda body, number: (time.sleep(0.02), say())[1]
    engine = open_engine(bad, good, options={"retries": 1})
    assert failures([engine.submit(hello(number)) for number in range(MANY)]) == []
    assert len(bad.asked) < MANY / 2


def test_where_another_server_is_there_nobody_waits_for_the_one_that_asks_for_patience(start_server, say, open_engine):
    busy, free = start_server(), start_server()
    busy.script = lambda body, number: say(status=429, headers={"retry-after": "30"})
    engine = open_engine(busy, free)
    assert failures([engine.submit(hello(number)) for number in range(20)]) == []


@pytest.mark.parametrize("status", [502, 503])
def test_a_server_that_starts_behind_a_proxy_is_waited_for(server, say, open_engine, status):
    up = time.monotonic() + 1.0
    server.script = lambda body, number: say() if time.monotonic() > up else say(status=status)
    engine = open_engine(server)
    assert failures([engine.submit(hello(number)) for number in range(20)]) == []


def test_a_proxy_whose_server_never_comes_stops_the_run(server, say, open_engine):
    server.script = lambda body, number: say(status=503)
    with pytest.raises(UserError, match="no model server has answered for a while"):
        open_engine(server, options={"patience_s": 0.5}).submit(hello(1)).result(20)


def test_a_request_that_alone_is_never_let_through_is_given_up(server, say, open_engine, caplog):
    server.script = lambda body, number: say(status=503) if "bad" in asks(body) else say()
    engine = open_engine(server, options={"patience_s": 0.6})
    bad, end = engine.submit(hello("bad")), time.monotonic() + 1.2
    number = 0
    while time.monotonic() < end:
        number += 1
        assert isinstance(engine.submit(hello(number)).result(20), Answer)
    assert bad.result(20).code == "server_error"
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == [], "a busy server is not lost"


def test_a_wait_longer_than_our_patience_is_not_waited(server, say, open_engine):
    server.script = lambda body, number: say(status=429, headers={"retry-after": "86400"})
    began = time.monotonic()
    assert open_engine(server).submit(hello(1)).result(20).code == "rate_limited"
    assert time.monotonic() - began < 2


def test_where_nothing_is_answered_any_more_the_run_stops(server, say, open_engine):
    """Else a server with a fault costs every row of the release, one by one."""
    server.script = lambda body, number: say(status=500) if number > 10 else say()
    engine = open_engine(server, options={"retries": 0})
    outcomes, said = [], ""
    for number in range(MANY):
        try:
            outcomes.append(engine.submit(hello(number)).result(20))
        except UserError as error:
            said = str(error)
            break
    assert len(outcomes) == 11 + openai_engine.GIVEN_UP - 1
    assert "20 requests in a row had no answer; of the last one, the server answers with HTTP 500" in said


def test_a_request_that_takes_the_server_down_each_time_is_given_up(server, say, open_engine):
    """It was asked for ever, the server being brought back each time."""
    server.script = lambda body, number: say(drop=True) if "deadly" in asks(body) else say()
    engine = open_engine(server)
    engine._revive = lambda: server.url
    deadly = engine.submit(hello("deadly"))
    others = [engine.submit(hello(number)) for number in range(MANY)]
    assert deadly.result(20).code == "connection"
    assert failures(others) == []
    assert sum("deadly" in asks(body) for body in server.asked) == 3
    assert engine._limiter._cuts == 3, "fewer fly beside it each time"


@pytest.mark.parametrize(
    "changes",
    [
        {"choices": [{"message": {"content": [{"type": "text", "text": "x"}]}, "finish_reason": "stop"}]},
        {"choices": [{"message": {"content": {"a": 1}}, "finish_reason": "stop"}]},
        {"choices": [{"message": {"content": "half \ud83d"}, "finish_reason": "stop"}]},
        {"model": 5},
        {"usage": [1]},
        {"usage": {"prompt_tokens": "many"}},
        {"usage": {"prompt_tokens_details": [1]}},
    ],
    ids=str,
)
def test_what_is_no_text_or_number_is_never_stored(server, say, open_engine, changes):
    """It was, and every run that came upon it ended with a traceback."""
    fine = {"message": {"content": "fine"}, "finish_reason": "stop"}
    body = json.dumps({"model": "fake-vlm", "choices": [fine], **changes}).encode()
    server.script = lambda _, number: say(body=body) if number < 3 else say("at last")
    engine = open_engine(server)
    assert engine.submit(hello(1)).result(20).code == "bad_reply"
    assert engine.submit(hello(1)).result(20).texts == ("at last",)


@pytest.mark.parametrize(
    ("asked", "served", "same"),
    [
        ("gpt-4o", "gpt-4o-2024-08-06", True),
        ("Qwen/Qwen2.5-VL-7B", "Qwen2.5-VL-7B", True),
        ("Qwen2.5-VL-7B", "/models/Qwen2.5-VL-7B", True),
        ("Qwen2.5-VL-7B", "Qwen2.5-VL-7B-Instruct", False),
        ("Qwen/Qwen2.5-VL-7B", "Qwen2.5-VL-7B-AWQ", False),
        ("Qwen/Qwen2.5-VL-7B", "B", False),
    ],
)
def test_whose_answer_is_taken(server, say, open_engine, asked, served, same):
    server.models = [asked]
    server.script = lambda body, number: say(model=served)
    outcome = open_engine(server, model=asked).submit(hello(1)).result(20)
    assert isinstance(outcome, Answer) == same


def test_a_further_field_of_the_body_makes_another_request(server, open_engine):
    for further in ({"top_k": 1}, {"top_k": 50}, {}):
        answer = open_engine(server, options={"extra_body": further}).submit(hello(1)).result(20)
        assert json.loads(answer.sampling).get("extra_body", {}) == further
    assert [body.get("top_k") for body in server.asked] == [1, 50, None]


def test_two_threads_that_wait_with_the_same_request_ask_once(server, say, open_engine):
    gate = threading.Event()
    server.script = lambda body, number: (gate.wait(10), say())[1]
    engine = open_engine(server, concurrency=1)
    first = [engine.submit(hello(number)) for number in range(engine.capacity)]
    late = []
    threads = [threading.Thread(target=lambda: late.append(engine.submit(hello("late")))) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    gate.set()
    for thread in threads:
        thread.join(10)
    assert failures([*first, *late]) == []
    assert sum("late" in asks(body) for body in server.asked) == 1


def test_an_engine_whose_store_fails_still_lets_go(server, open_engine, monkeypatch):
    engine, gone = open_engine(server), []
    engine._let_go = lambda: gone.append(True)

    def fails() -> None:
        raise UserError("the store cannot be written")

    monkeypatch.setattr(engine._answers, "send", fails)
    with pytest.raises(UserError, match="cannot be written"):
        engine.close()
    assert gone == [True]
    assert not engine._thread.is_alive()


def test_a_server_that_lists_no_models_but_a_page_is_asked_all_the_same(server, open_engine, monkeypatch):
    handler = server.http.RequestHandlerClass
    monkeypatch.setattr(handler, "do_GET", lambda self: self.send(200, {"content-type": "text/html"}, b"<html>"))
    assert isinstance(open_engine(server).submit(hello(1)).result(20), Answer)


def test_turns_are_taken_in_the_order_of_asking():
    import asyncio

    async def run() -> list[int]:
        limiter, order = Limiter(1), []
        await limiter.enter()

        async def one(number: int) -> None:
            await limiter.enter()
            order.append(number)
            await asyncio.sleep(0)
            limiter.leave()
            limiter.answered()

        tasks = [asyncio.create_task(one(number)) for number in range(6)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        limiter.leave()
        late = asyncio.create_task(one(9))
        await asyncio.gather(*tasks, late, return_exceptions=True)
        await asyncio.wait_for(limiter.enter(), 1)
        return order

    assert asyncio.run(run()) == [0, 2, 3, 4, 5, 9]


def test_an_address_without_its_protocol_is_said():
    with pytest.raises(UserError, match="localhost:8000 is no address of a server; write http://host:port"):
        check_engine(EngineChoice(type="openai", base_urls=["localhost:8000"]))


def test_an_interpreter_without_vllm_is_said_before_anything_starts(tmp_path):
    (tmp_path / "python").touch()
    choice = EngineChoice(type="vllm", model="m", options={"python": str(tmp_path / "python")})
    with pytest.raises(UserError, match="has no vLLM beside it"):
        check_engine(choice)
