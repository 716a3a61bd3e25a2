"""Recognises LabelMe's annotations."""

from typing import Any

from readers.base import Recognition
from readers.labelme import is_labelme
from readers.records import load_json
from readers.source import Source
from readers.survey import splits_in, survey
from schemas.errors import CaseError

_LOOK = 100
_WORDS = 5_000
"""JSON files that are looked through for label words."""
_LIMIT = 64 << 20


def recognise_labelme(source: Source) -> Recognition | None:
    """JSON files with shapes and the path of an image."""
    paths = [path for path in survey(source) if path.lower().endswith(".json")]
    sound = [path for path in paths[:_LOOK] if _document(source, path)]
    if not sound or len(sound) < 0.5 * len(paths[:_LOOK]):
        return None
    words: dict[str, None] = {}
    for path in paths[:_WORDS]:
        document = _document(source, path)
        words |= dict.fromkeys(str(shape.get("label", "")).strip() for shape in document.get("shapes", []))
        words |= dict.fromkeys(word for word, ticked in (document.get("flags") or {}).items() if ticked is True)
    options: dict[str, Any] = {}
    hints = {"label_kind": "multi_label"}
    if splits_in(sound):
        options["splits"] = True
        hints["split"] = "shipped"
    why = f"{len(sound)} of {len(paths[:_LOOK])} JSON files looked at hold LabelMe's shapes"
    return Recognition(0.96, why, options, tuple(sorted(word for word in words if word)), hints)


def _document(source: Source, path: str) -> dict[str, Any]:
    """The file's content where it is LabelMe's, else empty."""
    try:
        document = load_json(source, path) if source.size(path) <= _LIMIT else None
    except CaseError:
        return {}
    shapes = document.get("shapes") if isinstance(document, dict) else None
    sound = is_labelme(document) and all(isinstance(shape, dict) for shape in shapes or [])
    return document if sound and isinstance(document, dict) else {}
