"""Canonical label words: what they are part of, on which side, whether abnormal, and how else they are spelled.

Names of structures and lesions are SAT's (452 of them), findings those of the Med-MAT and MedSegBench sets.  A word
written ``paired`` in the data stands for itself, its left and its right; a numbered one for each of its numbers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, RootModel

from schemas.spec import Strict
from schemas.taxonomy.axes import meet
from schemas.yaml_file import load_yaml

Side = Literal["", "left", "right"]
Kind = Literal["structure", "lesion", "finding", "object", "state", "grade"]
_SHORT = 3
"""Letters below which a word is like no other."""

_FILES: dict[str, Kind] = {
    "label_body": "structure",
    "label_head": "structure",
    "label_lesions": "lesion",
    "label_findings": "finding",
    "label_cells": "object",
    "label_states": "state",
}


@dataclass(frozen=True, slots=True)
class LabelConcept:
    """One canonical label."""

    name: str
    kind: Kind
    region: str = ""
    """A word of the anatomy axis."""
    of: tuple[str, ...] = ()
    """The wider labels that hold it: ``kidney`` of ``left kidney`` and of ``kidney tumor``."""
    side: Side = ""
    """The patient's."""
    abnormal: bool = False
    synonyms: tuple[str, ...] = ()
    opposite: str = ""
    """The state that excludes it."""
    loose: tuple[str, ...] = ()
    """Spellings that mean it only in its region: ``edema`` is of the brain, the lung, the heart or the macula."""


class _Numbers(Strict):
    form: str
    first: int = Field(alias="from")
    last: int = Field(alias="to")


class _Entry(Strict):
    region: str = ""
    of: tuple[str, ...] = ()
    side: Side = ""
    paired: bool = False
    sided_only: bool = False
    """True where only left and right are canonical, and the bare word is none."""
    numbers: _Numbers | None = None
    abnormal: bool = False
    synonyms: tuple[str, ...] = ()
    opposite: str = ""
    loose: tuple[str, ...] = ()


class _Entries(RootModel[dict[str, _Entry]]):
    """Contents of one file of labels."""


class Scale(Strict):
    """Grades in rising order, mildest first."""

    region: str
    grades: tuple[str, ...] = Field(min_length=2)
    normal: str = ""


class _Codes(RootModel[dict[str, str]]):
    """Contents of ``label_codes.yaml``."""


class _Scales(RootModel[dict[str, Scale]]):
    """Contents of ``label_scales.yaml``."""


@cache
def scales() -> Mapping[str, Scale]:
    """All ordinal scales by name."""
    return load_yaml(Path(__file__).parent / "label_scales.yaml", _Scales).root


@cache
def labels() -> Mapping[str, LabelConcept]:
    """All canonical labels by name."""
    found: dict[str, LabelConcept] = {}
    for file, kind in _FILES.items():
        for word, entry in load_yaml(Path(__file__).parent / f"{file}.yaml", _Entries).root.items():
            for concept in _expanded(word, entry, kind):
                found[concept.name] = concept
    for scale in scales().values():
        for grade in scale.grades:
            found.setdefault(grade, LabelConcept(grade, "grade", scale.region))
    return {name: replace(concept, of=tuple(_held_by(concept, found))) for name, concept in found.items()}


def _held_by(concept: LabelConcept, found: Mapping[str, LabelConcept]) -> Iterator[str]:
    """The wider labels; one that `_sided` derived is left out where it is none ("left heart")."""
    return (wider for wider in concept.of if wider in found or not wider.startswith(concept.side or "-"))


def _expanded(word: str, entry: _Entry, kind: Kind) -> Iterator[LabelConcept]:
    """The word itself, its numbers, and the left and right of each."""
    abnormal = entry.abnormal or kind in ("lesion", "finding")
    plain = LabelConcept(
        word, kind, entry.region, entry.of, entry.side, abnormal, entry.synonyms, entry.opposite, entry.loose
    )
    forms = [plain]
    if entry.numbers is not None:
        span = range(entry.numbers.first, entry.numbers.last + 1)
        forms += [
            replace(plain, name=entry.numbers.form.format(n=n), of=(word,), synonyms=_short(entry.numbers.form, n))
            for n in span
        ]
    for form in forms:
        if not entry.sided_only:
            yield form
        if entry.paired:
            yield from (_sided(form, side, entry) for side in ("left", "right"))


def _sided(form: LabelConcept, side: Literal["left", "right"], entry: _Entry) -> LabelConcept:
    wider = entry.of if entry.sided_only else (form.name,)
    if form.of and form.of[0] in form.name:
        wider = (*wider, f"{side} {form.of[0]}") if not entry.sided_only else wider
    spellings = tuple(f"{side} {synonym}" for synonym in form.synonyms)
    return replace(form, name=f"{side} {form.name}", side=side, of=wider, synonyms=spellings, loose=())


