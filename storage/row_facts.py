"""What a mixture is decided by: a few columns of every staged row, in the order of the hashes, a piece at a time."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from storage.sorted_file import SortedFile

PIECE_ROWS = 50_000
"""About so many rows are held at once."""
SPACE = 1 << 128
"""Orders are numbers of 32 hex digits, uniform below this."""


def row_facts(stages: Sequence[Path | str], decisions: Any) -> Iterator[Any]:
    """The rows of kept cases, cases by rising order, the rows of a case by rising id.

    Args:
        stages: folders that `storage.stage.StageWriter` filled.
        decisions: `polars.DataFrame` with ``order``, ``split``, ``status`` and ``rows`` of every case.

    Yields:
        `polars.DataFrame` with order, id, dataset, case_id, split, case, group, task, converter, language, modality,
        anatomy, clinical_task, answer, label (list of strings) and image (list of places in the case).
    """
    import polars as pl

    kept = decisions.filter(pl.col("status") == "kept").select("order", "split")
    total = int(decisions["rows"].cast(pl.Int64).sum() or 0)
    files = [SortedFile(Path(folder) / "rows.arrow") for folder in stages]
    pieces = max(1, -(-total // PIECE_ROWS))
    edges = [f"{SPACE * piece // pieces:032x}" for piece in range(pieces)]
    for number, first in enumerate(edges):
        last = f"{int(edges[number + 1], 16) - 1:032x}" if number + 1 < pieces else "~"
        found = [_facts(pl, table) for file in files if (table := file.between(first, last)).num_rows]
        if found:
            yield pl.concat(found).join(kept, on="order", how="inner").sort("order", "id")


def _facts(pl: Any, table: Any) -> Any:
    columns = [
        "order", "id", "dataset", "case_id", "group_id", "task", "provenance", "modality", "anatomy", "clinical_task",
        "answer", "labels", "images",
    ]  # fmt: skip
    made = pl.col("provenance").struct
    return pl.from_arrow(table.select(columns)).select(
        "order",
        "id",
        "dataset",
        "case_id",
        "task",
        "modality",
        "anatomy",
        "clinical_task",
        "answer",
        case=pl.concat_str("dataset", "case_id", separator="\0"),
        group="group_id",
        converter=made.field("converter"),
        language=made.field("language"),
        label="labels",
        image="images",
    )
