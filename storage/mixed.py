"""What a mixture changes in a shard: rows left out, pictures that nobody shows any more, and copies of rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.identity import copy_id
from storage.plan import ShardPlan

BLOB_COLUMNS = ("images", "volumes")


def without_dropped(cases: Any, rows: Any, plan: ShardPlan, dropped: Path | str) -> tuple[Any, Any]:
    """Cases and rows, both by order, without the rows that ``dropped`` names and what only those showed."""
    where = [("order", ">=", plan.first_order), ("order", "<=", plan.last_order)]
    gone = pq.read_table(dropped, columns=["row_id"], filters=where)["row_id"].cast(pa.string()).combine_chunks()
    if not len(gone):
        return cases, rows
    rows = rows.filter(pc.invert(pc.is_in(rows["id"], value_set=gone))).combine_chunks()
    counts = _counts(cases, rows)
    cases = cases.set_column(cases.schema.get_field_index("rows"), "rows", pa.array(counts.astype(np.int32)))
    for name in BLOB_COLUMNS:
        cases, rows = _shown(cases, rows, counts, name)
    return cases, rows


def repeated(cases: Any, rows: Any, decided: Any) -> tuple[Any, Any]:
    """Cases and rows, each row of a case followed by as many copies as ``decided`` says."""
    times = dict(zip(decided["order"].to_pylist(), decided["repeats"].to_pylist(), strict=True))
    if all(count == 1 for count in times.values()):
        return cases, rows
    each = np.array([times[order] for order in rows["order"].to_pylist()], dtype=np.int64)
    ids = [copy_id(row, n) for row, count in zip(rows["id"].to_pylist(), each, strict=True) for n in range(count)]
    rows = rows.take(pa.array(np.repeat(np.arange(rows.num_rows), each))).combine_chunks()
    rows = rows.set_column(rows.schema.get_field_index("id"), "id", pa.array(ids, pa.string()))
    counts = pa.array(_counts(cases, rows).astype(np.int32))
    return cases.set_column(cases.schema.get_field_index("rows"), "rows", counts), rows


def _counts(cases: Any, rows: Any) -> Any:
    """Rows of each case."""
    case = pc.index_in(rows["order"], value_set=cases["order"].combine_chunks()).to_numpy()
    return np.bincount(case, minlength=cases.num_rows)


def _shown(cases: Any, rows: Any, counts: Any, name: str) -> tuple[Any, Any]:
    """The blobs that rows still point at; the rows' indices follow."""
    blobs, indices = cases[name].combine_chunks(), rows[name].combine_chunks()
    start = _offsets(blobs)
    case = np.repeat(np.arange(cases.num_rows), counts)
    own = np.repeat(case, indices.value_lengths().to_numpy(zero_copy_only=False))
    entry = start[own] + indices.flatten().to_numpy(zero_copy_only=False)
    used = np.zeros(int(start[-1]), bool)
    used[entry] = True
    before = np.concatenate([[0], np.cumsum(used)])
    kept = pa.ListArray.from_arrays(pa.array(before[start].astype(np.int32)), blobs.flatten().filter(pa.array(used)))
    moved = pa.array((before[entry] - before[start[own]]).astype(np.int32))
    again = pa.ListArray.from_arrays(pa.array(_offsets(indices).astype(np.int32)), moved)
    return (
        cases.set_column(cases.schema.get_field_index(name), name, kept),
        rows.set_column(rows.schema.get_field_index(name), name, again),
    )


def _offsets(lists: Any) -> Any:
    """Where each list begins in the flattened values, and their number at the end."""
    lengths = lists.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64)
    return np.concatenate([[0], np.cumsum(lengths)])
