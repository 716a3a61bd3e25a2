"""Which datasets the catalog knows: all specs of a folder, filtered by what they are and what one may do with them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from schemas import plugins
from schemas.errors import UserError, nearest
from schemas.spec import DatasetSpec, load_spec
from schemas.taxonomy import Axis, axis, canonical, canonical_label, propose, related, within

CATALOG = Path(__file__).resolve().parent.parent / "catalog"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a dataset must be; an empty word asks for nothing."""

    modality: str = ""
    """Any spelling; narrower words count too (mammography is X-ray)."""
    anatomy: str = ""
    """Any spelling; organs count for their region (liver is abdomen)."""
    task: str = ""
    """A clinical task in any spelling, or its kind: classification, segmentation, detection, grading, ..."""
    label: str = ""
    """A label in any spelling; parts and wholes count (left kidney for kidney)."""
    license: str = ""
    """The beginning of a licence: ``CC-BY`` finds CC-BY-4.0 and CC-BY-SA-4.0."""
    access: str = ""
    """open, credentialed or restricted."""
    reader: str = ""
    present: bool = False
    """Only datasets whose data lies where the spec says."""
    text: str = ""
    """Words that name, title, homepage and notes must hold, whatever their case."""


def list_catalog(wanted: Wanted = Wanted(), folder: Path = CATALOG) -> list[dict[str, Any]]:
    """One line per dataset that is as ``wanted``, by name, ready for a table or JSON.

    Raises:
        UserError: a word of ``wanted`` is none that the taxonomy knows; the nearest one is named.
    """
    wanted = _canonical(wanted)
    return [_line(spec, path) for path, spec in specs(folder) if _fits(spec, wanted)]


def layouts() -> list[dict[str, Any]]:
    """One line per registered reader: its name and what its file says that it reads."""
    import sys

    lines = []
    for name in plugins.names("readers"):
        module = sys.modules[plugins.load("readers", name).__module__]
        lines.append({"reader": name, "reads": (module.__doc__ or "").strip().split("\n")[0]})
    return lines


def list_words() -> list[dict[str, Any]]:
    """The canonical words of the three axes, each with the wider word that holds it; labels are a map of their own."""
    axes: tuple[Axis, ...] = ("modality", "anatomy", "clinical_task")
    return [
        {"axis": name, "word": word, "of": concept.parent, "also spelled": ", ".join(concept.synonyms)}
        for name in axes
        for word, concept in axis(name).items()
    ]


def specs(folder: Path = CATALOG) -> Iterator[tuple[Path, DatasetSpec]]:
    """Every spec below ``folder`` with its file, by file name; `UserError` where one is wrong or none is there."""
    paths = sorted(folder.rglob("*.yaml"), key=lambda path: path.name)
    if not paths:
        raise UserError(f"there is no spec below {folder}; name the folder of a catalog")
    for path in paths:
        yield path, load_spec(path)


def _line(spec: DatasetSpec, path: Path) -> dict[str, Any]:
    return {
        "name": spec.name,
        "title": spec.title,
        "modality": spec.modality,
        "anatomy": spec.anatomy,
        "task": spec.clinical_task,
        "labels": len(spec.canonical()),
        "license": spec.license,
        "access": spec.access,
        "reader": spec.reader.type,
        "here": _here(spec),
        "spec": str(path),
    }


def _here(spec: DatasetSpec) -> bool:
    return bool(spec.root) and ("://" in spec.root or Path(spec.root).exists())


def _canonical(wanted: Wanted) -> Wanted:
    kinds = {concept.kind for concept in axis("clinical_task").values()}
    label = canonical_label(wanted.label)
    if wanted.label and not label:
        near = ", ".join(repr(name) for name in propose(wanted.label))
        raise UserError(f"no label is called {wanted.label!r}{f'; did you mean {near}?' if near else ''}")
    if wanted.access not in ("", "open", "credentialed", "restricted"):
        raise UserError(f"access is open, credentialed or restricted, not {wanted.access!r}")
    return replace(
        wanted,
        modality=_word("modality", wanted.modality),
        anatomy=_word("anatomy", wanted.anatomy),
        task=wanted.task if wanted.task in kinds else _word("clinical_task", wanted.task),
        label=label,
    )


def _word(name: Axis, word: str) -> str:
    if not word:
        return ""
    found = canonical(name, word)
    if not found:
        raise UserError(f"no {name.replace('_', ' ')} is called {word!r}{nearest(word, axis(name))}")
    return found


def _fits(spec: DatasetSpec, wanted: Wanted) -> bool:
    kind = axis("clinical_task")[spec.clinical_task].kind if spec.clinical_task in axis("clinical_task") else ""
    words = f"{spec.name} {spec.title} {spec.homepage} {spec.notes}".lower()
    return all((
        not wanted.modality or within("modality", spec.modality, wanted.modality),
        not wanted.anatomy or within("anatomy", spec.anatomy, wanted.anatomy),
        not wanted.task or wanted.task == kind or within("clinical_task", spec.clinical_task, wanted.task),
        not wanted.label or any(related(wanted.label, label) for label in spec.canonical()),
        spec.license.startswith(wanted.license),
        wanted.access in ("", spec.access),
        wanted.reader in ("", spec.reader.type),
        not wanted.present or _here(spec),
        all(word in words for word in wanted.text.lower().split()),
    ))  # fmt: skip
