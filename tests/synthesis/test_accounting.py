"""Concurrency that adapts, and what asking takes."""

import asyncio
import json
import threading

import pytest

from schemas.case import Case, ImageRef, Label
from schemas.context import Context
from schemas.errors import UserError
from schemas.recipe import Choice, EngineChoice, Price
from schemas.spec import DatasetSpec
from schemas.view import View
from schemas.work import Work
from synthesis.accounting import Account, Counts, bill, spent
from synthesis.base import Request
from synthesis.estimate import estimate, prompt_tokens
from synthesis.limiter import Limiter
from synthesis.pipeline import judges_prices, open_engine, open_tasks, synthesise
from synthesis.unblinded import Unblinded, UnblindedOptions

SPEC = DatasetSpec.model_validate(
    {
        "name": "films", "title": "Films", "license": "CC0-1.0", "access": "open", "root": "/x",
        "reader": {"type": "class_folders"}, "modality": "X-ray", "anatomy": "chest", "clinical_task": "diagnosis",
    }
)  # fmt: skip
SAID = json.dumps({"description": "a", "question": "b", "answer": "c"})


def test_it_starts_full_halves_at_an_overload_and_creeps_back():
    async def story():
        limiter = Limiter(16)
        assert limiter.limit == 16
        token = await limiter.enter()
        limiter.overloaded(token)
        assert limiter.limit == 8
        limiter.overloaded(token)
        assert limiter.limit == 8, "a request from before the cut does not cut again"
        for _ in range(8):
            limiter.answered()
        assert 8.9 < limiter.limit < 9.1
        for _ in range(10000):
            limiter.answered()
        assert limiter.limit == 16

    asyncio.run(story())


def test_it_never_stops_altogether():
    async def story():
        limiter = Limiter(4)
        for _ in range(10):
            limiter.overloaded(limiter._cuts)
        assert limiter.limit == 1
        await limiter.enter()
        second = asyncio.ensure_future(limiter.enter())
        await asyncio.sleep(0)
        assert not second.done()
        limiter.leave()
        await asyncio.wait_for(second, 1)

    asyncio.run(story())


def test_an_engine_asks_less_at_once_of_a_server_that_says_too_many(server, say, tmp_path):
    """The server bears four at once; without adapting, 32 would knock at it for ever."""
    now, lock, refused = [0], threading.Lock(), [0]

    def script(body, number):
        with lock:
            now[0] += 1
            full = now[0] > 4
            refused[0] += full
        try:
            threading.Event().wait(0.02)
            return say(status=429, headers={"retry-after": "0.05"}) if full else say()
        finally:
            with lock:
                now[0] -= 1

    server.script = script
    engine = open_engine(EngineChoice(type="openai", base_urls=[server.url], concurrency=32), tmp_path)
    futures = [engine.submit(Request((("user", str(number)),), ())) for number in range(200)]
    assert {future.result().texts for future in futures} == {("fine",)}
    assert engine._limiter.limit <= 12
    assert refused[0] < 200
    engine.close()


def works(picture, count):
    view = View(source_width=56, source_height=28, width=56, height=28)
    for number in range(count):
        ref = ImageRef((f"{number}.png",), "image/png", view)
        case = Case("films", str(number), None, "", images=(ref,), labels=(Label("mass", "m"),))
        yield Work(str(number), case, pictures={ref: picture((number, 0, 0), side=56)})


def test_what_was_spent_is_kept_beside_the_answers(server, say, tmp_path, picture):
    server.script = lambda body, number: say(SAID)
    task = Unblinded(UnblindedOptions(style="short"))
    for count in (10, 15):
        engine = open_engine(EngineChoice(type="openai", base_urls=[server.url]), tmp_path)
        list(synthesise(works(picture, count), [task], engine, Context(SPEC)))
        engine.close()
    total = spent(tmp_path)
    assert (total.asked, total.tokens_in, total.tokens_out, total.tokens_cached) == (15, 105, 45, 30)
    assert total.seconds > 0


def test_cost_by_hand():
    counts = Counts(tokens_in=3_000_000, tokens_cached=1_000_000, tokens_out=500_000)
    assert counts.cost(Price(input=2, output=8)) == 3 * 2 + 0.5 * 8
    assert counts.cost(Price(input=2, output=8, cached=0.5)) == 2 * 2 + 1 * 0.5 + 0.5 * 8
    assert counts.summary()["tokens_out_per_second"] == 0.0


