"""What is wrong with the wording of a text, besides the labelled sets of `test_checks.py`."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthesis.checks import wording

PARTS = [
    "nan.",
    "[insert]",
    "<b>",
    "null,",
    "{x}",
    "as an example answer",
    "lung",
    "none",
    "box",
    "`",
    "<image>",
    "todo",
]


@settings(deadline=None)  # the grammar is put together at the first text
@given(st.lists(st.sampled_from(PARTS)))
def test_the_look_for_signs_of_residue_changes_nothing(words):
    text = " ".join(words)
    assert ("residue" in wording.problems(text, allow_advice=True)) == wording.residue(text)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (
            "The caption says that you should take aspirin, but I'm unable to see the image.",
            ["leak", "refusal", "advice"],
        ),
        ("Both lungs are clear.", []),
        ("THE BOUNDING BOX", ["leak"]),
        ("I can’t view images.", ["refusal"]),
    ],
)
def test_every_kind_is_named_once(text, codes):
    assert list(wording.problems(text, allow_advice=False)) == codes


def test_advice_is_allowed_where_the_task_says_so():
    assert list(wording.problems("A biopsy is recommended.", allow_advice=True)) == []


@pytest.mark.parametrize(
    "asked",
    [
        "Give this radiograph of the chest a suitable caption.",
        "Write the figure legend that would go with this image.",
        "Describe this image as its authors would.",
        "Give a concise description of this image.",
        "Is there an effusion?",
    ],
)
def test_questions_that_our_own_templates_ask_are_clean(asked):
    assert list(wording.problems(asked, allow_advice=False)) == []
