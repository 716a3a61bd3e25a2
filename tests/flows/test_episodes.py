"""Rows over several cases through the whole pipeline but Prefect: pools, borrowed pictures, splits, licences, books."""

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from flows import accounting, episodes, mixing
from flows.curriculum import in_stages
from flows.episodes import _pool_numbers, _unit, plan_episodes, run_episodes
from flows.lending import Lender
from flows.plan import load_specs, plan_dataset
from flows.rows import Identities
from flows.worker import finished, run_partition
from flows.workspace import Workspace
from schemas.case import Tile
from schemas.episode import Episode, Loan
from schemas.recipe import Recipe, load_recipe
from schemas.spec import DatasetSpec
from schemas.work import Work
from storage.pack import pack_shard
from storage.plan import plan_shards

EPISODES = {
    "pool": 12,
    "converters": [
        {"type": "in_context", "options": {"shots": 2}},
        {"type": "which_case"},
        {"type": "interleaved", "options": {"images": 2}},
    ],
}


class Made:
    """One release, made in this process."""

    def __init__(self, root: Path, folder: Path, spec_changes: dict[str, Any] | None = None, **changes: Any) -> None:
        source = yaml.safe_load((root / "catalog/phantom_cxr_folders.yaml").read_text())
        (folder / "spec.yaml").write_text(yaml.safe_dump(source | (spec_changes or {})))
        recipe = {
            "name": "several", "version": "1", "seed": 5, "store": "store", "episodes": EPISODES,
            "converters": [{"type": "multiple_choice"}, {"type": "yes_no"}, {"type": "caption"}],
            "datasets": [{"spec": "spec.yaml"}],
        } | changes  # fmt: skip
        (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
        self.recipe: Recipe = load_recipe(folder / "recipe.yaml")
        self.specs = load_specs(self.recipe)
        self.space = Workspace.of(self.recipe)
        self.jobs = plan_dataset(self.recipe, self.recipe.datasets[0], self.specs[0], self.space)
        self.counts = [finished(job) or run_partition(job) for job in self.jobs]
        stages = [Path(job.stage) for job in self.jobs]
        self.settled = mixing.settle_cases(self.recipe, self.specs, stages, {})
        self.more = plan_episodes(self.recipe, self.specs, self.jobs, self.settled.cases, self.space)
        self.told = [finished(job) or run_episodes(job) for job in self.more]
        lent = [Path(job.stage) for job in self.more]
        units = mixing.units(self.settled, lent)
        mixing.finish(self.recipe, self.specs, self.settled, [*stages, *lent], units, {}, self.space)
        dropped = self.space.dropped if self.space.dropped.exists() else None
        self.files = [
            file
            for plan in plan_shards(self.space.decisions, 1000, 1 << 30)
            for file in pack_shard(plan, [*stages, *lent], self.space.decisions, self.space.release, dropped=dropped)
        ]
        books = [*self.jobs, *self.more]
        self.totals = accounting.write_ledger(books, self.space.decisions, self.space.release, self.space.dropped)
        accounting.check_balance(
            books, [*self.counts, *self.told], self.totals, self.files, accounting.copies_in(self.space.decisions)
        )

    @property
    def digests(self) -> dict[str, str]:
        return {file.path: file.sha256 for file in self.files}

    @property
    def rows(self) -> pl.DataFrame:
        table = pl.read_parquet(self.space.release / "data" / "*.parquet")
        return table.with_columns(converter=pl.col("provenance").struct.field("converter"))

    @property
    def several(self) -> pl.DataFrame:
        return self.rows.filter(pl.col("converter").is_in(["in_context", "which_case", "interleaved"]))


@pytest.fixture
def make(root: Path, hospital: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("MEDCURATE_DEMO", str(hospital))
    counter = iter(range(9))

    def build(spec_changes: dict[str, Any] | None = None, **changes: Any) -> Made:
        folder = tmp_path / str(next(counter))
        folder.mkdir()
        return Made(root, folder, spec_changes, **changes)

    return build


def borrowed(row: dict[str, Any]) -> list[str]:
    """Case ids of the pictures, in their order."""
    shown = [fact.split("=", 1) for fact in row["provenance"]["facts"] if fact.startswith("images[")]
    return [name for _, name in sorted(shown, key=lambda one: int(one[0][7:-1]))]


def test_pools_end_before_a_group_that_does_not_fit_and_cut_a_larger_one() -> None:
    groups = [
        ("test", "a", 2),
        ("test", "b", 1),
        ("test", "c", 2),
        ("train", "d", 1),
        ("train", "e", 9),
        ("train", "f", 3),
    ]
    # Pools of 4: a and b fill three, c would make five; train begins anew; e is cut into 4, 4 and 1; f joins that 1.
    assert list(_pool_numbers(iter(groups), 4)) == [(0, 2), (0, 1), (1, 2), (2, 1), (3, 4), (4, 4), (5, 1), (5, 3)]


def test_rows_borrow_only_kept_pictures_of_their_own_split_and_show_the_very_bytes(make: Any) -> None:
    made = make()
    table = made.several
    assert set(table["converter"]) == {"in_context", "which_case", "interleaved"}
    single = made.rows.filter(~pl.col("converter").is_in(["in_context", "which_case", "interleaved"]))
    split = dict(single.select("case_id", "split").iter_rows())
    bytes_of = {line["case_id"]: line["images"][0]["bytes"] for line in single.select("case_id", "images").to_dicts()}
    groups = dict(single.select("case_id", "group_id").iter_rows())
    kept = set(made.settled.cases.filter(pl.col("status") == "kept")["case_id"])
    for row in table.to_dicts():
        names = borrowed(row)
        assert row["case_id"] in names and set(names) <= kept
        assert {split[name] for name in names} == {row["split"]}
        assert [image["bytes"] for image in row["images"]] == [bytes_of[name] for name in names]
        assert len({groups[name] for name in names}) == len(names)
        assert row["group_id"] == groups[row["case_id"]]
        facts = [fact for fact in row["provenance"]["facts"] if not fact.startswith("images[")]
        assert facts and {fact.rsplit(":", 1)[0] for fact in facts} <= set(names)
        assert (row["license"], row["access"]) == ("CC0-1.0", "open")


def test_partitions_do_not_show_in_the_bytes(make: Any) -> None:
    assert make(partition_cases=5).digests == make(partition_cases=1000).digests


def test_an_interrupted_run_goes_on_and_gives_the_same_bytes(make: Any, root: Path) -> None:
    made = make()
    before = made.digests
    stage = Path(made.more[0].stage)
    (stage / "done.json").unlink()
    (stage / "rows.arrow").write_bytes(b"half a file")
    partition = Path(made.jobs[0].stage) / "done.json"
    age = partition.stat().st_mtime_ns
    assert finished(made.more[0]) is None
    again = Made.__new__(Made)
    shutil.rmtree(made.space.release)
    again.__init__(root, made.space.folder.parents[2])  # type: ignore[misc]
    assert again.digests == before
    assert partition.stat().st_mtime_ns == age
    assert finished(again.more[0]) == again.told[0]


def test_a_restricted_dataset_lends_nothing(make: Any) -> None:
    made = make({"access": "restricted"})
    assert made.more == [] and made.several.is_empty()
    assert not list(made.space.stage.glob("*/lent.*"))
    assert not made.rows.is_empty()


def test_without_episodes_nothing_is_laid_by(make: Any) -> None:
    made = make(episodes={})
    assert made.more == [] and not list(made.space.stage.glob("*/lent.*"))


def test_a_converter_that_gives_up_leaves_a_line_in_the_ledger(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        name = "broken"

        def convert_many(self, cases: Any, context: Any) -> Iterator[Episode]:
            raise KeyError("a secret")
            yield

    monkeypatch.setattr(episodes, "open_episode", lambda choice: Broken())
    made = make(episodes={"converters": [{"type": "in_context"}], "pool": 64})
    ledger = pl.read_parquet(made.space.release / "ledger.parquet")
    lost = ledger.filter(pl.col("reason") == "unexpected_error")
    # One for each pool, and there is one for each split.
    assert lost.height == made.several.height + len(set(made.rows["split"]))
    assert set(lost["status"]) == {"failed"} and not any("secret" in detail for detail in lost["detail"])


def test_the_mixture_counts_them_too(make: Any) -> None:
    made = make(mixture={"caps": [{"by": ["converter"], "max": 3, "splits": ["train"]}]}, datasets=[
        {"spec": "spec.yaml", "repeat": 2}])  # fmt: skip
    train = made.rows.filter(pl.col("split") == "train")
    counts = dict(train.group_by("converter").len().iter_rows())
    assert counts["in_context"] == counts["multiple_choice"] == 6  # three rows, twice each
    assert train["id"].n_unique() == train.height
    held = made.rows.filter(pl.col("split") != "train")
    assert held["id"].n_unique() == held.height
    ledger = pl.read_parquet(made.space.release / "ledger.parquet").filter(pl.col("kind") == "row")
    assert sorted(ledger.filter(pl.col("status") == "kept")["row_id"]) == sorted(made.rows["id"])
    assert set(ledger.filter(pl.col("reason") == "mixture_cap")["status"]) == {"filtered"}


def test_a_curriculum_numbers_the_rows(make: Any) -> None:
    made = make(curriculum=[
        {"name": "look", "where": {"task": ["caption"]}}, {"name": "answer", "where": {"task": ["mcq", "yes_no"]}},
    ])  # fmt: skip
    stage = {
        row["id"]: next((s["value"] for s in row["quality"]["scores"] if s["name"] == "stage"), None)
        for row in made.rows.to_dicts()
    }
    for name, task in made.rows.select("id", "task").iter_rows():
        assert stage[name] == {"caption": 1.0, "mcq": 2.0, "yes_no": 2.0}.get(task)


def test_the_licence_of_a_row_is_that_of_all_its_pictures(make: Any) -> None:
    made = make()
    [job] = [one for one in made.more if one.index == 0]
    spec = DatasetSpec.model_validate(job.spec)
    line = pl.read_parquet(job.table).row(0, named=True)
    with Lender(job.folders) as lender:
        loan = lender.loan(line["stage"], line["order"], line["offset"], line["length"])
    loans = [loan, *(Loan(replace(loan.case, key=f"k{n}", license=name), loan.rows, loan.pictures)
                     for n, name in enumerate(["CC-BY-4.0", "", "CC-BY-NC-4.0", "CC-BY-4.0"]))]  # fmt: skip
    row = replace(
        loan.rows[0],
        images=loan.rows[0].images * 4,
        provenance=replace(loan.rows[0].provenance, facts=("1:labels[0]",)),
    )
    work = Work(case_id=loan.case.key, case=loan.case, rows=[row], pictures=dict(loan.pictures))
    unit = _unit(work, Episode(row, 0, (1, 2, 3, 4)), loans, spec, Identities(spec))
    assert unit.rows[0]["license"] == "CC0-1.0 AND CC-BY-4.0 AND CC-BY-NC-4.0"
    assert unit.rows[0]["provenance"]["facts"] == [
        "k0:labels[0]", "images[0]=k0", "images[1]=k1", "images[2]=k2", "images[3]=k3",
    ]  # fmt: skip
    assert hashlib.sha256(unit.images[0].data).hexdigest() == unit.images[0].sha256
    (ref, made_of), *_ = loan.pictures
    montage = replace(ref, tiles=(Tile(0, 0, ref),))
    tiled = replace(row, images=(montage,))
    work = Work(case_id=loan.case.key, case=loan.case, rows=[tiled], pictures={montage: made_of})
    facts = _unit(work, Episode(tiled, 0, (1,)), loans, spec, Identities(spec)).rows[0]["provenance"]["facts"]
    assert facts == ["k0:labels[0]", "montage[0]=0,0:axis -1 index -1", "images[0]=k0"]
    assert in_stages(unit, ()).rows[0]["quality"]["scores"] == []
