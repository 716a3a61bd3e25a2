"""Finds words that begin with a capital for no reason that the text shows: names that no list knows.

A word is explained where it begins a sentence, stands in the taxonomy or in ``capitals.txt`` (eponyms, months,
makers, nations), goes before a noun that eponyms go before, or stands in a line that capitalises every word.
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources

UPPER = "".join(chr(code) for code in range(0x41, 0x530) if chr(code).isupper())
"""Capital letters of Latin, Greek and Cyrillic."""

EPONYM_NOUN = re.compile(
    r"[\w'’ -]{0,24}\b(?:syndrome|disease|sequence|sign|murmur|fracture|dislocation|spaces?|tumou?r|classification|"
    r"score|scale|procedure|operation|lines?|angle|lesion|deformity|cyst|node|hernia|duct|canal|ligament|view|method|"
    r"anomaly|malformation|lymphoma|sarcoma|catheter|tube|disorder|type|phenomenon|gland|cells?|bod(?:y|ies)|stain|"
    r"stage|grade|criteria|index|test|reaction|pouch|triangle|valve|procedure|shunt|drain|nodul\w+|palsy|contracture|"
    r"thyroiditis|esophagus|oesophagus|diverticulum|curve|foramen|artery|vein|nerve|muscle|fascia|lobe|encephalopathy)\b",
    re.IGNORECASE,
)
_WORD = re.compile(rf"(?<![\w<\[{{])[{UPPER}][^\W\d_]+(?:[-'’][^\W\d_]+)*(?![\w^])")
_START = re.compile(r"(?:^|[.!?:;•>\])\"“(|/]|\n|^[-*]|\b[A-Z]\.)[\s\"“(*-]*$")
_BETWEEN = re.compile(rf",? (?:[{UPPER}]\.? ){{0,2}}")
_TITLED = 0.85
_LONG_LINE = 5


@cache
def explained() -> frozenset[str]:
    """Words, in lower case, whose capital means nothing: those of the taxonomy and of ``capitals.txt``."""
    own = resources.files("quality").joinpath("capitals.txt").read_text("utf-8")
    texts = [line for line in own.splitlines() if not line.startswith("#")]
    for file in resources.files("schemas.taxonomy").iterdir():
        if file.name.endswith(".yaml"):
            texts.append(file.read_text("utf-8"))
    return frozenset(re.findall(r"[^\W\d_]+", " ".join(texts).lower()))


def unexplained(text: str) -> Iterator[tuple[int, int]]:
    """Character spans of runs of capitalised words of which at least one is not explained."""
    run: list[tuple[int, int, bool]] = []
    for found in _WORD.finditer(text):
        joined = bool(run) and bool(_BETWEEN.fullmatch(text, run[-1][1], found.start()))
        if not joined:
            yield from _closed(text, run)
            run = []
        run.append((found.start(), found.end(), _is_explained(text, found, first=not run)))
    yield from _closed(text, run)


def is_known(word: str) -> bool:
    """Whether a word, or every part of a hyphenated one, is explained by itself."""
    return all(
        part in explained() or part.removesuffix("s") in explained()
        for part in re.split(r"[-'’]", word.lower().removesuffix("'s").removesuffix("’s"))
    )


def _is_explained(text: str, found: re.Match[str], first: bool) -> bool:
    word = found[0]
    if len(word) < 3 or word.isupper() or is_known(word) or EPONYM_NOUN.match(text, found.end()):
        return True
    return first and bool(_START.search(text, max(found.start() - 6, 0), found.start()))


def _closed(text: str, run: list[tuple[int, int, bool]]) -> Iterator[tuple[int, int]]:
    strange = [index for index, (_, _, known) in enumerate(run) if not known]
    if not strange or _in_title(text, run):
        return
    first, last = strange[0], strange[-1]
    # A word before it that only its place explains belongs to the same name: "Ana Quux went home."
    if first and not is_known(text[run[first - 1][0] : run[first - 1][1]]):
        first -= 1
    yield run[first][0], run[last][1]


def _in_title(text: str, run: list[tuple[int, int, bool]]) -> bool:
    start = max(text.rfind(mark, 0, run[0][0]) for mark in "\n.?!") + 1
    ends = [place for mark in "\n.?!" if (place := text.find(mark, run[-1][1])) >= 0]
    words = re.findall(r"[^\W\d_]{4,}", text[start : min(ends, default=len(text))])
    return len(words) >= _LONG_LINE and sum(word[0].isupper() for word in words) >= _TITLED * len(words)
