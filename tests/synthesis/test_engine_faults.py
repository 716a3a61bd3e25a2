"""The engine against a server that fails in every way that servers do."""

import threading
import time
from concurrent.futures import wait

import pytest

from schemas.errors import UserError
from schemas.recipe import EngineChoice
from synthesis.base import Answer, Failure, Request
from synthesis.pipeline import open_engine as open_it

HELLO = Request((("user", "hello"),), ())


def hello(number: int) -> Request:
    return Request((("user", f"hello {number}"),), ())


@pytest.fixture
def open_engine(tmp_path):
    engines = []

    def make(*servers, answers=None, **changes):
        options = {"backoff_s": 0.01, "patience_s": 1.0, "retries": 2, **changes.pop("options", {})}
        choice = EngineChoice(
            type="openai", base_urls=[s.url for s in servers], model="fake-vlm", options=options,
            **{"timeout_s": 5, **changes},
        )  # fmt: skip
        engines.append(open_it(choice, answers or tmp_path / "answers"))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()


def test_an_answer_carries_where_it_comes_from(server, say, open_engine):
    server.script = lambda body, number: say("a lung")
    answer = open_engine(server, seed=3, max_tokens=9).submit(HELLO).result()
    assert isinstance(answer, Answer)
    assert (answer.texts, answer.model, answer.stored) == (("a lung",), "fake-vlm", False)
    assert answer.sampling == '{"max_tokens":9,"n":1,"seed":3,"temperature":0.0,"top_p":1.0}'
    assert (answer.tokens_in, answer.tokens_out, answer.tokens_cached) == (7, 3, 2)


def test_nothing_is_asked_twice(server, open_engine):
    engine = open_engine(server)
    first = engine.submit(HELLO).result()
    again = engine.submit(HELLO).result()
    other_process = open_engine(server).submit(HELLO).result()
    assert len(server.asked) == 1
    assert first.texts == again.texts == other_process.texts
    assert (again.stored, other_process.stored) == (True, True)


def test_equal_requests_in_flight_share_one_answer(server, say, open_engine):
    server.script = lambda body, number: (time.sleep(0.2), say())[1]
    engine = open_engine(server)
    futures = [engine.submit(HELLO) for _ in range(5)]
    assert {future.result().texts for future in futures} == {("fine",)}
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "change",
    [{"temperature": 0.5}, {"seed": 1}, {"max_tokens": 5}, {"top_p": 0.9}, {"revision": "b"}],
    ids=lambda change: next(iter(change)),
)
def test_another_setting_is_another_request(server, open_engine, change):
    open_engine(server).submit(HELLO).result()
    open_engine(server, **change).submit(HELLO).result()
    assert len(server.asked) == 2


def test_another_picture_or_schema_is_another_request(server, open_engine, picture):
    engine = open_engine(server)
    text = (("user", "what"),)
    requests = [
        Request(text, ()),
        Request(text, (picture((1, 2, 3)),)),
        Request(text, (picture((1, 2, 4)),)),
        Request(text, (picture((1, 2, 4)),), {"type": "object"}),
        Request(text, (), samples=2),
        Request(text, (), temperature=1.0),
    ]
    digests = {engine.submit(request).result().digest for request in requests}
    assert len(digests) == len(server.asked) == 6


def test_the_picture_stands_before_the_text_of_the_first_user_turn(server, open_engine, picture):
    request = Request((("system", "be brief"), ("user", "what"), ("assistant", "a"), ("user", "b")), (picture(),))
    open_engine(server).submit(request).result()
    system, first, assistant, second = server.asked[0]["messages"]
    assert [part["type"] for part in first["content"]] == ["image_url", "text"]
    assert first["content"][0]["image_url"]["url"].startswith("data:image/png;base64,iVBORw0KGgo")
    assert (system["content"], assistant["content"], second["content"]) == ("be brief", "a", "b")


def test_too_many_requests_waits_as_long_as_the_server_says(server, say, open_engine):
    moments = []

    def script(body, number):
        moments.append(time.monotonic())
        return say(status=429, headers={"retry-after": "0.3"}) if number == 0 else say()

    server.script = script
    assert isinstance(open_engine(server).submit(HELLO).result(), Answer)
    assert moments[1] - moments[0] >= 0.3


def test_too_many_requests_for_ever_ends(server, say, open_engine):
    server.script = lambda body, number: say(status=429, headers={"retry-after-ms": "50"})
    failure = open_engine(server, options={"patience_s": 0.3}).submit(HELLO).result()
    assert isinstance(failure, Failure)
    assert failure.code == "rate_limited"


