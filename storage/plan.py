"""Which case goes into which shard: kept cases of a split in hash order, cut into shards by rows and bytes."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ORDER_OF_SPLITS = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """One shard: all kept cases of ``split`` whose order lies in ``first_order..last_order``, both included."""

    split: str
    index: int
    count: int
    """Shards of the split."""
    first_order: str
    last_order: str
    rows: int
    cases: int
    bytes: int

    @property
    def name(self) -> str:
        """``train-00000-of-00004``."""
        return f"{self.split}-{self.index:05d}-of-{self.count:05d}"

    @property
    def parquet(self) -> str:
        """Path inside the release, ``data/train-00000-of-00004.parquet``."""
        return f"data/{self.name}.parquet"

    @property
    def webdataset(self) -> str:
        """Path inside the release, ``webdataset/train-000000.tar``."""
        return f"webdataset/{self.split}-{self.index:06d}.tar"

    def paths(self) -> list[str]:
        """Paths of the shard inside the release, in every format."""
        return [self.parquet, self.webdataset]

    def to_json(self) -> dict[str, Any]:
        """All fields, for markers and fingerprints."""
        return asdict(self)


def plan_shards(decisions: Path | str, shard_rows: int, shard_bytes: int) -> list[ShardPlan]:
    """Plan every shard of a release.

    Args:
        decisions: Parquet with ``order``, ``rows``, ``bytes``, ``split`` and ``status`` of every case.
        shard_rows: a shard is closed before the case that would bring it over so many rows; a case is never
            cut, so that a single larger one makes a larger shard.
        shard_bytes: the same for bytes of pictures and volumes.

    Returns:
        The plans, train before val before test before other names, in rising order.
    """
    import polars as pl

    columns = ["order", "rows", "bytes"]
    kept = pl.scan_parquet(decisions).filter((pl.col("status") == "kept") & (pl.col("rows") > 0))
    names = kept.select("split").unique().collect()["split"].to_list()
    plans: list[ShardPlan] = []
    for split in sorted(names, key=split_rank):
        table = kept.filter(pl.col("split") == split).select(columns).sort("order").collect()
        shards = list(_cut(table.iter_rows(), shard_rows, shard_bytes))
        plans += [ShardPlan(split, index, len(shards), **shard) for index, shard in enumerate(shards)]
    return plans


def split_rank(split: str) -> tuple[int, str]:
    """Sorts splits as people list them: train, val, test, then by name."""
    known = ORDER_OF_SPLITS.index(split) if split in ORDER_OF_SPLITS else len(ORDER_OF_SPLITS)
    return known, split


def _cut(cases: Iterable[tuple[Any, ...]], shard_rows: int, shard_bytes: int) -> Iterator[dict[str, Any]]:
    shard: dict[str, Any] | None = None
    for order, rows, size in cases:
        if shard and (shard["rows"] + rows > shard_rows or shard["bytes"] + size > shard_bytes):
            yield shard
            shard = None
        if shard is None:
            shard = {"first_order": order, "last_order": order, "rows": 0, "cases": 0, "bytes": 0}
        shard["last_order"] = order
        shard["rows"] += rows
        shard["cases"] += 1
        shard["bytes"] += size
    if shard:
        yield shard
