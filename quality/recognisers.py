"""Finds what could name a person in free text: patterns, key words and names; no model, no network, no state.

The kinds follow the 18 identifiers of HIPAA Safe Harbor (45 CFR 164.514(b)(2)) as far as text can hold them.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

from quality.capitals import EPONYM_NOUN, UPPER, is_known, unexplained
from quality.partial_dates import MONTH, WEEKDAY, partial_dates
from quality.sentence_names import sentence_names

KINDS = (
    "email", "url", "ip", "phone", "ssn", "record_number", "long_number", "uid", "date", "person", "address",
    "institution", "age_over_89", "possible_name",
)  # fmt: skip
"""``possible_name``: a capital that nothing explains (`quality.capitals`); all others are sure of their form."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One identifier in a text, as half-open character positions; never its words."""

    kind: str
    start: int
    end: int


_YEAR = r"(?:1[89]|20)\d\d"
_DATE = re.compile(
    rf"(?<![\w.])(?:{WEEKDAY},? )?(?:"
    rf"{_YEAR}[-/.](?:1[0-2]|0?[1-9])[-/.](?:3[01]|[12]\d|0?[1-9])"  # 2012-03-09
    rf"|(?:3[01]|[12]\d|0?[1-9])[-/.](?:3[01]|[12]\d|0?[1-9])[-/.](?:{_YEAR}|\d\d)"  # 03/09/2012, 9.3.12
    rf"|{_YEAR}(?:1[0-2]|0[1-9])(?:3[01]|[12]\d|0[1-9])"  # 20120309
    rf"|(?:3[01]|[012]?\d)(?:st|nd|rd|th)?[ -](?:of )?{MONTH}\.?,?[ -](?:{_YEAR}|'?\d\d(?!\d))"  # 9 March 2012
    rf"|{MONTH}\.?[ -](?:3[01]|[012]?\d)(?:st|nd|rd|th)?,?[ -]{_YEAR}"  # March 9, 2012
    rf"|{MONTH}\.?,? (?:of )?{_YEAR}"  # March 2012
    rf"|(?:3[01]|[012]?\d)[-/.]?{MONTH}[-/.]?(?:{_YEAR}|\d\d)"  # 09-MAR-12, 9Mar2012
    rf"|{_YEAR}[-/. ]{MONTH}[-/. ](?:3[01]|[012]?\d)"  # 2012-Mar-09
    rf")(?:T\d\d:?\d\d(?::?\d\d)?)?(?!\w|\.\d)",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"(?<![\w.+-])(?:\+\d{1,3}[ .-]?(?:\(0\))?)?(?:\(\d{2,5}\)[ .-]?|\d{2,5}[ ./-])"
    r"(?:\d{2,4}[ .-]){1,3}\d{2,4}(?![\w-]|\.\d)"
    r"|(?<![\w.])\+\d{8,15}(?!\w)"
    r"|(?<![\w.+-])\(?\+\d{1,3}\)?[ .-]?(?:\(\d{1,5}\)[ .-]?)?\d[\d ./-]{4,14}\d"
    r"(?:[ ]?(?:x|ext\.?) ?\d{1,5})?(?![\w-]|\.\d)"
    r"|(?<![\w.+-])(?:\(0\d{2,5}\) ?|0\d{1,4}[ /-])\d{1,8}(?:[ /-]\d{2,8}){0,3}(?![\w-]|\.\d)"
    r"|(?<![\w.+-])(?:\(\d{3}\) ?|\d{3}[.-])\d{3}[.-]\d{4}(?: ?(?:x|ext\.?) ?\d{1,5})?(?!\w)"
)
_CALLED = re.compile(
    r"\b(?:tel(?:ephone)?|phone|fax|mobile|cell|pager|bleep|call(?:ed|ing)?(?: back)?(?: at| on)?)\b[ .:#]{0,3}"
    r"(?P<value>[+(\d][\d ()./-]{4,18}\d(?: ?(?:x|ext\.?) ?\d{1,5})?)(?!\w)",
    re.IGNORECASE,
)
_SSN = re.compile(r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])")
_RECORD = re.compile(
    r"\b(?:mrn|nhs|ssn|pid|medical record|hospital|patient|accession|acc|account|case|chart|policy|insurance|study|"
    r"exam|record|identification|id|license|licence|passport|pat\.?|fall)"
    r"[ \t-]*(?:number|num|no|nr|id|identifier|code)?\b"
    r"[.:#= \t]{0,4}"
    r"(?P<value>(?=[A-Z0-9/_-]*\d[A-Z0-9/_-]*\d)[A-Z0-9][A-Z0-9/_-]{3,}|\d{2,4}(?: \d{2,4}){1,4})(?!\w|\.\d)",
    re.IGNORECASE,
)
_LONG = re.compile(r"(?<![\w.])[A-Z]{0,4}\d{7,}(?![\w]|\.\d)")
_UID = re.compile(r"(?<![\w.])[0-2](?:\.\d+){5,}(?![\w.]*\w)")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_URL = re.compile(r"(?:\bhttps?://|\bftp://|\bwww\.)[^\s<>\"]+", re.IGNORECASE)
_IP = re.compile(r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w]|\.\d)")
_AGE = re.compile(r"(?<![\w.])(?:9\d|1[0-2]\d)[ -]?(?:years?|yrs?|y/?o)\b[ -]?(?:old)?", re.IGNORECASE)

