"""Unfinished work of one partition in a folder: the bytes apart from the rows, sorted by the hash of the case.

    blobs.bin       bytes of pictures and volumes, each distinct blob once, in order of arrival
    cases.parquet   one line a case: identity, split facts, and where its blobs lie in ``blobs.bin``
    cases.arrow     the same, for packing (`storage.sorted_file`)
    rows.arrow      the rows of `schemas.instruction.arrow_schema` with ``order`` before them; ``images`` and
                    ``volumes`` are indices into the case's blobs

Memory holds the rows (as Arrow) and the blob table of one partition, never the blobs.
"""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.instruction import arrow_schema
from schemas.staged import Blob, StagedCase
from storage.atomic import settle, unfinished
from storage.restricted import is_restricted, without_contents
from storage.sorted_file import BATCH_ROWS, write_sorted

BLOB = pa.struct([
    ("name", pa.string()), ("offset", pa.int64()), ("length", pa.int64()), ("sha256", pa.string()),
    ("pixel_digest", pa.string()), ("phash", pa.uint64()),
])  # fmt: skip
"""``offset`` is -1 where the bytes may not be kept (restricted); ``length`` is then still the true one."""

CASES = pa.schema([
    ("dataset", pa.string()), ("case_id", pa.string()), ("order", pa.string()), ("group_id", pa.string()),
    ("shipped_split", pa.string()), ("split_policy", pa.string()), ("annotation_digest", pa.string()),
    ("origins", pa.list_(pa.string())), ("labels", pa.list_(pa.string())), ("unsure", pa.list_(pa.string())),
    ("restricted", pa.bool_()), ("rows", pa.int32()), ("bytes", pa.int64()),
    ("images", pa.list_(BLOB)), ("volumes", pa.list_(BLOB)),
])  # fmt: skip
"""``bytes`` counts each distinct blob of the case once, 0 for a restricted case."""


def rows_schema() -> Any:
    """`pyarrow.Schema` of ``rows.arrow``."""
    indices = pa.list_(pa.int32())
    fields = [(f.name, indices if f.name in ("images", "volumes") else f.type) for f in arrow_schema()]
    return pa.schema([("order", pa.string()), *fields])


class StageWriter:
    """Writes one partition's stage; nothing has its final name before `finish`.

    Args:
        folder: is made; what an interrupted run left there is overwritten.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._schema = rows_schema()
        self._blobs = unfinished(self.folder / "blobs.bin").open("wb", buffering=1 << 20)
        self._end = 0
        self._known: dict[str, int] = {}
        self._cases: list[dict[str, Any]] = []
        self._pending: list[dict[str, Any]] = []
        self._batches: list[Any] = []

    def __enter__(self) -> "StageWriter":
        return self

    def __exit__(self, *exception: object) -> None:
        self._blobs.close()

    def add(self, case: StagedCase) -> None:
        """Take one case.  The contents of a restricted one are dropped here and never reach the disk."""
        restricted = any(is_restricted(row) for row in case.rows)
        images = [self._place(blob, restricted) for blob in case.images]
        volumes = [self._place(blob, restricted) for blob in case.volumes]
        distinct = {blob["sha256"]: blob["length"] for blob in images + volumes}
        self._cases.append({
            "dataset": case.dataset, "case_id": case.case_id, "order": case.order, "group_id": case.group_id,
            "shipped_split": case.shipped_split, "split_policy": case.split_policy,
            "annotation_digest": case.annotation_digest, "origins": list(case.origins), "labels": list(case.labels),
            "unsure": list(case.unsure), "restricted": restricted, "rows": len(case.rows),
            "bytes": 0 if restricted else sum(distinct.values()), "images": images, "volumes": volumes,
        })  # fmt: skip
        rows = (without_contents(row) for row in case.rows) if restricted else case.rows
        self._pending += [{**row, "order": case.order} for row in rows]
        if len(self._pending) >= BATCH_ROWS:
            self._convert()

    def finish(self) -> dict[str, Any]:
        """Sort, write and name the files; returns counts: cases, rows, blobs, bytes (of distinct blobs)."""
        self._convert()
        self._blobs.close()
        rows = pa.Table.from_batches(self._batches, self._schema)
        # Stable, so the rows of a case stay in the order in which they were made.
        rows = rows.take(pc.sort_indices(rows["order"]))
        cases = pa.Table.from_pylist(sorted(self._cases, key=lambda case: case["order"]), schema=CASES)
        restricted = any(case["restricted"] for case in self._cases)
        write_sorted(self.folder / "cases.arrow", cases, restricted=restricted)
        write_sorted(self.folder / "rows.arrow", rows)
        path = self.folder / "cases.parquet"
        pq.write_table(cases, unfinished(path), compression="lz4")
        settle(path)
        settle(self.folder / "blobs.bin")
        self._batches = []
        return {"cases": cases.num_rows, "rows": rows.num_rows, "blobs": len(self._known), "bytes": self._end}

    def _place(self, blob: Blob, restricted: bool) -> dict[str, Any]:
        return {
            "name": blob.name, "offset": -1 if restricted else self._offset(blob), "length": len(blob.data),
            "sha256": blob.sha256, "pixel_digest": blob.pixel_digest, "phash": blob.phash,
        }  # fmt: skip

    def _offset(self, blob: Blob) -> int:
        """Where the blob's bytes lie; they are written when first seen."""
        known = self._known.get(blob.sha256)
        if known is None:
            known = self._known[blob.sha256] = self._end
            self._blobs.write(blob.data)
            self._end += len(blob.data)
        return known

    def _convert(self) -> None:
        if self._pending:
            self._batches.append(pa.RecordBatch.from_pylist(self._pending, schema=self._schema))
            self._pending = []
