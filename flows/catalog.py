"""``medcurate catalog``: the specs of a folder, filtered, and the layouts that can be read."""

from pathlib import Path
from typing import Any

from schemas import plugins
from schemas.errors import UserError
from schemas.spec import DatasetSpec, load_spec


def find_specs(
    folder: Path, *, modality: str = "", anatomy: str = "", access: str = "", license: str = "", search: str = ""
) -> list[dict[str, Any]]:
    """One line per spec below ``folder`` that meets every filter; words are compared without case."""
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}; name the one that holds the specs")
    lines = []
    for path in sorted(folder.rglob("*.yaml")):
        spec = load_spec(path)
        if (
            _holds(spec.modality, modality)
            and _holds(spec.anatomy, anatomy)
            and spec.access.startswith(access)
            and spec.license.lower().startswith(license.lower())
            and _holds(" ".join([spec.name, spec.title, spec.clinical_task, *spec.canonical()]), search)
        ):
            lines.append(_line(spec))
    return lines


def layouts() -> list[dict[str, Any]]:
    """One line per registered reader: its name and the first sentence of its description."""
    lines = []
    for name in plugins.names("readers"):
        text = (plugins.load("readers", name).__doc__ or "").strip().split("\n")[0]
        lines.append({"reader": name, "reads": text})
    return lines


def _holds(text: str, word: str) -> bool:
    return word.lower() in text.lower()


def _line(spec: DatasetSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "reader": spec.reader.type,
        "modality": spec.modality,
        "anatomy": spec.anatomy,
        "task": spec.clinical_task,
        "labels": len(spec.canonical()),
        "license": spec.license,
        "access": spec.access,
    }
