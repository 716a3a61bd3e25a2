"""Published datasets known by their files: ``known_layouts.yaml`` says what names each, and how it is read."""

from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import Field, RootModel

from readers.base import Recognition
from readers.path_pattern import PathPattern
from readers.records import Format, Record, cells, read_records
from readers.source import Source
from readers.survey import survey
from schemas.errors import CaseError, UserError
from schemas.spec import Strict
from schemas.yaml_file import load_yaml

BASE = "{base:(?:.*?/)??}"
_LOOK = 200_000
"""Records of a table that are looked through for label words."""


class LabelWords(Strict):
    """Where the label words stand."""

    columns: list[str]
    separator: str = "|"
    header: list[str] = Field(default_factory=list)


class Part(Strict):
    """A file of a layout, and what it means for the spec where it is there."""

    file: str
    """Pattern of its path below the layout's top; names in it, and ``base``, may be used in options."""
    columns: list[str] = Field(default_factory=list)
    """Columns or keys that its first record must have."""
    header: list[str] = Field(default_factory=list)
    """Columns of a table without a header line; one of other columns is another table."""
    labels: LabelWords | None = None
    word: str = ""
    """Name in the pattern whose values, over all files of this part, are label words."""
    options: dict[str, Any] = Field(default_factory=dict)
    hints: dict[str, str] = Field(default_factory=dict)


class Layout(Strict):
    """One published layout."""

    reader: str
    parts: list[Part]
    """All must be there."""
    further: list[Part] = Field(default_factory=list)
    """Each counts where it is there."""
    options: dict[str, Any] = Field(default_factory=dict)
    hints: dict[str, str] = Field(default_factory=dict)
    words: dict[str, str] = Field(default_factory=dict)
    """Its label words -> canonical ones."""
    ignored: list[str] = Field(default_factory=list)


class _Layouts(RootModel[dict[str, Layout]]):
    """Contents of ``known_layouts.yaml``: name -> layout."""


@cache
def layouts() -> dict[str, Layout]:
    """All known layouts by name."""
    return load_yaml(Path(__file__).parent / "known_layouts.yaml", _Layouts).root


def recognise_known(source: Source) -> Iterator[tuple[str, Recognition]]:
    """Reader and recognition for every known layout that the source has."""
    for name, layout in layouts().items():
        said = _recognised(source, name, layout)
        if said is not None:
            yield layout.reader, said


def _recognised(source: Source, name: str, layout: Layout) -> Recognition | None:
    known: dict[str, str] = {}
    options, hints = dict(layout.options), dict(layout.hints)
    stated, seen = dict.fromkeys(layout.words), []
    for part in [*layout.parts, *layout.further]:
        path, names = _find(source, part, known.get("base"))
        if not path:
            if part in layout.parts:
                return None
            continue
        known = {**names, **known}
        seen.append(path)
        options = _merged(options, part.options)
        hints |= part.hints
        stated |= dict.fromkeys(_words(source, path, part))
    stated = {word: None for word in stated if word not in layout.ignored}
    if layout.ignored:
        hints["ignore_labels"] = ", ".join(layout.ignored)
    why = f"{' and '.join(seen[:3])} {'is' if len(seen) == 1 else 'are'} as {name} has them"
    return Recognition(0.98, why, _filled(options, known), tuple(stated), hints, dict(layout.words))


def _find(source: Source, part: Part, base: str | None) -> tuple[str, dict[str, str]]:
    """The first file that is this part, below ``base`` once that is known; empty where there is none."""
    pattern = PathPattern((BASE if base is None else "") + part.file)
    for path in survey(source):
        if base is not None and not path.startswith(base):
            continue
        names = pattern.match(path if base is None else path.removeprefix(base))
        if names is not None and _has_columns(source, path, part):
            return path, names
    return "", {}


def _has_columns(source: Source, path: str, part: Part) -> bool:
    if not part.columns:
        return True
    first = next(_records(source, path, part, 1), None)
    return first is not None and set(part.columns) <= set(first.fields)


def _words(source: Source, path: str, part: Part) -> list[str]:
    found: dict[str, None] = {}
    if part.word:
        pattern = PathPattern(BASE + part.file)
        found |= {names[part.word]: None for names in map(pattern.match, survey(source)) if names is not None}
    if part.labels is None:
        return sorted(found)
    for record in _records(source, path, part, _LOOK):
        for column in part.labels.columns:
            found |= dict.fromkeys(cells(record.fields.get(column), part.labels.separator))
    return sorted(found)


def _records(source: Source, path: str, part: Part, count: int) -> Iterator[Record]:
    form = Format(header=tuple(part.header), inside=str(part.options.get("records", "")))
    try:
        yield from (each for each in islice(read_records(source, path, form), count) if isinstance(each, Record))
    except (CaseError, UserError):
        return


def _merged(options: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Both together: lists end to end, mappings key by key, anything else as ``more`` has it."""
    out = dict(options)
    for key, value in more.items():
        if isinstance(value, list) and isinstance(out.get(key), list):
            out[key] = [*out[key], *value]
        elif isinstance(value, dict) and isinstance(out.get(key), dict):
            out[key] = _merged(out[key], value)
        else:
            out[key] = value
    return out


def _filled(value: Any, names: dict[str, str]) -> Any:
    """Strings with the names of matched files put in; other braces are the reader's own."""
    if isinstance(value, dict):
        return {key: _filled(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, names) for each in value]
    if isinstance(value, str):
        for name, text in names.items():
            value = value.replace(f"{{{name}}}", text)
    return value
