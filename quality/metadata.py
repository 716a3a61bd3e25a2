"""What the checks of a release read of its shards: metadata and sizes of texts, never pixels."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from schemas.instruction import IMAGE

PLAIN = (
    "id", "task", "modality", "anatomy", "clinical_task", "dataset", "case_id", "group_id", "split",
    "license", "access",
)  # fmt: skip
"""Columns taken as they are."""

SIZES = (
    "turns", "first_role", "last_role", "question_chars", "answer_chars", "images", "placeholders_missing", "views",
    "sources", "options", "answer_index", "options_left", "regions", "masks", "labels", "converter", "model",
)  # fmt: skip
"""Columns made of lists and texts; null where the row is restricted and its contents are withheld."""

LEAVES = (
    *PLAIN, "messages", "answer_index", "images.list.element.path", "view.list.element.width", "source_sha256",
    "options", "volumes.list.element.path", "regions.list.element.kind", "labels", "provenance.converter",
    "provenance.model",
)  # fmt: skip


def batches(shards: Iterable[str | Path], rows: int) -> Iterator[Any]:
    """The rows of all shards as `polars.DataFrame` of the columns `PLAIN` and `SIZES`.

    Args:
        shards: local Parquet files; those without rows are passed over.
        rows: at most so many in one frame.

    ``placeholders_missing`` is the pictures less the ``<image>``; ``options_left`` the options behind the answer's,
    -1 or less where its index is beyond them (0 where there are neither options nor an index).
    """
    import polars as pl

    waiting: list[Any] = []
    count = 0
    for shard in shards:
        for frame in _frames(pl, shard, rows):
            waiting.append(frame)
            count += frame.height
            if count >= rows:
                joined = pl.concat(waiting)
                yield joined[:rows]
                waiting, count = [joined[rows:]], count - rows
    if count:
        yield pl.concat(waiting)


def _frames(pl: Any, shard: str | Path, rows: int) -> Iterator[Any]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(shard) as file:
        for batch in file.iter_batches(batch_size=rows, columns=list(LEAVES)):
            if batch.num_rows:
                yield _derived(pl, pl.from_arrow(batch))


def _derived(pl: Any, rows: Any) -> Any:
    said = pl.col("messages").list
    contents = said.eval(pl.element().struct.field("content"))
    words = contents.list.join("\n")
    images = pl.col("images").list.len().cast(pl.Int64)
    index = pl.col("answer_index").cast(pl.Int64)
    options = pl.col("options").list.len().cast(pl.Int64)
    left = pl.when((options == 0) & (index == -1)).then(0).otherwise(options - 1 - index)
    in_regions = pl.col("regions").list.eval(pl.element().struct.field("kind") == "mask").list.sum().cast(pl.Int64)
    # A mask of a whole volume is the volume behind it.
    behind = (pl.col("volumes").list.len().cast(pl.Int64) - 1).clip(0)
    masks = in_regions.fill_null(0) + behind.fill_null(0)
    open_only = {
        "first_role": said.first().struct.field("role"),
        "last_role": said.last().struct.field("role"),
        "question_chars": said.first().struct.field("content").str.len_chars().cast(pl.Int64),
        "answer_chars": said.last().struct.field("content").str.len_chars().cast(pl.Int64),
        "placeholders_missing": images - words.str.count_matches(IMAGE, literal=True).cast(pl.Int64),
        "options": options,
        "answer_index": index,
        "options_left": left,
        "regions": pl.col("regions").list.len().cast(pl.Int64),
        "masks": masks,
        "labels": pl.col("labels").list.len().cast(pl.Int64),
    }
    always = {
        "turns": said.len().cast(pl.Int64),
        "images": images,
        "views": pl.col("view").list.len().cast(pl.Int64),
        "sources": pl.col("source_sha256").list.len().cast(pl.Int64),
        "converter": pl.col("provenance").struct.field("converter"),
        "model": pl.col("provenance").struct.field("model"),
    }
    shown = pl.col("access") != "restricted"
    made = {**always, **{name: pl.when(shown).then(value) for name, value in open_only.items()}}
    return rows.select(*PLAIN, *(made[name].alias(name) for name in SIZES))
