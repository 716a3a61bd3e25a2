"""Rows per second that the converters make on one core, without pixels: ``python -m benchmarks.converters``.

Cases are made beforehand (`benchmarks.converter_cases`), every one different, so that every registered converter makes
rows.  First each converter alone sees all cases; then, as in a run, each case is seen by all converters in turn, which
is the number that counts.  Time is the process's own, so that neighbours do not count.
"""

import gc
import statistics
import time
import tracemalloc
from collections.abc import Sequence

from benchmarks.converter_cases import workloads
from schemas.case import Case
from schemas.context import Context
from schemas.plugins import load, names
from schemas.spec import DatasetSpec

TARGET = 20_000


def main() -> None:
    """Print a table: converter, rows, rows per second, and the total of a run."""
    jobs = workloads()
    # A run holds one case at a time: the collector must not walk the thousands that are made beforehand here.
    gc.collect()
    gc.freeze()
    registered = names("converters")
    print(f"{'converter':26}{'rows':>10}{'rows/s':>12}")
    for name in registered:
        rows, seconds = measure([name], jobs)
        print(f"{name:26}{rows:>10,}{rows / seconds:>12,.0f}" if rows else f"{name:26}{0:>10}{'-':>12}")
    rows, seconds = measure(registered, jobs)
    print(f"{'all, case by case':26}{rows:>10,}{rows / seconds:>12,.0f}   (target {TARGET:,})")
    print(f"memory held after all cases, beside the cases: {held(jobs) / 1e6:.1f} MB")


def measure(asked: Sequence[str], jobs: Sequence[tuple[DatasetSpec, list[Case]]]) -> tuple[int, float]:
    """Rows that these converters make over all jobs, and the median of three runs' seconds of processor time."""
    times, rows = [], 0
    for seed in range(3):
        converters = [(kind := load("converters", name))(kind.Options()) for name in asked]
        start = time.process_time()
        rows = 0
        for spec, cases in jobs:
            context = Context(spec, seed)
            for case in cases:
                for converter in converters:
                    for _ in converter.convert(case, context):
                        rows += 1
        times.append(time.process_time() - start)
    return rows, statistics.median(times)


def held(jobs: Sequence[tuple[DatasetSpec, list[Case]]]) -> int:
    """Bytes that stay allocated after every converter has seen every case."""
    converters = [(kind := load("converters", name))(kind.Options()) for name in names("converters")]
    tracemalloc.start()
    for spec, cases in jobs:
        for case in cases:
            for converter in converters:
                for _ in converter.convert(case, Context(spec, 9)):
                    pass
    now, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return now


if __name__ == "__main__":
    main()
