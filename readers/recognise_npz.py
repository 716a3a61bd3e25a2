"""Recognises MedMNIST and MedSegBench by their arrays, and what their numbers mean by the names of their files."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field, RootModel

from readers.base import Recognition
from readers.pixels import arrays
from readers.source import Source
from schemas.errors import CaseError
from schemas.spec import Strict
from schemas.taxonomy import canonical_label
from schemas.yaml_file import load_yaml

_LOOK = 200
"""Masks that are looked through for their values."""


class KnownArrays(Strict):
    """What is published of one set's numbers."""

    classes: dict[int, str] = Field(default_factory=dict)
    binary: str = ""
    means: dict[str, str] = Field(default_factory=dict)
    """Word -> canonical word, where the taxonomy cannot tell by itself."""
    kind: str = ""
    license: str = ""
    modality: str
    anatomy: str


class _KnownArrays(RootModel[dict[str, KnownArrays]]):
    """Contents of ``known_arrays.yaml``: a file's name without its size -> set."""


@cache
def known_arrays() -> dict[str, KnownArrays]:
    """All sets whose words are known."""
    return load_yaml(Path(__file__).parent / "known_arrays.yaml", _KnownArrays).root


def recognise_npz(source: Source) -> Recognition | None:
    """The only npz at the root, where it holds arrays of images."""
    files = [name for name in source.listing()[1] if name.lower().endswith(".npz")]
    if len(files) != 1:
        return None
    try:
        names = arrays.array_headers(source, files[0])
        meaning = _classes(source, files[0], names)
    except CaseError:
        return None
    if not any(name.endswith("_images") for name in names):
        return None
    kind = "labels" if any(name.endswith("_labels") for name in names) else "masks"
    several = meaning.pop("several", False) or kind == "masks"
    hints = {"split": "shipped", "label_kind": "multi_label" if several else "multi_class"}
    why = f"{files[0]} holds arrays of images and {kind} by split, as MedMNIST and MedSegBench have them"
    flag = re.sub(r"_\d+$", "", files[0].removesuffix(".npz"))
    known = known_arrays().get(flag)
    if known is None or not set(meaning.get("classes", {})) <= set(known.classes or {1: ""}):
        labels = tuple(meaning["classes"].values()) if "classes" in meaning else (meaning["binary"],)
        return Recognition(0.95, why, {"file": files[0], **meaning}, labels, hints)
    told = {"label_kind": known.kind, "license": known.license, "modality": known.modality, "anatomy": known.anatomy}
    hints |= {key: value for key, value in told.items() if value}
    named: dict[str, Any] = {"classes": known.classes} if known.classes else {"binary": known.binary}
    labels = tuple(known.classes.values()) if known.classes else (known.binary,)
    meanings = {word: known.means.get(word) or canonical_label(word, known.anatomy) for word in labels}
    return Recognition(
        0.97,
        f"{why}; its numbers mean what {flag} is published with",
        {"file": files[0], **named},
        labels,
        hints,
        meanings,
    )


def _classes(source: Source, path: str, names: Iterable[str]) -> dict[str, Any]:
    """The option ``classes`` or ``binary`` with a made-up word for every number that labels or masks hold."""
    numbers: set[int] = set()
    several = parts = False
    for name in names:
        part = re.search(r"_label_C(\d+)$", name)
        if name.endswith("_labels"):
            stated = arrays.array_row(source, path, name, -1)
            several |= stated.ndim == 2 and stated.shape[1] > 1
            numbers |= set(range(stated.shape[1])) if several else {int(value) for value in np.unique(stated)}
        elif part and name.replace("_label_", "_images_") not in names:
            parts = True
            numbers |= {int(part[1])}
        elif name.endswith("_label"):
            stack = arrays.open_array(source, path, name)[:_LOOK]
            numbers |= {int(value) for value in np.unique(stack)} - {0}
    if not any(name.endswith("_labels") for name in names) and len(numbers) == 1 and not parts:
        return {"binary": "foreground"}
    return {
        "classes": {number: f"class_{number}" for number in sorted(numbers)},
        **({"several": True} if several else {}),
    }
