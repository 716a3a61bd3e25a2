"""The books: one ledger of the whole run, its totals, and the proof that nothing was lost."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from flows.ledger_file import quarantine_schema
from flows.plan import Job
from schemas.ledger import balance, ledger_schema
from schemas.manifest import ReleaseFile

Totals = dict[str, dict[str, dict[str, int]]]
"""kind (case, row) -> dataset -> status -> count."""


def write_ledger(jobs: Sequence[Job], decisions: Path, folder: Path) -> Totals:
    """Join the partitions' ledgers with what was decided over all of them; write ``ledger.parquet``; count."""
    drops = (
        pl.scan_parquet(decisions)
        .filter(pl.col("status") != "kept")
        .select("dataset", "case_id", new_status="status", new_reason="reason", new_detail="detail")
        .collect()
    )
    totals: dict[str, dict[str, Counter[str]]] = {"case": {}, "row": {}}
    with pq.ParquetWriter(folder / "ledger.parquet", ledger_schema(), compression="zstd") as writer:
        for job in jobs:
            entries = _decided(pl.read_parquet(Path(job.stage) / "ledger.parquet"), drops)
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


def write_quarantine(jobs: Sequence[Job], folder: Path) -> int:
    """Gather the partitions' quarantined rows into ``quarantine.parquet``; return how many."""
    count = 0
    with pq.ParquetWriter(folder / "quarantine.parquet", quarantine_schema(), compression="zstd") as writer:
        for job in jobs:
            table: pa.Table = pq.read_table(Path(job.stage) / "quarantine.parquet")
            writer.write_table(table)
            count += table.num_rows
    return count


def check_balance(
    jobs: Sequence[Job], counts: Sequence[dict[str, Any]], totals: Totals, files: Sequence[ReleaseFile]
) -> None:
    """Raise `ReleaseError` unless every case and row is accounted for, and the shards hold what was kept."""
    for name in sorted({job.dataset for job in jobs}):
        listed = sum(job.cases for job in jobs if job.dataset == name)
        balance(f"cases of {name}", listed, totals["case"].get(name, {}).items())
        made = sum(done["rows"] for job, done in zip(jobs, counts, strict=True) if job.dataset == name)
        balance(f"rows of {name}", made, totals["row"].get(name, {}).items())
    kept = sum(found.get("kept", 0) for found in totals["row"].values())
    for prefix in ("data/", "webdataset/"):
        shards = [file for file in files if file.path.startswith(prefix)]
        if shards:
            balance(f"rows in {prefix}", sum(file.rows for file in shards), [("kept", kept)])
