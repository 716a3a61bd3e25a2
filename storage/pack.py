"""One shard out of many partitions, in every format that the recipe asks for."""

from collections.abc import Sequence
from pathlib import Path

from schemas.manifest import ReleaseFile
from storage.gather import Shard
from storage.parquet_shard import write_parquet
from storage.plan import ShardPlan
from storage.webdataset_shard import write_webdataset

WRITERS = {"parquet": write_parquet, "webdataset": write_webdataset}


def pack_shard(
    plan: ShardPlan,
    stage_folders: Sequence[Path | str],
    decisions: Path | str,
    out_folder: Path | str,
    formats: Sequence[str] = ("parquet", "webdataset"),
    dropped: Path | str | None = None,
) -> list[ReleaseFile]:
    """Write one planned shard into the release folder.

    The same cases give the same bytes, however they are spread over stages.  Memory holds the shard's rows and one
    row group's bytes.

    Args:
        plan: from `storage.plan.plan_shards` over the same ``decisions``.
        stage_folders: of all partitions, written by `storage.stage.StageWriter`.
        decisions: Parquet with ``order``, ``rows``, ``split`` and ``status`` of every case.
        out_folder: the release folder; files appear in ``data/`` and ``webdataset/`` when whole.
        formats: ``parquet``, ``webdataset``.
        dropped: Parquet with ``order`` and ``row_id`` of rows of kept cases that a mixture leaves out.

    Raises:
        ReleaseError: the stages do not hold what the plan says.
    """
    with Shard(plan, stage_folders, decisions, dropped) as shard:
        return [WRITERS[name](shard, Path(out_folder)) for name in formats]