@pytest.mark.parametrize("status", [500, 502, 503, 408])
def test_server_errors_are_asked_again(server, say, open_engine, status):
    server.script = lambda body, number: say(status=status) if number < 2 else say("at last")
    engine = open_engine(server)
    assert engine.submit(HELLO).result().texts == ("at last",)
    assert (len(server.asked), engine.counts.retries, engine.counts.asked) == (3, 2, 1)


def test_a_server_error_that_stays_is_a_failure_and_is_not_stored(server, say, open_engine):
    server.script = lambda body, number: say(status=500)
    engine = open_engine(server)
    failure = engine.submit(HELLO).result()
    assert (failure.code, len(server.asked)) == ("server_error", 3)
    server.script = lambda body, number: say("better")
    assert engine.submit(HELLO).result().texts == ("better",)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_request_is_never_asked_again(server, say, open_engine, status):
    server.script = lambda body, number: say(status=status, body=b'{"error": {"message": "too long"}}')
    failure = open_engine(server).submit(HELLO).result()
    assert (failure.code, len(server.asked)) == ("refused_request", 1)


@pytest.mark.parametrize(
    ("status", "words"), [(401, "refuses the key"), (403, "refuses the key"), (404, "no such model")]
)
def test_what_no_request_survives_stops_the_run(server, say, open_engine, status, words):
    server.script = lambda body, number: say(status=status)
    with pytest.raises(UserError, match=words):
        open_engine(server).submit(HELLO).result()
    assert len(server.asked) == 1


def test_a_hanging_server_is_given_up_and_asked_again(server, say, open_engine):
    server.script = lambda body, number: say(hang=True) if number == 0 else say("awake")
    assert open_engine(server, timeout_s=0.3).submit(HELLO).result().texts == ("awake",)


def test_a_server_that_always_hangs_is_a_timeout(server, say, open_engine):
    server.script = lambda body, number: say(hang=True)
    failure = open_engine(server, timeout_s=0.2, options={"retries": 1}).submit(HELLO).result()
    assert (failure.code, len(server.asked)) == ("timeout", 2)


def test_half_an_answer_is_asked_again(server, say, open_engine):
    server.script = lambda body, number: say("whole", cut=20 if number == 0 else 0)
    assert open_engine(server).submit(HELLO).result().texts == ("whole",)
    assert len(server.asked) == 2


@pytest.mark.parametrize("body", [b"<html>busy</html>", b'{"choices": []}', b"{", b'{"choices": [{"x": 1}]}', b""])
def test_what_is_no_completion_is_a_failure(server, say, open_engine, body):
    server.script = lambda request, number: say(body=body)
    failure = open_engine(server).submit(HELLO).result()
    assert (failure.code, len(server.asked)) == ("bad_reply", 3)


@pytest.mark.parametrize("end", ["error", "abort"])
def test_an_answer_that_the_server_broke_off_is_asked_again_and_never_stored(server, say, open_engine, end):
    server.script = lambda body, number: say("The lu", finish=end)
    engine = open_engine(server)
    assert (engine.submit(HELLO).result().code, len(server.asked)) == ("bad_reply", 3)
    server.script = lambda body, number: say("whole") if number > 3 else say(finish=end)
    assert engine.submit(HELLO).result().texts == ("whole",)
    assert len(server.asked) == 5


def test_another_models_answer_is_not_taken(server, say, open_engine):
    server.script = lambda body, number: say(model="gossip-1b")
    assert open_engine(server).submit(HELLO).result().code == "bad_reply"


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ({"finish": "length", "text": "The lung is"}, "truncated"),
        ({"text": ""}, "empty_answer"),
        ({"text": " \n"}, "empty_answer"),
        ({"finish": "content_filter", "text": "I"}, "refused_answer"),
        ({"finish": "tool_calls", "text": "x"}, "unfinished"),
    ],
)
def test_an_answer_is_never_empty_or_cut(server, say, open_engine, reply, code):
    server.script = lambda body, number: say(**reply)
    engine = open_engine(server)
    assert engine.submit(HELLO).result().code == code
    assert engine.submit(HELLO).result().code == code
    assert len(server.asked) == 1, "it was answered: the same request would be cut the same way"


