"""Listing a dataset: seconds and peak memory against a bare loop of `os.scandir`, for a short and a long tree.

    python -m benchmarks.listing [--counts 20000 200000] [--json]

Each line is a process of its own: ``scandir`` counts the files, ``walk`` lists them in order as every reader does,
``plan`` fingerprints them and cuts the items of `class_folders` into partitions.  ``tree`` has a thousand files a
folder, ``flat`` has all of them in one.  Memory is the peak of the process above what it had after its imports.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SPEC = {
    "name": "bench", "title": "b", "license": "CC0-1.0", "access": "open", "modality": "CT", "anatomy": "abdomen",
    "clinical_task": "none", "reader": {"type": "class_folders"},
}  # fmt: skip


def main() -> None:
    """Make the trees, run every loop in a process of its own, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=[20_000, 200_000])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(_one(*chosen.one)))
        return
    rows = measured(chosen.counts)
    if chosen.json:
        print(json.dumps(rows))
        return
    print(f"{'listing':24}{'files':>10}{'seconds':>10}{'peak MB':>10}")
    for row in rows:
        print(
            f"{row['shape'] + ', ' + row['loop']:24}{row['files']:>10,}{row['seconds']:>10.2f}{row['peak_mb']:>10.1f}"
        )


def measured(counts: list[int]) -> list[dict[str, Any]]:
    """One line for each shape, count and loop."""
    rows = []
    for shape in ("tree", "flat"):
        for count in counts:
            with tempfile.TemporaryDirectory(prefix="listing-") as scratch:
                make_tree(Path(scratch), count, 1000 if shape == "tree" else count)
                for loop in ("scandir", "walk", "plan"):
                    command = [sys.executable, "-m", "benchmarks.listing", "--one", loop, scratch]
                    done = subprocess.run(command, check=True, capture_output=True, text=True)
                    rows.append({"shape": shape, "files": count, "loop": loop, **json.loads(done.stdout)})
    return rows


def make_tree(root: Path, count: int, each: int) -> None:
    """Empty files in folders of ``each``, made in no order."""
    for number in range(count):
        folder = root / f"class{number // each:04}"
        if number % each == 0:
            folder.mkdir()
        os.close(os.open(folder / f"image-{number * 7919 % 1_000_003:07}-{number:07}.png", os.O_CREAT | os.O_WRONLY))


def _one(loop: str, root: str) -> dict[str, float]:
    import flows.plan as plan
    from flows.listing import fingerprint_of
    from readers.base import open_reader
    from readers.source import Source
    from schemas.spec import DatasetSpec

    spec = DatasetSpec.model_validate({**SPEC, "root": root})
    open_reader(spec)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.perf_counter()
    if loop == "scandir":
        _scan(root)
    elif loop == "walk":
        sum(1 for _ in Source.open(root).walk())
    else:
        fingerprint_of(root)
        with tempfile.TemporaryDirectory() as out:
            plan._write_partitions(plan.limited(open_reader(spec).items(), spec.name, None), Path(out), 500)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"seconds": round(seconds, 3), "peak_mb": round(peak / 1024, 1)}


def _scan(folder: str) -> int:
    with os.scandir(folder) as entries:
        return sum(_scan(entry.path) if entry.is_dir() else 1 for entry in entries)


if __name__ == "__main__":
    main()
