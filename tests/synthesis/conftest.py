"""A server of the OpenAI protocol that fails on command, and the real one."""

import fcntl
import io
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import urlopen

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
    drop: bool = False
    """The connection is closed without a word, as by a server that dies."""
    texts: tuple[str, ...] = ()
    """Several choices instead of ``text``."""


Script = Callable[[dict[str, Any], int], Say]


class Handler(BaseHTTPRequestHandler):
    server: Any
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        models = [{"id": name, "object": "model"} for name in self.server.owner.models]
        self.send(200, {}, json.dumps({"object": "list", "data": models}).encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.server.owner.stopped.is_set():
            self.close_connection = True
            return
        number = self.server.owner.enter(body)
        try:
            self.say(self.server.owner.script(body, number))
        finally:
            self.server.owner.leave()

    def say(self, say: Say) -> None:
        if say.hang:
            self.server.owner.stopped.wait(30)
            self.close_connection = True
            return
        if say.drop:
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
    owner: Any = None
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


class FakeServer:
    """Answers ``script(body, number)`` to request ``number``, counted from 0, and remembers what it was asked."""

    def __init__(self) -> None:
        self.script: Script = lambda body, number: Say()
        self.asked: list[dict[str, Any]] = []
        self.models: list[str] = [MODEL]
        self.stopped = threading.Event()
        self._lock = threading.Lock()
        self._most = self._now = 0
        self.http = Quiet(("127.0.0.1", 0), Handler)
        self.http.owner = self
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


@dataclass(frozen=True)
class RealServer:
    """A real vLLM that serves the tiny model."""

    url: str
    python: Path
    model: Path

    def requests_answered(self) -> int:
        """How many generations the server has finished since it started, by its own count."""
        with urlopen(f"{self.url}/metrics", timeout=10) as reply:
            lines = reply.read().decode().splitlines()
        return int(sum(float(line.split()[-1]) for line in lines if line.startswith("vllm:request_success_total{")))


@pytest.fixture(scope="session")
def vllm_python(root: Path) -> Path:
    """Interpreter of vLLM's environment; skips where there is none, outside `make test-vllm`."""
    python = Path(os.environ.get("MEDCURATE_VLLM_PYTHON") or root / ".vllm" / "bin" / "python")
    if not python.exists():
        pytest.skip("vLLM is not installed: run `make vllm` or set MEDCURATE_VLLM_PYTHON")
    return python


@pytest.fixture(scope="session")
def tiny_model(root: Path, vllm_python: Path) -> Path:
    """The checkpoint that names colours, trained once per version of its maker (about 75 s)."""
    maker = root / "scripts" / "vllm" / "tiny_model.py"
    folder = root / ".vllm" / "models"
    folder.mkdir(parents=True, exist_ok=True)
    model = folder / f"colours-{sha256(maker.read_bytes()).hexdigest()[:12]}"
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (model / "config.json").exists():
            subprocess.run([str(vllm_python), str(maker), str(model)], check=True)
    return model


@pytest.fixture(scope="session")
def vllm(vllm_python: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """One real vLLM for all tests of the session."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("vllm") / "vllm.log"
    command = [
        str(vllm_python.with_name("vllm")), "serve", str(tiny_model), "--served-model-name", "colours",
        "--host", "127.0.0.1", "--port", str(port), "--dtype", "float32", "--max-model-len", "4096",
        "--max-num-seqs", "64", "--kv-cache-memory-bytes", "64M", "--enforce-eager", "--seed", "0",
        "--no-enable-chunked-prefill",  # vLLM 0.32 on a CPU dies where a seeded request's prompt is taken in pieces
        "--structured-outputs-config", '{"backend": "xgrammar", "disable_any_whitespace": true}',
        "--enable-prompt-tokens-details",
    ]  # fmt: skip
    quiet = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
    with log.open("wb") as out:
        server = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, **quiet}, start_new_session=True)
    try:
        wait_until_up(f"http://127.0.0.1:{port}/health", server, log)
        yield RealServer(f"http://127.0.0.1:{port}", vllm_python, tiny_model)
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def wait_until_up(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait for the health page; fails with the end of the log where the server dies or takes five minutes."""
    end = time.monotonic() + 300
    while server.poll() is None and time.monotonic() < end:
        try:
            with urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail("vLLM did not come up:\n" + "\n".join(log.read_text(errors="replace").splitlines()[-40:]))