def test_samples_come_in_order(server, say, open_engine):
    server.script = lambda body, number: say(texts=("a", "b", "", "c"))
    answer = open_engine(server).submit(Request((("user", "x"),), (), samples=4, temperature=1.0)).result()
    assert (answer.texts, answer.samples, server.asked[0]["n"]) == (("a", "b", "c"), 4, 4)


def test_concurrency_is_used_and_kept(server, say, open_engine):
    server.script = lambda body, number: (time.sleep(0.05), say(body["messages"][0]["content"]))[1]
    engine = open_engine(server, concurrency=8)
    futures = [engine.submit(hello(number)) for number in range(60)]
    assert [future.result().texts[0] for future in futures] == [f"hello {number}" for number in range(60)]
    assert 4 <= server.most_at_once <= 8


def test_submit_blocks_while_too_many_are_in_flight(server, say, open_engine):
    gate = threading.Event()
    server.script = lambda body, number: (gate.wait(5), say())[1]
    engine = open_engine(server, concurrency=2)
    submitted = []

    def submit_all():
        for number in range(10):
            submitted.append(engine.submit(hello(number)))

    thread = threading.Thread(target=submit_all)
    thread.start()
    time.sleep(0.3)
    held = len(submitted)
    gate.set()
    thread.join()
    assert held == engine.capacity == 4
    assert all(isinstance(future.result(), Answer) for future in submitted)


def test_what_still_waits_at_the_end_is_given_up(server, say, open_engine):
    gate = threading.Event()
    server.script = lambda body, number: (gate.wait(20), say())[1]
    engine = open_engine(server, concurrency=2)
    futures = [engine.submit(hello(number)) for number in range(4)]
    engine.close()
    gate.set()
    wait(futures, timeout=5)
    assert all(future.cancelled() for future in futures)


def test_an_error_of_our_own_reaches_whoever_waits(server, open_engine, monkeypatch):
    engine = open_engine(server)
    monkeypatch.setattr(engine._answers, "put", lambda digest, record: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        engine.submit(HELLO).result(5)
    monkeypatch.undo()
    assert engine.submit(hello(1)).result(5).texts


def test_load_is_spread_over_servers(start_server, say, open_engine):
    servers = [start_server(), start_server()]
    for one in servers:
        one.script = lambda body, number: (time.sleep(0.02), say())[1]
    engine = open_engine(*servers, concurrency=8)
    for future in [engine.submit(hello(number)) for number in range(80)]:
        future.result()
    assert sum(len(one.asked) for one in servers) == 80
    assert all(len(one.asked) >= 20 for one in servers)


def test_a_server_that_dies_is_replaced_by_the_other(start_server, say, open_engine):
    dying, living = start_server(), start_server()
    engine = open_engine(dying, living, concurrency=4)
    for future in [engine.submit(hello(number)) for number in range(20)]:
        future.result()
    dying.stop()
    later = [engine.submit(hello(number)) for number in range(20, 60)]
    assert [outcome for future in later if not isinstance(outcome := future.result(), Answer)] == []


def test_when_all_servers_are_gone_the_run_says_so_and_stops(server, open_engine, caplog):
    engine = open_engine(server, options={"patience_s": 0.3})
    engine.submit(HELLO).result()
    server.stop()
    with pytest.raises(UserError, match="run the same command again, nothing answered is asked twice"):
        engine.submit(hello(1)).result()
    assert [message.partition(" at ")[0] for message in caplog.messages] == ["the model server"], "said once"
    assert "does not answer" in caplog.text


def test_no_server_at_the_address_is_said_at_the_start(server, open_engine):
    server.stop()
    with pytest.raises(UserError, match=r"no model server answers at http://127.0.0.1:\d+/v1; start one there"):
        open_engine(server)


def test_a_wrong_model_is_named_with_the_nearest_right_one(server, open_engine):
    server.models = ["fake-vlm-7b", "other"]
    with pytest.raises(UserError, match="has no model 'fake-vlm'; did you mean 'fake-vlm-7b'"):
        open_engine(server)


def test_the_only_model_of_a_server_needs_no_name(server, tmp_path):
    engine = open_it(EngineChoice(type="openai", base_urls=[server.url + "/v1/"]), tmp_path)
    assert engine.submit(HELLO).result().model == "fake-vlm"
    engine.close()


def test_an_unknown_option_is_named(server, open_engine):
    with pytest.raises(UserError, match="unknown key 'retrys'; did you mean 'retries'"):
        open_engine(server, options={"retrys": 1})
