"""What a release is made of: counts by every axis that bias and drift show on, from metadata columns alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

AXES = ("split", "dataset", "task", "modality", "anatomy", "clinical_task", "license", "converter", "label", "letter")
"""Axes of `profile`; ``label`` counts each label of a row, ``letter`` the right option of multiple choice rows."""

KEPT_VALUES = 500
"""Values of one axis that are listed; the rest are summed under ``(other)``."""

LENGTHS = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
"""Upper bounds of the answer's length classes, in characters."""


def profile(shards: Sequence[str | Path]) -> dict[str, Any]:
    """Counts of rows by axis.

    Args:
        shards: Parquet shards of one release.

    Returns:
        ``{"rows": n, "cases": n, "axes": {axis: {value: rows}}}``, values by falling count, then by name.
    """
    import polars as pl

    if not shards:
        return {"rows": 0, "cases": 0, "axes": {}}
    rows = pl.scan_parquet([str(shard) for shard in shards])
    plain = [name for name in AXES if name not in ("converter", "label", "letter")]
    columns = {
        **{name: rows.select(value=name) for name in plain},
        "converter": rows.select(value=pl.col("provenance").struct.field("converter")),
        "label": rows.select(value="labels").explode("value").drop_nulls(),
        "letter": rows.filter((pl.col("task") == "mcq") & (pl.col("answer_index") >= 0)).select(
            value=pl.lit("ABCDEFGHIJKLMNOPQRSTUVWXYZ").str.slice(pl.col("answer_index"), 1)
        ),
        "answer_length": rows.filter(pl.col("access") != "restricted").select(value=_length_class(pl)),
    }
    axes = {name: _counts(pl, frame) for name, frame in columns.items()}
    totals = rows.select(rows=pl.len(), cases=pl.struct("dataset", "case_id").n_unique()).collect(engine="streaming")
    return {"rows": totals["rows"].item(), "cases": totals["cases"].item(), "axes": axes}


def distance(one: dict[str, int], other: dict[str, int]) -> float:
    """Total variation between two distributions of counts: 0 where they are alike, 1 where they share nothing."""
    total, total_too = sum(one.values()), sum(other.values())
    if not total or not total_too:
        return 0.0 if total == total_too else 1.0
    values = {*one, *other}
    return sum(abs(one.get(v, 0) / total - other.get(v, 0) / total_too) for v in values) / 2


def _length_class(pl: Any) -> Any:
    size = pl.col("messages").list.last().struct.field("content").str.len_chars()
    label = pl.lit(f"over {LENGTHS[-1]}")
    for bound in reversed(LENGTHS):
        label = pl.when(size <= bound).then(pl.lit(f"to {bound}")).otherwise(label)
    return label


def _counts(pl: Any, frame: Any) -> dict[str, int]:
    table = (
        frame.group_by("value").agg(rows=pl.len()).collect(engine="streaming")
        .sort(["rows", "value"], descending=[True, False])
    )  # fmt: skip
    counts = {str(value): int(rows) for value, rows in table.head(KEPT_VALUES).iter_rows()}
    rest = int(table["rows"].slice(KEPT_VALUES).sum())
    return {**counts, "(other)": rest} if rest else counts
