"""Generated cases, staged, planned and packed."""

import hashlib
import io
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from PIL import Image

from schemas.identity import case_order, digest
from schemas.manifest import Manifest, ReleaseFile
from schemas.staged import Blob, StagedCase
from storage.pack import pack_shard
from storage.plan import plan_shards
from storage.stage import StageWriter

VIEW = {
    "source_width": 8, "source_height": 6, "width": 8, "height": 6, "matrix": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
    "axis": -1, "index": -1, "frame": -1, "orientation": "", "spacing": [0.0, 0.0], "slope": 1.0, "intercept": 0.0,
    "window": "none", "window_center": 0.0, "window_width": 0.0, "invert": False,
}  # fmt: skip
PROVENANCE = {
    "converter": "open_question", "template": "open_question.what.en", "seed": 0, "language": "en",
    "facts": ["labels[0]"], "model": "", "revision": "", "sampling": "", "prompt_digest": "", "image_shown": False,
    "request_digest": "", "verdicts": [], "steps": [],
}  # fmt: skip

SPEC = {
    "name": "cells", "title": "Blood cells", "license": "MIT", "access": "open", "homepage": "", "citation": "",
    "modality": "microscopy", "anatomy": "blood", "clinical_task": "classification",
}  # fmt: skip


def picture(red: int, kind: str = "jpg", size: tuple[int, int] = (8, 6)) -> bytes:
    """An encoded picture of one colour: red as given, green 37 times it modulo 256, blue 200."""
    stream = io.BytesIO()
    Image.new("RGB", size, (red, red * 37 % 256, 200)).save(stream, {"jpg": "JPEG", "png": "PNG"}[kind], quality=100)
    return stream.getvalue()


def blob(data: bytes, index: int = 0, kind: str = "jpg") -> Blob:
    """The bytes as a blob with its true digest."""
    sha = hashlib.sha256(data).hexdigest()
    return Blob(data=data, name=f"{index}.{kind}", sha256=sha, pixel_digest=sha[:32], phash=int(sha[:16], 16))


def row(case: str, number: int, images: Sequence[int] = (0,), **changes: Any) -> dict[str, Any]:
    """One row of a case, as the worker stages it."""
    question = "<image>\n" * len(images) + f"What is number {number}?"
    return {
        "id": digest("row", case, str(number)), "task": "open",
        "messages": [{"role": "user", "content": question}, {"role": "assistant", "content": f"{case} {number}"}],
        "images": list(images), "volumes": [], "options": [], "answer": f"{case} {number}", "answer_index": -1,
        "regions": [], "labels": ["cell"], "modality": "microscopy", "anatomy": "blood",
        "clinical_task": "classification", "dataset": "cells", "case_id": case, "group_id": "g" + case, "split": "",
        "license": "MIT", "access": "open", "view": [VIEW for _ in images], "source_sha256": ["0" * 64],
        "provenance": PROVENANCE, "quality": {"flags": [], "scores": []},
    } | changes  # fmt: skip


def staged(case: str, images: list[Blob], rows: list[dict[str, Any]], volumes: Sequence[Blob] = ()) -> StagedCase:
    """A case of the dataset ``cells``."""
    return StagedCase(
        dataset="cells", case_id=case, order=case_order("cells", case), group_id="g" + case, shipped_split="",
        split_policy="hash", annotation_digest=digest(case), images=images, volumes=list(volumes), rows=rows,
    )  # fmt: skip


def simple_case(number: int, rows: int = 2, kind: str = "jpg") -> StagedCase:
    """Case ``c<number>`` with one picture whose red is its number, and so many rows about it."""
    name = f"c{number}"
    return staged(name, [blob(picture(number % 256, kind), kind=kind)], [row(name, n) for n in range(rows)])


def by_number(case_id: str) -> str:
    """Test where the case's number is a multiple of 5, else train."""
    return "test" if int(case_id[1:]) % 5 == 0 else "train"


class Factory:
    """Stages cases into so many partitions, decides, plans and packs them."""

    def __init__(self, base: Path) -> None:
        self.base = base

    def stage(self, cases: Sequence[StagedCase], partitions: int = 1, name: str = "stage") -> list[Path]:
        """Cases dealt out in turn, after a shuffle that depends on the number of partitions."""
        dealt = list(cases)
        random.Random(partitions).shuffle(dealt)
        folders = []
        for number in range(partitions):
            folder = self.base / f"{name}-{partitions}" / f"{number}"
            writer = StageWriter(folder)
            for case in dealt[number::partitions]:
                writer.add(case)
            writer.finish()
            folders.append(folder)
        return folders

    def decide(self, stages: Sequence[Path], split: Callable[[str], str] = by_number) -> Path:
        """A decisions table in which every case is kept."""
        path = stages[0].parent / "decisions.parquet"
        table = pl.concat([pl.read_parquet(folder / "cases.parquet") for folder in stages])
        names = [split(case) for case in table["case_id"]]
        table = table.select("dataset", "case_id", "order", "rows", "bytes")
        table.with_columns(split=pl.Series(names, dtype=pl.String), status=pl.lit("kept")).write_parquet(path)
        return path

    def pack(
        self,
        stages: Sequence[Path],
        decisions: Path,
        name: str = "release",
        shard_rows: int = 40,
        formats: Sequence[str] = ("parquet", "webdataset"),
    ) -> tuple[Path, list[ReleaseFile]]:
        """All shards in a folder, and their lines of the manifest."""
        out = self.base / name
        plans = plan_shards(decisions, shard_rows, 1 << 30)
        return out, [file for plan in plans for file in pack_shard(plan, stages, decisions, out, formats)]

    def release(
        self, cases: Sequence[StagedCase], name: str = "release", partitions: int = 2, **options: Any
    ) -> tuple[Path, Manifest]:
        """A folder ready to be published, with its card, and its manifest."""
        from storage.card import write_card
        from storage.croissant import write_croissant
        from storage.release import file_entry

        stages = self.stage(cases, partitions, f"{name}-stage")
        out, files = self.pack(stages, self.decide(stages), name, **options)
        rows = sum(len(case.rows) for case in cases)
        manifest = Manifest(
            name="cells", version="1.0.0", code_version="0.1.0", files=list(files),
            recipe={"name": "cells", "title": "Cells", "description": "Generated cells."}, specs=[SPEC],
            totals={"case": {"kept": len(cases)}, "row": {"kept": rows}}, gates=[], license="MIT", access="open",
        )  # fmt: skip
        totals = {"case": {"cells": {"kept": len(cases)}}, "row": {"cells": {"kept": rows}}}
        write_card(out, manifest, totals)
        write_croissant(out, manifest)
        known = {file.path for file in files}
        for path in sorted(out.rglob("*")):
            if path.is_file() and path.relative_to(out).as_posix() not in known:
                manifest.files.append(file_entry(path, out))
        return out, manifest


@pytest.fixture
def factory(tmp_path: Path) -> Factory:
    """Works below the test's own folder."""
    return Factory(tmp_path)
