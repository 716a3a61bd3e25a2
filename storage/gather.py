"""Brings together what all partitions have of one shard: cases and rows in hash order, and where the bytes lie."""

import os
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.errors import ReleaseError
from storage.mixed import repeated, without_dropped
from storage.plan import ShardPlan
from storage.sorted_file import SortedFile

OPEN_FILES = 200
"""Blob files kept open at once; a process may commonly open 1,024."""

Whole = npt.NDArray[np.int64]


class Blobs:
    """The pictures (or volumes) of a shard's cases, one entry for each case's each blob.

    Attributes:
        start: first entry of each case, and the number of entries at the end.
        code: equal numbers mean equal bytes.
        stage, offset, length: where each entry's bytes lie; offset -1 where they are withheld.
        name: file name of each entry.
    """

    def __init__(self, cases: Any, column: str) -> None:
        lists = cases[column].combine_chunks()
        counts = pc.list_value_length(lists).to_numpy(zero_copy_only=False)
        flat = lists.flatten()
        self.start: Whole = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self.code: Whole = flat.field("sha256").dictionary_encode().indices.to_numpy().astype(np.int64)
        self.stage: Whole = np.repeat(cases["stage"].to_numpy(), counts)
        self.offset: Whole = flat.field("offset").to_numpy()
        self.length: Whole = flat.field("length").to_numpy()
        self.name: list[str] = flat.field("name").to_pylist()


class Shard:
    """Everything of one shard but the bytes, which `read` fetches.

    Attributes:
        cases: table of `storage.stage.CASES` with the number of its ``stage``, in rising order.
        rows: table of `storage.stage.rows_schema` without ``order``, cases in the same order, ``split`` filled in.
        row_start: first row of each case, and the number of rows at the end.
        restricted: whether any case of all stages is, in this shard or not: all shards of a release are alike.
    """

    def __init__(
        self, plan: ShardPlan, stages: Sequence[Path | str], decisions: Path | str, dropped: Path | str | None = None
    ) -> None:
        self.plan = plan
        self._folders = [Path(stage) for stage in stages]
        self._open: OrderedDict[int, int] = OrderedDict()
        self.restricted = False
        table = _kept(plan, decisions)
        kept = table["order"].cast(pa.string()).combine_chunks()
        self.cases = _sorted(self._read("cases.arrow", kept))
        rows = _sorted(self._read("rows.arrow", kept))
        if dropped is not None:
            self.cases, rows = without_dropped(self.cases, rows, plan, dropped)
        if "repeats" in table.column_names:
            self.cases, rows = repeated(self.cases, rows, table)
        self._check(kept, rows)
        split = pa.array([plan.split], pa.string()).take(pa.array(np.zeros(rows.num_rows, np.int64)))
        self.rows = rows.drop_columns(["order", "stage"])
        self.rows = self.rows.set_column(self.rows.schema.get_field_index("split"), "split", split)
        counts = self.cases["rows"].to_numpy()
        self.row_start: Whole = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self.images = Blobs(self.cases, "images")
        self.volumes = Blobs(self.cases, "volumes")

    def __enter__(self) -> "Shard":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._open:
            os.close(self._open.popitem()[1])

    def read(self, blobs: Blobs, entry: int, into: memoryview) -> None:
        """Read the bytes of one entry into a buffer of exactly its length."""
        stage = int(blobs.stage[entry])
        done = os.preadv(self._descriptor(stage), [into], int(blobs.offset[entry]))
        if done != len(into):
            raise ReleaseError(
                f"{self._folders[stage] / 'blobs.bin'} is shorter than its table says; delete that folder and run again"
            )

    def _descriptor(self, stage: int) -> int:
        found = self._open.pop(stage, None)
        if found is None:
            if len(self._open) >= OPEN_FILES:
                os.close(self._open.popitem(last=False)[1])
            found = os.open(self._folders[stage] / "blobs.bin", os.O_RDONLY)
        self._open[stage] = found
        return found

    def _read(self, name: str, kept: Any) -> Any:
        """The lines of all stages' ``name`` about kept cases, with the number of the stage."""
        tables = []
        for number, folder in enumerate(self._folders):
            file = SortedFile(folder / name)
            self.restricted |= bool(file.facts.get("restricted"))
            table = file.between(self.plan.first_order, self.plan.last_order)
            if table.num_rows:
                stage = pa.array(np.full(table.num_rows, number, np.int64))
                tables.append(table.append_column("stage", stage))
        if not tables:
            raise ReleaseError(f"no stage holds any case of {self.plan.parquet}; stage the partitions first")
        found = pa.concat_tables(tables)
        return found.filter(pc.is_in(found["order"], value_set=kept))

    def _check(self, kept: Any, rows: Any) -> None:
        found, planned = self.cases.num_rows, (self.plan.cases, self.plan.rows)
        unique = pc.count_distinct(self.cases["order"]).as_py()
        if len(kept) != found or unique != found or (found, rows.num_rows) != planned:
            raise ReleaseError(
                f"{self.plan.parquet} should hold {planned[0]} cases and {planned[1]} rows, but the stages "
                f"hold {found} and {rows.num_rows}; the stages changed after the plan was made, so plan again"
            )


def _kept(plan: ShardPlan, decisions: Path | str) -> Any:
    """Order (and ``repeats``, where a mixture decided) of the cases that the shard holds."""
    where = [
        ("order", ">=", plan.first_order), ("order", "<=", plan.last_order),
        ("split", "=", plan.split), ("status", "=", "kept"), ("rows", ">", 0),
    ]  # fmt: skip
    columns = [name for name in ("order", "repeats") if name in pq.read_schema(decisions).names]
    return pq.read_table(decisions, columns=columns, filters=where)


def _sorted(table: Any) -> Any:
    """In order of the hash; stable, and in one piece, so that pages fall the same however many partitions there are."""
    return table.take(pc.sort_indices(table["order"])).combine_chunks()
