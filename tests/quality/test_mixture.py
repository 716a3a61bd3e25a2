"""Caps, balance and draw on rows few enough to be counted by hand."""

from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from quality.mixture import Sources, mix
from quality.mixture_draw import quotas
from schemas.mixture import Balance, Cap, Draw, Mixture
from schemas.recipe import DatasetChoice, Recipe

SCHEMA = {
    **dict.fromkeys(("order", "id", "dataset", "case_id", "case", "group", "split", "task", "converter"), pl.String),
    **dict.fromkeys(("language", "modality", "anatomy", "clinical_task", "answer"), pl.String),
    "label": pl.List(pl.String),
    "image": pl.List(pl.Int32),
}


def row(case: int, number: int, label: str = "a", **changes: Any) -> dict[str, Any]:
    """Row ``<case>-<number>`` of dataset d in train; a letter of ``label`` is a label of its own."""
    return {
        "order": f"{case:03d}", "id": f"{case:03d}-{number}", "dataset": "d", "case_id": f"c{case}",
        "case": f"d\0c{case}", "group": f"g{case}", "split": "train", "task": "mcq", "converter": "multiple_choice",
        "language": "en", "modality": "CT", "anatomy": "abdomen", "clinical_task": "diagnosis", "answer": label[:1],
        "label": list(label), "image": [0],
    } | changes  # fmt: skip


@pytest.fixture
def mixed(tmp_path: Path) -> Any:
    def run(rows: list[dict[str, Any]], mixture: Mixture, sources: Sources | None = None, piece: int = 3) -> Any:
        """Ids that stay, in order; the decisions; reason by id that goes; findings.  Frames of ``piece`` rows."""
        table = pl.DataFrame(sorted(rows, key=lambda one: (one["order"], one["id"])), schema=SCHEMA)
        cases = table.group_by("order", maintain_order=True).agg(
            pl.col("dataset", "case_id", "split").first(), rows=pl.len().cast(pl.Int32), bytes=pl.lit(1)
        )
        decisions = cases.with_columns(status=pl.lit("kept"), reason=pl.lit(""), detail=pl.lit(""))
        out = tmp_path / "dropped.parquet"
        done, found = mix(decisions, lambda: table.iter_slices(piece), mixture, sources or Sources(), out)
        gone = dict(pl.read_parquet(out).select("row_id", "reason").iter_rows())
        return [name for name in table["id"] if name not in gone], done, gone, found

    return run


def test_a_cap_takes_the_first_rows_by_hash_and_says_why_others_go(mixed: Any) -> None:
    rows = [row(1, 0), row(1, 1), row(2, 0, task="open"), row(2, 1), row(3, 0), row(3, 1, split="test")]
    rows[5]["order"] = "004"
    stays, done, gone, _ = mixed(rows, Mixture(caps=(Cap(by=("dataset", "task"), max=3),)))
    # mcq in train: 001-0, 001-1, 002-1, then 003-0 is the fourth; open and test are counted by themselves.
    assert gone == {"003-0": "mixture_cap"}
    assert stays == ["001-0", "001-1", "002-0", "002-1", "003-1"]
    fates = {order: (rows, status, reason) for order, rows, status, reason in
             done.select("order", "rows", "status", "reason").iter_rows()}  # fmt: skip
    # Case c3 still has its row in the unit 004, so that it is not filtered.
    assert fates == {"001": (2, "kept", ""), "002": (2, "kept", ""), "003": (0, "kept", ""), "004": (1, "kept", "")}


def test_a_case_without_a_row_left_is_filtered(mixed: Any) -> None:
    _, done, gone, _ = mixed([row(1, 0), row(2, 0), row(2, 1)], Mixture(caps=(Cap(by=("dataset",), max=1),)))
    assert set(gone) == {"002-0", "002-1"}
    assert done.select("status", "reason", "split", "rows").rows() == [
        ("kept", "", "train", 1), ("filtered", "mixture", "", 0),
    ]  # fmt: skip


