"""Finds the words of a vocabulary in a text, whatever their number, hyphens and British or American spelling."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import Field

from schemas.spec import Strict
from schemas.yaml_file import load_yaml

SPELLINGS = (
    ("ae", re.compile(r"ae(?=[a-z])"), "e"),
    ("oe", re.compile(r"\boe|(?<=rrh)oe"), "e"),
    ("our", re.compile(r"(?<=\w\w)our\b"), "or"),
    ("isation", re.compile(r"isation"), "ization"),
    ("centre", re.compile(r"\bcentre"), "center"),
)
"""What a text must hold for it, the British spelling, the American one."""
VAGUE = frozenset({
    "abnormality", "area", "artifact", "cell", "change", "device", "disease", "disorder", "finding", "image", "injury",
    "lesion", "line", "mass", "normal", "object", "organ", "other", "region", "shadow", "structure", "tissue", "tube",
})  # fmt: skip
"""Last words that do not name a finding on their own."""
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z(\d\"'])|\n+")
CLAUSE = re.compile(r"[,;:()]|\b(?:and|but|while|whereas|although|however|with|without|plus)\b")


@dataclass(frozen=True, slots=True)
class Mention:
    """One place where a term stands in a sentence (plain form, see `plain`)."""

    term: str
    start: int
    end: int
    plural: bool
    alone: bool = True
    """Whether the sentence mentions no other term."""
    denies: bool = False
    """Whether the words stand for the term's absence, as "normal heart size" for no cardiomegaly."""


def plain(text: str) -> str:
    """Lower case, hyphens as spaces, American spelling, single blanks; what terms and sentences are compared in."""
    text = re.sub(r"[-‐-―/_]+", " ", text.lower())
    for sign, british, american in SPELLINGS:
        if sign in text:
            text = british.sub(american, text)
    return re.sub(r"\s+", " ", text).strip()


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text."""
    yield from (part for part in (piece.strip() for piece in SENTENCE.split(text)) if part)


class Vocabulary:
    """The terms to look for, by their plain forms, their synonyms and, where it is clear, their last word."""

    def __init__(self, terms: Iterable[str], synonyms: Mapping[str, Iterable[str]] | None = None) -> None:
        names = {plain(term): term for term in terms}
        known = {plain(name): words for name, words in _common().items()}
        self._denials = {
            plain(words): term for name, term in names.items() if name in known for words in known[name].denied
        }
        last = Counter(name.split()[-1] for name in names if name)
        self._term_of = dict(names)
        for name, term in names.items():
            word = name.split()[-1] if name else ""
            if " " in name and last[word] == 1 and len(word) > 4 and word not in VAGUE:
                self._term_of.setdefault(word, term)
            for synonym in (*(synonyms or {}).get(term, ()), *(known[name].same if name in known else ())):
                self._term_of.setdefault(plain(synonym), term)
        self._forms = {form: name for name in self._term_of if name for form in (name, *_plurals(name))}
        self._forms |= {form: form for form in self._denials}
        self._term_of |= self._denials
        longest = sorted(self._forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile(r"\b(?:" + "|".join(map(re.escape, longest)) + r")\b") if longest else None

    def mentions(self, sentence: str) -> list[Mention]:
        """Every mention in a plain sentence, the longest form winning."""
        if self._pattern is None:
            return []
        matches = [(match, self._forms[match[0]]) for match in self._pattern.finditer(sentence)]
        alone = len({self._term_of[name] for _, name in matches}) == 1
        return [
            Mention(self._term_of[name], match.start(), match.end(), match[0] != name, alone, match[0] in self._denials)
            for match, name in matches
        ]


class Words(Strict):
    """Other words for one finding."""

    same: list[str] = Field(default_factory=list)
    denied: list[str] = Field(default_factory=list)
    """Statements that say that there is none."""


class Synonyms(Strict):
    """``synonyms.yaml``."""

    version: int
    terms: dict[str, Words]


@cache
def _common() -> dict[str, Words]:
    return load_yaml(Path(__file__).with_name("synonyms.yaml"), Synonyms).terms


def _plurals(name: str) -> list[str]:
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return [name[:-1] + "ies"]
    if name.endswith("is"):
        return [name[:-2] + "es"]
    if name.endswith(("s", "x", "ch", "sh")):
        return [name + "es"]
    return [name + "s"]


def clause(sentence: str, mention: Mention) -> str:
    """The part of a plain sentence around a mention, up to the next comma or conjunction on either side."""
    start = max((m.end() for m in CLAUSE.finditer(sentence, 0, mention.start)), default=0)
    after = CLAUSE.search(sentence, mention.end)
    return sentence[start : after.start() if after else len(sentence)].strip()
