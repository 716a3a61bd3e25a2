"""Parts, wholes, synonyms and lesions: what may stand beside an answer, and what is known to be absent."""

import pytest

from converters.kinship import may_be
from schemas.taxonomy.kinship import related, same


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("kidney", "left kidney", True),
        ("left kidney", "right kidney", False),
        ("liver", "liver tumor", True),
        ("liver", "spleen", False),
        ("grommet", "blue grommet", True),
    ],
)
def test_related(one, other, expected):
    assert related(one, other) is related(other, one) is expected


def test_spellings_of_one_label_are_the_same():
    assert same("kidney right", "right kidney")
    assert not same("left kidney", "right kidney")


@pytest.mark.parametrize(
    ("name", "present", "expected"),
    [
        ("kidney", "left kidney", True),  # the whole is there with its part
        ("left kidney", "kidney", True),  # which side is not said
        ("liver", "liver tumor", True),  # the organ of a lesion
        ("liver tumor", "liver", False),  # a lesion would have been annotated
        ("spleen", "liver", False),
    ],
)
def test_what_may_be_there_unannotated(name, present, expected):
    assert may_be(name, present) is expected


def test_a_lesion_of_a_present_organ_is_denied(make):
    described = make.spec(["liver", "liver tumor", "left kidney", "kidney"])
    one = make.case(regions=(make.box("liver", (0, 0, 99, 99)), make.box("kidney", (200, 200, 299, 299))))
    asked = [make.ask("yes_no", one, described, seed=seed)[0] for seed in range(40)]
    denied = {row.messages[0].content for row in asked if row.answer == "No"}
    assert denied and all("liver tumor" in question for question in denied)
