"""Sizes: measurements in a text against the extents of the annotated regions."""

import re

from synthesis.checks.known import Known
from synthesis.checks.polarity import Said
from synthesis.checks.terms import Mention, clause

BY = r" ?(?:x|by|×) ?"
LENGTH = re.compile(
    r"(?:(?P<bound>smaller than|less than|under|below|larger than|bigger than|more than|over|at least) )?"
    rf"(?P<first>\d+(?:\.\d+)?)(?:{BY}(?P<second>\d+(?:\.\d+)?))?(?:{BY}\d+(?:\.\d+)?)?"
    r" ?(?P<unit>mm|cm|millimet(?:er|re)s?|centimet(?:er|re)s?)\b"
)
NOT_ITS_OWN = re.compile(
    r"^ (?:away|apart|from|below|above|deep|thick|off|behind|slices?|sections?|stalk|wall|septum|rim"
    r"|margin|capsule|scale)\b"
)
"""Behind a length: it is a distance, or the size of something else."""
OF_THE_SCAN = re.compile(r"\b(?:slice|section) (?:thickness|distance|spacing)[^,;]*$")
ONE_WAY = re.compile(r"^ (?:wide|high|tall|broad|in (?:its )?(?:width|height|short axis|depth)|short axis|across)\b")
"""Behind a length: it need not be the greatest."""
DIGIT = re.compile(r"\d")
SMALL = re.compile(r"\bsub ?centimet(?:er|re)\b")
TOLERANCE = 0.2
SLACK_MM = 1.0


def contradicts(sentence: str, mention: Mention, said: Said, known: Known) -> bool:
    """Whether a length that stands with the term is none of its own, or nothing is known about its size."""
    if said in ("absent", "doubtful", "nothing"):
        return False
    if "centimet" in sentence and SMALL.search(sentence):
        sizes = known.sizes_mm.get(mention.term, ())
        return bool(sizes) and max(sizes[0::3] + sizes[1::3]) > 10 * (1 + TOLERANCE) + SLACK_MM
    if DIGIT.search(sentence) is None or LENGTH.search(sentence) is None:
        return False
    text = sentence if mention.alone else clause(sentence, mention)
    sizes = known.sizes_mm.get(mention.term, ())
    return any(not _fits(match, sizes) for match in LENGTH.finditer(text) if _its_own(match, text))


def _its_own(match: re.Match[str], text: str) -> bool:
    return not NOT_ITS_OWN.match(text[match.end() :]) and not OF_THE_SCAN.search(text[: match.start()])


def _fits(match: re.Match[str], sizes: tuple[float, ...]) -> bool:
    scale = 10 if match["unit"].startswith("c") else 1
    lengths = [float(text) * scale for text in (match["first"], match["second"]) if text]
    bound = match["bound"] or ""
    if bound and sizes:
        longest = max(sizes[0::3] + sizes[1::3])
        above = bound in ("larger than", "bigger than", "more than", "over", "at least")
        return longest >= lengths[0] - SLACK_MM if above else longest <= lengths[0] * (1 + TOLERANCE) + SLACK_MM
    if len(lengths) == 1 and not ONE_WAY.match(match.string[match.end() :]):
        return any(_longest(lengths[0], *triple) for triple in zip(sizes[0::3], sizes[1::3], sizes[2::3], strict=True))
    if len(lengths) == 1:
        sizes = sizes[0::3] + sizes[1::3]
    return all(any(_near(length, size) for size in sizes) for length in lengths)


def _longest(length: float, width: float, height: float, diagonal: float) -> bool:
    """Whether one length may be the greatest extent of a region: at least its longer side, at most its diagonal."""
    low, high = max(width, height), diagonal
    return low - max(SLACK_MM, TOLERANCE * low) <= length <= high + max(SLACK_MM, TOLERANCE * high)


def _near(length: float, size: float) -> bool:
    return abs(length - size) <= max(SLACK_MM, TOLERANCE * size)