def test_each_model_at_its_own_price(tmp_path):
    """A writer at 1 and 10, two processes of it; a judge at 3 and 0; all per million tokens."""
    for number, (model, tokens) in enumerate((("writer", 100_000), ("writer", 300_000), ("judge", 1_000_000))):
        counts = Counts(asked=number + 1, retries=1, tokens_in=tokens, tokens_out=tokens // 10, seconds=2.0)
        Account(tmp_path, f"{number}-x").write(counts, model)
    found = bill(tmp_path, Price(input=1, output=10), {"judge": Price(input=3)})
    assert (found["asked"], found["retries"], found["tokens_in"], found["seconds"]) == (6, 3, 1_400_000, 6.0)
    assert found["cost"] == 0.4 + 0.04 * 10 + 1 * 3
    assert found["tokens_out_per_second"] == round(140_000 / 6, 1)
    engine = EngineChoice(type="openai", model="judge", price=Price(input=3))
    assert judges_prices({"verifier": {"engine": engine.model_dump()}, "image_needed": {}}) == {"judge": Price(input=3)}


def test_prompt_tokens_by_hand(picture):
    request = Request((("system", "x" * 40), ("user", "y" * 60)), (picture(side=56),))
    assert prompt_tokens(request) == 25 + 4


def test_a_dry_run_asks_nothing_and_knows_what_is_stored(server, say, tmp_path, picture):
    server.script = lambda body, number: say(SAID)
    task = Unblinded(UnblindedOptions(style="short"))
    choice = EngineChoice(
        type="openai", base_urls=[server.url], model="fake-vlm", max_tokens=100, price=Price(input=1, output=10)
    )
    before = estimate(works(picture, 20), [task], choice, tmp_path, Context(SPEC))
    assert (before.cases, before.requests, before.stored, before.tokens_out) == (20, 20, 0, 2000)
    assert before.cost == pytest.approx((before.tokens_in + 20000) / 1e6, abs=1e-4)
    assert server.asked == []
    engine = open_engine(choice, tmp_path)
    list(synthesise(works(picture, 5), [task], engine, Context(SPEC)))
    engine.close()
    after = estimate(works(picture, 20), [task], choice, tmp_path, Context(SPEC))
    assert (after.requests, after.stored, after.tokens_out) == (20, 5, 45), "15 left at 3 tokens each"


def test_a_dry_run_counts_what_judges_may_be_asked(server, tmp_path, picture):
    """Two rows of each of ten cases: the verifier once a row, five tries each without the picture."""
    task = Unblinded(UnblindedOptions(style="short"))
    choice = EngineChoice(type="openai", base_urls=[server.url], model="fake-vlm", max_tokens=100)
    judge = choice.model_copy(update={"max_tokens": 10, "price": Price(input=1, output=10)})
    plain = estimate(works(picture, 10), [task], choice, tmp_path, Context(SPEC))
    checks = {"verifier": {"engine": judge.model_dump()}, "image_needed": {"tries": 5}, "consistency": {}}
    found = estimate(works(picture, 10), [task], choice, tmp_path, Context(SPEC), checks)
    assert (plain.judging, found.judging) == (0, 20 + 100), "consistency reads rows of other tasks"
    assert found.requests == plain.requests == 10
    assert found.tokens_out - plain.tokens_out == 20 * 10 + 20 * 5 * 100
    text, seen = plain.tokens_in / 10 - 4, 4  # 56 x 56 pixels
    assert found.tokens_in - plain.tokens_in == pytest.approx(20 * (text + seen) + 100 * text, rel=0.05)
    assert found.cost == pytest.approx((20 * (text + seen) + 20 * 10 * 10) / 1e6, abs=1e-4)
    assert server.asked == []


def test_later_stages_are_counted_for_each_case_though_the_first_is_one_request(server, tmp_path, picture):
    """Ten films of one label: the first stage reads the same words of all; four more look at each film."""
    choice = EngineChoice(type="openai", base_urls=[server.url], model="fake-vlm", max_tokens=100)
    (task,) = open_tasks([Choice(type="long_caption")])
    found = estimate(works(picture, 10), [task], choice, tmp_path, Context(SPEC))
    assert (found.requests, found.tokens_out) == (1 + 10 * 4, 41 * 100)


def test_an_account_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "accounts").write_text("in the way")
    with pytest.raises(UserError, match=r"the account .* cannot be written"):
        Account(tmp_path, "1-a").write(Counts(asked=1), "m")


def test_a_dry_run_of_a_finished_chain_finds_all_of_it_stored(server, say, tmp_path, picture):
    """Of a recipe that leaves the model to the server, too: what was asked is known by the accounts."""
    server.script = lambda body, number: say(json.dumps({"text": f"A mass is seen in the middle of picture {number}."}))
    choice = EngineChoice(type="openai", base_urls=[server.url], max_tokens=100)
    tasks = open_tasks([Choice(type="long_caption")])
    engine = open_engine(choice, tmp_path)
    done = list(synthesise(works(picture, 3), tasks, engine, Context(SPEC)))
    engine.close()
    assert [work.lost for work in done] == [[]] * 3
    found = estimate(works(picture, 3), tasks, choice, str(tmp_path), Context(SPEC))
    assert (found.requests, found.stored, found.tokens_out) == (len(server.asked), len(server.asked), 0)
    more = estimate(works(picture, 4), tasks, choice, str(tmp_path), Context(SPEC))
    assert (more.requests - found.requests, more.stored) == (4, found.stored), "the first stage reads the same words"


def test_a_judges_model_is_not_taken_for_the_writers(server, say, tmp_path, picture):
    server.script = lambda body, number: say(SAID)
    choice = EngineChoice(type="openai", base_urls=[server.url])
    task = Unblinded(UnblindedOptions(style="short"))
    engine = open_engine(choice, tmp_path)
    list(synthesise(works(picture, 2), [task], engine, Context(SPEC)))
    engine.close()
    Account(tmp_path, "9-judge").write(Counts(asked=1), "judge")
    judge = {"consistency": {"engine": choice.model_copy(update={"model": "judge"}).model_dump()}}
    assert estimate(works(picture, 2), [task], choice, str(tmp_path), Context(SPEC), judge).stored == 2
    assert estimate(works(picture, 2), [task], choice, str(tmp_path), Context(SPEC)).stored == 0, "either may be"