def _short(form: str, number: int) -> tuple[str, ...]:
    """``t3`` and ``vertebrae t3`` for ``thoracic vertebrae 3 (t3)``."""
    inside = form[form.find("(") + 1 : form.find(")")].format(n=number) if "(" in form else ""
    return (inside, f"vertebrae {inside}") if inside else ()


def plain(word: str) -> str:
    """A word as it is compared: lower case, underscores and hyphens as spaces, single spaces."""
    return " ".join(word.replace("_", " ").replace("-", " ").lower().split())


@cache
def _spellings() -> dict[str, str]:
    """Every spelling -> canonical word; canonical words go before synonyms, earlier files before later ones."""
    words = {plain(name): name for name in labels()}
    for name, concept in labels().items():
        for spelling in concept.synonyms:
            words.setdefault(plain(spelling), name)
    return words


@cache
def _loose() -> dict[str, tuple[str, ...]]:
    """Spellings that mean a label only in its region -> the labels that they may mean."""
    found: dict[str, tuple[str, ...]] = {}
    for name, concept in labels().items():
        for spelling in concept.loose:
            found[plain(spelling)] = (*found.get(plain(spelling), ()), name)
    return found


def canonical_label(word: str, region: str = "") -> str:
    """The canonical label for ``word`` in any known spelling, or an empty string.

    Args:
        word: as a source writes it.
        region: a word of the anatomy axis; where given, it settles what a word such as ``mass`` or ``edema`` means, if
            only one of its meanings is of that region.
    """
    compared = plain(word)
    near = [name for name in _loose().get(compared, ()) if region and meet("anatomy", labels()[name].region, region)]
    if len(near) == 1:
        return near[0]
    return next((_spellings()[form] for form in (compared, _side_first(compared)) if form in _spellings()), "")


def _side_first(word: str) -> str:
    """``kidney right``, ``rib left 3`` and ``right sided kidney`` with the side in front; others as they are."""
    words = [part for part in word.split() if part not in ("sided", "side")]
    sides = {"left": "left", "right": "right", "l": "left", "r": "right", "lt": "left", "rt": "right"}
    found = [part for part in words if part in sides]
    if len(found) != 1 or len(words) < 2:
        return word
    return " ".join([sides[found[0]], *(part for part in words if part != found[0])])


def propose(word: str, count: int = 3) -> list[str]:
    """The nearest canonical labels for a word that has none, best first; the exact one alone where there is one.

    What the word may mean in some region goes first, then what is spelled like it; numbers and letters are like none.
    """
    exact = canonical_label(word)
    if exact:
        return [exact]
    compared = plain(word)
    if (len(compared) < _SHORT and compared not in _loose()) or compared.replace(" ", "").isdecimal():
        return []
    near = get_close_matches(compared, list(_spellings()), n=count * 2, cutoff=0.6)
    return list(dict.fromkeys([*_loose().get(compared, ()), *(_spellings()[form] for form in near)]))[:count]


@cache
def _codes() -> Mapping[str, str]:
    return load_yaml(Path(__file__).parent / "label_codes.yaml", _Codes).root


def snomed(name: str) -> str:
    """The SNOMED CT code of a canonical label, or an empty string where none was verified.

    Verified means: DICOM's own table of concepts, as pydicom ships it, has the code under the label's name.
    """
    return _codes().get(name, "")


def ancestors(name: str) -> frozenset[str]:
    """Every wider label of a canonical one, itself left out."""
    return _ancestors(name)


@cache
def _ancestors(name: str) -> frozenset[str]:
    concept = labels().get(name)
    if concept is None:
        return frozenset()
    return frozenset(concept.of).union(*(_ancestors(wider) for wider in concept.of))


@cache
def parts(name: str) -> tuple[str, ...]:
    """Every label that ``name`` holds, at any depth, in the order of the taxonomy.

    An organ that is whole includes its lesions, so its mask is the union with these (SAT's rule: kidney = left and
    right kidney, tumor, cyst).
    """
    return tuple(other for other in labels() if name in _ancestors(other))


def related(one: str, other: str) -> bool:
    """Whether one is the other, holds it or lies in it: such a pair never stands as answer and distractor."""
    return one == other or one in _ancestors(other) or other in _ancestors(one)


def mirrored(name: str) -> str:
    """The same structure on the other side, or an empty string where it has no side or no twin."""
    concept = labels().get(name)
    if concept is None or not concept.side:
        return ""
    other = {"left": "right", "right": "left"}[concept.side]
    twin = name.replace(concept.side, other, 1)
    return twin if twin in labels() else ""


def scale_of(grade: str) -> str:
    """The name of the first ordinal scale that has this grade, or an empty string."""
    return next((name for name, scale in scales().items() if grade in scale.grades), "")
