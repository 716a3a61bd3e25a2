"""Release gates over synthetic shards without pixels: `benchmarks.quality`."""

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from schemas.identity import digest
from schemas.spec import DatasetSpec

WORDS = ("pneumonia", "no finding", "pleural effusion", "cardiomegaly")
LISTED = "\n".join(f"{letter}. {word}" for letter, word in zip("ABCD", WORDS, strict=True))
PART = 50_000
SAYS = [f"{start}{middle}{end}" for start in ("ba", "co", "du", "fi") for middle in "lmnr" for end in ("t", "s", "x")]


def peak_mb() -> int:
    """Peak resident memory of this process in MB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def choice(number: int, index: int) -> dict[str, Any]:
    """A multiple choice question."""
    said = (f"<image>\nWhich does film {number % 1000} show?\n{LISTED}", f"{'ABCD'[index]}. {WORDS[index]}")
    return _said(*said) | {"task": "mcq", "options": list(WORDS), "answer": WORDS[index], "answer_index": index}


def caption(number: int) -> dict[str, Any]:
    """Thirty words, of which every hundredth caption shares all with the one before."""
    drawn = np.random.default_rng(number - 5 * (number % 500 == 9)).integers(0, len(SAYS), 30)
    text = " ".join(SAYS[word] for word in drawn)
    return _said("<image>\nDescribe the film.", text) | {
        "task": "caption", "options": [], "answer": "", "answer_index": -1,
    }  # fmt: skip


def _said(asked: str, told: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": told}]}


def published(start: int, count: int) -> Any:
    """An Arrow table without pixels: four multiple choice rows, then a caption of 30 words."""
    import pyarrow as pa

    from schemas.instruction import arrow_schema

    view = dict.fromkeys(("source_width", "source_height", "width", "height", "axis", "index", "frame"), 0)
    view |= {"matrix": [1.0] * 6, "spacing": [0.0, 0.0], "window": "none", "orientation": ""}  # type: ignore[dict-item]
    rows = []
    for n in range(start, start + count):
        index = n % 4
        rows.append((caption(n) if n % 5 == 4 else choice(n, index)) | {
            "id": digest("row", str(n)), "images": [{"bytes": None, "path": "a.png"}], "volumes": [],
            "regions": [], "labels": [WORDS[index]],
            "modality": "x-ray", "anatomy": "chest", "clinical_task": "diagnosis", "dataset": "films",
            "case_id": f"case-{n // 5}", "group_id": digest("g", str(n // 10)),
            "split": "test" if (n // 10) % 10 == 0 else "train", "license": "CC0-1.0", "access": "open",
            "view": [view], "source_sha256": [], "provenance": {"converter": "bench", "model": ""},
            "quality": {"flags": [], "scores": []},
        })  # fmt: skip
    return pa.Table.from_pylist(rows, arrow_schema())


def release(count: int, spec: DatasetSpec) -> None:
    """All release gates with their defaults, which include the text model of the shortcut gate and alike texts."""
    import pyarrow.parquet as pq

    from quality.release import check_release
    from schemas.recipe import Recipe

    recipe = Recipe.model_validate({"name": "bench", "version": "1", "datasets": [{"spec": "films.yaml"}]})
    with tempfile.TemporaryDirectory() as folder:
        shards = []
        for part in range(0, count, PART):
            shards.append(Path(folder) / f"{part:09}.parquet")
            pq.write_table(published(part, min(PART, count - part)), shards[-1])
        before, begin, busy = peak_mb(), time.perf_counter(), time.process_time()
        verdicts = check_release(shards, [], recipe, [spec], Path(folder) / "quality")
        seconds, busy = time.perf_counter() - begin, time.process_time() - busy
    refused = [one.detail for one in verdicts if not one.passed]
    print(
        f"release gates: {count:,} rows in {seconds:.1f} s ({busy:.1f} s of processor), refused: {refused}, "
        f"peak {before} MB before and {peak_mb()} MB after"
    )
