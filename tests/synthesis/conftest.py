"""A server of the OpenAI protocol that fails on command, and the real one."""

import io
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from PIL import Image

from schemas.rendered import Rendered

MODEL = "fake-vlm"


@dataclass
class Say:
    """One reply of the fake server."""

    text: str = "fine"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    finish: str = "stop"
    model: str = MODEL
    body: bytes | None = None
    """Sent instead of a chat completion."""
    cut: int = 0
    """So many bytes of the body are kept back and the connection closed."""
    hang: bool = False
    """Nothing is said until the server is stopped."""
    texts: tuple[str, ...] = ()
    """Several choices instead of ``text``."""


Script = Callable[[dict[str, Any], int], Say]


class FakeServer:
    """Answers ``script(body, number)`` to request ``number``, counted from 0, and remembers what it was asked."""

    def __init__(self) -> None:
        self.script: Script = lambda body, number: Say()
        self.asked: list[dict[str, Any]] = []
        self.models: list[str] = [MODEL]
        self.stopped = threading.Event()
        self._lock = threading.Lock()
        self._most = self._now = 0
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args: Any) -> None:
                pass

            def do_GET(self) -> None:
                models = [{"id": name, "object": "model"} for name in owner.models]
                self.send(200, {}, json.dumps({"object": "list", "data": models}).encode())

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                if owner.stopped.is_set():
                    self.close_connection = True
                    return
                number = owner.enter(body)
                try:
                    self.say(owner.script(body, number))
                finally:
                    owner.leave()

            def say(self, say: Say) -> None:
                if say.hang:
                    owner.stopped.wait(30)
                    self.close_connection = True
                    return
                texts = say.texts or (say.text,)
                choices = [
                    {"index": i, "message": {"role": "assistant", "content": text}, "finish_reason": say.finish}
                    for i, text in enumerate(texts)
                ]
                usage = {"prompt_tokens": 7, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 2}}
                data = {"object": "chat.completion", "model": say.model, "choices": choices, "usage": usage}
                self.send(say.status, say.headers, json.dumps(data).encode() if say.body is None else say.body, say.cut)

            def send(self, status: int, headers: dict[str, str], body: bytes, cut: int = 0) -> None:
                self.send_response(status)
                for name, value in {"content-type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) - cut])
                if cut:
                    self.close_connection = True

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass

        self.http = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def most_at_once(self) -> int:
        return self._most

    def enter(self, body: dict[str, Any]) -> int:
        with self._lock:
            self.asked.append(body)
            self._now += 1
            self._most = max(self._most, self._now)
            return len(self.asked) - 1

    def leave(self) -> None:
        with self._lock:
            self._now -= 1

    def stop(self) -> None:
        if not self.stopped.is_set():
            self.stopped.set()
            self.http.shutdown()
            self.http.server_close()


@pytest.fixture
def start_server() -> Iterator[Callable[[], FakeServer]]:
    """Starts fake servers; all stop with the test."""
    servers: list[FakeServer] = []

    def start() -> FakeServer:
        servers.append(FakeServer())
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def server(start_server: Callable[[], FakeServer]) -> FakeServer:
    """One fake server."""
    return start_server()


@pytest.fixture(scope="session")
def say() -> type[Say]:
    """The fake server's reply."""
    return Say


@pytest.fixture(scope="session")
def picture() -> Callable[..., Rendered]:
    """Makes a picture of one colour."""

    def make(colour: tuple[int, int, int] = (220, 30, 30), side: int = 40) -> Rendered:
        buffer = io.BytesIO()
        Image.new("RGB", (side, side), colour).save(buffer, "PNG")
        data = buffer.getvalue()
        digest = sha256(data).hexdigest()
        return Rendered(data, "image/png", side, side, (digest,), digest, digest)

    return make