_PARTICLES = r"(?:(?:van|von|der|den|de|la|le|del|della|di|da|dos|bin|al|el|ter|ten|zu) ){0,3}"
_NAME = rf"[{UPPER}][\w'’]+(?:-[{UPPER}][\w'’]+)?"
_CARET = re.compile(r"(?<![\w^])[^\W\d_][\w'’ -]*\^[^\W\d_][\w'’.-]*(?:\^[\w'’.-]*)*")
_AFTER_CARET = re.compile(r"\^[\w'’.-]+[ \t]+(?P<value>(?=[A-Z0-9/-]*\d\d)[A-Z0-9][A-Z0-9/-]{4,})(?!\w)")
"""A number after a name as DICOM writes it is the person's."""
_TITLE = re.compile(
    rf"\b(?:Drs?|Mr|Mrs|Ms|Miss|Mx|Prof|Professor|Doctor|Sister|Nurse|Herr|Frau|Mme|M\.?D\.?,)\.? "
    rf"(?:[A-Z]\.? ){{0,2}}{_NAME}(?: (?:[A-Z]\.? )?{_NAME}){{0,2}}"
)
_LABELLED = re.compile(
    rf"\b(?i:patient(?:'s)? name|name|patient|pt|surname|first name|last name|referring physician|physician|"
    rf"radiologist|technologist|attending|operator|pat|cc|contact|next of kin|nurse|consultant|surgeon)\b\.?"
    rf"[ \t]*[:=][ \t]*(?:[A-Z]\.? )?(?P<value>{_NAME}(?:,? (?:[A-Z]\.? )?{_NAME}){{0,2}})"
)
_ACTED = re.compile(
    rf"\b(?i:(?:reported|read|signed|dictated|referred|requested|transcribed|verified|reviewed|approved|interpreted|"
    rf"performed|discussed|communicated|electronically|patient|wife|husband|mother|father|son|daughter|brother|sister|"
    rf"partner|carer|physician|radiologist|technologist|surgeon|film|scan|images?)"
    rf"(?: (?:electronically|signed|by|with|to|of|is)){{0,3}})[,:]? (?!(?i:the|a|an)\b)"
    rf"(?P<value>{_NAME}(?:,? (?:[A-Z]\.? )?{_PARTICLES}{_NAME}){{1,2}})"
)
_SURE = re.compile(
    r"(?:\bby|\b(?:wife|husband|mother|father|son|daughter|brother|sister|partner|carer))[,:]? $", re.IGNORECASE
)
"""After these words two capitals are a person although one of them means something else too."""
_COMMA = re.compile(rf"(?<![\w'-])([{UPPER}][{UPPER}'’-]{{3,}}), ({_NAME})")
_PAIR = re.compile(rf"(?<![\w'-])({_NAME})(,?) +(?:[A-Z]\.? +)?{_PARTICLES}({_NAME})")
_SUITE = (
    r"(?:street|st|avenue|ave|road|rd|lane|ln|drive|boulevard|blvd|court|ct|square|terrace|place|highway|hwy|plaza|"
    r"parkway|pkwy|trail|crescent|close|gardens|mews|alley|circle|row)"
)
_ADDRESS = re.compile(
    rf"(?<![\w.])\d{{1,5}}[A-Za-z]? (?:[NSEW]\.? )?(?:[A-Z][\w'’.-]+ ){{1,4}}(?i:{_SUITE})\b\.?"
    r"(?:,? (?:Apt|Apartment|Suite|Unit|Flat)\.? ?\w{1,5}\b)?"
    r"|(?<![\w])[A-Z][\w-]+(?:stra(?:ss|ß)e|str\.|weg|gasse|platz) \d{1,4}[a-z]?(?!\w)"
    r"|(?<![\w])[A-Z]{2},? \d{5}-\d{4}(?!\w)|(?<![\w])(?:P\.? ?O\.? Box) \d+"
    r"|(?<![\w])[A-Z][a-z]+, [A-Z]{2} \d{5}(?!\w)"
)
_LIVES = re.compile(
    rf"\b(?i:(?:lives|living|resid(?:es|ing)|stays) at|address)\b[: \t]{{1,3}}"
    rf"(?P<value>(?:[{UPPER}]|\d|[a-z]+\.? (?=[{UPPER}]))[^\n;]{{3,60}}?)(?=\.? *(?:[;\n]|$)|\. +[{UPPER}])"
)
_INSTITUTION = re.compile(
    rf"\b(?:[{UPPER}][\w'’.-]+ ){{1,5}}(?:Hospital|Clinic|Medical Cent(?:er|re)|Infirmary|Health System|University|"
    rf"Klinikum|Hospice|Imaging Cent(?:er|re)|Radiology Associates)\b|\b(?:St|Saint)\.? {_NAME}(?:'s)? Hospital\b"
    rf"|\b(?:Klinikum|Hospital|University of|Clinique|Ospedale|Hôpital|Clinica) {_NAME}"
)
_HOUSE = re.compile(
    "Hospital|Clini|Ospedale|Hôpital|Medical Cent|Infirmary|Health System|University|Klinikum|Hospice|Imaging|Radiology"
)


