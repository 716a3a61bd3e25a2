"""Held-out combinations on four datasets' worth of cases, worked out by hand."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from quality.compositions import chosen, proven, unseen
from quality.resolve import settle
from quality.settled import DatasetFacts, HeldOut, Settled
from schemas.errors import UserError
from schemas.findings import Severity
from schemas.mixture import Combination, Compositions

CT_LIVER = ("CT", "abdomen", "segmentation")
CT_LUNG = ("CT", "chest", "classification")
XR_LUNG = ("X-ray", "chest", "segmentation")
XR_BELLY = ("X-ray", "abdomen", "classification")
ALL = [CT_LIVER, CT_LUNG, XR_LUNG, XR_BELLY]
ALL_TRAIN = {"d": DatasetFacts({"train": 1.0})}
OUT = Compositions(hold_out=(Combination(modality="CT", anatomy="abdomen"),))


def case(number: int, triplet: tuple[str, str, str], **changes: Any) -> dict[str, Any]:
    own = {
        "dataset": "d", "case_id": f"c{number}", "order": f"{number:04d}", "group_id": f"g{number}",
        "shipped_split": "", "split_policy": "hash", "annotation_digest": f"n{number}",
        "images": [{"sha256": f"s{number}", "pixel_digest": f"p{number}", "phash": 0}], "rows": 1, "bytes": 1,
        "triplet": triplet,
    }  # fmt: skip
    return own | changes


def settled(tmp_path: Path, cases: Sequence[dict[str, Any]], wanted: Compositions, seed: int = 0) -> Settled:
    image = pl.List(pl.Struct({"sha256": pl.String, "pixel_digest": pl.String, "phash": pl.UInt64}))
    typed = {"images": image, "rows": pl.Int32, "bytes": pl.Int64}
    path = tmp_path / "cases.parquet"
    table = pl.DataFrame([{k: v for k, v in one.items() if k != "triplet"} for one in cases], schema_overrides=typed)
    table.write_parquet(path)
    return settle([path], ALL_TRAIN, seed, held_out=HeldOut(wanted, combinations(cases)))


def combinations(cases: Sequence[dict[str, Any]]) -> pl.DataFrame:
    axes = ("modality", "anatomy", "clinical_task")
    return pl.DataFrame([{"order": one["order"], **dict(zip(axes, one["triplet"], strict=True))} for one in cases])


def fates(done: Settled) -> dict[str, str]:
    """Split of kept cases, reason of others."""
    return {
        name: split or reason for name, split, reason in done.cases.select("case_id", "split", "reason").iter_rows()
    }


def test_held_out_cases_go_to_test_and_training_still_sees_each_element(tmp_path: Path) -> None:
    cases = [case(n, triplet) for n, triplet in enumerate(ALL)]
    done = settled(tmp_path, cases, OUT)
    assert fates(done) == {"c0": "test", "c1": "train", "c2": "train", "c3": "train"}
    [found] = proven(done.cases, combinations(cases), done.away, "test")
    assert (found.severity, found.detail) == (
        Severity.NOTE, "held out: CT x abdomen x segmentation, 1 cases in test",
    )  # fmt: skip


def test_an_element_that_training_would_not_see_is_an_error(tmp_path: Path) -> None:
    cases = [case(0, CT_LIVER), case(1, CT_LUNG), case(2, XR_LUNG)]  # nobody else shows an abdomen
    done = settled(tmp_path, cases, OUT)
    with pytest.raises(UserError, match="no training case has the anatomy 'abdomen' in another combination"):
        proven(done.cases, combinations(cases), done.away, "test")


def test_a_combination_that_nobody_has_is_an_error_that_lists_those_there_are(tmp_path: Path) -> None:
    wanted = Compositions(hold_out=(Combination(modality="MRI"),))
    with pytest.raises(UserError, match=r"no case has the combination MRI x any x any; there are CT x chest"):
        settled(tmp_path, [case(0, CT_LUNG)], wanted)


@pytest.mark.parametrize(
    ("rule", "held", "other"),
    [("hold_out", "test", "test"), ("drop_held_out", "held_out_combination", "train"),
     ("drop_others", "test", "held_out_combination")],
)  # fmt: skip
def test_a_group_with_both_kinds_stays_together(tmp_path: Path, rule: Any, held: str, other: str) -> None:
    cases = [case(n, triplet) for n, triplet in enumerate(ALL)]
    cases += [case(10, CT_LIVER, group_id="p"), case(11, CT_LUNG, group_id="p")]
    done = settled(tmp_path, cases, OUT.model_copy(update={"mixed": rule}))
    assert (fates(done)["c10"], fates(done)["c11"]) == (held, other)
    assert fates(done)["c0"] == "test"


def test_groups_joined_by_a_picture_count_as_one(tmp_path: Path) -> None:
    shared = {"images": [{"sha256": "s", "pixel_digest": "p", "phash": 0}]}
    cases = [case(n, triplet) for n, triplet in enumerate(ALL)]
    cases += [case(10, CT_LIVER, **shared), case(11, CT_LUNG, **shared)]
    assert fates(settled(tmp_path, cases, OUT))["c11"] == "test"


def test_a_shipped_training_case_of_a_held_out_combination_is_filtered(tmp_path: Path) -> None:
    cases = [case(n, triplet) for n, triplet in enumerate(ALL)]
    cases += [case(10 + n, CT_LIVER, shipped_split=s, split_policy="shipped") for n, s in enumerate(["train", "test"])]
    done = fates(settled(tmp_path, cases, OUT))
    assert (done["c10"], done["c11"]) == ("held_out_combination", "test")


def test_a_draw_holds_out_what_can_be_spared_and_no_more() -> None:
    # Of the four, each element stands twice: one can go, and then its elements stand once each.
    for seed in range(20):
        [one] = chosen(ALL, Compositions(draw=1), seed)
        assert unseen([one], [other for other in ALL if other != one]) == []
    assert len({tuple(chosen(ALL, Compositions(draw=1), seed)) for seed in range(20)}) == 4
    with pytest.raises(UserError, match=r"only [12] of 4 can be held out"):
        chosen(ALL, Compositions(draw=3), 0)
    assert chosen(ALL, Compositions(draw=1), 5) == chosen(reversed(ALL), Compositions(draw=1), 5)


def test_mistakes_in_a_recipe_are_told() -> None:
    for wrong in ({}, {"draw": 1, "hold_out": [{"modality": "CT"}]}):
        with pytest.raises(ValidationError, match="and only one of them"):
            Compositions.model_validate(wrong)
    with pytest.raises(ValidationError, match="names nothing"):
        Compositions.model_validate({"hold_out": [{}]})
    with pytest.raises(ValidationError, match="cannot go into train"):
        Compositions.model_validate({"draw": 1, "into": "train"})
