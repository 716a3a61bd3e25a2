"""A file that kills the process which decodes it takes one case with it, not the run."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from flows.benchmarks import benchmark_tables
from flows.plan import Job, plan_dataset
from flows.pool import Workers
from flows.workspace import Workspace
from schemas.recipe import Recipe
from schemas.spec import DatasetSpec

PLUGIN = """
import os, signal
from readers.base import Item
from schemas.case import Case, Label, ImageRef
from schemas.spec import Strict

class Options(Strict):
    pass

class Deadly:
    name = "deadly"
    Options = Options
    def __init__(self, spec, source, options):
        self.spec = spec
    def items(self):
        for key in ("a", "b", "c", "d"):
            yield Item(key)
    def read(self, item):
        if item.key in ("b", "d"):
            os.kill(os.getpid(), signal.SIGSEGV)
        return Case(self.spec.name, item.key, None, "")
    @classmethod
    def recognise(cls, source):
        return None
"""


@pytest.fixture
def deadly_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A reader of another package, found through its entry point as any team's own would be."""
    site = tmp_path / "site"
    info = site / "deadly-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "deadly_reader.py").write_text(PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: deadly\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[medcurate.readers]\ndeadly = deadly_reader:Deadly\n")
    monkeypatch.setenv("PYTHONPATH", f"{site}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.syspath_prepend(str(site))
    from schemas import plugins

    plugins._entries.cache_clear()
    yield
    plugins._entries.cache_clear()
    plugins.load.cache_clear()
    sys.modules.pop("deadly_reader", None)


def test_a_deadly_benchmark_is_hashed_without_what_kills(deadly_reader: None, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "deadly.yaml").write_text(
        "{name: deadly, title: D, license: CC0-1.0, access: open, root: data, reader: {type: deadly}, "
        "modality: X-ray, anatomy: chest, clinical_task: disease diagnosis}"
    )
    recipe = Recipe.model_validate({
        "name": "r", "version": "1", "datasets": [{"spec": "x"}], "converters": [{"type": "caption"}],
        "benchmarks": [{"name": "exam", "spec": str(tmp_path / "deadly.yaml")}],
    })  # fmt: skip
    workers = Workers(1, tmp_path / "workers.log")
    try:
        tables = benchmark_tables(recipe, Workspace(tmp_path / "work"), workers)
    finally:
        workers.close()
    # Cases a and c show no picture; b and d killed their worker and count as one picture each that was not read.
    assert pl.read_parquet(tables["exam"])["sha256"].to_list() == ["", ""]


def test_the_deadly_cases_fail_and_the_others_are_read(deadly_reader: None, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    spec = DatasetSpec.model_validate({
        "name": "deadly", "title": "D", "license": "CC0-1.0", "access": "open", "root": str(tmp_path / "data"),
        "reader": {"type": "deadly"}, "modality": "X-ray", "anatomy": "chest", "clinical_task": "disease diagnosis",
    })  # fmt: skip
    recipe = Recipe.model_validate({
        "name": "r", "version": "1", "datasets": [{"spec": "x"}], "converters": [{"type": "caption"}],
    })  # fmt: skip
    (job,) = plan_dataset(recipe, recipe.datasets[0], spec, Workspace(tmp_path / "work"))
    workers = Workers(1, tmp_path / "workers.log")
    try:
        assert isinstance(job, Job)
        counts = workers.partition(job)
    finally:
        workers.close()
    assert counts["cases"] == 4
    ledger = pl.read_parquet(Path(job.stage) / "ledger.parquet")
    assert dict(ledger.select("case_id", "reason").iter_rows()) == {
        "a": "nothing_to_ask", "b": "crashed_decoder", "c": "nothing_to_ask", "d": "crashed_decoder",
    }  # fmt: skip
