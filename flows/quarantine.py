"""``medcurate quarantine``: the refused rows of a release, by reason."""

import json
from pathlib import Path
from typing import Any

import polars as pl

from schemas.errors import UserError


def reasons(release: Path) -> list[dict[str, Any]]:
    """How many rows each dataset lost for each reason, most first, with one sentence each."""
    return (
        _table(release)
        .group_by("dataset", "stage", "reason")
        .agg(pl.len().alias("rows"), pl.col("case_id").n_unique().alias("cases"), pl.col("detail").first())
        .sort("rows", "dataset", "reason", descending=[True, False, False])
        .collect()
        .to_dicts()
    )


def refused(release: Path, reason: str, count: int) -> list[dict[str, Any]]:
    """The first ``count`` rows refused for ``reason``, with what was asked and answered where that may be shown."""
    found = _table(release).filter(pl.col("reason") == reason).head(count).collect().to_dicts()
    return [
        {"case": row["case_id"], "row": row["row_id"], "detail": row["detail"], "said": _said(row["row"])}
        for row in found
    ]


def _said(row: str) -> str:
    turns = json.loads(row)["messages"] if row else []
    return "\n".join(f"{turn['role']}: {turn['content']}" for turn in turns)


def _table(release: Path) -> pl.LazyFrame:
    path = release / "quarantine.parquet"
    if not path.is_file():
        raise UserError(f"there is no quarantine.parquet in {release}; name the folder of a release")
    return pl.scan_parquet(path)
