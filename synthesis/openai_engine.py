"""The engine that asks servers of the OpenAI protocol (vLLM, SGLang, TGI, hosted ones), several at once."""

import asyncio
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, NoReturn, TypeVar, cast

from schemas.errors import CaseError, UserError
from schemas.recipe import EngineChoice
from synthesis import wire
from synthesis.accounting import Account, Counts
from synthesis.answers import AnswerStore
from synthesis.base import Answer, Failure, Request
from synthesis.limiter import Limiter
from synthesis.named_pictures import Letter
from synthesis.openai_options import OpenAIOptions
from synthesis.reply import parse_reply, understand
from synthesis.room import Room
from synthesis.sending import Sending
from synthesis.servers import QUIET_S, Server, Servers, check
from synthesis.trouble import Cure, Trouble, classify

Outcome = Answer | Failure
Result = TypeVar("Result")
MAX_BACKOFF_S = 30.0
OVERLOAD = ("rate_limited", "server_error", "timeout")
"""Troubles that say that fewer requests at once would fare better."""
GIVEN_UP = 20
"""Requests that may be given up one after the other, none being answered meanwhile, before the run stops."""


class OpenAIEngine:
    """Asks concurrently from one event loop in a background thread; safe to use from many threads."""

    def __init__(
        self,
        choice: EngineChoice,
        options: OpenAIOptions,
        answers: AnswerStore,
        revive: Callable[[], str] | None = None,
        let_go: Callable[[], None] | None = None,
    ) -> None:
        """Check that the servers are there and serve the model.

        Args:
            choice: where to ask, whom and how.
            options: ``choice.options``, checked.
            answers: where answers are looked up and kept.
            revive: called when the connection to the server is lost; brings it back and returns its address.
            let_go: called at the end.

        Raises:
            UserError: no server there, or it has no such model.
        """
        self._options = options
        self._choice = check(choice)
        self._answers = answers
        self.answers = answers.address
        self._revive = revive
        self._let_go = let_go
        self.capacity = 2 * choice.concurrency
        self.counts = Counts()
        self._room = Room(self.capacity)
        self._lock = threading.Lock()
        self._flying: dict[str, Future[Outcome]] = {}
        self._queue: deque[tuple[str, Request, Future[Outcome]]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._called = False
        """Whether the loop has been told that there is something in the queue."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="model-requests", daemon=True)
        self._thread.start()
        self._account = Account(answers.folder, answers.token)
        self._busy_since = 0.0
        self._given_up = 0
        """Requests since the last answer that got none although they were tried again."""
        self._limiter = Limiter(choice.concurrency)
        self._sending = Sending(self._choice)
        self._reviving, self._servers = self._run(self._set_up())

    async def _set_up(self) -> tuple[asyncio.Lock, Servers]:
        return asyncio.Lock(), Servers(self._choice)

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def submit(self, request: Request) -> Future[Outcome]:
        """Queue one request; a request equal to one in flight shares its future."""
        try:
            request = self._sending.prepared(request)
        except CaseError as error:
            return _known(Failure(error.code, error.detail))
        digest = wire.request_digest(self._choice, request)
        with self._lock:
            flying = self._flying.get(digest)
        if flying is not None:
            return flying
        record = self._answers.get(digest)
        if record is not None:
            self.counts.stored += 1
            return _known(self._understand(record, digest, request, stored=True))
        self._room.enter()
        future: Future[Outcome] = Future()
        with self._lock:
            flying = self._flying.get(digest)
            if flying is None:
                self._busy_since = self._busy_since if self._flying else time.monotonic()
                self._flying[digest] = future
        if flying is not None:  # another thread has asked the same while this one waited for room
            self._room.leave()
            return flying
        self._queue.append((digest, request, future))
        # A loop that has all it may ask takes the next request when one is answered: waking it costs both threads.
        if len(self._tasks) < self._choice.concurrency and not self._called:
            self._called = True
            self._loop.call_soon_threadsafe(self._begin)
        return future

    def _begin(self) -> None:
        """Take from the queue what may be asked now."""
        self._called = False
        while self._queue and len(self._tasks) < self._choice.concurrency:
            self._tasks.add(self._loop.create_task(self._carry(*self._queue.popleft())))

    async def _carry(self, digest: str, request: Request, future: "Future[Outcome]") -> None:
        """Bring a request to its end, whatever that is, and go on with the next."""
        try:
            future.set_result(await self._answer(digest, request))
        except asyncio.CancelledError:
            future.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - whoever waits for the answer has to learn of it
            future.set_exception(error)
        finally:
            self._landed(digest)
            self._tasks.remove(cast("asyncio.Task[None]", asyncio.current_task()))
            self._begin()

    def account(self) -> None:
        """Write down what was asked so far, beside the answers."""
        self._account.write(self.counts, self._choice.model)
        self._answers.send()

    def close(self) -> None:
        """Let go of the connections and stop the loop; requests in flight are given up.  Nothing where that is done."""
        if self._loop.is_closed():
            return
        with ExitStack() as ends:  # one that fails, of a store that cannot be reached, must not keep the others
            ends.callback(self._let_go or (lambda: None))
            ends.callback(self._answers.close)
            ends.callback(self._stop_loop)
            self.account()

    def _stop_loop(self) -> None:
        self._run(self._give_up())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _give_up(self) -> None:
        self._queue.clear()
        mine = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not mine]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for future in tuple(self._flying.values()):
            future.cancel()
        await self._servers.close()

    def _landed(self, digest: str) -> None:
        with self._lock:
            self._flying.pop(digest, None)
            if not self._flying:
                self.counts.seconds += time.monotonic() - self._busy_since
        self._room.leave()

    def _understand(self, record: dict[str, Any], digest: str, request: Request, stored: bool) -> Outcome:
        sampling = wire.sampling_text(self._choice, request)
        outcome = understand(record, digest, self._choice, sampling, request.samples, stored)
        return replace(outcome, resized=request.resized) if request.resized and isinstance(outcome, Answer) else outcome

    async def _answer(self, digest: str, request: Request) -> Outcome:
        reply = await self._ask(request)
        self.counts.asked += 1
        if isinstance(reply, Trouble):
            self.counts.failures += 1
            return Failure(reply.code, reply.detail, digest)
        self._given_up = 0
        self.counts.tokens_in += reply["tokens_in"]
        self.counts.tokens_out += reply["tokens_out"]
        self.counts.tokens_cached += reply["tokens_cached"]
        outcome = self._understand(self._answers.put(digest, reply), digest, request, stored=False)
        self.counts.failures += isinstance(outcome, Failure)
        return outcome

    async def _ask(self, request: Request) -> dict[str, Any] | Trouble:
        """Try until there is a reply or no hope; raises `UserError` where no request would be answered."""
        letter = Letter(self._choice, request, self._options.extra_body, self._options.keeps_pictures)
        started = time.monotonic()
        tries = 0
        server: Server | None = None
        while True:
            reply, server = await self._in_turn(letter, server)
            if not isinstance(reply, Trouble) or reply.cure is Cure.NONE:
                return reply
            if reply.cure is Cure.STOP:
                self._stop(reply.detail, server)
            if reply.cure is Cure.ELSEWHERE:
                await self._bring_back(server)
            if reply.gone and self._servers.lost_for() > self._options.patience_s:
                self._stop("no model server has answered for a while", server)
            pause = self._pause(tries, reply, server)
            waited = time.monotonic() - started + pause
            if self._hopeless(reply, tries, waited):
                return self._give_up_on(reply, server)
            await asyncio.sleep(pause)
            tries += reply.cure is Cure.AGAIN or reply.struck
            self.counts.retries += 1

    def _hopeless(self, trouble: Trouble, tries: int, waited: float) -> bool:
        """Whether a request that had this trouble gets no further try.

        A server that goes away with the same request again and again goes away because of it.
        """
        if trouble.cure is Cure.LATER:
            # where nobody has been answered for long either, all requests wait, and stop together
            waits_alone = not trouble.gone or self._servers.lost_for() < self._options.patience_s / 2
            return waited > self._options.patience_s and waits_alone
        return (trouble.cure is Cure.AGAIN or trouble.struck) and tries >= self._options.retries

    def _give_up_on(self, trouble: Trouble, server: Server) -> Trouble:
        """The trouble, unless nothing else happens any more: then it is not the requests that are wrong."""
        self._given_up += 1
        if self._given_up >= GIVEN_UP:
            self._stop(f"{self._given_up} requests in a row had no answer; of the last one, {trouble.detail}", server)
        return trouble

    async def _in_turn(self, letter: Letter, last: Server | None) -> tuple[dict[str, Any] | Trouble, Server]:
        """One try, when the limiter lets it, at the server with the least to do; its fate moves the limit."""
        token = await self._limiter.enter()
        server = self._servers.pick(last)
        try:
            reply = await self._try(server, letter)
        finally:
            self._limiter.leave()
        if not isinstance(reply, Trouble):
            self._limiter.answered()
        elif reply.code in OVERLOAD or reply.struck:
            self._limiter.overloaded(token)
        return reply, server

    async def _try(self, server: Server, letter: Letter) -> dict[str, Any] | Trouble:
        server.flying += 1
        try:
            async with asyncio.timeout(self._choice.timeout_s):
                reply = parse_reply(await server.complete(letter), self._choice.model)
        except Exception as error:
            trouble = classify(error, self._choice.timeout_s)
            if trouble is None:
                raise
            if trouble.gone:
                server.lost(0.0 if trouble.cure is Cure.ELSEWHERE else QUIET_S)
            if trouble.cure not in (Cure.NONE, Cure.STOP):
                server.failing(trouble.wait)
            return trouble
        finally:
            server.flying -= 1
        server.answered()
        return reply

    async def _bring_back(self, server: Server) -> None:
        if self._revive is not None:
            async with self._reviving:
                server.move(await asyncio.to_thread(self._revive))

    def _pause(self, tries: int, trouble: Trouble, server: Server) -> float:
        """Seconds until the next try: what the server asks for where there is no other; else doubling.

        It is spread, so that retries do not bunch.
        """
        if trouble.wait is not None and not self._servers.another(server):
            too_long = trouble.cure is Cure.LATER and not trouble.gone  # is given up for it
            return trouble.wait if too_long else min(trouble.wait, self._options.patience_s)
        return min(MAX_BACKOFF_S, self._options.backoff_s * 2.0**tries) * random.uniform(0.5, 1.0)

    @staticmethod
    def _stop(detail: str, server: Server) -> NoReturn:
        raise UserError(
            f"{detail}: {server.base_url}; put it right and run the same command again, nothing answered is asked twice"
        )


def _known(outcome: Outcome) -> Future[Outcome]:
    """A future that is done."""
    done: Future[Outcome] = Future()
    done.set_result(outcome)
    return done
