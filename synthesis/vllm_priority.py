"""Priority of vLLM's engine where it shares its cores with everything else, which it does in vLLM's build for CPUs.

There the engine's processes wait for each other in busy loops, so the system takes them for hard-working ones, and
whoever feeds them (the renderer, the pipeline) waits some milliseconds each time it is woken.  The batch then runs
nearly empty, which keeps the engine no less busy: 1,500 steps of 9 answers instead of 240 of 58 were seen for the same
600 requests (`benchmarks.synthesis`).  Whoever feeds the engine therefore goes first.  On a GPU nothing is changed:
there the engine's processes must not wait.
"""

import os
from pathlib import Path

NICENESS = 15
"""Still leaves the engine a thirtieth of a core that somebody else uses up."""
ENGINE = (b"VLLM::EngineCore", b"VLLM::Worker")
"""How vLLM names the processes that schedule and compute; those that take and render requests have other names."""


def runs_on_cpu(python: Path) -> bool:
    """Whether the vLLM of this interpreter's environment is the build for CPUs."""
    return any(python.parent.parent.glob("lib/python*/site-packages/vllm-*+cpu*.dist-info"))


def give_way(session: int) -> None:
    """Lower the priority of all threads of the engine's processes in the session that the server leads."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if int((process / "stat").read_text().rpartition(")")[2].split()[3]) == session and _computes(process):
                for thread in (process / "task").iterdir():
                    os.setpriority(os.PRIO_PROCESS, int(thread.name), NICENESS)
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile


def _computes(process: Path) -> bool:
    return (process / "cmdline").read_bytes().startswith(ENGINE)
