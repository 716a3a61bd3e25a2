"""A vLLM server that the pipeline starts itself, from vLLM's own environment, and that goes when nobody needs it."""

import fcntl
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any, Literal
from urllib.request import urlopen

from pydantic import Field

from schemas import identity
from schemas.errors import UserError
from schemas.recipe import EngineChoice
from schemas.yaml_file import validate
from synthesis.openai_options import OpenAIOptions
from synthesis.vllm_priority import give_way, runs_on_cpu

GUARD = Path(__file__).with_name("vllm_guard.py")
WORKER = Path(__file__).with_name("vllm_worker.py")
STRUCTURED = ("--structured-outputs-config", '{"backend": "xgrammar", "disable_any_whitespace": true}')
"""Without the ban on free whitespace a model may fill an answer with newlines up to the token limit."""


class VllmOptions(OpenAIOptions):
    """``engine.options`` of the type ``vllm``."""

    keeps_pictures: bool = True
    """As vLLM does, while one process takes all requests; off where ``data_parallel`` is more than 1."""
    python: str = ""
    """Interpreter of vLLM's environment; ``$MEDCURATE_VLLM_PYTHON`` or ``.vllm/bin/python`` where empty."""
    weights: str = ""
    """Folder or hub name of the weights, where ``engine.model`` is to be another name for them."""
    mode: Literal["server", "offline"] = "server"
    """``server``: ``vllm serve``; ``offline``: its offline engine, no web stack, see `synthesis.vllm_worker`."""
    tensor_parallel: int = Field(default=1, ge=1)
    data_parallel: int = Field(default=1, ge=1)
    arguments: list[str] = Field(default_factory=list)
    """Further arguments of ``vllm serve``; the offline engine takes those of them that are about the engine."""
    start_s: float = Field(default=900, gt=0)
    """How long the server may take to come up."""


def vllm_options(choice: EngineChoice) -> VllmOptions:
    """The engine's options, checked; `UserError` names what is missing."""
    options = validate(VllmOptions, choice.options, "engine.options")
    if not choice.model:
        raise UserError("the engine 'vllm' needs a model: the name of the weights, or a name with options.weights")
    if options.mode == "offline" and options.data_parallel > 1:
        raise UserError("engine.options: mode 'offline' has one engine; leave data_parallel out, or use mode 'server'")
    if options.data_parallel > 1:
        options = options.model_copy(update={"keeps_pictures": False})
    python = _python(options)
    if not python.exists():
        raise UserError(
            f"there is no vLLM environment at {python}; run `make vllm`, or name the interpreter of yours in "
            "engine.options.python or MEDCURATE_VLLM_PYTHON"
        )
    if not python.with_name("vllm").exists():
        raise UserError(f"{python} has no vLLM beside it; name the interpreter of an environment that has")
    return options


def _python(options: VllmOptions) -> Path:
    return Path(options.python or os.environ.get("MEDCURATE_VLLM_PYTHON") or ".vllm/bin/python").expanduser().absolute()


def serve_command(choice: EngineChoice, options: VllmOptions) -> list[str]:
    """The command line of the server; ``{port}`` stands for the port."""
    python, weights = _python(options), options.weights or choice.model
    offline = options.mode == "offline"
    command = [str(python), str(WORKER), "--model", weights] if offline else _web_server(python, weights, options)
    command += [
        "--served-model-name", choice.model, "--port", "{port}", "--seed", str(choice.seed),
        "--tensor-parallel-size", str(options.tensor_parallel),
    ]  # fmt: skip
    if choice.revision:
        command += ["--revision", choice.revision]
    if STRUCTURED[0] not in options.arguments:
        command += STRUCTURED
    return [*command, *options.arguments]


def _web_server(python: Path, weights: str, options: VllmOptions) -> list[str]:
    serve = [str(python.with_name("vllm")), "serve", weights, "--host", "127.0.0.1", "--enable-prompt-tokens-details"]
    return [*serve, "--data-parallel-size", str(options.data_parallel)]


