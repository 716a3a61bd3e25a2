"""Data-Juicer beside our row gates and look-alikes, on the same rows and pictures: `benchmarks.quality`."""

import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.pictures import make_pictures
from quality.near_duplicates import clusters
from readers.pixels.encode import facts
from schemas.instruction import Instruction

PEER = Path(__file__).with_name("peers") / "data_juicer_filter.py"
RADIUS = 4
"""Bits, the default of the look-alike gate."""


def plant(folder: Path, count: int) -> list[tuple[Path, int]]:
    """Pictures, and of every other one a copy: (file, number of its source); written anew, smaller, brighter."""
    make_pictures(folder, count)
    sources = sorted(folder.rglob("*.jpg"))
    made = [(path, number) for number, path in enumerate(sources)]
    for number, path in list(enumerate(sources))[::2]:
        with Image.open(path) as picture:
            plain = picture.convert("RGB")
        copy = path.with_name(f"copy-{path.name}")
        match number // 2 % 3:
            case 0:
                plain.save(copy, quality=50)
            case 1:
                plain.resize((448, 448), Image.Resampling.LANCZOS).save(copy, quality=90)
            case _:
                plain.point([min(255, level + 12) for level in range(256)] * 3).save(copy, quality=90)
        made.append((copy, number))
    return made


def ours(pictures: list[tuple[Path, int]]) -> tuple[float, set[int]]:
    """Processor seconds to decode, hash and group, and the places of the pictures that another one stands for.

    The hash comes with a digest of the pixels and statistics, as every reading makes them.
    """
    begin = time.process_time()
    hashes = []
    for path, _ in pictures:
        with Image.open(path) as picture:
            hashes.append(facts(np.asarray(picture.convert("RGB"))).phash)
    found = clusters(np.asarray(hashes, np.uint64), RADIUS)
    seconds = time.process_time() - begin
    first: dict[int, int] = {}
    for place, group in enumerate(found.tolist()):
        first.setdefault(group, place)
    return seconds, {place for place, group in enumerate(found.tolist()) if first[group] != place}


def compare(python: Path, rows: list[Instruction], seconds: float, pictures: int = 90) -> None:
    """Print the figures of both.

    Args:
        python: an interpreter that has py-data-juicer and imagededup.
        rows: what the row gates judged.
        seconds: of processor time that all row gates took for them.
        pictures: to which half as many copies are added.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        planted = plant(folder / "pictures", pictures)
        own, dropped = ours(planted)
        texts = [{"text": "\n".join(turn.content for turn in row.messages)} for row in rows]
        shown = [{"text": str(place), "images": [str(path)]} for place, (path, _) in enumerate(planted)]
        said = _peer(python, folder, texts, shown)
    gone = set(range(len(planted))) - set(map(int, said["kept"]))
    print(
        f"row gates beside Data-Juicer: all gates {len(rows) / seconds:,.0f} rows/s, its four text filters "
        f"{len(rows) / said['filters']:,.0f} rows/s, ratio {said['filters'] / seconds:.1f} (one core, {len(rows)} rows)"
    )
    each, theirs = (1e3 * one / len(planted) for one in (own, said["deduplicator"]))
    print(
        f"look-alikes beside Data-Juicer: {each:.1f} ms a picture, recall "
        f"{_recall(planted, pictures, dropped)}; its image deduplicator {theirs:.1f} "
        f"ms, recall {_recall(planted, pictures, gone)}; ratio {theirs / each:.1f}"
    )


def _peer(python: Path, folder: Path, texts: list[dict[str, Any]], shown: list[dict[str, Any]]) -> Any:
    files = []
    for name, some in (("rows", texts), ("pictures", shown)):
        files.append(folder / f"{name}.jsonl")
        files[-1].write_text("\n".join(map(json.dumps, some)))
    done = subprocess.run([python, PEER, *files], capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode:
        raise SystemExit(f"Data-Juicer failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def _recall(planted: list[tuple[Path, int]], pictures: int, dropped: set[int]) -> str:
    """Of the copies, and how many pictures that are no copies went with them."""
    copies = len(planted) - pictures
    found = sum(place >= pictures for place in dropped)
    return f"{found / copies:.3f} of {copies} ({len(dropped) - found} others)"
