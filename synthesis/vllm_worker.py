"""vLLM without its web server: its engine behind a port.  Run as a script by vLLM's interpreter.

`vllm serve` spends as much processor time on its web stack as a small model spends on the answer.  This worker feeds
vLLM's engine (`AsyncLLM`) continuously instead: requests are rendered beside the running batch and join it as they
come, and only finished answers are handed back.  It speaks the part of the OpenAI protocol that the pipeline needs
(``/health``, ``/v1/models``, ``/v1/chat/completions`` without streaming), so the same client, retries and answer store
serve both.

Usage: ``python vllm_worker.py --port PORT ENGINE_ARGUMENTS...``, the engine's arguments as ``vllm serve`` takes them.
"""

import argparse
import asyncio
import json
import math
import os
import signal
import sys
from collections.abc import Callable
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple

MAX_BODY = 1 << 28
"""Bytes of a request; its pictures are in it."""
REFUSED, MISSING, BROKEN = 400, 404, 500
TERMS_KEPT = 256
SHARE = 4
"""A group is one in so many of the requests under way."""


class Terms(NamedTuple):
    """What a request's body says besides its messages; most requests of a run say the same."""

    sampling: Any
    chat: Any
    tokens: Any


class RefusedError(Exception):
    """The engine cannot take this request; its text says why."""


class Groups:
    """Lets rendered requests join the running batch several at a time, on a CPU.

    There a step with few answers keeps the renderer's core as busy as one with many.  With groups the engine takes
    fewer and fuller steps, which gives 6 % more requests (measured, `benchmarks.synthesis`); on a GPU nobody waits.
    """

    def __init__(self, shared_cores: bool) -> None:
        self._share = SHARE if shared_cores else math.inf
        self._under_way = 0
        self._ready: list[asyncio.Future[None]] = []

    def enter(self) -> None:
        """A request has come."""
        self._under_way += 1

    def leave(self) -> None:
        """A request has been answered or given up."""
        self._under_way -= 1
        self._look()

    async def join(self) -> None:
        """Wait until a fair share of the requests under way is ready too; whoever came first goes on first.

        vLLM sends a picture that it has prepared to its engine once, with the request that was rendered first, so
        another one that shares it must not overtake that.
        """
        loop = asyncio.get_running_loop()
        ready = loop.create_future()
        self._ready.append(ready)
        loop.call_soon(self._look)
        await ready

    def _look(self) -> None:
        self._ready = [ready for ready in self._ready if not ready.done()]
        if len(self._ready) * self._share >= self._under_way:
            for ready in self._ready:
                ready.set_result(None)


