"""What a translation must keep: given terms, numbers, sides, and what is affirmed and denied."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

from synthesis.checks.laterality import SIDE
from synthesis.checks.number_words import WORDS
from synthesis.checks.polarity import DENIAL_RE, Said, said_of
from synthesis.checks.terms import plain
from synthesis.checks.vocabulary import Vocabulary

NUMBER = re.compile(r"\d+(?:[.,٫]\d+)?")
WORD = re.compile(r"[^\W\d_]{2,}")
EMPTY = frozenset({
    "the", "of", "is", "are", "an", "and", "in", "on", "at", "to", "it", "this", "that", "there", "with", "for",
    "as", "by", "be", "was", "were", "has", "have", "which", "what", "does", "do", "can", "no", "not", "from",
    "its",
})  # fmt: skip
"""Words that carry no meaning of their own, or whose loss shows in `lost_on_the_way`."""


def kept_terms(source: Sequence[str], there: Sequence[str], terms: Mapping[str, str]) -> str:
    """The first term of the list that stands in a text while its given translation is missing; empty where none is."""
    for term, translation in terms.items():
        vocabulary = Vocabulary([term])
        for text, translated in zip(source, there, strict=True):
            if vocabulary.named(plain(text)) and translation.casefold() not in translated.casefold():
                return term
    return ""


def lost_on_the_way(source: Sequence[str], there: Sequence[str], back: Sequence[str], vocabulary: Vocabulary) -> str:
    """What differs between a text and its translation (numbers), or the text that came back (sides, polarity).

    Args:
        source: pieces of English text; numbers are compared in every language, the rest is English.
        there: their translations.
        back: the translations translated back.
        vocabulary: terms of which it is compared whether they are affirmed, denied or left open.
    """
    for text, translated, returned in zip(source, there, back, strict=True):
        if _digits(text) != _digits(translated) and numbers(text) != numbers(returned):
            return "a number"
        if _sides(text) != _sides(returned):
            return "a side"
        if _polarity(text, vocabulary) != _polarity(returned, vocabulary):
            return "what is affirmed or denied"
    return ""


def overlap(source: str, back: str) -> float:
    """Share of the meaningful words of ``source`` that stand in ``back`` too (words cut to five letters)."""
    words, found = _stems(source), _stems(back)
    return sum((words & found).values()) / sum(words.values()) if words else 1.0


def numbers(text: str) -> Counter[str]:
    """Numbers in digits of any script or in English words, each as many times as it stands there."""
    found = _digits(text)
    for word in re.findall(r"[a-z]+", text.lower()):
        if word in WORDS and word != "one":
            found[str(WORDS[word])] += 1
    return found


def _digits(text: str) -> Counter[str]:
    plain_digits = "".join(
        str(unicodedata.digit(letter)) if letter.isdigit() and not letter.isascii() else letter for letter in text
    )
    return Counter(match.replace(",", ".").replace("٫", ".") for match in NUMBER.findall(plain_digits))


def _sides(text: str) -> Counter[str]:
    return Counter(SIDE.findall(plain(text).replace("bilateral", "left and right")))


def _polarity(text: str, vocabulary: Vocabulary) -> tuple[bool, str, dict[str, Said]]:
    """Whether anything is denied at all, a reply's yes or no, and what is said of each term."""
    form = plain(text)
    reply = re.match(r"(?:yes|no)\b", form)
    said = {mention.term: said_of(form, mention) for mention in vocabulary.named(form)}
    return DENIAL_RE.search(form) is not None, reply[0] if reply else "", said


def _stems(text: str) -> Counter[str]:
    return Counter(word[:5] for word in WORD.findall(plain(text)) if word not in EMPTY)