class VllmServer:
    """A lease on the machine's server for one model and set of arguments; processes that ask for the same share it."""

    def __init__(self, choice: EngineChoice) -> None:
        """Take the lease; nothing is started before `address` is asked for."""
        self._options = vllm_options(choice)
        self._command = serve_command(choice, self._options)
        self._folder = _runtime_folder() / identity.digest("vllm", *self._command)
        self._lease = self._taken()

    def _taken(self) -> IO[str]:
        """The lease, held from now on."""
        self._folder.mkdir(exist_ok=True)
        lease = (self._folder / "lease").open("a")
        fcntl.flock(lease, fcntl.LOCK_SH)
        return lease

    def _keep_lease(self) -> None:
        """Take it anew where its file is gone: a guard that starts now looks at the file that is there then.

        Systems delete old files of the temporary folder while a run of weeks goes on.
        """
        held = os.fstat(self._lease.fileno())
        path = self._folder / "lease"
        if not path.exists() or path.stat().st_ino != held.st_ino:
            _runtime_folder()
            older, self._lease = self._lease, self._taken()
            older.close()

    @property
    def log(self) -> Path:
        """What the server says."""
        return self._folder / "vllm.log"

    def address(self) -> str:
        """Where the server is; starts it first where it is not, and waits until it is up.

        Raises:
            UserError: it does not come up.
        """
        self._keep_lease()
        with (self._folder / "start").open("a") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            place = self._place()
            if place is None or not self._up(place):
                place = self._start()
                if not self._up(place):
                    raise UserError(f"vLLM ended before it was up; {self.log} says why")
                if runs_on_cpu(_python(self._options)):
                    give_way(place["server"])
        return f"http://127.0.0.1:{place['port']}"

    def close(self) -> None:
        """Give the lease back; the server stops once nobody holds one."""
        self._lease.close()

    def pids(self) -> dict[str, int]:
        """Process ids of the ``guard`` and the ``server``, and the ``port``."""
        return self._place() or {}

    def _place(self) -> dict[str, int] | None:
        try:
            place: dict[str, int] = json.loads((self._folder / "server.json").read_text())
        except (OSError, ValueError):
            return None
        return place

    @staticmethod
    def _guarded(place: dict[str, int]) -> bool:
        """Whether the guard that wrote ``place`` still runs."""
        try:
            return GUARD.name.encode() in Path(f"/proc/{place['guard']}/cmdline").read_bytes()
        except OSError:
            return False

    def _start(self) -> dict[str, int]:
        order: dict[str, Any] = {"command": self._command, "environment": environment()}
        (self._folder / "command.json").write_text(json.dumps(order))
        before = self._place()
        with (self._folder / "guard.log").open("wb") as log:
            guard = subprocess.Popen(
                [sys.executable, "-I", str(GUARD), str(self._folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while True:
            place = self._place()
            if place is not None and place != before and place["guard"] == guard.pid:
                return place
            if guard.poll() is not None:
                raise UserError(f"vLLM could not be started; {self._folder / 'guard.log'} says why")
            time.sleep(0.05)

    def _up(self, place: dict[str, int]) -> bool:
        """Wait until the server answers; false where its guard is gone."""
        end = time.monotonic() + self._options.start_s
        while time.monotonic() < end:
            if not self._guarded(place):
                return False
            try:
                with urlopen(f"http://127.0.0.1:{place['port']}/health", timeout=2):
                    return True
            except OSError:
                time.sleep(0.25)
        raise UserError(f"vLLM was not up after {self._options.start_s:g} s; {self.log} says how far it came")


def environment() -> dict[str, str]:
    """Variables for the server: no statistics to anybody, no trace of this process's own environment."""
    return {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "PYTHONPATH": "", "VIRTUAL_ENV": ""}


def _runtime_folder() -> Path:
    """A folder of this user's own, for this machine."""
    folder = Path(tempfile.gettempdir()) / f"medcurate-vllm-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise UserError(f"{folder} belongs to somebody else; set TMPDIR to a folder of your own")
    return folder
