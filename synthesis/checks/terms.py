"""Texts in the form that they are compared in, their sentences and clauses, and mentions of terms in them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

SPELLINGS = (
    ("ae", re.compile(r"ae(?=[a-z])"), "e"),
    ("oe", re.compile(r"\boe|(?<=rrh)oe"), "e"),
    ("our", re.compile(r"(?<=\w\w)our(?=s?\b)"), "or"),
    ("isation", re.compile(r"isation"), "ization"),
    ("centre", re.compile(r"\bcentre"), "center"),
    ("calibre", re.compile(r"calibre"), "caliber"),
)
"""What a text must hold for it, the British spelling, the American one."""
CONTRACTIONS = (("can't", "cannot"), ("won't", "will not"), ("n't", " not"), ("'s", " s"))
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z(\d\"'])|\n+")
CLAUSE = re.compile(r"[,;:()]|\b(?:and|but|while|whereas|although|however|with|without|plus)\b")


Kind = Literal["named", "adjective", "broader", "denied"]
"""``denied``: the words say that there is none ("normal heart size" of cardiomegaly); ``adjective``: they say of
something else that it has the finding ("necrotic"); ``broader``: they mean more than the finding ("mass" of glioma)."""


@dataclass(frozen=True, slots=True)
class Mention:
    """One place where a term stands in a sentence (plain form, see `plain`)."""

    term: str
    start: int
    end: int
    plural: bool
    alone: bool = True
    """Whether the sentence names no other term."""
    kind: Kind = "named"
    unsure: bool = False
    """Whether the words may mean another term too."""


def plain(text: str) -> str:
    """Lower case, hyphens as spaces, American spelling, no contractions; what terms and sentences are compared in."""
    text = re.sub(r"[-‐-―/_]+", " ", text.lower())
    if "'" in text or "’" in text:
        for short, full in CONTRACTIONS:
            text = text.replace("’", "'").replace(short, full)
    for sign, british, american in SPELLINGS:
        if sign in text:
            text = british.sub(american, text)
    return re.sub(r"\s+", " ", text).strip()


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text."""
    yield from (part for part in (piece.strip() for piece in SENTENCE.split(text)) if part)


LEADING = re.compile(r"(?:^|[;:] )(?P<where>(?:in|on|at|within|near|along|over|toward|towards) [^,;:]*), $")


def leading(sentence: str, mention: Mention) -> str:
    """A place that stands before the clause of a mention ("On the left side, a nodule is seen"); else nothing."""
    start = mention.start - len(before(sentence, mention))
    found = LEADING.search(sentence[:start].rstrip() + " ")
    return f"{found['where']} " if found else ""


def before(sentence: str, mention: Mention) -> str:
    """The part of its clause that stands before a mention."""
    start = max((m.end() for m in CLAUSE.finditer(sentence, 0, mention.start)), default=0)
    return sentence[start : mention.start]


def clause(sentence: str, mention: Mention) -> str:
    """The part of a plain sentence around a mention, up to the next comma or conjunction on either side."""
    after = CLAUSE.search(sentence, mention.end)
    start = mention.start - len(before(sentence, mention))
    return sentence[start : after.start() if after else len(sentence)].strip()
