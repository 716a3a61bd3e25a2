"""What is known of common findings: other words, broader words, and the structures that are not normal where one is."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from pydantic import Field

from schemas.spec import Strict
from schemas.yaml_file import load_yaml


class Finding(Strict):
    """What ``synonyms.yaml`` says of one finding; its head explains the fields."""

    same: list[str] = Field(default_factory=list)
    denied: list[str] = Field(default_factory=list)
    sites: list[str] = Field(default_factory=list)
    kinds: list[str] = Field(default_factory=list)
    """Names of `Findings.kinds`, or a broader word itself."""


class Findings(Strict):
    """``synonyms.yaml``."""

    version: int
    sites: dict[str, list[str]]
    kinds: dict[str, list[str]]
    healthy: list[str]
    """Statements that deny every finding that is an abnormality."""
    terms: dict[str, Finding]

    def broader(self, finding: Finding) -> list[str]:
        """Broader words for a finding."""
        return [word for kind in finding.kinds for word in self.kinds.get(kind, [kind])]

    def structures(self, finding: Finding) -> list[str]:
        """Structures of which none is normal where the finding is."""
        return [word for site in finding.sites for word in self.sites[site]]


@cache
def common() -> Findings:
    """The findings that come with the project."""
    return load_yaml(Path(__file__).with_name("synonyms.yaml"), Findings)


TUMOR = re.compile(r"(?:tumor|cancer|neoplasm|malignancy|oma)$")
ILLNESS = re.compile(
    r"(?:nodule|mass|tumor|cancer|oma|lesion|cyst|stone|metastasis|fracture|opacity|infarct|hemorrhage|tear|abscess"
    r"|polyp"
    r"|ulcer|calcification|edema|infection|disease|abnormality|aneurysm|stenosis)$"
)


def finding(name: str) -> Finding:
    """What is known of a term in its plain form; of one that is not in the file, what its own words say."""
    known = common().terms.get(name)
    if known is not None:
        return known
    kinds = ["lesion", "mass"] if TUMOR.search(name) else []
    enlarged = ENLARGED.fullmatch(name)
    if enlarged is not None:
        return _enlargement(LARGE[enlarged["organ"]])
    sites = [site for site, words in common().sites.items() if ILLNESS.search(name) and name.split()[0] in words]
    return Finding(sites=sites, kinds=[*kinds, "abnormality"] if ILLNESS.search(name) else kinds)


LARGE = {
    "cardio": "heart", "spleno": "spleen", "hepato": "liver", "nephro": "kidney", "reno": "kidney", "thyro": "thyroid",
    "pancreato": "pancreas",
}  # fmt: skip
ENLARGED = re.compile(rf"(?P<organ>{'|'.join(LARGE)})megaly")


def _enlargement(organ: str) -> Finding:
    """An organ that is too large: said so in other words, and denied where the organ is normal."""
    same = [f"enlarged {organ}", f"enlargement of the {organ}", f"{organ} enlargement", f"{organ} is large"]
    same += [f"{organ} {verb} enlarged" for verb in ("is", "appears", "looks")]
    sites = [site for site, words in common().sites.items() if organ in words]
    return Finding(same=same, denied=[f"{organ} is not enlarged"], sites=sites[:1], kinds=["abnormality"])


ENDINGS = (
    ("osis", "otic"), ("asis", "atic"), ("lysis", "lytic"), ("esis", "etic"), ("ysema", "ysematous"),
    ("edema", "edematous"), ("oma", "omatous"), ("hemorrhage", "hemorrhagic"), ("fracture", "fractured"),
    ("ulcer", "ulcerated"), ("calcification", "calcified"), ("aneurysm", "aneurysmal"), ("dilatation", "dilated"),
    ("dilation", "dilated"), ("perforation", "perforated"), ("cavitation", "cavitating"), ("infarct", "infarcted"),
    ("infarction", "infarcted"), ("herniation", "herniated"), ("rupture", "ruptured"), ("thrombus", "thrombosed"),
    ("inflammation", "inflamed"), ("detachment", "detached"), ("obstruction", "obstructed"), ("collapse", "collapsed"),
    ("displacement", "displaced"), ("dislocation", "dislocated"), ("enlargement", "enlarged"),
    ("thickening", "thickened"), ("tear", "torn"), ("degeneration", "degenerated"), ("compression", "compressed"),
)  # fmt: skip


ORGANS = {
    "retinal": "retina", "renal": "kidney", "hepatic": "liver", "pulmonary": "lung", "cardiac": "heart",
    "meniscal": "meniscus", "cerebral": "brain", "macular": "macula", "ovarian": "ovary", "gastric": "stomach",
    "colonic": "colon", "bronchial": "bronchus", "splenic": "spleen", "aortic": "aorta", "pancreatic": "pancreas",
}  # fmt: skip
SIDES = ("left", "right")


def adjectives(name: str) -> Iterable[str]:
    """Words that say of something else that it has the finding: "necrotic" for necrosis."""
    yield from (name.removesuffix(end) + made for end, made in ENDINGS if name.endswith(end))


PART = (
    r"(?:left|right|upper|lower|middle|mid|anterior|posterior|lateral|medial|inferior|superior|proximal|distal|central"
    r"|peripheral|lobe|pole|segment|part|aspect|half|base|apex|surface|first|second|third|\w+th|\d+|to|of|the"
    r"|and(?= (?:left|right|upper|lower|middle|first|second|third|\w+th|\d+)\b))"
)
"""Words that say which part of an organ is meant."""


def in_a_place(name: str) -> Iterable[tuple[str, re.Pattern[str]]]:
    """For names such as "liver cyst": (a word that must be there, "cyst in the liver" and "the liver is cystic")."""
    first, *rest = name.split()
    if len(rest) == 1 and first not in SIDES:
        place = rf"(?:{first}|{ORGANS[first]})" if first in ORGANS else first
        no = r"(?! not\b| no\b| never\b)"
        where = rf"(?:in|of|within) (?:the|your|my|his|her|both|a)(?: \w+)?(?: {PART}){{0,6}} {place}s?\b"
        yield rest[0], re.compile(rf"\b{rest[0]}s? {where}")
        for word in adjectives(rest[0]):
            yield word, re.compile(rf"\b{word} {place}s?\b|\b{place}s?(?:{no} \w+){{1,3}} {word}\b")


GOOD = (
    r"(?:normal|unremarkable|clear|intact|healthy|fine|preserved|sharp|pristine|within normal limits|free of disease"
    r"|of (?:a )?(?:normal|healthy|regular|usual) (?:size|caliber|shape|width|thickness|appearance|signal|density)"
    r"|homogene?ous|without abnormality"
    r"|not (?:enlarged|dilated|blunted|thickened|widened|swollen|torn|broken|inflamed)"
    r"|(?:shows?|has|have) (?:a |an )?(?:normal|unremarkable) \w+)"
)
GOOD_SIGN = re.compile(r"normal|unremarkable|clear|intact|healthy|fine|preserved|sharp|pristine|disease|homogen|not ")
BE = r"(?:is|are|was|were|appears?|appeared|looks?|remains?|seems?|to be)"
HOW = r"(?: (?:also|all|both|otherwise|well|entirely|completely|relatively|grossly|bilaterally|a|an|the|to be)){0,3}"
EXCEPT = re.compile(
    r"\b(?:apart from|aside from|except|other than|besides|otherwise|with the exception|save for|but|near normal)\b"
)


NOT_ALL = re.compile(
    r"\b(?:remaining|remainder|rest of the|rest of|residual|contralateral|opposite|other|surrounding|adjacent"
    r"|uninvolved"
    r"|unaffected|by|to|of|from|in|into|within|than|near|against|beside|around|upper|lower|middle|visible|next to"
    r"|no longer"
    r"|not)(?: (?:a|an|the|both|this))? $"
)
"""Before a structure: only a part of it is meant, or it is spoken of in passing."""


IN_SIZE = re.compile(r",? (?:(?:in|for) )?(?:size|sized|caliber|contour|shape|position|width|thickness)\b")
BY_SIZE = re.compile(
    r"\b(?:of (?:a )?\w+ (?:size|caliber|shape|width|thickness)|not (?:enlarged|dilated|thickened|widened|swollen)"
    r"|sized)\b"
)
"""A structure is normal in its size or shape, which leaves open what lies in it."""
OF_SIZE = re.compile(
    r"megaly|enlarg|dilat|trophy|aneurysm|ectasia|thicken|swell|swollen|narrow|stenosis|hydroneph|widen|scoliosis|itis$"
)
"""Findings that change the size or shape of their structure."""


class NormalStructures:
    """Finds statements that a structure is normal, and which terms they deny.

    Args:
        terms_of: structure in its plain singular and plural forms to the terms that it is free of.
    """

    def __init__(self, terms_of: Mapping[str, tuple[str, ...]]) -> None:
        self._terms_of = terms_of
        words = "|".join(map(re.escape, sorted(terms_of, key=lambda word: (-len(word), word))))
        self._pattern = re.compile(
            rf"\b(?:{GOOD} (?:(?:looking|sized|appearing) )?(?P<behind>{words})"
            rf"|(?P<before>{words})(?:(?:,| and|,? or|,? as well as)(?: the| both)?(?: \w+){{1,2}}){{0,3}}"
            rf"(?: {BE}{HOW}|:)? {GOOD})\b"
        )

    def find(self, sentence: str) -> Iterable[tuple[int, int, tuple[str, ...]]]:
        """(start, end, denied terms) of each such statement in a plain sentence."""
        if not self._terms_of or GOOD_SIGN.search(sentence) is None:
            return
        for match in self._pattern.finditer(sentence):
            if NOT_ALL.search(sentence, 0, match.start()):
                continue
            terms = self._terms_of[match["behind"] or match["before"]]
            if BY_SIZE.search(match[0]) or IN_SIZE.match(sentence, match.end()):
                terms = tuple(term for term in terms if OF_SIZE.search(term))
            yield match.start(), match.end(), terms
