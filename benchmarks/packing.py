"""Packing, side by side: generated JPEGs with labels into shards with one question each.

    python -m benchmarks.packing [--count 5000] [--runs 3] [--json]

Two lines: bytes passed through and hashed; and every picture decoded to check it.  Time is from after the start of
the interpreter to the last shard, imports and worker processes of each program included; the page cache is warm.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measure import run_measured
from benchmarks.packing_runs import pictures
from benchmarks.pictures import make_pictures

LINES = {
    "pass": ("bytes passed through and hashed", ("medcurate", "datasets", "webdataset")),
    "decode": ("every picture decoded", ("medcurate", "datasets", "webdataset", "decode")),
}


def main() -> None:
    """Make the pictures, run every program so many times in turn, print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=["medcurate", "datasets", "webdataset", "decode"])
    parser.add_argument("--folder", type=Path, help="keep the pictures here; a temporary folder where left out")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="packing-") as scratch:
        data = (chosen.folder or Path(scratch)) / f"pictures-{chosen.count}"
        size = make_pictures(data, chosen.count)
        for path in pictures(data):
            path.read_bytes()
        print(f"{chosen.count} pictures, {size / 1e6:.0f} MB", file=sys.stderr)
        results = {line: _line(line, data, Path(scratch), chosen) for line in LINES}
    if chosen.json:
        print(json.dumps({"count": chosen.count, "bytes": size, "runs": chosen.runs, "lines": results}))
    else:
        _print(results)


def _line(line: str, data: Path, scratch: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    names = [name for name in LINES[line][1] if chosen.only in (None, name)]
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for number in range(chosen.runs):
        for name in names:
            runs[name].append(_run(name, line, data, scratch))
            print(f"  {line} {number + 1}/{chosen.runs} {name}: {runs[name][-1]['seconds']:.2f} s", file=sys.stderr)
    result = {name: _median(found, chosen.count) for name, found in runs.items()}
    ours = result.get("medcurate")
    for found in result.values():
        if ours:
            found["ratio"] = found["seconds"] / ours["seconds"]
    return result


def _run(name: str, line: str, data: Path, scratch: Path) -> dict[str, Any]:
    out = scratch / "out"
    out.mkdir()
    try:
        command = [sys.executable, "-m", "benchmarks.packing_runs", name, str(data), str(out), line]
        env = {"HF_HOME": str(out / "hf"), "HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "ignore"}
        found = run_measured(command, env)
    finally:
        shutil.rmtree(out)
    if name != "decode" and found["rows"] == 0:
        sys.exit(f"{name} wrote no rows")
    return found


def _median(runs: list[dict[str, Any]], count: int) -> dict[str, Any]:
    seconds = statistics.median(run["seconds"] for run in runs)
    return {
        "seconds": seconds, "per_second": count / seconds, "rows": runs[0]["rows"],
        "cpu": statistics.median(run["cpu"] for run in runs),
        "peak_mb": statistics.median(run["peak_mb"] for run in runs), "all": [run["seconds"] for run in runs],
    }  # fmt: skip


def _print(results: dict[str, Any]) -> None:
    for line, (title, _) in LINES.items():
        print(f"\n{title}")
        print(f"{'':12}{'seconds':>9}{'rows/s':>9}{'CPU s':>9}{'peak MB':>9}{'medcurate is so many times as fast':>38}")
        for name, found in results[line].items():
            ratio = f"{found['ratio']:.2f}" if "ratio" in found and name != "medcurate" else ""
            print(
                f"{name:12}{found['seconds']:9.2f}{found['per_second']:9.0f}{found['cpu']:9.2f}{found['peak_mb']:9.0f}{ratio:>38}"
            )


if __name__ == "__main__":
    main()
