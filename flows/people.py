"""Who the cases of a partition are about, kept in the workspace for counting and never published case by case."""

from pathlib import Path
from typing import Any

from quality.balance import maker
from schemas.staged import StagedCase
from schemas.work import Work

FILE = "people.parquet"


class PeopleWriter:
    """Collects one line for each staged case; `finish` writes ``people.parquet`` into the stage folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._lines: list[dict[str, Any]] = []

    def add(self, work: Work, staged: StagedCase) -> None:
        """Take one case with what its source says about sex, age, device, site, modality, body part and labels."""
        case = work.case
        assert case is not None
        first = staged.rows[0]
        self._lines.append({
            "order": staged.order,
            "dataset": staged.dataset,
            "sex": case.demographics.sex,
            "age": case.demographics.age_years,
            "device": maker(case.acquisition.manufacturer),
            "site": case.demographics.site,
            "modality": first["modality"],
            "anatomy": first["anatomy"],
            "labels": sorted(case.present()),
        })  # fmt: skip

    def finish(self) -> None:
        """Write the file."""
        import polars as pl

        schema: dict[str, Any] = {
            "order": pl.String, "dataset": pl.String, "sex": pl.String, "age": pl.Float64, "device": pl.String,
            "site": pl.String, "modality": pl.String, "anatomy": pl.String, "labels": pl.List(pl.String),
        }  # fmt: skip
        pl.DataFrame(self._lines, schema=schema).write_parquet(self._path)
