"""The MAT triplet's three axes (modality, anatomical area, task) as closed vocabularies.

Med-MAT merges datasets whose triplets are equal; that only works when everyone spells them alike, so a spec's
triplet must be canonical.  Sources: the Med-MAT dataset and subset tables, the SAT and MedSegBench tables, and DICOM
PS3.3 C.7.3.1.1.1 for the modality codes.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import RootModel

from schemas.errors import nearest
from schemas.spec import DatasetSpec, Strict
from schemas.yaml_file import load_yaml

Axis = Literal["modality", "anatomy", "clinical_task"]
_FILES: dict[Axis, str] = {"modality": "modalities", "anatomy": "anatomy", "clinical_task": "tasks"}


class Concept(Strict):
    """One canonical word of an axis."""

    parent: str = ""
    """The wider word, empty at the top."""
    synonyms: tuple[str, ...] = ()
    dicom: tuple[str, ...] = ()
    """Values of (0008,0060) Modality that mean it; modalities only."""
    kind: str = ""
    """classification, multi-label, grading, quality, detection, segmentation, ...; tasks only."""


class _Axis(RootModel[dict[str, Concept]]):
    """Contents of one axis's file."""


@cache
def axis(name: Axis) -> Mapping[str, Concept]:
    """All canonical words of one axis with what is known of them."""
    return load_yaml(Path(__file__).parent / f"{_FILES[name]}.yaml", _Axis).root


@cache
def _spellings(name: Axis) -> dict[str, str]:
    """Every spelling in lower case -> canonical word."""
    words: dict[str, str] = {}
    for word, concept in axis(name).items():
        for spelling in (word, *concept.synonyms):
            words.setdefault(spelling.lower(), word)
    return words


def canonical(name: Axis, word: str) -> str:
    """The canonical word for ``word`` in any known spelling, or an empty string."""
    return _spellings(name).get(word.strip().lower(), "")


def within(name: Axis, word: str, wider: str) -> bool:
    """Whether ``word`` is ``wider`` or lies below it (``liver`` within ``abdomen``); both canonical."""
    while word and word != wider:
        word = axis(name)[word].parent if word in axis(name) else ""
    return bool(word)


def meet(name: Axis, one: str, other: str) -> bool:
    """Whether either canonical word is the other or lies below it (``liver`` and ``abdomen``, either way)."""
    return within(name, one, other) or within(name, other, one)


@cache
def modality_of_dicom(code: str) -> str:
    """The canonical modality of a DICOM Modality value such as ``MR``, or an empty string."""
    return next((word for word, concept in axis("modality").items() if code in concept.dicom), "")


class Department(Strict):
    """What one clinical department looks after."""

    anatomy: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()
    """Modalities that are its own whatever the anatomy."""
    tasks: tuple[str, ...] = ()
    """Clinical tasks that are its own whatever the anatomy."""


class _Departments(RootModel[dict[str, Department]]):
    """Contents of ``departments.yaml``."""


@cache
def departments() -> Mapping[str, Department]:
    """The eighteen clinical departments of GMAI-MMBench."""
    return load_yaml(Path(__file__).parent / "departments.yaml", _Departments).root


def department_of(modality: str, anatomy: str, clinical_task: str) -> str:
    """The department that a canonical triplet belongs to, or an empty string.

    A task that is a department's own goes first (tuberculosis), then a modality where no department looks after the
    anatomy itself, then the anatomy, from the organ outwards to the region that holds it.
    """
    for name, department in departments().items():
        if clinical_task in department.tasks:
            return name
    for name, department in departments().items():
        if modality in department.modalities and not any(anatomy in other.anatomy for other in departments().values()):
            return name
    here = anatomy
    while here:
        for name, department in departments().items():
            if here in department.anatomy:
                return name
        here = axis("anatomy")[here].parent if here in axis("anatomy") else ""
    return ""


def triplet_problems(spec: DatasetSpec) -> list[str]:
    """One sentence, with a proposal, for each of the spec's triplet words that is not canonical."""
    found = []
    for name in _FILES:
        word = getattr(spec, name)
        if word in axis(name):
            continue
        if word == "unknown":
            what = ", ".join(list(axis(name))[:4])
            found.append(
                f"{spec.name}: {name} is not filled in; name one, such as {what} (`medcurate catalog --words`)"
            )
            continue
        meant = canonical(name, word)
        cure = f"; write {meant!r}" if meant else nearest(word, axis(name))
        found.append(f"{spec.name}: {name} {word!r} is not in the taxonomy{cure}")
    return found
