"""Patterns over words and classes of words."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthesis.checks.first_letters import first_letters
from synthesis.checks.grammar import Grammar, words_of
from synthesis.checks.wording import grammar


def finds(pattern, text, harmless=()):
    classes = {"MUST": "should must", "DONE": "done drained report*", "CUT": "*ectomy"}
    grammar = Grammar(classes, {"BOTH": "(MUST be? DONE)"}, {"it": [pattern]}, {"it": list(harmless)})
    return grammar.finds("it", grammar.shape(text))


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("MUST be DONE", "it must be drained", True),
        ("MUST be DONE", "it must drained", False),
        ("MUST be? DONE", "it must drained", True),
        ("BOTH", "so must be done", True),
        ("MUST be reported", "must be reported", True),
        ("MUST be report*", "must be reporting", True),
        ("MUST be DONE", "must be reporting", True),
        ("CUT", "an appendectomy, then", True),
        ("CUT", "an ectomy-like cut", True),
        ("CUT", "the section", False),
        ("MUST ..2 done", "must soon be done", True),
        ("MUST ..2 done", "must, so be done", False),
        ("MUST ..2 done", "must now soon be done", False),
        ("MUST !(be) OTHER", "must be done", False),
        ("MUST !(be) OTHER", "must wait", True),
        ("MUST !(be) OTHER", "must.", False),
        ("^ done", "all is well. done again", True),
        ("^ done", "all is done", False),
        ("done .", "all is done", True),
        ("(must|can) not", "you cannot", True),
        ("it is done", "it's done", True),
        ("NUMBER done", "12.5 done", True),
        ("FRACTION , FRACTION", "(0.25, 0.5)", True),
        ("FRACTION , FRACTION", "(2.5, 1.5)", False),
    ],
)
def test_patterns(pattern, text, found):
    assert finds(pattern, text) is found


def test_what_is_harmless_is_cut_out_first():
    assert finds("must be", "it must be said, and must be done")
    assert not finds("must be", "it must be said", harmless=["must be said"])
    assert finds("must be", "it must be said, and must be done", harmless=["must be said"])


def test_contractions_are_written_out():
    assert words_of("i can't, he won't; we're not 5.2 cm") == [
        "i", "can", "not", ",", "he", "will", "not", ";", "we", "are", "not", "5.2", "cm",
    ]  # fmt: skip


def test_a_name_that_stands_for_nothing_is_an_error():
    with pytest.raises(ValueError, match="'MUSST' is neither a class nor a pattern"):
        finds("MUSST be", "x")


WORDS = [*sorted(word for word in grammar()._letters if "*" not in word), *",.?", "0.5", "12", "smear", "thoracotomy"]


@settings(deadline=None)  # the grammar is read at the first call
@given(st.lists(st.sampled_from(WORDS), max_size=14))
def test_the_look_ahead_loses_nothing(words):
    """Each kind's search gives what the same pattern gives without the look at the first letter."""
    whole = grammar()
    shape = whole.shape(" ".join(words))
    for pattern in (*whole._kinds.values(), *whole._harmless.values()):
        ahead, _, bare = pattern.pattern.partition("])")
        assert ahead.startswith("(?=[") and bare.startswith("(?:")
        assert bool(pattern.search(shape)) == bool(re.search(bare, shape))


@pytest.mark.parametrize(
    ("pattern", "letters"),
    [
        ("a b", "a"),
        ("a? b", "ab"),
        ("( a | b ? ) c", "abc"),
        ("!( a ) b", "b"),
        ("( a | b c ) d", "ab"),
        ("( a ? b ? ) ? c", "abc"),
    ],
)
def test_first_letters(pattern, letters):
    assert first_letters(pattern.replace("?", " ?").split(), lambda piece: piece) == set(letters)