def test_several_caps_a_row_needs_room_in_each_and_takes_room_in_none_where_it_goes(mixed: Any) -> None:
    caps = (Cap(by=("case",), max=1), Cap(by=("label",), max=2))
    rows = [row(1, 0, "ab"), row(1, 1, "b"), row(2, 0, "b"), row(3, 0, "ab"), row(4, 0, "a"), row(5, 0, "")]
    stays, _, gone, _ = mixed(rows, Mixture(caps=caps))
    # 001-1: its case is full, so b stays at one; 002-0 makes b two; 003-0 finds b full, so a stays at one.
    assert stays == ["001-0", "002-0", "004-0", "005-0"]
    assert gone == {"001-1": "mixture_cap", "003-0": "mixture_cap"}


def test_a_cap_by_image_counts_pictures_within_their_case(mixed: Any) -> None:
    rows = [row(1, 0), row(1, 1), row(1, 2, image=[1]), row(2, 0), row(2, 1, image=[0, 1]), row(2, 2, image=[])]
    stays, _, _, _ = mixed(rows, Mixture(caps=(Cap(by=("image",), max=1),)))
    assert stays == ["001-0", "001-2", "002-0", "002-2"]


def test_a_cap_may_speak_of_some_rows_and_splits_only(mixed: Any) -> None:
    cap = Cap(by=("dataset",), max=1, splits=("train",), where={"task": ["yes_no"]})
    kinds = [("yes_no", "train"), ("mcq", "train"), ("yes_no", "train"), ("yes_no", "test"), ("yes_no", "test")]
    rows = [row(n, 0, task=task, split=split) for n, (task, split) in enumerate(kinds)]
    assert mixed(rows, Mixture(caps=(cap,)))[2] == {"002-0": "mixture_cap"}


@pytest.mark.parametrize("piece", [1, 2, 100])
def test_balance_cuts_common_labels_to_the_rarest(mixed: Any, piece: int) -> None:
    rows = [row(n, 0, label) for n, label in enumerate("aaaaabbbc")]
    strict = Mixture(balance=(Balance(by="label"),))
    assert mixed(rows, strict, piece=piece)[0] == ["000-0", "005-0", "008-0"]
    twice = Mixture(balance=(Balance(by="label", max_ratio=2.5),))
    assert mixed(rows, twice, piece=piece)[0] == ["000-0", "001-0", "005-0", "006-0", "008-0"]


def test_a_row_with_several_labels_counts_under_the_rarest_and_without_any_it_stays(mixed: Any) -> None:
    # a stands 4 times, b twice.  Under a: 000, 001, 004; under b: 002, 003.  So two of each stay.
    rows = [row(n, 0, label) for n, label in enumerate(["a", "a", "ab", "b", "a", ""])]
    stays, _, gone, _ = mixed(rows, Mixture(balance=(Balance(by="label"),)))
    assert gone == {"004-0": "mixture_balance"}
    assert stays == ["000-0", "001-0", "002-0", "003-0", "005-0"]


def test_balance_holds_within_its_columns_and_after_the_caps(mixed: Any) -> None:
    rows = [row(n, 0, "y" if n < 4 else "n") for n in range(6)]
    rows += [row(n, 0, "y" if n < 13 else "n", dataset="e") for n in range(10, 15)]
    mixture = Mixture(caps=(Cap(by=("dataset", "answer"), max=3),), balance=(Balance(by="answer"),))
    stays, _, gone, _ = mixed(rows, mixture)
    # d: y 4 -> 3 by the cap -> 2 by n's 2; e: y 3 -> 2.
    assert Counter(gone.values()) == {"mixture_cap": 1, "mixture_balance": 2}
    assert stays == ["000-0", "001-0", "004-0", "005-0", "010-0", "011-0", "013-0", "014-0"]


