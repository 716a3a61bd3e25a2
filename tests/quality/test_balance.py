"""Counts of people by hand; small ones hidden so that they cannot be had from the total either."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from quality.balance import balance, hidden, maker
from quality.release_options import BalanceOptions
from quality.text_model import TextModel

SCHEMA = {
    "order": pl.String, "dataset": pl.String, "sex": pl.String, "age": pl.Float64, "device": pl.String,
    "site": pl.String, "modality": pl.String, "anatomy": pl.String, "labels": pl.List(pl.String),
}  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({"a": 30, "b": 11}, {"a": 30, "b": 11}),
        ({"a": 30, "b": 10, "c": 1}, {"a": 30, "b": "<11", "c": "<11"}),
        ({"a": 30, "b": 20, "c": 1}, {"a": 30, "b": "hidden", "c": "hidden"}),
        ({"a": 10}, {"a": "<11"}),
        ({}, {}),
    ],
)
def test_small_counts_are_hidden_and_none_alone(counts: dict[str, int], told: dict[str, Any]) -> None:
    assert hidden(counts, 11) == told


@pytest.fixture
def run(tmp_path: Path) -> Any:
    def go(lines: list[tuple[str, str, float | None, list[str]]], dropped: int = 0, **options: Any) -> Any:
        people = [
            {"order": str(n), "dataset": dataset, "sex": sex, "age": age, "device": "", "site": "",
             "modality": "CT", "anatomy": "chest", "labels": labels}
            for n, (dataset, sex, age, labels) in enumerate(lines)
        ]  # fmt: skip
        pl.DataFrame(people, schema=SCHEMA).write_parquet(tmp_path / "people.parquet")
        fates = ["filtered"] * dropped + ["kept"] * (len(lines) - dropped)
        pl.DataFrame({"order": [str(n) for n in range(len(lines))], "status": fates}).write_parquet(
            tmp_path / "d.parquet"
        )
        found = balance([tmp_path / "people.parquet"], tmp_path / "d.parquet", BalanceOptions(**options), tmp_path)
        return json.loads((tmp_path / "balance.json").read_text()), [(str(one.severity), one.detail) for one in found]

    return go


def test_kept_cases_are_counted_by_sex_age_and_label(run: Any) -> None:
    lines = (
        [("a", "female", 17.9, ["edema"])] * 3 + [("a", "male", 18.0, ["edema", "mass"])] * 4 + [("a", "", None, [])]
    )
    told, _ = run(lines, dropped=1, min_cell=2)
    assert told["cases"] == 7
    # Not stated is one case: it is hidden, and the next smallest with it.
    assert told["axes"]["sex"] == {"a": {"male": 4, "female": "hidden", "not stated": "hidden"}}
    assert told["axes"]["age"] == {"a": {"18 to 39": 4, "0 to 17": "hidden", "not stated": "hidden"}}
    assert told["axes"]["label"] == {"a": {"edema": 6, "mass": 4}}
    assert told["label_by"]["sex"] == {"edema": {"male": 4, "female": 2}, "mass": {"male": 4}}


def test_ages_over_eighty_are_one_group(run: Any) -> None:
    told, _ = run([("a", "", age, []) for age in (80, 91, 104)], min_cell=2)
    assert told["axes"]["age"] == {"a": {"80 and over": 3}}


def test_one_sex_above_the_share_is_told_or_refused(run: Any) -> None:
    lines = [("a", "male", None, [])] * 9 + [("a", "female", None, [])]
    assert run(lines, max_share=0.9, min_cases=10)[1] == []
    assert run(lines, max_share=0.89, min_cases=11)[1] == []
    assert run(lines, max_share=0.89, min_cases=10)[1] == [("flag", "a: 90% of the 10 cases that state sex are male")]
    assert run(lines, max_share=0.89, min_cases=10, refuse=True)[1][0][0] == "refuse_release"


def test_sites_are_numbered_by_their_size_and_one_of_them_may_be_too_common(tmp_path: Path) -> None:
    sites = ["f00d"] * 2 + ["beef"] * 7 + [""]
    people = [
        {"order": str(n), "dataset": "a", "sex": "", "age": None, "device": "", "site": site, "modality": "CT",
         "anatomy": "chest", "labels": []}
        for n, site in enumerate(sites)
    ]  # fmt: skip
    pl.DataFrame(people, schema=SCHEMA).write_parquet(tmp_path / "people.parquet")
    pl.DataFrame({"order": [str(n) for n in range(10)], "status": ["kept"] * 10}).write_parquet(tmp_path / "d.parquet")
    for share, told in ((0.78, []), (0.77, ["a: 78% of the 9 cases that state site are site 1"])):
        options = BalanceOptions(max_share=share, min_cases=9, min_cell=2)
        found = balance([tmp_path / "people.parquet"], tmp_path / "d.parquet", options, tmp_path)
        assert [one.detail for one in found] == told
    text = (tmp_path / "balance.json").read_text("utf-8")
    # Not stated is one case: it is hidden, and the next smallest with it.
    assert json.loads(text)["axes"]["site"] == {"a": {"site 1": 7, "not stated": "hidden", "site 2": "hidden"}}
    assert "beef" not in text


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("SIEMENS", "Siemens"), ("GE MEDICAL SYSTEMS", "GE"), ("Philips_Healthcare", "Philips"), ("", ""),
        ("Doe^Jane", "another maker"), ("G.E. Medical Systems", "GE"), ("MGH Pathology", "another maker"),
        ("IMAGE WORKS", "another maker"),
    ],
)  # fmt: skip
def test_a_header_s_own_words_about_the_maker_are_not_told(said: str, told: str) -> None:
    assert maker(said) == told


def test_a_model_of_words_answers_new_questions() -> None:
    # "effusion" went with yes three times of three, "mass" with no; the question itself was never seen.
    learned = ["effusion left", "effusion right", "effusion here", "mass left", "mass right", "mass there"]
    model = TextModel(learned, ["yes"] * 3 + ["no"] * 3)
    assert [model.answer("any effusion now"), model.answer("any mass now")] == ["yes", "no"]
    assert model.answer("any effusion now", ["no", "unknown"]) == "no"
    assert model.answer("effusion", ["unknown"]) == ""
    assert TextModel([], []).answer("effusion") == ""
