"""Wording that betrays how a text was made: the reference, a refusal, advice, unfilled template words.

Every rule is a pattern over the text in lower case.  A rule is looked for only where one of its trigger words stands
in the text: most texts hold none, and a search costs a hundred times as much as a look at the words.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from synthesis.checks import advice_words, leak_words, refusal_words

WORDS = re.compile(r"[a-z]+")


@dataclass(frozen=True)
class Rule:
    """One kind of wording."""

    triggers: frozenset[str]
    """First five letters (or all) of words of which every match of ``source`` holds at least one."""
    source: str
    """Pattern over lower-case text."""
    harmless: str
    """Pattern of what is cut out first."""

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str], re.Pattern[str]]:
        return re.compile(self.source), re.compile(self.harmless)

    def finds(self, text: str, words: set[str]) -> bool:
        """Whether lower-case ``text``, whose word beginnings are ``words``, holds such wording."""
        return not self.triggers.isdisjoint(words) and self.finds_slowly(text)

    def finds_slowly(self, text: str) -> bool:
        """The same without the look at the words."""
        found, harmless = self._patterns
        return found.search(harmless.sub(" ", text)) is not None


LEAK = Rule(leak_words.TRIGGERS, leak_words.LEAK, leak_words.HARMLESS)
REFUSAL = Rule(refusal_words.TRIGGERS, refusal_words.REFUSAL, refusal_words.HARMLESS)
ADVICE = Rule(advice_words.TRIGGERS, advice_words.ADVICE, advice_words.HARMLESS)

RESIDUE = re.compile(
    r"\{[a-z_]*\}|\[(?:insert|your|name|label|finding)[^\]]*\]|<(?!image>)/?[a-z_]{2,20}>|\b(?:nan|none|null"
    r"|undefined)\b(?=[.,]|$)"
    r"|\btodo\b|\blorem ipsum\b|\\n|```|\bas an example answer\b"
)


RESIDUE_SIGNS = "{[<`\\"
RESIDUE_TRIGGERS = frozenset({"nan", "none", "null", "undef", "todo", "lorem", "examp"})


def lowered(text: str) -> str:
    """The form that rules look at."""
    return text.lower().replace("’", "'")


def beginnings(text: str) -> set[str]:
    """The first five letters of every word of lower-case text."""
    return {word[:5] for word in WORDS.findall(text)}


def leak(text: str) -> bool:
    """Whether the text speaks of what its writer was given instead of what can be seen."""
    return LEAK.finds_slowly(lowered(text))


def refusal(text: str) -> bool:
    """Whether the text declines instead of answering."""
    return REFUSAL.finds_slowly(lowered(text))


def advice(text: str) -> bool:
    """Whether the text treats, prescribes or recommends; to refer to a doctor is allowed."""
    return ADVICE.finds_slowly(lowered(text))


def residue(text: str) -> bool:
    """Whether words of a template or of the answer's format are left in the text."""
    return RESIDUE.search(text.lower()) is not None


def gives_away(question: str, answer: str) -> bool:
    """Whether the question holds its own answer: all of a short answer's words that carry meaning."""
    words = set(re.findall(r"[a-z]{4,}", answer.lower())) - EVERYDAY
    if not words or len(words) > 6 or re.match(r"\s*(?:yes|no)\b", answer, re.IGNORECASE):
        return False
    return words <= set(re.findall(r"[a-z]{4,}", question.lower()))


EVERYDAY = frozenset({
    "this", "that", "there", "these", "those", "with", "which", "picture", "image", "shows", "show", "seen", "visible",
    "from", "have", "here", "does", "what", "where", "they", "their", "them", "patient", "appears", "present",
})  # fmt: skip


def problems(text: str, allow_advice: bool) -> Iterator[str]:
    """Codes of everything that is wrong with the wording."""
    text = lowered(text)
    words = beginnings(text)
    if LEAK.finds(text, words):
        yield "leak"
    if REFUSAL.finds(text, words):
        yield "refusal"
    if not allow_advice and ADVICE.finds(text, words):
        yield "advice"
    if _may_be_residue(text, words) and RESIDUE.search(text):
        yield "residue"


def _may_be_residue(text: str, words: set[str]) -> bool:
    return any(sign in text for sign in RESIDUE_SIGNS) or not RESIDUE_TRIGGERS.isdisjoint(words)
