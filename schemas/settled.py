"""Labels that contradict others of their case, settled once for all who speak of it.

Sources say of one thing that it is there and that it is not: two readers, a label of the study and one of its picture,
an organ and its side.  Whatever is contradicted, or rests on something uncertain, is uncertain itself: it is neither
asked about by yes or no nor claimed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import permutations

from schemas.case import Case, Label
from schemas.findings import Finding
from schemas.taxonomy.kinship import denies, excludes, implies, same

CODE = "contradictory_labels"


@dataclass(frozen=True, slots=True)
class _Said:
    """One statement: by a label, or by a region (``number`` -1), which proves that its thing is there."""

    name: str
    polarity: str
    image: int
    number: int


def settle(case: Case) -> Case:
    """The case with contradicted labels uncertain and a finding that counts them; itself where there are none.

    - present and absent of one thing, or of a thing and of what holds it (``left kidney`` present, ``kidney`` absent):
      both are uncertain; where a region shows what a label denies, the label is.
    - uncertain and anything else of one thing: uncertain.  What is absent although a part of it is uncertain is
      uncertain; a part that is present or absent of something uncertain stays.
    - two states that exclude each other: both.  ``normal`` beside something that is wrong: the first.

    A label of the whole case is about each of its pictures where it denies or doubts, and about one of them where it
    affirms.
    """
    plain = all(label.polarity == "present" for label in case.labels)
    marked = not plain and (case.regions or case.volume_regions)
    if not marked and not _suspect(case.labels):
        return case
    shown = frozenset((region.label, region.image_index) for region in case.regions)
    shown |= {(region.label, -1) for region in case.volume_regions}
    doubted = _doubted(case.labels, shown, len(case.images))
    if not doubted:
        return case
    labels = tuple(
        replace(label, polarity="uncertain") if number in doubted else label for number, label in enumerate(case.labels)
    )
    detail = f"{len(doubted)} of {len(labels)} labels are contradicted by other annotations and are taken as uncertain"
    return replace(case, labels=labels, findings=(*case.findings, Finding(CODE, detail)))


def _suspect(labels: tuple[Label, ...]) -> bool:
    """Whether any two labels may contradict each other, whatever pictures they are about; most cases have none."""
    said = {label.name: label.polarity for label in labels}
    if len(said) < len(labels):
        return True
    return any((said[one], said[other]) in _TENSE[relation] for one, other, relation in _relations(tuple(sorted(said))))


_TENSE = {
    "same": {(a, b) for a in ("present", "absent", "uncertain") for b in ("present", "absent", "uncertain") if a != b},
    "implies": {("present", "absent"), ("uncertain", "absent")},
    "excludes": {("present", "present")},
    "denies": {("present", "present"), ("present", "uncertain")},
}
"""Relation of two labels -> pairs of polarities that it does not allow."""


@lru_cache(maxsize=512)
def _relations(names: tuple[str, ...]) -> tuple[tuple[str, str, str], ...]:
    """(name, name, relation) of every ordered pair that is related; a dataset's labels mostly have the same names."""
    tests = {"same": same, "implies": implies, "excludes": excludes, "denies": denies}
    return tuple(
        (one, other, relation)
        for one, other in permutations(names, 2)
        for relation, holds in tests.items()
        if holds(one, other)
    )


@lru_cache(maxsize=4096)
def _doubted(labels: tuple[Label, ...], shown: frozenset[tuple[str, int]], images: int) -> frozenset[int]:
    """Numbers of the labels that are not uncertain and must be; found again until no further one follows."""
    doubted: set[int] = set()
    while more := set(_round(labels, shown, images, doubted)):
        doubted |= more
    return frozenset(doubted)


def _round(
    labels: tuple[Label, ...], shown: frozenset[tuple[str, int]], images: int, doubted: set[int]
) -> Iterator[int]:
    said = [
        _Said(label.name, "uncertain" if number in doubted else label.polarity, label.image_index, number)
        for number, label in enumerate(labels)
    ]
    by = {
        polarity: [one for one in said if one.polarity == polarity] for polarity in ("present", "absent", "uncertain")
    }
    marked = [_Said(name, "present", image, -1) for name, image in shown]
    found = [*_denied([*by["present"], *marked], by["absent"], images), *_at_odds(by["present"], by["uncertain"])]
    for doubt in by["uncertain"]:
        for one in by["present"] + by["absent"]:
            if _shared(one, doubt) and _rests(one, doubt):
                found.append(one)
    return (one.number for one in found if one.number >= 0)


def _denied(present: list[_Said], absent: list[_Said], images: int) -> Iterator[_Said]:
    """Both sides of every affirmation that a denial contradicts."""
    for one in present:
        against = [other for other in absent if implies(one.name, other.name)]
        everywhere = {other.image for other in against} >= set(range(images)) if images else False
        for other in against:
            if other.image in (-1, one.image) or (one.image == -1 and everywhere):
                yield from (one, other)


def _at_odds(present: list[_Said], uncertain: list[_Said]) -> Iterator[_Said]:
    """States that exclude each other, and those that deny something present or possible."""
    for one in present:
        shared = [other for other in (*present, *uncertain) if _shared(one, other)]
        excluded = any(other.polarity == "present" and excludes(one.name, other.name) for other in shared)
        if excluded or any(denies(one.name, other.name) for other in shared):
            yield one


def _rests(one: _Said, doubt: _Said) -> bool:
    """Whether what is said cannot be known while ``doubt`` is uncertain."""
    return same(one.name, doubt.name) or (one.polarity == "absent" and implies(doubt.name, one.name))


def _shared(one: _Said, other: _Said) -> bool:
    """Whether two statements are about one picture."""
    return one.image == other.image or -1 in (one.image, other.image)
