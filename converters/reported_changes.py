"""What a report says has changed since the earlier examination, finding by finding.

Only sentences that leave no choice are used: one kind of change, findings of the taxonomy that it plainly speaks of, no
denial, no doubt.  A finding of which a report says two different things (one side better, the other worse) is left out.
English only.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Literal

from converters.speech import english
from schemas import taxonomy
from schemas.case import Text

ReportedChange = Literal["new", "resolved", "worse", "better", "unchanged"]
_KINDS = ("report", "findings", "impression", "section")

_CLAUSE = re.compile(r"(?<=[.!?;])\s+|;|,?\s+\b(?:but|while|whereas|although|however|with|and there is|and a new)\b\s+")
_DOUBT = re.compile(
    r"\b(?:may|might|could|possib\w+|probabl\w+|likely|suspect\w*|question\w*|cannot|difficult|unclear|appears?|seems?|"
    r"suggest\w*|versus|vs|if|should|recommend\w*|or|expected|history)\b|\?",
    re.I,
)
_DENIED = re.compile(r"\b(?:no|not|without|never|neither|nor|none|rather than)\b", re.I)
_SINCE = re.compile(
    r"\b(?:has|have|had|since|interval(?:ly)?|compar\w+|prior|previous(?:ly)?|now|further|continue[sd]?|again)\b", re.I
)
"""Without one of these, "increased" may only say how the picture looks ("increased markings")."""

_NO_CHANGE = (
    r"(?:no|without)(?: (?:significant|substantial|appreciable|relevant|definite|interval|major|other))* change|"
    r"not (?:(?:significantly|substantially|appreciably) )?(?:been )?changed|unchanged|stable|"
    r"similar (?:in (?:size|appearance|extent)|to (?:the )?(?:prior|previous))"
)
_PARTLY = r"(?:partial(?:ly)?|near(?:ly)?|almost|incomplete(?:ly)?|mostly)(?: complete(?:ly)?)? (?:resol\w+|clear\w+)"
_CHANGES: tuple[tuple[ReportedChange, str, bool], ...] = (
    ("unchanged", _NO_CHANGE, False),
    ("better", _PARTLY, False),
    ("resolved", r"resolved|resolution of|cleared|disappeared|"
                 r"no longer (?:seen|visible|present|identified|evident)", False),
    ("worse", r"worsen(?:ed|ing)|progress(?:ed|ion)|(?:has|have) enlarged", False),
    ("better", r"improv(?:ed|ing|ement)|regress(?:ed|ion)", False),
    ("new", r"new(?:ly)?|interval (?:development|appearance) of|(?:has|have) (?:developed|appeared)", False),
    ("worse", r"increas(?:e|ed|ing)|larger|more (?:prominent|extensive|dense|conspicuous)", True),
    ("better", r"decreas(?:e|ed|ing)|smaller|reduced|reduction|diminish(?:ed|ing)|"
               r"less (?:prominent|extensive|dense|conspicuous)", True),
)  # fmt: skip
"""Change, the words for it, and whether these need a word of time beside them.  Longer phrases go first: "partially
resolved" is no resolution."""
_PATTERNS = tuple((change, re.compile(rf"\b(?:{words})\b", re.I), timed) for change, words, timed in _CHANGES)

_TOO_WIDE = frozenset({"abnormality", "collapse", "bacteria", "virus", "hypertension", "fibrosis", "edema", "oedema"})
"""Words of the taxonomy that mean something else, or nothing, in a report's running text."""
_BETWEEN = re.compile(
    r"(?:\s|,|\band\b|\bthe\b|\ba\b|\bleft\b|\bright\b|\bbilateral\b|\bsmall\b|\blarge\b|\bmild\b)*", re.I
)


def reported_changes(texts: Sequence[Text], anatomy: str) -> dict[str, tuple[ReportedChange, int]]:
    """Findings whose change the texts state, in canonical words.

    Args:
        texts: of the later examination; only reports, their sections, findings and impressions in English are read.
        anatomy: canonical, of the pictures; findings of other regions are not looked for.  Nothing is read where it is
            unknown.

    Returns:
        Finding -> its change and the number of the first text that states it.
    """
    said: dict[str, dict[ReportedChange, int]] = {}
    for number, text in enumerate(texts):
        if text.kind in _KINDS and text.language == "en":
            for clause in _CLAUSE.split(text.content):
                for label, change in _changes(clause, anatomy):
                    said.setdefault(label, {}).setdefault(change, number)
    return {label: next(iter(found.items())) for label, found in sorted(said.items()) if len(found) == 1}


def _changes(clause: str, anatomy: str) -> Iterator[tuple[str, ReportedChange]]:
    """Findings and their change; what stands behind a comma may speak of the finding before it ("edema, improved")."""
    if _DOUBT.search(clause):
        return
    timed, before = _SINCE.search(clause) is not None, ""
    for part in clause.split(","):
        found = _change(part, timed)
        spoken = part if _findings(anatomy).search(part) else f"{before},{part}"
        if found is not None:
            for label in _meant(spoken, found[1], anatomy):
                yield label, found[0]
        before = "" if found or _DENIED.search(part) else part


def _change(part: str, timed: bool) -> tuple[ReportedChange, str] | None:
    """The one kind of change that is stated, and its words; None where it is none, several, or denied."""
    found: dict[ReportedChange, str] = {}
    rest = part
    for change, words, needs_time in _PATTERNS:
        hit = words.search(rest)
        if hit and (timed or not needs_time):
            found.setdefault(change, hit[0])
        rest = words.sub(" ", rest)
    return found.popitem() if len(found) == 1 and not _DENIED.search(rest) else None


def _meant(text: str, change: str, anatomy: str) -> list[str]:
    """The findings that the words of change speak of: one, or a plain list; none where another thing may be meant."""
    spans = list(_findings(anatomy).finditer(text))
    at = text.find(change)
    gaps = [text[one.end() : other.start()] for one, other in pairwise(spans)]
    behind = [text[at + len(change) : span.start()] for span in spans if span.start() >= at]
    ahead = [text[span.end() : at] for span in spans if span.end() <= at]
    nearest = ahead[-1] if ahead else behind[0] if behind else "and"
    if re.search(r"\band\b", nearest) or not all(_BETWEEN.fullmatch(gap) for gap in gaps):
        return []
    return [_canonical(anatomy)[" ".join(span[1].casefold().split())] for span in spans]


@cache
def _canonical(anatomy: str) -> dict[str, str]:
    """How a finding of this anatomy may be spelled, plurals among them -> its canonical word."""
    found: dict[str, str] = {}
    for concept in taxonomy.labels().values():
        here = concept.kind in ("finding", "lesion") and taxonomy.meet("anatomy", concept.region, anatomy)
        if here and concept.name not in _TOO_WIDE:
            for word in (concept.name, *concept.synonyms, *concept.loose):
                if len(word) > 3 and word not in _TOO_WIDE and word.isascii():
                    found.setdefault(word.casefold(), concept.name)
                    found.setdefault(english.plural(word.casefold()), concept.name)
    return found


@cache
def _findings(anatomy: str) -> re.Pattern[str]:
    """Any finding; the longest spelling wins, so that "pleural effusion" is not read as "effusion"."""
    words = sorted(_canonical(anatomy), key=len, reverse=True)
    either = "|".join(r"\s+".join(map(re.escape, word.split())) for word in words)
    return re.compile(rf"\b({either})\b" if words else r"(?!)", re.I)
