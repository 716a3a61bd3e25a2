"""Reading and rendering against a bare loop of the same decoder, on the same files.

    python -m benchmarks.readers [--count 24] [--runs 5] [--only "DICOM plain"] [--json]

All loops end with an 8-bit array in memory, windowed where the source is deeper, and read the same files, which the
system has in memory.

``bare`` decodes with Pillow, pydicom or nibabel; ``codec`` with the codec that the readers use, where it is another
one.  ``read`` is ours: list the folder, read every case (layout, geometry, window, findings), make its pixels.
``script`` adds to ``bare`` what a plain script does to publish: hashes, and a PNG where the source is none;
``publish`` adds to ``read`` what ours does: hashes of file, pixels and result, perceptual hash, statistics, PNG,
metadata cut out.  Times are CPU milliseconds a file, the least of the runs, loops taking turns, so that a busy
machine distorts them little.  ``1 core`` and ``2 cores`` are files read a second by the clock, in one process and in
two at once, the best of five turns of a second each, and ``busy`` how many cores the two had in that turn: below 1.9,
others were at work, and the clock says nothing of how reading scales.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks import reader_files as files
from benchmarks import reader_loops as loops
from readers.base import Item, open_reader
from readers.pixels.render import picture, render
from readers.source import Source
from schemas.spec import DatasetSpec

SPEC: dict[str, Any] = {
    "name": "bench", "title": "b", "license": "CC0-1.0", "access": "open", "modality": "CT", "anatomy": "chest",
    "clinical_task": "none",
}  # fmt: skip
TURN, TURNS = 1.0, 5
"""Seconds of work of one turn by the clock, and how many of them."""
ANY: dict[str, Any] = {"type": "files"}
ALL_SLICES = {"slices": {"policy": "all"}}
MIDDLE = {"image": "{case}.nii.gz", "slices": {"policy": "middle"}}


@dataclass(frozen=True)
class Kind:
    """One line of the table."""

    make: files.Maker
    bare: Callable[[Path], loops.Pixels]
    codec: Callable[[Path], loops.Pixels] | None = None
    passes: bool = False
    """Whether the files are published as they are."""
    reader: dict[str, Any] = field(default_factory=lambda: ANY)
    share: float = 1.0
    """Of the files that are asked for: slow ones take fewer."""


KINDS = {
    "JPEG grey": Kind(files.pictures("jpg", 1), loops.pillow, loops.jpeg8, passes=True, share=4),
    "JPEG RGB": Kind(files.pictures("jpg", 3), loops.pillow, loops.jpeg8, passes=True, share=2),
    "PNG grey": Kind(files.pictures("png", 1), loops.pillow, loops.png, passes=True, share=2),
    "PNG RGB": Kind(files.pictures("png", 3), loops.pillow, loops.png, passes=True),
    "DICOM plain": Kind(files.slices(compressed=False), loops.pydicom_slice, share=2),
    "DICOM J2K": Kind(files.slices(compressed=True), loops.pydicom_slice, share=0.5),
    "DICOM series": Kind(
        files.slices(compressed=False, series=True), loops.pydicom_slice,
        reader={"type": "dicom_series", "options": ALL_SLICES}, share=2,
    ),
    "NIfTI gz": Kind(
        files.volume, loops.nibabel_slice, loops.isal_slice, reader={"type": "volumes", "options": MIDDLE}, share=0.5
    ),
}  # fmt: skip


def main() -> None:
    """Make the files, run the loops in turn, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", action="append", choices=list(KINDS))
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="readers-") as scratch:
        rows = [
            _line(name, KINDS[name], Path(scratch) / name, chosen.count, chosen.runs) for name in chosen.only or KINDS
        ]
    if chosen.json:
        print(json.dumps({"count": chosen.count, "runs": chosen.runs, "rows": rows}))
        return
    heads = ("bare", "codec", "read", "read/bare", "read/codec", "script", "publish", "publ/script")
    print(f"{'CPU ms a file':14}" + "".join(f"{head:>12}" for head in (*heads, "1 core /s", "2 cores /s", "busy")))
    for row in rows:
        ratios = (row["read"] / row["bare"], row["read"] / row["codec"])
        times = (row["bare"], row["codec"], row["read"], *ratios, row["script"], row["publish"])
        figures = (*times, row["publish"] / row["script"])
        print(
            f"{row['name']:14}"
            + "".join(f"{figure:12.2f}" for figure in figures)
            + f"{row['alone']:12.0f}{row['together']:12.0f}{row['busy']:12.2f}"
        )


