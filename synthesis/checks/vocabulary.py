"""Finds the terms of a vocabulary in a text, whatever their number, spelling and wording."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from synthesis.checks.findings import EXCEPT, Finding, NormalStructures, adjectives, common, finding, in_a_place
from synthesis.checks.terms import Kind, Mention, plain

WORD = re.compile(r"\w+")
VAGUE = frozenset({
    "abnormality", "area", "artifact", "cell", "change", "device", "disease", "disorder", "finding", "image", "injury",
    "lesion", "line", "mass", "normal", "object", "organ", "other", "region", "shadow", "structure", "tissue", "tube",
})  # fmt: skip
"""Last words that do not name a finding on their own."""


OF_ITS_KIND = re.compile(r" (?:effect|like)\b")
"""Behind a term: something is named by it, and it is not said to be there itself ("mass effect")."""


@dataclass(frozen=True, slots=True)
class _Sense:
    """What a form stands for."""

    term: str
    kind: Kind
    plural: bool = False
    unsure: bool = False


class Vocabulary:
    """The terms to look for: their plain forms, synonyms, adjectives, last words, broader words, normal structures.

    A last word that several terms share ("effusion" of pleural and joint effusion) is a mention of each of them, all
    ``unsure``.

    Args:
        terms: canonical labels.
        synonyms: other words for some of them, besides those that the project knows.
    """

    def __init__(self, terms: Iterable[str], synonyms: Mapping[str, Iterable[str]] | None = None) -> None:
        names = {plain(term): term for term in terms if plain(term)}
        known = {name: finding(name) for name in names}
        self._forms: dict[str, tuple[_Sense, ...]] = {}
        self._gapped: list[tuple[str, re.Pattern[str], str]] = []
        for name, term in names.items():
            self._add(name, "named", term)
            for synonym in (synonyms or {}).get(term, ()):
                self._add(plain(synonym), "named", term)
        for name, one in known.items():
            self._add_words(one, names[name])
        self._add_parts(names, {name: common().broader(one) for name, one in known.items()})
        self._by_word: dict[str, list[str]] = {}
        for form in sorted(self._forms, key=lambda form: (-len(form), form)):
            first = WORD.match(form)
            if first:
                self._by_word.setdefault(first[0], []).append(form)
        self._normal = NormalStructures(_structures(known, names))

    def _add(self, name: str, kind: Kind, *terms: str) -> None:
        """Let a form and its plurals stand for terms; broader words may stand for many, else the first one stands."""
        for form in (name, *_plurals(name)):
            senses = self._forms.get(form, ())
            if not senses or (kind in ("broader", "denied") and senses[0].kind == kind):
                made = tuple(_Sense(term, kind, form != name, len(terms) > 1) for term in terms)
                self._forms[form] = (*senses, *made)

    def _add_words(self, known: Finding, term: str) -> None:
        for words in known.same:
            if "*" not in words:
                self._add(plain(words), "named", term)
                continue
            for form in (plain(words), *_plurals(plain(words))):
                self._gapped.append((form.split()[0], _gapped(form), term))
        for words in (*known.denied, *(common().healthy if "abnormality" in known.kinds else ())):
            self._add(plain(words), "denied", term)

    def _add_parts(self, names: Mapping[str, str], broader: Mapping[str, list[str]]) -> None:
        """Adjectives, last words and broader words, which give way to all others."""
        last: dict[str, list[str]] = {}
        for name, term in names.items():
            word = name.split()[-1]
            if " " in name and len(word) > 3 and word not in VAGUE:
                last.setdefault(word, []).append(term)
            for adjective in adjectives(name) if " " not in name else ():
                self._add(adjective, "adjective", term)
            self._gapped += [(word, pattern, term) for word, pattern in in_a_place(name)]
        for word, several in last.items():
            also = [names[name] for name, words in broader.items() if word in words]
            self._add(word, "named", *dict.fromkeys([*several, *also]))
        for name, words in broader.items():
            for word in words:
                self._add(plain(word), "broader", names[name])

    def mentions(self, sentence: str) -> list[Mention]:
        """Every mention in a plain sentence."""
        found = list(self._places(sentence))
        named = {sense.term for _, _, senses in found for sense in senses if sense.kind == "named"}
        mentions = [
            Mention(sense.term, start, end, sense.plural, named == {sense.term}, sense.kind, sense.unsure)
            for start, end, senses in found
            for sense in senses
        ]
        return [*mentions, *self._free_of(sentence, named)]

    def named(self, sentence: str) -> list[Mention]:
        """Mentions by the term itself or a word that means the same."""
        return [mention for mention in self.mentions(sentence) if mention.kind == "named"]

    def _places(self, sentence: str) -> Iterator[tuple[int, int, tuple[_Sense, ...]]]:
        """(start, end, senses) of the longest form at every word, one after another."""
        reached = 0
        for match in WORD.finditer(sentence):
            start = match.start()
            if start < reached or match[0] not in self._by_word:
                continue
            form = _longest(self._by_word[match[0]], sentence, start)
            if form:
                reached = start + len(form)
                if OF_ITS_KIND.match(sentence, reached) is None:
                    yield start, reached, self._forms[form]
        for first, pattern, term in self._gapped:
            if first in sentence:
                for match in pattern.finditer(sentence):
                    yield match.start(), match.end(), (_Sense(term, "named"),)

    def _free_of(self, sentence: str, named: set[str]) -> Iterator[Mention]:
        """Denials by normal structures, of terms that the sentence does not name itself.

        Where it makes an exception without a name ("normal but for a shadow"), nothing is denied.
        """
        for start, end, terms in self._normal.find(sentence):
            if named or EXCEPT.search(sentence) is None:
                for term in terms:
                    if term not in named:
                        yield Mention(term, start, end, False, False, "denied")


def _longest(forms: Iterable[str], sentence: str, start: int) -> str:
    """The first of the forms, which come longest first, that stands at ``start``."""
    for form in forms:
        end = start + len(form)
        if sentence.startswith(form, start) and not sentence[end : end + 1].isalnum():
            return form
    return ""


def _structures(known: Mapping[str, Finding], names: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Structure, in both numbers, to the terms that are absent where it is normal."""
    found: dict[str, tuple[str, ...]] = {}
    for name, one in known.items():
        for word in map(plain, common().structures(one)):
            for form in (word, *_plurals(word)):
                found[form] = (*found.get(form, ()), names[name])
    return found


def _gapped(form: str) -> re.Pattern[str]:
    """Up to four words where the form has a star."""
    return re.compile(r"\b" + r"(?: (?!not\b|no\b|never\b)\w+){0,4} ".join(map(re.escape, form.split(" * "))) + r"\b")


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