def test_quotas_by_hand() -> None:
    rows = {"a": 600, "b": 300, "c": 100}
    assert quotas(rows, {}, {}, 1, None) == rows  # by size: everything
    assert quotas(rows, {}, {}, 1, 100) == {"a": 60, "b": 30, "c": 10}
    assert quotas(rows, {}, {}, float("inf"), None) == {"a": 100, "b": 100, "c": 100}  # by weight alone: c ends it
    # Weights 1, 1, 2 alone: c is half of all and has 100, so 25 + 25 ... times two.
    assert quotas(rows, {"c": 2}, {}, float("inf"), None) == {"a": 50, "b": 50, "c": 100}
    # Temperature 2: roots 30, 20 of 900 and 400; the smaller allows 1000 in all; 60 of 100 and 40 of 100.
    assert quotas({"a": 900, "b": 400}, {}, {}, 2, None) == {"a": 600, "b": 400}
    # Thirds of ten: 4, 3, 3, the odd one to the first name.
    assert quotas({"a": 9, "b": 9, "c": 9}, {}, {}, 1, 10) == {"a": 4, "b": 3, "c": 3}
    # c published three times counts 300, and gives 100 distinct rows.
    assert quotas(rows, {}, {"c": 3}, float("inf"), None) == {"a": 300, "b": 300, "c": 100}
    assert quotas({"a": 0}, {}, {}, 1, None) == {"a": 0}


def test_a_draw_takes_proportions_of_train_and_leaves_the_rest(mixed: Any) -> None:
    rows = [row(n, 0) for n in range(6)] + [row(n, 0, dataset="e") for n in range(10, 13)]
    rows += [row(20, 0, split="test")]
    draw = Mixture(draw=Draw(temperature=float("inf")))
    stays, _, gone, found = mixed(rows, draw, Sources({"e": 3.0}))
    # e is three quarters: 3 of 4; d gives one.
    assert stays == ["000-0", "010-0", "011-0", "012-0", "020-0"]
    assert set(gone.values()) == {"mixture_draw"}
    assert [one.detail for one in found] == ["drawn for train: d 1 of 6, e 3 of 3 rows"]
    _, _, _, found = mixed(rows, Mixture(draw=Draw(rows=100)))
    assert found[0].detail.endswith("100 were asked for, but the proportions allow no more without repetition")


def test_repeats_are_counted_in_train_only(mixed: Any) -> None:
    rows = [row(1, 0), row(1, 1), row(2, 0, split="test")]
    _, done, gone, _ = mixed(rows, Mixture(), Sources({}, {"d": 3}))
    assert gone == {}
    assert done.select("rows", "repeats").rows() == [(6, 3), (1, 1)]


def test_a_smaller_cap_takes_a_part_of_what_a_larger_one_takes(mixed: Any) -> None:
    rows = [row(n // 3, n % 3, "ab"[n % 2]) for n in range(30)]
    takes = [set(mixed(rows, Mixture(caps=(Cap(by=("label",), max=most),)))[0]) for most in (2, 5, 9)]
    assert takes[0] < takes[1] < takes[2]
    assert [len(one) for one in takes] == [4, 10, 18]


def test_mistakes_in_a_recipe_are_told() -> None:
    with pytest.raises(ValidationError, match="write two caps"):
        Cap(by=("label", "image"), max=1)
    with pytest.raises(ValidationError, match="stands twice"):
        Cap(by=("task", "task"), max=1)
    with pytest.raises(ValidationError):
        Cap(by=("patient",), max=1)  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        Balance(by="label", max_ratio=0.5)


def test_a_weight_asks_for_a_draw() -> None:
    plain = Recipe(name="r", version="1", datasets=[DatasetChoice(spec="a.yaml")])
    assert plain.mixed().empty
    weighed = Recipe(name="r", version="1", datasets=[DatasetChoice(spec="a.yaml", weight=2.0)])
    assert weighed.mixed().draw == Draw()
