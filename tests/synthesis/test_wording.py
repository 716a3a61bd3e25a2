"""The look at the words before a search: it never keeps a pattern from finding what it would find."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.yaml_file import load_yaml
from synthesis.checks import wording
from synthesis.checks.evaluate import LabelledSet
from tests.synthesis.test_checks import LABELLED

RULES = {"leak": wording.LEAK, "refusal": wording.REFUSAL, "advice": wording.ADVICE}
TEXTS = [case.text for path in sorted(LABELLED.glob("*.yaml")) for case in load_yaml(path, LabelledSet).cases]
WORDS = sorted({word for text in TEXTS for word in wording.lowered(text).split()})


def agree(rule, text):
    form = wording.lowered(text)
    return rule.finds(form, wording.beginnings(form)) == rule.finds_slowly(form)


@pytest.mark.parametrize("name", RULES)
def test_words_first_changes_nothing_on_labelled_texts(name):
    assert [text for text in TEXTS if not agree(RULES[name], text)] == []


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=25).map(" ".join))
def test_nor_on_mixtures_of_their_words(text):
    assert all(agree(rule, text) for rule in RULES.values())


@given(st.lists(st.sampled_from([*WORDS[::7], "nan.", "[insert]", "<b>", "null,", "{x}", "as an example answer"])))
def test_residue_likewise(words):
    text = " ".join(words)
    assert ("residue" in wording.problems(text, allow_advice=True)) == wording.residue(text)


def test_most_texts_are_not_searched_at_all():
    plain = "the lungs are clear, the heart is of normal size, and both costophrenic angles are sharp."
    words = wording.beginnings(plain)
    assert [name for name, rule in RULES.items() if not rule.triggers.isdisjoint(words)] == []
