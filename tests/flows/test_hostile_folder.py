"""The folder of hostile files, taken through a whole partition: nothing crashes, everything is accounted for."""

from pathlib import Path

import polars as pl

from flows.plan import plan_dataset
from flows.pool import Workers
from flows.workspace import Workspace
from schemas.recipe import Recipe
from schemas.spec import DatasetSpec


def test_every_hostile_file_ends_in_the_ledger(shared_data: Path, tmp_path: Path) -> None:
    root = shared_data / "nasty"
    spec = DatasetSpec.model_validate({
        "name": "nasty", "title": "Hostile files", "license": "CC0-1.0", "access": "open", "root": str(root),
        "reader": {"type": "files"}, "modality": "X-ray", "anatomy": "chest", "clinical_task": "disease diagnosis",
    })  # fmt: skip
    recipe = Recipe.model_validate({
        "name": "r", "version": "1", "datasets": [{"spec": "x"}], "converters": [{"type": "acquisition"}],
    })  # fmt: skip
    jobs = plan_dataset(recipe, recipe.datasets[0], spec, Workspace(tmp_path / "work"))
    workers = Workers(1, tmp_path / "workers.log")
    try:
        counts = [workers.partition(job) for job in jobs]
    finally:
        workers.close()
    ledger = pl.concat(pl.read_parquet(Path(job.stage) / "ledger.parquet") for job in jobs)
    cases = ledger.filter(pl.col("kind") == "case")
    assert cases.height == sum(job.cases for job in jobs) == sum(done["cases"] for done in counts)
    assert cases["case_id"].n_unique() == cases.height
    told = cases.filter(pl.col("status") != "kept")
    assert told.filter((pl.col("reason") == "") | (pl.col("detail") == "")).is_empty()
    unforeseen = told.filter(pl.col("reason").is_in(["unexpected_error", "crashed_decoder"]))
    assert unforeseen["case_id"].to_list() == []

    junk = {".DS_Store", "Thumbs.db", "._x.jpg", "desktop.ini"}
    files = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file() and path.name not in junk}
    assert set(cases["case_id"]) == files
