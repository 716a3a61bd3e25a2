"""A few rows of every dataset and task of a release, with their pictures, chosen by their ids."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def sample_rows(shards: Sequence[Path], each: int = 3, most: int = 48) -> list[dict[str, Any]]:
    """Rows as Python objects, pictures included.

    Args:
        shards: local Parquet files of a release.
        each: at most so many of one dataset and task.
        most: at most so many in all; then datasets and tasks take turns.

    Returns:
        By dataset, task and id.  The ids are digests, so that the first by id are as good as drawn by lot, and
        the same on every run.
    """
    import polars as pl

    if not shards:
        return []
    keys = ["dataset", "task"]
    names = pl.scan_parquet([str(shard) for shard in shards]).select("id", *keys)
    turn = pl.int_range(pl.len()).over(keys).alias("turn")
    chosen = (
        names.sort(*keys, "id").with_columns(turn).filter(pl.col("turn") < each).sort("turn", *keys, "id").head(most)
    )
    wanted = set(chosen.select("id").collect()["id"].to_list())
    rows = [row for shard in shards for row in _rows(shard, wanted)]
    return sorted(rows, key=lambda row: (row["dataset"], row["task"], row["id"]))


def _rows(shard: Path, wanted: set[str]) -> list[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    source, rows = pq.ParquetFile(shard), []
    values = pa.array(sorted(wanted), pa.string())
    for number in range(source.num_row_groups):
        mask = pc.is_in(source.read_row_group(number, columns=["id"])["id"], value_set=values)
        if pc.any(mask).as_py():
            rows += source.read_row_group(number).filter(mask).to_pylist()
    return rows
