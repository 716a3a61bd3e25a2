"""One pool of spawned processes for all pixel work; a process that dies takes one case with it, not the run."""

import multiprocessing
import os
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from flows.watched import Watched
from flows.worker_start import ready, start_worker

if TYPE_CHECKING:
    from flows.plan import Job

MOST_CRASHES = 20
"""Cases of one partition that may kill their worker before the run gives up: then it is the machine, not the data."""


class Workers:
    """Runs partitions and shards in ``count`` processes, from several threads; what they print goes to ``log``."""

    def __init__(self, count: int, log: Path = Path(os.devnull)) -> None:
        self.count = count
        self.log = str(log)
        self._lock = Lock()
        self._pool = self._new(count)
        # Processes start, and import, when there is work: let that be while the flow is still planning.
        for _ in range(count):
            self._pool.submit(ready)

    def _new(self, count: int) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(count, context, initializer=start_worker, initargs=(os.getpid(), self.log))

    def partition(self, job: "Job") -> dict[str, Any]:
        """Run one partition; where a case kills the process, run again without that case."""
        from flows.worker import crashed_on, run_partition

        for _ in range(MOST_CRASHES):
            pool = self._pool
            try:
                counts: dict[str, Any] = pool.submit(run_partition, job).result()
                return counts
            except BrokenProcessPool:
                self._replace(pool)
                key = crashed_on(job)
                if key and key not in job.crashed and self._was_alone(job, key):
                    job = replace(job, crashed=(*job.crashed, key))
        raise RuntimeError(f"partition {job.dataset}-{job.index} killed its worker {MOST_CRASHES} times")

    def _was_alone(self, job: "Job", key: str) -> bool:
        """Whether ``key`` kills a process of its own: the pool breaks for all partitions when one of them crashes."""
        from flows.worker import run_partition

        with self._new(1) as alone:
            try:
                alone.submit(run_partition, replace(job, only=key, stage=job.stage + "-trial")).result()
            except BrokenProcessPool:
                return True
        return False

    def watched(self, function: Any, note: Path, *arguments: Any) -> Any:
        """Run ``function(*arguments, watched)`` in the pool; what kills the process is passed over.

        Args:
            function: takes a `flows.watched.Watched` last and asks it about every item.
            note: file where the item being worked on is noted.
            arguments: all that can be pickled.
        """
        pool = self._pool
        try:
            first = (*arguments, Watched(str(note)))
            return pool.submit(function, *first).result()
        except BrokenProcessPool:
            self._replace(pool)
        skip: tuple[str, ...] = ()
        for _ in range(MOST_CRASHES):
            # Alone in its process, so that nobody else's crash is laid at its door.
            with self._new(1) as alone:
                try:
                    again = (*arguments, Watched(str(note), skip))
                    return alone.submit(function, *again).result()
                except BrokenProcessPool:
                    skip = (*skip, Watched(str(note)).last())
        raise RuntimeError(f"{note.stem} killed its worker {MOST_CRASHES} times")

    def submit(self, function: Any, *arguments: Any) -> "Future[Any]":
        """Run any picklable function in the pool."""
        return self._pool.submit(function, *arguments)

    def _replace(self, broken: ProcessPoolExecutor) -> None:
        with self._lock:
            if self._pool is broken:
                broken.shutdown(wait=False, cancel_futures=True)
                self._pool = self._new(self.count)

    def close(self) -> None:
        """End the processes."""
        self._pool.shutdown(wait=True, cancel_futures=True)