def _line(name: str, kind: Kind, folder: Path, count: int, runs: int) -> dict[str, Any]:
    folder.mkdir(parents=True)
    count = max(round(count * kind.share), 2)
    for number in range(count):
        kind.make(folder, number)
    timed: dict[str, Callable[[], float]] = {
        "bare": lambda: _each(folder, kind.bare),
        "codec": lambda: _each(folder, kind.codec or kind.bare),
        "read": lambda: ours(folder, kind.reader, publish=False)[0],
        "script": lambda: _each(folder, lambda path: _script(kind, path)),
        "publish": lambda: ours(folder, kind.reader, publish=True)[0],
    }
    taken: dict[str, list[float]] = {key: [] for key in timed}
    for _ in range(runs + 1):  # once more, for what is imported and made at first use
        for key, loop in timed.items():
            taken[key].append(loop() * 1000 / count)
    cores = _cores(folder, kind.reader)
    least = {key: min(found) for key, found in taken.items()}
    rates = {key: cores[key] * count for key in ("alone", "together")}
    return {"name": name, "count": count, **least, **rates, "busy": cores["busy"]}


def _each(folder: Path, loop: Callable[[Path], object]) -> float:
    """CPU seconds of a loop over the files of a folder, its listing included."""
    begin = time.process_time()
    for name in sorted(os.listdir(folder)):  # noqa: PTH208 - the cheapest listing, as a fast script would
        loop(folder / name)
    return time.process_time() - begin


def _script(kind: Kind, path: Path) -> None:
    if kind.passes:
        loops.passed_on(path)
    else:
        loops.published(path, kind.bare(path))


def ours(folder: Path, reader: dict[str, Any], *, publish: bool) -> tuple[float, float]:
    """List, read and show every case of a folder; CPU and clock seconds."""
    # Readers keep the last files of a root; under a new name nothing of an earlier run is found.
    with tempfile.TemporaryDirectory(prefix="readers-link-") as scratch:
        root = Path(scratch) / "data"
        root.symlink_to(folder)
        spec = DatasetSpec.model_validate({**SPEC, "root": str(root), "reader": reader})
        source = Source.open(str(root))
        made = open_reader(spec, source=source)
        worked, begun = time.process_time(), time.perf_counter()
        for item in made.items():
            if not isinstance(item, Item):
                raise RuntimeError(f"{item.key}: {item.detail}")
            for ref in made.read(item).images:
                if publish:
                    render(source, ref)
                else:
                    picture(source, ref)
        return time.process_time() - worked, time.perf_counter() - begun


def _turn(folder: Path, reader: dict[str, Any], times: int) -> tuple[float, float]:
    """CPU and clock seconds of reading a folder so many times."""
    taken = [ours(folder, reader, publish=False) for _ in range(times)]
    return sum(worked for worked, _ in taken), sum(clock for _, clock in taken)


def _cores(folder: Path, reader: dict[str, Any]) -> dict[str, float]:
    """Folders read a second by the clock in one process and in two at once, and how many cores the two had."""
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        warm = [list(pool.map(_turn, [folder] * 2, [reader] * 2, [1] * 2)) for _ in range(2)]
        times = max(round(TURN / warm[-1][0][0]), 1)
        alone, together = [], []
        for _ in range(TURNS):
            alone.append(pool.submit(_turn, folder, reader, times).result()[1])
            both = list(pool.map(_turn, [folder] * 2, [reader] * 2, [times] * 2))
            longest = max(clock for _, clock in both)
            together.append((longest, sum(worked for worked, _ in both) / longest))
    seconds, busy = min(together)
    return {"alone": times / min(alone), "together": 2 * times / seconds, "busy": busy}


if __name__ == "__main__":
    main()
