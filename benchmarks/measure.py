"""Runs a command and watches the memory of it and its children."""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread
from typing import Any

PERIOD = 0.1


def run_measured(command: list[str], env: dict[str, str] | None = None) -> dict[str, Any]:
    """Run ``command``, whose last line of output is a JSON object; adds ``wall`` and ``cpu`` (s) and ``peak_mb``.

    ``cpu`` is user and system time of the process and its descendants: on a busy machine it says more than ``wall``.

    The peak is the greatest sum, over the process and its descendants, of the proportional set size (a page
    shared by two processes counts half in each), sampled ten times a second.
    """
    begin, used = time.perf_counter(), _cpu()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **(env or {})})
    stop, peak = Event(), [0]
    watcher = Thread(target=_watch, args=(child.pid, stop, peak), daemon=True)
    watcher.start()
    output, _ = child.communicate()
    stop.set()
    watcher.join()
    if child.returncode:
        sys.exit(f"{' '.join(command)} failed with {child.returncode}")
    found: dict[str, Any] = json.loads(output.strip().splitlines()[-1])
    return found | {"wall": time.perf_counter() - begin, "cpu": _cpu() - used, "peak_mb": peak[0] / 1024}


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def _watch(root: int, stop: Event, peak: list[int]) -> None:
    while not stop.wait(PERIOD):
        peak[0] = max(peak[0], sum(_kilobytes(pid) for pid in _tree(root)))


def _tree(root: int) -> list[int]:
    found, pending = [], [root]
    while pending:
        pid = pending.pop()
        found.append(pid)
        try:
            for task in Path(f"/proc/{pid}/task").iterdir():
                pending += map(int, (task / "children").read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def _kilobytes(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        pass
    return 0
