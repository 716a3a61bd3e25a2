"""great-expectations and the checks over shards: a good release passes, each kind of bad one is named."""

import json
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from quality.expectations import TASK_RULES
from quality.metadata import PLAIN, SIZES, batches
from quality.release import check_recipe, check_release
from quality.turns import ROLES
from quality.verdict import ReleaseFinding
from schemas.errors import UserError
from schemas.findings import Severity
from schemas.identity import digest
from schemas.instruction import TASKS, Message, arrow_schema
from schemas.ledger import ledger_schema
from schemas.recipe import Recipe
from schemas.spec import DatasetSpec

RECIPE: dict[str, Any] = {"name": "r", "version": "1", "datasets": [{"spec": "films.yaml"}]}


@pytest.fixture
def check(tmp_path: Path, spec: DatasetSpec) -> Any:
    def run(*shards: list[dict[str, Any]], findings: Any = (), specs: Any = None, **recipe: Any) -> dict[str, Any]:
        """Failed gates with their details."""
        paths = []
        for number, rows in enumerate(shards):
            paths.append(tmp_path / f"{number}.parquet")
            pq.write_table(pa.Table.from_pylist(rows, arrow_schema()), paths[-1])
        chosen = Recipe.model_validate(RECIPE | recipe)
        verdicts = check_release(paths, list(findings), chosen, specs or [spec], tmp_path / "quality")
        run.verdicts = verdicts  # type: ignore[attr-defined]
        return {one.gate: one.detail for one in verdicts if not one.passed}

    return run


def test_a_good_release_passes_and_the_report_holds_counts_only(check: Any, line: Any, tmp_path: Path) -> None:
    assert check([line(1), line(2)], [], [line(3)]) == {}
    assert [one.gate for one in check.verdicts] == ["schema", "identity", "split_leak", "expectations"]
    report = json.loads((tmp_path / "quality" / "great_expectations.json").read_text())
    assert (report["rows"], report["success"]) == (3, True)
    suites = {one["suite"] for one in report["expectations"]}
    assert suites == {"rows", "task mcq"}
    assert all(one["rows"] == 3 and one["unexpected"] == 0 for one in report["expectations"])
    assert "edema" not in json.dumps(report)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": "not a hash"}, "expect_column_values_to_match_regex on id is not met by 1 of 2"),
        ({"task": "quiz"}, "in_set on task"),
        ({"split": "holdout"}, "in_set on split"),
        ({"dataset": "other"}, "in_set on dataset"),
        ({"access": "credentialed"}, "in_set on access"),
        ({"license": None}, "not_be_null on license"),
        ({"license": "ask the author"}, "regex on license"),
        ({"group_id": "patient 7"}, "regex on group_id"),
        ({"modality": ""}, "regex on modality"),
        ({"answer_index": 2}, "between on options_left"),
        ({"answer_index": -2}, "between on answer_index"),
        ({"answer_index": -1}, "task mcq: expect_column_values_to_be_between on answer_index"),
        ({"options": []}, "task mcq: expect_column_values_to_be_between on options"),
        ({"images": []}, "in_set on placeholders_missing"),
        ({"view": []}, "pair_values_to_be_equal on images"),
        ({"messages": [{"role": "user", "content": "<image>"}]}, "between on turns"),
        ({"task": "region_to_text", "regions": []}, "task region_to_text: expect_column_values_to_be_between"),
    ],
)
def test_a_bad_row_refuses_the_release(check: Any, line: Any, changes: dict[str, Any], words: str) -> None:
    check([line(1), line(2, **changes)])
    assert any(words in one.detail for one in check.verdicts if one.gate == "expectations" and not one.passed)


def test_ids_must_be_unique_over_shards_and_groups_in_one_split(check: Any, line: Any) -> None:
    assert check([line(1)], [line(1, group_id=digest("g"), split="test")]) == {
        "identity": "1 rows have an id that another row has too"
    }
    same = {"group_id": digest("g")}
    assert check([line(1, **same)], [line(2, split="test", **same)], [line(3)]) == {
        "split_leak": "films: 1 of 2 groups are in two splits"
    }
    assert check([line(1, **same)], [line(2, split="test", **same)], gates={"split_leak": {"enabled": False}}) == {}


def test_findings_of_resolve_are_judged_with_their_waivers(check: Any, line: Any) -> None:
    leak = ReleaseFinding("split_leak", Severity.REFUSE_RELEASE, "films: 2 of 3 pictures in test", "films")
    note = ReleaseFinding("conflicting_labels", Severity.FLAG, "films: 1 of 9", "films")
    assert check([line(1)], findings=[leak, note]) == {"split_leak": leak.detail}
    reason = "the official split leaks, as its paper says"
    check([line(1)], findings=[leak], waivers=[{"gate": "split_leak", "dataset": "films", "reason": reason}])
    assert [(one.passed, one.waived_by) for one in check.verdicts if one.gate == "split_leak"] == [(False, reason)]
    # What resolve announced and a waiver lets go is not refused a second time for the shards that follow from it.
    same = {"group_id": digest("g")}
    rows = [line(1, **same), line(2, split="test", **same)]
    check(rows, findings=[leak], waivers=[{"gate": "split_leak", "dataset": "films", "reason": reason}])
    assert [one.gate for one in check.verdicts if not one.passed and not one.waived_by] == []


def test_an_empty_release_and_a_wrong_schema_are_refused(
    check: Any, line: Any, tmp_path: Path, spec: DatasetSpec
) -> None:
    assert check() == {"rows": "the release has no row"}
    assert "rows" in check([])
    path = tmp_path / "odd.parquet"
    table = pa.Table.from_pylist([line(1)], arrow_schema())
    pq.write_table(table.append_column("more", pa.array([1])), path)
    verdicts = check_release([path], [], Recipe.model_validate(RECIPE), [spec], tmp_path)
    assert "schema" in [one.gate for one in verdicts if not one.passed]


