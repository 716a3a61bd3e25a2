"""Wording that betrays how a text was made: the reference, a refusal, advice, unfilled template words.

Leaks, refusals and advice are found by the grammar in ``wording.yaml``.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path

from schemas.spec import Strict
from schemas.yaml_file import load_yaml
from synthesis.checks.grammar import Grammar


class WordingFile(Strict):
    """``wording.yaml``; `Grammar` says what its parts are."""

    version: int
    classes: dict[str, str]
    macros: dict[str, str]
    kinds: dict[str, list[str]]
    harmless: dict[str, list[str]]


@cache
def grammar() -> Grammar:
    """The grammar of leaks, refusals and advice."""
    file = load_yaml(Path(__file__).with_name("wording.yaml"), WordingFile)
    return Grammar(file.classes, file.macros, file.kinds, file.harmless)


RESIDUE = re.compile(
    r"\{[a-z_]*\}|\[(?:insert|your|name|label|finding)[^\]]*\]|<(?!image>)/?[a-z_]{2,20}>|\b(?:nan|none|null"
    r"|undefined)\b(?=[.,]|$)"
    r"|\btodo\b|\blorem ipsum\b|\\n|```|\bas an example answer\b"
)
RESIDUE_SIGNS = re.compile(r"[{\[<`\\]|nan|none|null|undef|todo|lorem|example")
"""Stands in every text with residue; a look for it costs less than the search."""


def lowered(text: str) -> str:
    """The form that the checks look at."""
    return text.lower().replace("’", "'")


def leak(text: str) -> bool:
    """Whether the text speaks of what its writer was given instead of what can be seen."""
    return _is("leak", text)


def refusal(text: str) -> bool:
    """Whether the text declines instead of answering."""
    return _is("refusal", text)


def advice(text: str) -> bool:
    """Whether the text treats, prescribes or recommends; to refer to a doctor is allowed."""
    return _is("advice", text)


def _is(kind: str, text: str) -> bool:
    return grammar().finds(kind, grammar().shape(lowered(text)))


def residue(text: str) -> bool:
    """Whether words of a template or of the answer's format are left in the text."""
    return RESIDUE.search(text.lower()) is not None


LONG_WORD = re.compile(r"[a-z]{4,}")
YES_OR_NO = re.compile(r"\s*(?:yes|no)\b", re.IGNORECASE)


def gives_away(question: str, answer: str) -> bool:
    """Whether the question holds its own answer: all of a short answer's words that carry meaning."""
    words = set(LONG_WORD.findall(answer.lower())) - EVERYDAY
    if not words or len(words) > 6 or YES_OR_NO.match(answer):
        return False
    return words <= set(LONG_WORD.findall(question.lower()))


EVERYDAY = frozenset({
    "this", "that", "there", "these", "those", "with", "which", "picture", "image", "shows", "show", "seen", "visible",
    "from", "have", "here", "does", "what", "where", "they", "their", "them", "patient", "appears", "present",
})  # fmt: skip


SHORT = 300
"""Letters of texts that are kept: questions and short answers are the same in many rows."""


def problems(text: str, allow_advice: bool) -> Sequence[str]:
    """Codes of everything that is wrong with the wording."""
    return _kept(text, allow_advice) if len(text) <= SHORT else tuple(_problems(text, allow_advice))


@lru_cache(maxsize=4096)
def _kept(text: str, allow_advice: bool) -> tuple[str, ...]:
    return tuple(_problems(text, allow_advice))


def _problems(text: str, allow_advice: bool) -> Iterator[str]:
    text = lowered(text)
    words = grammar()
    shape = words.shape(text)
    if words.finds("leak", shape):
        yield "leak"
    if words.finds("refusal", shape):
        yield "refusal"
    if not allow_advice and words.finds("advice", shape):
        yield "advice"
    if RESIDUE_SIGNS.search(text) and RESIDUE.search(text):
        yield "residue"
