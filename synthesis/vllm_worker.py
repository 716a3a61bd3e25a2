"""vLLM without its web server: the offline engine behind a port.  Run as a script by vLLM's interpreter.

`vllm serve` spends as much processor time on its web stack as a small model spends on the answer.  This worker feeds
vLLM's offline engine (`vllm.LLM`) continuously instead: requests join the running batch as they come.  It speaks the
part of the OpenAI protocol that the pipeline needs (``/health``, ``/v1/models``, ``/v1/chat/completions`` without
streaming), so the same client, retries and answer store serve both.

Usage: ``python vllm_worker.py --port PORT ENGINE_ARGUMENTS...``, the engine's arguments as ``vllm serve`` takes them.
"""

import argparse
import asyncio
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

MAX_BODY = 1 << 28
"""Bytes of a request; its pictures are in it."""


@dataclass(slots=True)
class Asked:
    """A request on its way to the engine."""

    body: dict[str, Any]
    reply: "Future[dict[str, Any]]" = field(default_factory=Future)


class RefusedError(Exception):
    """The engine cannot take this request; its text says why."""


class Engine:
    """The offline engine and its loop; `run` belongs to the main thread, `ask` to any other."""

    def __init__(self, arguments: list[str]) -> None:
        from vllm import LLM
        from vllm.engine.arg_utils import EngineArgs
        from vllm.utils.argparse_utils import FlexibleArgumentParser

        chosen = EngineArgs.add_cli_args(FlexibleArgumentParser()).parse_args(arguments)
        engine_arguments = EngineArgs.from_cli_args(chosen)
        self._llm = LLM.from_engine_args(engine_arguments)
        names = engine_arguments.served_model_name or engine_arguments.model
        self.model: str = names if isinstance(names, str) else names[0]
        self._defaults = self._llm.model_config.get_diff_sampling_param()
        self._longest: int = self._llm.model_config.max_model_len
        self._queue: SimpleQueue[Asked] = SimpleQueue()
        self._flying: dict[str, Asked] = {}

    def ask(self, body: dict[str, Any]) -> "Future[dict[str, Any]]":
        """Queue a request; the future holds the chat completion or raises `RefusedError`."""
        asked = Asked(body)
        self._queue.put(asked)
        return asked.reply

    def run(self) -> None:
        """Answer until the engine dies, which ends the process."""
        while True:
            self._take(wait=not self._flying)
            if not self._flying:
                continue
            for output in self._llm.llm_engine.step():
                if output.finished:
                    asked = self._flying.pop(output.request_id)
                    if not asked.reply.cancelled():
                        asked.reply.set_result(completion(output, self.model))

    def _take(self, wait: bool) -> None:
        """Move what is queued into the engine; waits for the first where there is nothing else to do."""
        while True:
            try:
                asked = self._queue.get(block=wait)
            except Empty:
                return
            wait = False
            if asked.reply.set_running_or_notify_cancel():
                self._start(asked)

    def _start(self, asked: Asked) -> None:
        from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest

        try:
            # the messages are checked where they are rendered; to check them here too costs a tenth of the time
            request = ChatCompletionRequest.model_validate({**asked.body, "messages": []})
            longest = request.max_completion_tokens or request.max_tokens or self._longest
            (name,) = self._llm.enqueue_chat(
                [asked.body["messages"]],
                [request.to_sampling_params(longest, self._defaults)],
                use_tqdm=False,
                chat_template_kwargs=request.chat_template_kwargs,
            )
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one request must not end the others
            asked.reply.set_exception(RefusedError(f"{type(error).__name__}: {error}"))
        else:
            # the engine adds a suffix to the name that it was given and gives the outputs without it
            self._flying[name.split("-", 1)[0]] = asked


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


def serve(engine: Engine, port: int, failed: Callable[[], None]) -> None:
    """Take requests on the loopback interface; a thread's body.

    Args:
        engine: who answers.
        port: where.
        failed: called where the port cannot be had.
    """
    from aiohttp import web

    async def health(_: Any) -> Any:
        return web.Response()

    async def models(_: Any) -> Any:
        return web.json_response({"object": "list", "data": [{"id": engine.model, "object": "model"}]})

    async def chat(request: Any) -> Any:
        body = await request.json()
        if body.get("model") != engine.model:
            return trouble(404, f"there is no model {body.get('model')!r}")
        try:
            return web.json_response(await asyncio.wrap_future(engine.ask(body)))
        except RefusedError as error:
            return trouble(400, str(error))

    def trouble(status: int, message: str) -> Any:
        return web.json_response({"error": {"message": message, "code": status}}, status=status)

    async def main() -> None:
        app = web.Application(client_max_size=MAX_BODY)
        app.add_routes([web.get("/health", health), web.get("/v1/models", models)])
        app.add_routes([web.post("/v1/chat/completions", chat)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await asyncio.Event().wait()

    try:
        asyncio.run(main())
    finally:
        failed()


def run(arguments: list[str]) -> None:
    """Load the model, open the port, answer."""
    import os

    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--port", type=int, required=True)
    known, rest = parser.parse_known_args(arguments)
    # without this the end of this process would leave the engine's own processes behind
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    engine = Engine(rest)
    threading.Thread(target=serve, args=(engine, known.port, lambda: os._exit(1)), daemon=True).start()
    engine.run()


if __name__ == "__main__":
    run(sys.argv[1:])
