"""Keeps one vLLM server alive for as long as somebody holds a lease on it.  Run as a script, standard library only.

The guard outlives no one it serves: clients hold a shared lock on the file ``lease``, which the operating system
releases when they end, however they end.  Once the guard can take that lock for itself, nobody is left, and it stops
the server.  If the guard itself is killed, the kernel stops the server.

Usage: ``python vllm_guard.py FOLDER``; ``FOLDER/command.json`` holds ``{"command": [...], "environment": {...}}``, and
``{port}`` in the command is replaced.  The guard writes ``FOLDER/server.json`` with its pid and the port.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

LINGER_S = 5.0
TOUCH_S = 3600.0
"""Systems delete files of the temporary folder that nobody has touched for days."""
STOP_S = 15.0
PR_SET_PDEATHSIG = 1


def free_port(wanted: int) -> int:
    """``wanted`` if nobody listens there, else any free port."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port")


def earlier_port(folder: Path) -> int:
    """The port of the server before this one, so that its clients find the new one; 0 if there was none."""
    try:
        return int(json.loads((folder / "server.json").read_text())["port"])
    except (OSError, ValueError, KeyError):
        return 0


def start(folder: Path) -> "subprocess.Popen[bytes]":
    """Start the server and say where it is."""
    order = json.loads((folder / "command.json").read_text())
    port = free_port(earlier_port(folder))
    libc = ctypes.CDLL(None, use_errno=True)

    def die_with_guard() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    with (folder / "vllm.log").open("wb") as log:
        server = subprocess.Popen(
            [part.replace("{port}", str(port)) for part in order["command"]],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **order["environment"]},
            start_new_session=True,
            preexec_fn=die_with_guard,
        )
    part = folder / "server.json.part"
    part.write_text(json.dumps({"guard": os.getpid(), "server": server.pid, "port": port}))
    part.rename(folder / "server.json")
    return server


def touch(folder: Path) -> None:
    """Make the folder and its files look as new as they are needed."""
    for path in (folder, *folder.iterdir()):
        with contextlib.suppress(FileNotFoundError):  # it is gone already
            os.utime(path)


def stop(server: "subprocess.Popen[bytes]") -> None:
    """End the server and everything it started."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, sign)
            server.wait(STOP_S)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def main(folder: Path) -> int:
    """Serve until nobody holds a lease or the server dies."""
    server = start(folder)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    unused_since: float | None = None
    touched = time.monotonic()
    try:
        with (folder / "lease").open("a") as lease:
            while server.poll() is None:
                time.sleep(0.5)
                if time.monotonic() - touched >= TOUCH_S:
                    touch(folder)
                    touched = time.monotonic()
                try:
                    fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    unused_since = None
                    continue
                unused_since = unused_since if unused_since is not None else time.monotonic()
                if time.monotonic() - unused_since >= LINGER_S:
                    return 0
                fcntl.flock(lease, fcntl.LOCK_UN)
        return 1
    finally:
        stop(server)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