@cache
def first_names() -> frozenset[str]:
    """Common given names of several languages, in lower case, from ``first_names.txt``."""
    text = resources.files("quality").joinpath("first_names.txt").read_text("utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return frozenset(word for line in lines for word in line.split())


def find(text: str) -> list[Hit]:
    """All identifiers of a text by position, `joined`.

    Args:
        text: any text.
    """
    if not text:
        return []
    possible = (Hit("possible_name", start, end) for start, end in unexplained(text))
    return joined([*(hit for look in _LOOKS for hit in look(text)), *possible])


def joined(found: Iterable[Hit]) -> list[Hit]:
    """Hits by position, overlapping ones as one: of the kind that begins first, a possible name of the other's."""
    whole: list[Hit] = []
    for hit in sorted(found, key=lambda hit: (hit.start, -hit.end)):
        if whole and hit.start < whole[-1].end:
            last = whole[-1]
            kind = hit.kind if last.kind == "possible_name" else last.kind
            whole[-1] = Hit(kind, last.start, max(last.end, hit.end))
        else:
            whole.append(hit)
    return whole


@lru_cache(maxsize=8192)
def kinds_in(text: str) -> frozenset[str]:
    """The kinds of identifiers in a text; remembered, since templates say the same again and again."""
    return frozenset(hit.kind for hit in find(text))


def mask(text: str, kinds: frozenset[str]) -> str:
    """The text with every identifier of ``kinds`` replaced by its kind in brackets: ``[date]``."""
    parts, at = [], 0
    for hit in find(text):
        if hit.kind in kinds:
            parts += [text[at : hit.start], f"[{hit.kind.replace('_', ' ')}]"]
            at = hit.end
    return "".join([*parts, text[at:]])


_DIGIT = re.compile(r"\d")
_WORDS = re.compile(r"[^\W\d_]{2,}")


def _numbers(text: str) -> Iterator[Hit]:
    if not _DIGIT.search(text):
        return
    yield from (Hit("ssn", found.start(), found.end()) for found in _SSN.finditer(text))
    for found in _RECORD.finditer(text):
        yield Hit("record_number", found.start("value"), found.end("value"))
    yield from (Hit("phone", found.start("value"), found.end("value")) for found in _CALLED.finditer(text))
    patterns = (
        ("date", _DATE), ("uid", _UID), ("ip", _IP), ("phone", _PHONE), ("long_number", _LONG),
        ("age_over_89", _AGE), ("address", _ADDRESS),
    )  # fmt: skip
    for kind, pattern in patterns:
        for found in pattern.finditer(text):
            if kind != "phone" or sum(map(str.isdigit, found[0])) >= 7:
                yield Hit(kind, found.start(), found.end())
    yield from (Hit("date", start, end) for start, end in partial_dates(text))


def _network(text: str) -> Iterator[Hit]:
    if "@" in text:
        yield from (Hit("email", found.start(), found.end()) for found in _EMAIL.finditer(text))
    if "://" in text or "www." in text.lower():
        yield from (Hit("url", found.start(), found.end()) for found in _URL.finditer(text))


def _people(text: str) -> Iterator[Hit]:
    if "^" in text:
        yield from (Hit("person", found.start(), found.end()) for found in _CARET.finditer(text))
        for found in _AFTER_CARET.finditer(text):
            yield Hit("record_number", found.start("value"), found.end("value"))
    yield from (Hit("person", start, end) for start, end in sentence_names(text))
    yield from (Hit("person", found.start(), found.end()) for found in _TITLE.finditer(text))
    # Two capitalised words in a row are rare, and looking for them is cheap.
    pairs = list(_PAIR.finditer(text))
    if pairs:
        yield from _two_words(text, pairs)
    if " at " in text or "ddress" in text:
        yield from (Hit("address", found.start("value"), found.end("value")) for found in _LIVES.finditer(text))
    if ":" in text or "=" in text:
        yield from (Hit("person", found.start("value"), found.end("value")) for found in _LABELLED.finditer(text))
    if _HOUSE.search(text):
        yield from (Hit("institution", found.start(), found.end()) for found in _INSTITUTION.finditer(text))


def _two_words(text: str, pairs: list[re.Match[str]]) -> Iterator[Hit]:
    for pattern, group in ((_ACTED, "value"), (_COMMA, 0)):
        for found in pattern.finditer(text):
            sure = _SURE.search(text, found.start(), found.start(group))
            known = [is_known(word) for word in _WORDS.findall(found[group])]
            if not (all(known) if sure else any(known)):
                yield Hit("person", found.start(group), found.end(group))
    for found in pairs:
        if _is_name(found) and not EPONYM_NOUN.match(text, found.end()):
            yield Hit("person", found.start(), found.end())


def _is_name(found: re.Match[str]) -> bool:
    """``John Smith``, ``SMITH, John``, ``SMITH JOHN``; an eponym of two words holds no given name as a rule."""
    names = first_names()
    one, comma, other = found[1].lower(), found[2], found[3].lower()
    if comma or (found[1].isupper() and found[3].isupper()):
        return one in names or other in names
    return one in names


_LOOKS: tuple[Callable[[str], Iterator[Hit]], ...] = (_numbers, _network, _people)
