"""Whether a text says anything: of what its writer was told, and at all.

A caption that contradicts nothing may still name nothing that is annotated.  What must be named is one of the present
labels and regions that the writer was told of, by its name, a synonym, a broader word ("mass" of glioma) or one of its
own words; where it was told of none, one word of the texts that it was told; and without texts, what kind of picture
it is, or of what.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from operator import eq

from schemas.case import Case
from schemas.instruction import Instruction
from synthesis.checks.terms import plain
from synthesis.checks.vocabulary import VAGUE, Vocabulary

STEM = 5
"""Letters in which words are compared."""
WORD = re.compile(r"[a-z]{4,}")
EMPTY = frozenset({
    "left", "right", "with", "without", "other", "type", "class", "none", "image", "picture", "white", "black", "blue",
    "green", "brown", "yellow", "pink",
})  # fmt: skip
"""Words of labels that name nothing on their own."""
MADE_BY = re.compile(
    r"\b(?:cts?|mris?|mr|x rays?|radio\w+|films?|tomo\w+|ultraso\w+|sono\w+|micros\w+|histo\w+|fundus|endosc\w+"
    r"|dermo\w+|smears?|stain\w*|scans?|mammo\w+|angio\w+|photo\w+)\b"
)
"""Kinds of pictures."""
NO_FINDING = re.compile(r"^(?:no\b|normal|healthy|negative|without|benign|unremarkable)")
"""Labels that say that nothing is wrong; any denial names them."""
NOTHING_WRONG = re.compile(
    r"\b(?:no|not|none|without|normal|unremarkable|clear|healthy|intact|free|absent|negative|benign|regular)\b"
)
LETTERS = re.compile(r"[^\W\d_]+")
BREAKS = re.compile(r"[,.;:\n]")
REPEATED = 4
"""So often in a row no word stands in a sentence."""
ENOUGH = 20
"""Words from which on a text can be judged by how many of them differ."""
DIFFERENT = 0.33
"""Least share of different words, of the first 80 at most; English has about twice that."""
SENTENCE_WORDS = 8
"""Words from which on English has one of `GLUE`."""
GLUE = frozenset({
    "a", "an", "the", "is", "are", "was", "were", "of", "in", "on", "at", "to", "and", "or", "with", "no", "not", "for",
    "by", "this", "that", "there", "from", "as", "it", "be", "has", "have", "shows", "both", "without", "which",
})  # fmt: skip
LONGEST = 30
"""Letters; the longest words of medicine in use have fewer."""


def names_nothing(row: Instruction, case: Case, vocabulary: Vocabulary) -> bool:
    """Whether a row's answers name none of the present labels and regions, or texts, that its writer was told."""
    told = row.provenance.facts
    labels = set(_labels(case, told))
    written = " ".join(message.content for message in row.messages if message.role == "assistant")
    if labels and not stems(written.lower()).isdisjoint(stems(" ".join(labels).lower())):
        return False
    said = plain(written)
    if labels:
        return not _names_one(said, labels, vocabulary)
    texts = [text.content for index, text in enumerate(case.texts) if f"texts[{index}]" in told]
    made = [value for name, value in asdict(case.acquisition).items() if f"acquisition.{name}" in told]
    if not texts and MADE_BY.search(said):
        return False
    known = " ".join(texts or map(str, made))
    return bool(known) and stems(plain(known)).isdisjoint(stems(said))


def _labels(case: Case, told: Sequence[str]) -> Iterator[str]:
    for index, label in enumerate(case.labels):
        if label.polarity == "present" and f"labels[{index}]" in told:
            yield label.name
    for index, region in enumerate(case.regions):
        if f"regions[{index}]" in told:
            yield region.label


def _names_one(said: str, labels: set[str], vocabulary: Vocabulary) -> bool:
    words = stems(said)
    if any(not words.isdisjoint(stems(plain(label))) for label in labels):
        return True
    if any(NO_FINDING.match(plain(label)) for label in labels) and NOTHING_WRONG.search(said) is not None:
        return True
    return any(mention.term in labels and mention.kind != "denied" for mention in vocabulary.mentions(said))


def stems(text: str) -> set[str]:
    """Beginnings of the words of plain text that carry meaning."""
    return {word[:STEM] for word in WORD.findall(text) if word not in EMPTY and word not in VAGUE}


def gibberish(text: str) -> bool:
    """Whether an English text is no language: one word over and over, too few different ones, no small words."""
    if len(text) < LONGEST and text.count(" ") < REPEATED - 1:
        return False
    words = LETTERS.findall(text.lower())
    different = set(words)
    if sum(map(eq, words, words[1:])) >= REPEATED - 1 or max(map(len, different), default=0) > LONGEST:
        return True
    if len(words) >= ENOUGH and len(different) < DIFFERENT * min(len(words), 80):
        return True
    listed = len(BREAKS.findall(text)) >= len(words) / 4
    return len(words) >= SENTENCE_WORDS and not listed and GLUE.isdisjoint(words)
