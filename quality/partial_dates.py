"""Days without a year in free text: ``on 3 March``, ``last seen 03/14``; what medicine writes alike is let alone.

A day and a month are one of HIPAA's dates.  Fractions, scores, stages, levels of the spine and lengths of time
(``3/4 of the slices``, ``T3/4``, ``power 4/5``, ``in 2/52``) look the same; so numbers count only beside words that go
with days, or where a zero stands before a digit.
"""

import re
from collections.abc import Iterator

MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)"
)
WEEKDAY = r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|mon|tues?|wed|thu(?:rs?)?|fri|sat|sun)"
_DAY = r"(?:3[01]|[12]\d|0?[1-9])"
_NUMBER = r"(?:1[0-2]|0?[1-9])"
# Months are words of their own only with a capital: "May" and "March" are told from "may" and "march" by it.
_CAPITAL = r"(?-i:(?=[A-Z]))"
# Optical coherence tomography and metal artefact reduction are written like months.
_NO_MONTH = r"(?! (?:be|have|not|also|need|represent|show|reflect|[a-z]?-?scans?|images?|volumes?|angio\w*|eyes?)\b)"
_NAMED = re.compile(
    rf"(?<![\w./-])(?:{WEEKDAY},? )?(?:the )?(?:"
    rf"{_DAY}(?:st|nd|rd|th)?[ -](?:of )?{_CAPITAL}{MONTH}\b{_NO_MONTH}"
    rf"|{_CAPITAL}(?-i:(?![A-Z]{{3}} )){MONTH}\.? {_DAY}(?:st|nd|rd|th)?(?![\w%/-]|[.,]\d| ?(?:mm|cm|ml|mg|x|to)\b)"
    rf")",
    re.IGNORECASE,
)
_BESIDE = r"(?:on|dated?|since|until|till|seen|visit|exam(?:ination)?|study|signed|born|admitted|discharged|dob)"
_NOT_BEFORE = r"(?<!image )(?<!slice )(?<!series )(?<!level )(?<!grade )(?<!stage )(?<!score )(?<!power )(?<!frame )"
_END = (
    r"(?![\w%/-]|[.,]\d| ?(?:of|mm|cm|strength|power|images?|slices?|cases?|views?|levels?|nodes?|lymph|patients?|"
    r"segments?|lobes?|discs?|pain|points?|weeks?|days?|months?)\b)"
)
_ZERO = re.compile(
    rf"(?<![\w./-]){_NOT_BEFORE}(?:0[1-9]/{_DAY}|(?:1[0-2])/0[1-9]|(?:3[01]|[12]\d)/0[1-9]){_END}", re.IGNORECASE
)
_SPOKEN = re.compile(rf"\b{_BESIDE}[: ]{{1,2}}(?P<value>(?:{_NUMBER}/{_DAY}|{_DAY}/{_NUMBER})){_END}", re.IGNORECASE)
_MONTH_THERE = re.compile(r"(?:Ja|Fe|Ma|Ap|Ju|Au|Se|Oc|No|De|JA|FE|MA|AP|JU|AU|SE|OC|NO|DE)")


def partial_dates(text: str) -> Iterator[tuple[int, int]]:
    """Character spans of days that stand without a year; some are parts of whole dates, which others find."""
    if _MONTH_THERE.search(text):
        yield from (found.span() for found in _NAMED.finditer(text))
    if "/" in text:
        yield from (found.span() for found in _ZERO.finditer(text))
        yield from (found.span("value") for found in _SPOKEN.finditer(text))
