"""Finds the words of a vocabulary in a text, whatever their number, hyphens and British or American spelling."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from synthesis.checks.findings import EXCEPT, Finding, NormalStructures, adjectives, common

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
VAGUE = frozenset({
    "abnormality", "area", "artifact", "cell", "change", "device", "disease", "disorder", "finding", "image", "injury",
    "lesion", "line", "mass", "normal", "object", "organ", "other", "region", "shadow", "structure", "tissue", "tube",
})  # fmt: skip
"""Last words that do not name a finding on their own."""
GAP = re.escape(" * ")
UP_TO_FOUR = r"(?: \w+){0,4} "
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z(\d\"'])|\n+")
CLAUSE = re.compile(r"[,;:()]|\b(?:and|but|while|whereas|although|however|with|without|plus)\b")


Kind = Literal["named", "adjective", "broader", "denied"]
"""``denied``: the words say that there is none ("normal heart size" of cardiomegaly); ``adjective``: they say of something
else that it has the finding ("necrotic"); ``broader``: they mean more than the finding ("mass" of glioma)."""


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


class Vocabulary:
    """The terms to look for: their plain forms, synonyms, adjectives, broader words, last words, and normal structures.

    A last word that several terms share ("effusion" of pleural and joint effusion) is a mention of each of them, all
    ``unsure``.
    """

    def __init__(self, terms: Iterable[str], synonyms: Mapping[str, Iterable[str]] | None = None) -> None:
        names = {plain(term): term for term in terms}
        known = {plain(name): finding for name, finding in common().terms.items()}
        known = {name: known[name] for name in names if name in known}
        self._forms: dict[str, tuple[_Sense, ...]] = {}
        for name, term in names.items():
            self._add(name, term, "named")
            for synonym in (synonyms or {}).get(term, ()):
                self._add(plain(synonym), term, "named")
        for name, finding in known.items():
            for words, kind in ((finding.same, "named"), (finding.denied, "denied")):
                for word in words:
                    self._add(plain(word) if "*" not in word else "", names[name], kind)
        last: dict[str, list[str]] = {}
        for name, term in names.items():
            if " " in name and len(name.split()[-1]) > 4:
                last.setdefault(name.split()[-1], []).append(term)
            for word in adjectives(name):
                self._add(word, term, "adjective")
        for word, several in last.items():
            if word not in VAGUE:
                self._add(word, several[0], "named", *several[1:])
        for name, finding in known.items():
            for word in common().broader(finding):
                self._add(plain(word), names[name], "broader")
        self._gapped = [
            (re.compile(rf"\b{re.escape(plural).replace(GAP, UP_TO_FOUR)}\b"), names[name])
            for name, finding in known.items()
            for words in finding.same
            if "*" in words
            for plural in (plain(words), *_plurals(plain(words)))
        ]
        longest = sorted(self._forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile(r"\b(?:" + "|".join(map(re.escape, longest)) + r")\b") if longest else None
        self._normal = NormalStructures(_structures(known, names))

    def _add(self, name: str, term: str, kind: str, *others: str) -> None:
        """Let a form and its plurals stand for a term; broader words for several, else the first one stands."""
        for form in (name, *_plurals(name)) if name else ():
            senses = self._forms.get(form, ())
            if not senses or (kind in ("broader", "denied") and {sense.kind for sense in senses} == {kind}):
                made = tuple(_Sense(one, kind, form != name, bool(others)) for one in (term, *others))
                self._forms[form] = (*senses, *made)

    def mentions(self, sentence: str) -> list[Mention]:
        """Every mention in a plain sentence, in order."""
        if self._pattern is None:
            return []
        matches = [(match, self._forms[match[0]]) for match in self._pattern.finditer(sentence)]
        for pattern, term in self._gapped:
            matches += [(match, (_Sense(term, "named", False, False),)) for match in pattern.finditer(sentence)]
        named = {sense.term for _, senses in matches for sense in senses if sense.kind == "named"}
        found = [
            Mention(sense.term, match.start(), match.end(), sense.plural, named == {sense.term}, sense.kind, sense.unsure)
            for match, senses in matches
            for sense in senses
        ]
        return found + list(self._free_of(sentence, named))

    def named(self, sentence: str) -> list[Mention]:
        """Mentions by the term itself or a word that means the same."""
        return [mention for mention in self.mentions(sentence) if mention.kind == "named"]

    def _free_of(self, sentence: str, named: set[str]) -> Iterator[Mention]:
        """Denials by normal structures, of terms that the sentence does not name itself.

        Where it makes an exception without a name ("normal but for a shadow"), nothing is denied.
        """
        for start, end, terms in self._normal.find(sentence):
            if named or EXCEPT.search(sentence) is None:
                for term in terms:
                    if term not in named:
                        yield Mention(term, start, end, False, False, "denied")


@dataclass(frozen=True, slots=True)
class _Sense:
    """What a form stands for."""

    term: str
    kind: Kind
    plural: bool
    unsure: bool


def _structures(known: Mapping[str, Finding], names: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Structure, in both numbers, to the terms that are absent where it is normal."""
    found: dict[str, tuple[str, ...]] = {}
    for name, finding in known.items():
        for word in map(plain, common().structures(finding)):
            if word not in names:
                for form in (word, *_plurals(word)):
                    found[form] = (*found.get(form, ()), names[name])
    return found


def _plurals(name: str) -> list[str]:
    if name.endswith("us") and len(name) > 5:
        return [name[:-2] + "i", name + "es"]
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return [name[:-1] + "ies"]
    if name.endswith("is"):
        return [name[:-2] + "es"]
    if name.endswith(("s", "x", "ch", "sh")):
        return [name + "es"]
    return [name + "s"]


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