def test_an_empty_release_says_what_most_cases_ended_of(tmp_path: Path, spec: DatasetSpec) -> None:
    ends = [("no_label", "c1: no label")] + [("spec_mistake", f"c{n}: no column 'x'") for n in (2, 3)]
    lines = [
        ("case", spec.name, f"c{n}", "", "failed", "read", reason, detail) for n, (reason, detail) in enumerate(ends)
    ]
    columns = [pa.array(column) for column in zip(*lines, strict=True)]
    pq.write_table(pa.Table.from_arrays(columns, schema=ledger_schema()), tmp_path / "ledger.parquet")
    verdicts = check_release([], [], Recipe.model_validate(RECIPE), [spec], tmp_path / "quality")
    (empty,) = [one.detail for one in verdicts if one.gate == "rows"]
    assert empty.startswith(
        "the release has no row; 2 cases failed as spec_mistake, for example \"c2: no column 'x'\"; all"
    )


def test_a_waiver_for_a_gate_that_is_none_is_named_with_the_nearest() -> None:
    waiver = {"gate": "split_leek", "reason": "published as it is"}
    with pytest.raises(
        UserError, match="there is no gate 'split_leek' of releases to waive; did you mean 'split_leak'"
    ):
        check_recipe(Recipe.model_validate({**RECIPE, "waivers": [waiver]}))


def test_restricted_rows_without_contents_pass(check: Any, line: Any, spec: DatasetSpec) -> None:
    bare = line(
        1,
        access="restricted",
        messages=[{"role": "user", "content": ""}, {"role": "assistant", "content": ""}],
        options=[],
        answer="",
        answer_index=-1,
        images=[{"bytes": None, "path": "a.png"}],
        labels=[],
    )
    result = check([bare], specs=[spec.model_copy(update={"access": "restricted"})])
    assert result == {}, result


def test_suites_speak_of_tasks_roles_and_columns_that_the_schema_has() -> None:
    assert set(TASK_RULES) <= set(TASKS)
    assert set(ROLES) == set(get_args(get_type_hints(Message)["role"]))
    named = {kwargs["column"] for rules in TASK_RULES.values() for _, kwargs in rules}
    assert named <= {*PLAIN, *SIZES}
    assert set(PLAIN) <= set(arrow_schema().names)


def test_the_recipe_adds_expectations_and_mistakes_in_them_are_named(check: Any, line: Any) -> None:
    mean = {"expectation": "expect_column_mean_to_be_between", "kwargs": {"column": "images", "min_value": 2}}
    details = check([line(1)], gates={"expectations": {"extra": [mean]}})["expectations"]
    assert "expect_column_mean_to_be_between on images" in details
    assert check([line(1)], gates={"expectations": {"extra": [mean | {"task": "caption"}]}}) == {}
    with pytest.raises(UserError, match="no expectation 'expect_column_men"):
        check([line(1)], gates={"expectations": {"extra": [mean | {"expectation": "expect_column_men"}]}})
    with pytest.raises(UserError, match="batch_row"):
        check([line(1)], gates={"expectations": {"batch_row": 3}})


def test_batches_hold_so_many_rows_and_no_pixels(tmp_path: Path, line: Any) -> None:
    paths = []
    for shard, size in enumerate((3, 0, 4)):
        paths.append(tmp_path / f"{shard}.parquet")
        rows = [line(10 * shard + n) for n in range(size)]
        pq.write_table(pa.Table.from_pylist(rows, arrow_schema()), paths[-1])
    frames = list(batches(paths, 2))
    assert [frame.height for frame in frames] == [2, 2, 2, 1]
    assert frames[0].columns == [*PLAIN, *SIZES]
    row = frames[0].row(0, named=True)
    wanted = {"turns": 2, "images": 1, "placeholders_missing": 0, "options": 2, "options_left": 1, "answer_chars": 8}
    assert {name: row[name] for name in wanted} == wanted


def test_mistakes_in_release_gates_are_found_before_work_starts(tmp_path: Path) -> None:
    check_recipe(Recipe.model_validate(RECIPE))
    for gates, words in (
        ({"split_leak": {"max_shar": 1}}, "did you mean 'max_share'"),
        ({"expectations": {"batch_rows": 0}}, "batch_rows"),
        ({"near_duplicates": {"radius": 12}}, "radius"),
    ):
        with pytest.raises(UserError, match=words):
            check_recipe(Recipe.model_validate(RECIPE | {"gates": gates}))
    with pytest.raises(UserError, match="no readable profile"):
        check_recipe(Recipe.model_validate(RECIPE | {"parent": "r@0", "store": str(tmp_path)}))


def test_data_docs_say_every_expectation_without_scripts_values_or_places(
    check: Any, line: Any, tmp_path: Path
) -> None:
    check([line(1), line(2, options=["edema"], answer_index=0)])
    pages = {path.name: path.read_text("utf-8") for path in sorted(tmp_path.rglob("data_docs/*.html"))}
    assert set(pages) == {"index.html", "rows.html", "task_mcq.html"}
    assert '<a href="task_mcq.html">task mcq</a></td><td class="number">2</td>' in pages["index.html"]
    said = "options values must be greater than or equal to 2 and less than or equal to 26."
    assert f'<td>{said}</td><td class="number">2</td><td class="number">1</td>' in pages["task_mcq.html"]
    whole = "".join(pages.values())
    assert not any(word in whole for word in ("<script", "http", "edema", str(tmp_path), "2026"))
