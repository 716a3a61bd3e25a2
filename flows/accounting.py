"""The books: one ledger of the whole run, its totals, and the proof that nothing was lost."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from flows.episodes import EpisodeJob
from flows.ledger_file import quarantine_schema
from flows.plan import Job
from schemas.identity import copy_id
from schemas.ledger import balance, ledger_schema
from schemas.manifest import ReleaseFile

Totals = dict[str, dict[str, dict[str, int]]]
"""kind (case, row) -> dataset -> status -> count."""


def write_ledger(
    jobs: Sequence[Job | EpisodeJob], decisions: Path, folder: Path, dropped: Path | None = None
) -> Totals:
    """Join the partitions' ledgers with what was decided over all of them; write ``ledger.parquet``; count.

    Args:
        jobs: of partitions and episodes.
        decisions: what became of each case.
        folder: of the release.
        dropped: rows that the mixture left out.
    """
    table = pl.read_parquet(decisions)
    cases = table.filter(~pl.col("episode")) if "episode" in table.columns else table
    drops = cases.filter(pl.col("status") != "kept").select(
        "dataset", "case_id", new_status="status", new_reason="reason", new_detail="detail"
    )
    rows = _dropped_rows(dropped)
    copies = table.filter(pl.col("repeats") > 1) if "repeats" in table.columns else table.clear()
    totals: dict[str, dict[str, Counter[str]]] = {"case": {}, "row": {}}
    with pq.ParquetWriter(folder / "ledger.parquet", ledger_schema(), compression="zstd") as writer:
        for job in jobs:
            entries = _mixed(pl.read_parquet(Path(job.stage) / "ledger.parquet"), rows)
            entries = _with_copies(_decided(entries, drops), copies)
            writer.write_table(entries.to_arrow().cast(ledger_schema()))
            for kind, status, count in entries.group_by("kind", "status").len().iter_rows():
                totals[kind].setdefault(job.dataset, Counter())[status] += count
    return {kind: {name: dict(sorted(found.items())) for name, found in sets.items()} for kind, sets in totals.items()}


def _decided(entries: pl.DataFrame, drops: pl.DataFrame) -> pl.DataFrame:
    """The entries in which every kept line of a case that was dropped later says so."""
    joined = entries.join(drops, on=["dataset", "case_id"], how="left", maintain_order="left")
    changed = (pl.col("status") == "kept") & pl.col("new_status").is_not_null()
    return joined.with_columns(
        status=pl.when(changed).then("new_status").otherwise("status"),
        stage=pl.when(changed).then(pl.lit("resolve")).otherwise("stage"),
        reason=pl.when(changed).then("new_reason").otherwise("reason"),
        detail=pl.when(changed).then("new_detail").otherwise("detail"),
    ).select(entries.columns)


def _dropped_rows(dropped: Path | None) -> pl.DataFrame:
    """Id, reason and detail of each row that the mixture left out."""
    names = {"row_id": pl.String, "new_reason": pl.Categorical, "new_detail": pl.Categorical}
    if dropped is None or not dropped.exists():
        return pl.DataFrame(schema=names)
    columns = pl.scan_parquet(dropped).select("row_id", new_reason="reason", new_detail="detail")
    return columns.cast(names).collect()  # type: ignore[arg-type]  # polars' stubs know no mapping of names


def _mixed(entries: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """The entries in which every kept row that the mixture left out says so."""
    if not rows.height:
        return entries
    text = rows.cast({"new_reason": pl.String, "new_detail": pl.String})
    own = text.join(entries.select("row_id"), on="row_id", how="semi")
    joined = entries.join(own, on="row_id", how="left", maintain_order="left")
    changed = (pl.col("kind") == "row") & (pl.col("status") == "kept") & pl.col("new_reason").is_not_null()
    return joined.with_columns(
        status=pl.when(changed).then(pl.lit("filtered")).otherwise("status"),
        stage=pl.when(changed).then(pl.lit("resolve")).otherwise("stage"),
        reason=pl.when(changed).then("new_reason").otherwise("reason"),
        detail=pl.when(changed).then("new_detail").otherwise("detail"),
    ).select(entries.columns)


def _with_copies(entries: pl.DataFrame, copies: pl.DataFrame) -> pl.DataFrame:
    """The entries, and one for each further copy of a row that the recipe repeats."""
    if not copies.height:
        return entries
    times = copies.select("dataset", "case_id", "repeats").unique()
    kept = entries.filter((pl.col("kind") == "row") & (pl.col("status") == "kept"))
    repeated = kept.join(times, on=["dataset", "case_id"], how="inner", maintain_order="left")
    ids = [
        [copy_id(row, number) for number in range(1, count)]
        for row, count in repeated.select("row_id", "repeats").rows()
    ]
    added = repeated.with_columns(row_id=pl.Series(ids, dtype=pl.List(pl.String))).explode("row_id")
    return pl.concat([entries, added.select(entries.columns)])


def copies_in(decisions: Path) -> dict[str, int]:
    """By dataset, rows that stand in the release beyond those that were made: second and further copies."""
    table = pl.read_parquet(decisions)
    if "repeats" not in table.columns:
        return {}
    more = pl.col("rows") - pl.col("rows") // pl.col("repeats")
    found = table.filter(pl.col("status") == "kept").group_by("dataset").agg(more=more.sum())
    return dict(found.iter_rows())


def write_quarantine(jobs: Sequence[Job | EpisodeJob], folder: Path) -> int:
    """Gather the partitions' quarantined rows into ``quarantine.parquet``; return how many."""
    count = 0
    with pq.ParquetWriter(folder / "quarantine.parquet", quarantine_schema(), compression="zstd") as writer:
        for job in jobs:
            table: pa.Table = pq.read_table(Path(job.stage) / "quarantine.parquet")
            writer.write_table(table)
            count += table.num_rows
    return count


def check_balance(
    jobs: Sequence[Job | EpisodeJob],
    counts: Sequence[dict[str, Any]],
    totals: Totals,
    files: Sequence[ReleaseFile],
    copies: Mapping[str, int] | None = None,
) -> None:
    """Raise `ReleaseError` unless every case and row is accounted for, and the shards hold what was kept.

    ``copies``: of rows that the recipe repeats, by dataset.
    """
    for name in sorted({job.dataset for job in jobs}):
        listed = sum(job.cases for job in jobs if job.dataset == name)
        balance(f"cases of {name}", listed, totals["case"].get(name, {}).items())
        made = sum(done["rows"] for job, done in zip(jobs, counts, strict=True) if job.dataset == name)
        made += (copies or {}).get(name, 0)
        balance(f"rows of {name}", made, totals["row"].get(name, {}).items())
    kept = sum(found.get("kept", 0) for found in totals["row"].values())
    for prefix in ("data/", "webdataset/"):
        shards = [file for file in files if file.path.startswith(prefix)]
        if shards:
            balance(f"rows in {prefix}", sum(file.rows for file in shards), [("kept", kept)])
