"""Counts: how many of a term a text claims against how many are annotated."""

import re

from synthesis.checks.known import Known
from synthesis.checks.number_words import PATTERN, value
from synthesis.checks.polarity import Said
from synthesis.checks.terms import Mention

UNIT = r"(?:mm|cm|m|um|µm|ml|%|percent|times|years?|days?|weeks?|months?|x|fold|hu|kv|mg)"
NUMBER = re.compile(rf"\b(?:{PATTERN})\b(?! ?{UNIT}\b)(?![.,]\d)")
BOUND = re.compile(
    r"(?P<bound>at least|more than|over|at most|up to|fewer than|less than|about|approximately|around|nearly|some)$"
)
WHOLE = re.compile(rf"^ (?:of|out of)(?: the| these| all)? (?P<whole>{PATTERN})\b")
BETWEEN = re.compile(r"^(?:[ ,]+[a-z]+){0,4} ?$")
BREAK = re.compile(
    r"\b(?:and|or|with|but|of|in|on|at|to|is|are|than|per|the|a|grade|stage|type|phase|level|figure|panel|slice|segment)\b"
)
"""Words between a number and a term that part them."""
NAMED = re.compile(r"\b(?:grade|stage|type|phase|level|figure|panel|slice|segment|t|l|c|score|ribs?) $")
"""A number behind these is a name."""
MANY = re.compile(r"\b(?:several|multiple|many|numerous|a number of|a few|various)(?: [a-z]+){0,2} $")
ONLY = re.compile(
    r"\b(?:a single|single|solitary|only one|one single|only a single|just one|exactly one|a lone)(?: [a-z]+){0,2} $"
)
EXACT = re.compile(r"\b(?:exactly|a total of|in total|altogether|precisely|only|just)\b[^,;]{0,20}$")
BEHIND = (
    re.compile(rf"^,? (?P<number>{PATTERN}) (?:in number|in all|in total|altogether)\b"),
    re.compile(r"^ ?(?:[:=]|\(n ?=) ?(?P<number>\d+)\b"),
)
TOTAL = re.compile(r"\b(?:number|count|total) of (?:\w+ )?$")
TOTAL_BEHIND = re.compile(rf"^[a-z ]{{0,20}}? (?:is|are|equals|amounts to|was|=|:) ?(?P<number>{PATTERN})\b")
MADE_OF = re.compile(
    rf"\b(?P<number>{PATTERN}) (?:of (?:them|these|those|the(?: \w+){{1,2}}) )?"
    r"(?:is|are|appears? to be|looks? like) (?:an? |the )?$"
)
"""Before the term: "two of them are neutrophils"."""
MORE = re.compile(
    r"\b(?:more|another|additional|further|others?|a (?:second|third|fourth|fifth)|the (?:rest|remaining))\b"
)
"""Behind the number: it was not all of them."""
PART = re.compile(
    r"^(?: [a-z]+){0,2},? (?:(?:is|are|lies?|sits?|can be (?:seen|found)) )?(?:of (?:them|these|which)"
    r"|in the (?:upper|lower|left|right|center|middle|top|bottom)|on the (?:left|right)|near|at the|along|next to"
    r"|beside|below|above|touch\w*|overlap\w*|between)\b"
)
"""A place behind the term may mean some of them."""


def contradicts(sentence: str, mention: Mention, said: Said, known: Known) -> bool:
    """Whether the number that stands with the mention cannot be, given how many there are."""
    count = known.counts.get(mention.term)
    if count is None or said in ("absent", "doubtful", "nothing"):
        return False
    before, after = sentence[: mention.start], sentence[mention.end :]
    if ONLY.search(before):
        return count != 1
    if MANY.search(before):
        return count < 2
    made = MADE_OF.search(before)
    if made is not None:
        return value(made["number"]) != count and not MORE.search(after)
    number = _number_before(before)
    if number is not None:
        return _wrong(number, before, after, count)
    behind = next((match for pattern in _patterns(before) if (match := pattern.match(after))), None)
    return behind is not None and value(behind["number"]) != count


def _patterns(before: str) -> tuple[re.Pattern[str], ...]:
    return (TOTAL_BEHIND,) if TOTAL.search(before) else BEHIND


def _number_before(before: str) -> re.Match[str] | None:
    """The number that counts the term: the last one before it, unless other words part them."""
    found = list(NUMBER.finditer(before))
    if len(found) > 1 and WHOLE.match(before[found[-2].end() :]):
        found.pop()
    if not found or NAMED.search(before[: found[-1].start()]):
        return None
    between = WHOLE.sub("", before[found[-1].end() :])
    return found[-1] if BETWEEN.match(between) and not BREAK.search(between) else None


def _wrong(match: re.Match[str], before: str, after: str, count: int) -> bool:
    number = value(match[0])
    ahead = before[: match.start()].rstrip()
    whole = WHOLE.match(before[match.end() :])
    if whole:
        return value(whole["whole"]) != count or number > count
    bound = BOUND.search(ahead)
    if bound:
        return _outside(bound["bound"], number, count)
    if not EXACT.search(ahead) and (number == 1 or PART.match(after) or MORE.search(after)):
        return number > count
    return number != count


def _outside(bound: str, number: int, count: int) -> bool:
    if bound in ("at least", "more than", "over"):
        return count < number + (bound != "at least")
    if bound in ("at most", "up to", "fewer than", "less than"):
        return count > number - (bound in ("fewer than", "less than"))
    return abs(count - number) > max(1, 0.2 * count)
