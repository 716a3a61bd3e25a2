"""One picture in two datasets: a contradiction is one only in a word that both use."""

from typing import Any

import polars as pl
import pytest

from quality.label_conflicts import across
from schemas.findings import Severity

KINDS = {"a": "multi_label", "b": "multi_class", "c": "none"}


def case(dataset: str, picture: str, labels: str, unsure: str = "") -> dict[str, Any]:
    return {
        "dataset": dataset, "case_id": f"{dataset}-{picture}-{labels}", "picture_key": picture,
        "labels": labels.split(), "unsure": unsure.split(),
    }  # fmt: skip


def told(*cases: dict[str, Any], max_share: float = 1.0) -> list[Any]:
    schema = {"labels": pl.List(pl.String), "unsure": pl.List(pl.String)}
    return across(pl.DataFrame(cases, schema_overrides=schema), KINDS, max_share)


BOTH = [case("a", "p", "edema effusion"), case("b", "p", "edema")]
"""Dataset b sees no effusion on p."""


def test_a_word_that_only_one_of_them_uses_is_no_contradiction() -> None:
    assert told(*BOTH) == []
    [found] = told(*BOTH, case("b", "q", "effusion"))  # now b is seen to know the word
    assert found.detail == (
        "a: 1 of 1 pictures are contradicted by b, which shows them too: "
        "a label that both use is present in one of them only"
    )
    assert (found.gate, found.dataset, found.severity) == ("conflicting_labels", "a", Severity.FLAG)
    named = [{"dataset": "a", "case_id": "a-p-edema effusion"}, {"dataset": "b", "case_id": "b-p-edema"}]
    assert found.evidence == ({"cases": named},)


def test_it_is_found_in_either_direction() -> None:
    assert len(told(case("a", "p", "edema"), case("b", "p", "effusion"), case("a", "q", "effusion"))) == 1
    assert len(told(case("a", "p", "edema"), case("b", "p", "effusion"), case("b", "q", "edema"))) == 1


@pytest.mark.parametrize(
    "cases",
    [
        [case("a", "p", "edema"), case("b", "p", "edema"), case("b", "q", "effusion")],  # they agree
        [case("a", "p", "effusion"), case("b", "p", "edema", unsure="effusion"), case("b", "q", "effusion")],
        [case("a", "p", "effusion"), case("b", "r", "edema"), case("b", "q", "effusion")],  # other pictures
        [case("a", "", "effusion"), case("b", "", "edema"), case("b", "q", "effusion")],  # without pictures
        [case("a", "p", "effusion"), case("c", "p", "edema"), case("c", "q", "effusion")],  # c has no labels to hold
        [case("a", "p", "effusion"), case("a", "p", "edema")],  # within one dataset: `quality.leaks.conflicts`
    ],
)
def test_no_contradiction(cases: list[dict[str, Any]]) -> None:
    assert told(*cases) == []


def test_several_cases_of_a_dataset_about_one_picture_are_taken_together() -> None:
    more = [case("a", "p", "edema"), case("a", "p", "effusion"), case("b", "p", "effusion"), case("b", "q", "edema")]
    assert len(told(*more)) == 1  # b does not say edema
    assert told(*more, case("b", "p", "edema")) == []


def test_the_share_is_a_threshold() -> None:
    four = [case("a", picture, "edema") for picture in "pqrs"] + [case("b", picture, "edema") for picture in "pqr"]
    four += [case("b", "s", "effusion"), case("b", "t", "edema")]  # 1 of the 4 pictures of a; b has 5
    assert [one.severity for one in told(*four, max_share=0.25)] == [Severity.FLAG]
    assert [one.severity for one in told(*four, max_share=0.24)] == [Severity.REFUSE_RELEASE]