class Engine:
    """The model; made and used in one event loop."""

    def __init__(self, arguments: list[str]) -> None:
        from vllm.engine.arg_utils import AsyncEngineArgs
        from vllm.platforms import current_platform
        from vllm.usage.usage_lib import UsageContext
        from vllm.utils.argparse_utils import FlexibleArgumentParser
        from vllm.v1.engine.async_llm import AsyncLLM

        chosen = AsyncEngineArgs.add_cli_args(FlexibleArgumentParser()).parse_args(arguments)
        engine_arguments = AsyncEngineArgs.from_cli_args(chosen)
        engine_arguments.disable_log_stats = True  # nobody reads them, and they cost with every step
        # a server's defaults are for short waits, these are for throughput
        self._engine = AsyncLLM.from_engine_args(engine_arguments, usage_context=UsageContext.LLM_CLASS)
        names = engine_arguments.served_model_name or engine_arguments.model
        self.model: str = names if isinstance(names, str) else names[0]
        self._defaults = self._engine.model_config.get_diff_sampling_param()
        self._longest: int = self._engine.model_config.max_model_len
        self._numbers = count()
        self._groups = Groups(current_platform.is_cpu())
        self._terms: Callable[[str], Terms] = lru_cache(TERMS_KEPT)(self._terms_of)

    async def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        """The chat completion for a request's body.

        Raises:
            RefusedError: the request is one that the engine cannot take.
            vllm.v1.engine.exceptions.EngineDeadError: it will answer nothing any more.
        """
        self._groups.enter()
        try:
            terms, prompt = await self._rendered(body)
            await self._groups.join()
            number = str(next(self._numbers))
            outputs = [output async for output in self._engine.generate(prompt, terms.sampling, number)]
        finally:
            self._groups.leave()
        return completion(outputs[-1], self.model)

    async def _rendered(self, body: dict[str, Any]) -> tuple[Terms, Any]:
        try:
            messages = body.pop("messages")
            terms = self._terms(json.dumps(body))
            _, (prompt,) = await self._engine.renderer.render_chat_async([messages], terms.chat, terms.tokens)
        except Exception as error:  # whatever is wrong with one request must not end the others
            raise RefusedError(f"{type(error).__name__}: {error}") from error
        return terms, prompt

    def _terms_of(self, body: str) -> Terms:
        from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest
        from vllm.sampling_params import RequestOutputKind

        # the messages are checked where they are rendered
        request = ChatCompletionRequest.model_validate({**json.loads(body), "messages": []})
        longest = request.max_completion_tokens or request.max_tokens or self._longest
        sampling = request.to_sampling_params(longest, self._defaults)
        sampling.output_kind = RequestOutputKind.FINAL_ONLY
        chat = request.build_chat_params(None, "auto").with_defaults({"tools": None, "tokenize": False})
        return Terms(sampling, chat, request.build_tok_params(self._engine.model_config))


def completion(output: Any, model: str) -> dict[str, Any]:
    """A finished `vllm.RequestOutput` as a chat completion."""
    choices = [
        {"index": one.index, "finish_reason": one.finish_reason, "message": {"role": "assistant", "content": one.text}}
        for one in output.outputs
    ]
    usage = {
        "prompt_tokens": len(output.prompt_token_ids or ()),
        "completion_tokens": sum(len(one.token_ids) for one in output.outputs),
        "prompt_tokens_details": {"cached_tokens": output.num_cached_tokens or 0},
    }
    return {"object": "chat.completion", "model": model, "choices": choices, "usage": usage}


async def serve(engine: Engine, port: int) -> None:
    """Take requests on the loopback interface until the engine dies."""
    from aiohttp import web
    from vllm.v1.engine.exceptions import EngineDeadError

    over = asyncio.Event()

    async def health(_: Any) -> Any:
        return web.Response()

    async def models(_: Any) -> Any:
        return web.json_response({"object": "list", "data": [{"id": engine.model, "object": "model"}]})

    async def chat(request: Any) -> Any:
        body = await request.json()
        if body.get("model") != engine.model:
            return trouble(MISSING, f"there is no model {body.get('model')!r}")
        try:
            return web.json_response(await engine.answer(body))
        except (RefusedError, ValueError) as error:
            return trouble(REFUSED, str(error))
        except EngineDeadError as error:
            over.set()
            return trouble(BROKEN, str(error))

    def trouble(status: int, message: str) -> Any:
        return web.json_response({"error": {"message": message, "code": status}}, status=status)

    app = web.Application(client_max_size=MAX_BODY)
    app.add_routes([web.get("/health", health), web.get("/v1/models", models)])
    app.add_routes([web.post("/v1/chat/completions", chat)])
    # who has stopped waiting asks again, and the engine must not go on writing for nobody
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await over.wait()


def run(arguments: list[str]) -> None:
    """Load the model, open the port, answer; ends with the engine."""
    import uvloop

    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--port", type=int, required=True)
    known, rest = parser.parse_known_args(arguments)

    async def main() -> None:
        await serve(Engine(rest), known.port)

    # without this the end of this process would leave the engine's own processes behind
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvloop.run(main())
    os._exit(1)


if __name__ == "__main__":
    run(sys.argv[1:])
