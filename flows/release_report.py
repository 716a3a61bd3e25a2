"""``medcurate report``: the page of a release that lies in a folder."""

from collections import Counter
from pathlib import Path

import polars as pl

from flows.accounting import Totals
from schemas.errors import UserError


def page_of(release: str) -> str:
    """The HTML page of a local release; its totals are counted from its ledger."""
    from storage.release import read_manifest
    from storage.report import render_report

    folder = Path(release)
    if not (folder / "manifest.json").is_file():
        raise UserError(f"there is no release in {release}; pull it to a folder first")
    return str(render_report(folder, read_manifest(release), totals_of(folder / "ledger.parquet")))


def totals_of(ledger: Path) -> Totals:
    """kind -> dataset -> status -> count."""
    totals: dict[str, dict[str, Counter[str]]] = {"case": {}, "row": {}}
    counted = pl.scan_parquet(ledger).group_by("kind", "dataset", "status").len().sort("kind", "dataset").collect()
    for kind, dataset, status, count in counted.iter_rows():
        totals[kind].setdefault(dataset, Counter())[status] = count
    return {kind: {name: dict(found) for name, found in sets.items()} for kind, sets in totals.items()}
