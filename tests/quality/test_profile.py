"""Make-up, guessers and drift on releases small enough to be counted by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from quality import drift, shortcut
from quality.profile import distance, profile
from quality.release import check_release
from quality.release_options import DriftOptions, ShortcutOptions
from schemas.errors import UserError
from schemas.findings import Severity
from schemas.recipe import Recipe
from schemas.spec import DatasetSpec


def asked(words: str, reply: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"<image>\n{words}"}, {"role": "assistant", "content": reply}]


def test_a_profile_counts_rows_by_axis(line: Any, write: Any) -> None:
    rows = [
        line(1, labels=["edema", "effusion"]),
        line(2, answer_index=1, answer="none of these", split="test"),
        line(3, task="caption", options=[], answer_index=-1, labels=[], messages=asked("Describe.", "x" * 17)),
        line(4, access="restricted", case_id="c3"),
    ]
    made = profile([write(rows[:2], "a"), write(rows[2:], "b")])
    assert (made["rows"], made["cases"]) == (4, 3)
    assert made["axes"]["split"] == {"train": 3, "test": 1}
    assert made["axes"]["task"] == {"mcq": 3, "caption": 1}
    assert made["axes"]["label"] == {"edema": 3, "effusion": 1}
    assert made["axes"]["letter"] == {"A": 2, "B": 1}
    assert made["axes"]["answer_length"] == {"to 16": 2, "to 32": 1}
    assert profile([])["rows"] == 0


def test_distance_is_total_variation() -> None:
    assert distance({"a": 2}, {"a": 50}) == 0
    assert distance({"a": 1}, {"b": 1}) == 1
    assert distance({"a": 3, "b": 1}, {"a": 1, "b": 1}) == pytest.approx(0.25)
    assert (distance({}, {}), distance({}, {"a": 1})) == (0, 1)


def yes_no(line: Any, number: int, words: str, answer: str, split: str) -> dict[str, Any]:
    return line(
        number, task="yes_no", options=["yes", "no"], answer=answer, answer_index=int(answer == "no"), split=split,
        messages=asked(words, answer),
    )  # fmt: skip


def test_guessers_are_scored_on_what_they_have_not_learned(line: Any, write: Any) -> None:
    # Train: "edema?" is always no (3 times), "film?" always yes (4 times); the majority is yes.
    train = [("edema?", "no")] * 3 + [("film?", "yes")] * 4
    # Test: text knows the first two, "new?" falls back on the majority; always yes is right twice.
    test = [("edema?", "no"), ("film?", "yes"), ("new?", "yes"), ("edema?", "no")]
    rows = [yes_no(line, n, *one, "train") for n, one in enumerate(train)]
    rows += [yes_no(line, 100 + n, *one, "test") for n, one in enumerate(test)]
    [found] = shortcut.probe([write(rows)])
    assert (found.dataset, found.task, found.rows) == ("films", "yes_no", 4)
    assert (found.chance, found.majority, found.text_only) == (0.5, 0.5, 1.0)
    # By words: "edema" goes with no; "new" was never seen, and yes was right four times of seven.
    assert found.model == 1.0
    [one] = shortcut.findings([found], ShortcutOptions(min_rows=4, max_gain=0.49))
    assert (one.severity, one.dataset) == (Severity.FLAG, "films")
    assert "100% of 4 yes_no questions are guessed right" in one.detail
    assert shortcut.findings([found], ShortcutOptions(min_rows=4, max_gain=0.5)) == []
    assert shortcut.findings([found], ShortcutOptions(min_rows=5, max_gain=0.1)) == []
    [one] = shortcut.findings([found], ShortcutOptions(min_rows=4, refuse=True))
    assert one.severity == Severity.REFUSE_RELEASE


def test_the_order_of_options_tells_the_guesser_nothing(line: Any, write: Any) -> None:
    def choice(number: int, split: str, *options: str) -> dict[str, Any]:
        words = "Which?\n" + "\n".join(f"{letter}. {one}" for letter, one in zip("ABC", options, strict=False))
        return line(number, split=split, options=list(options), messages=asked(words, "A. edema"),
                    answer_index=options.index("edema"))  # fmt: skip

    [found] = shortcut.probe([write([choice(1, "train", "edema", "cyst"), choice(2, "test", "cyst", "edema")])])
    assert (found.rows, found.text_only) == (1, 1.0)


def test_a_release_of_one_split_is_cut_in_halves(line: Any, write: Any) -> None:
    rows = [yes_no(line, n, "film?", "yes", "train") for n in range(40)]
    [found] = shortcut.probe([write(rows)])
    assert 0 < found.rows < 40
    assert found.text_only == 1.0
    assert shortcut.probe([]) == []


def test_drift_is_measured_against_the_parents_profile(
    line: Any, write: Any, tmp_path: Path, spec: DatasetSpec
) -> None:
    store = tmp_path / "store"
    before = [write([line(n) for n in range(4)], "before")]
    recipe = {"name": "r", "version": "1", "datasets": [{"spec": "films.yaml"}], "store": str(store)}
    check_release(before, [], Recipe.model_validate(recipe), [spec], store / "r" / "1" / "quality")
    now = [write([line(1), line(2), line(3, modality="CT"), line(4, modality="CT")], "now")]
    child = recipe | {"version": "2", "parent": "r@1"}

    def refused(**gates: Any) -> list[str]:
        verdicts = check_release(now, [], Recipe.model_validate(child | {"gates": gates}), [spec], tmp_path / "q")
        return [one.detail for one in verdicts if not one.passed]

    assert refused() == []
    assert json.loads((tmp_path / "q" / "profile.json").read_text())["drift"]["distances"]["modality"] == 0.5
    assert refused(drift={"max_distance": 0.49}) == [
        "modality: 50% of the rows are distributed otherwise than in r@1, over 49%"
    ]
    assert refused(drift={"axes": {"modality": 0.2}}) != []
    child["parent"] = "r@0"
    with pytest.raises(UserError, match="r@0 has no readable profile"):
        refused()
    assert refused(drift={"enabled": False}) == []


def test_axes_of_either_release_are_compared() -> None:
    one, other = {"axes": {"split": {"train": 1}, "label": {"a": 1}}}, {"axes": {"split": {"train": 9}}}
    assert drift.distances(one, other) == {"label": 1.0, "split": 0.0}
    assert len(drift.findings(one, other, "r@1", DriftOptions())) == 1
