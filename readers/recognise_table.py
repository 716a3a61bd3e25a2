"""Recognises tables of images: which column names the image, which the labels, the patient, the split."""

import fnmatch
import re
from itertools import islice
from typing import Any
from weakref import WeakKeyDictionary

from readers.base import Recognition
from readers.embedded import REFERENCE
from readers.embedded import is_picture as holds_picture
from readers.finder import Finder
from readers.nested import MARK
from readers.recognise_columns import (
    drawn_columns,
    is_group,
    is_mark,
    known_word,
    labels_in,
    regions_in,
    roles,
    texts_in,
)
from readers.records import Record, cells, kind_of, read_records, words
from readers.source import Source
from readers.survey import folder, is_picture, survey
from readers.table import TABLES
from readers.values import split_name
from schemas.errors import CaseError, UserError
from schemas.taxonomy import Axis

_LOOK = 500
_TRY = 30
_SIBLINGS = 50
_WORDS = 200_000
_BEGINNING = 120
"""Characters of a picture's text that are kept."""
_SAYS = re.compile(r"image|img|file|path|picture|figure|fundus|photo", re.IGNORECASE)
_candidates: "WeakKeyDictionary[Source, list[tuple[str, list[Record]]]]" = WeakKeyDictionary()


def recognise_table(source: Source) -> Recognition | None:
    """A table at the top or one folder down with a column that names pictures of this source."""
    best: Recognition | None = None
    for path, records in candidates(source):
        found = _recognised(source, path, records)
        if found is not None and (best is None or found.confidence > best.confidence):
            best = found
    return best


def candidates(source: Source, kinds: tuple[str, ...] = ()) -> list[tuple[str, list[Record]]]:
    """The first records of every table at the top or one folder down; read once."""
    if source not in _candidates:
        paths = [path for path in survey(source) if path.count("/") <= 1 and path.lower().endswith(TABLES)]
        tables = [path for path in paths if not path.lower().endswith((".txt", "license"))]
        _candidates[source] = [
            (path, first) for path in tables[:_SIBLINGS] for first in [_first(source, path)] if first
        ]
    return [(path, first) for path, first in _candidates[source] if not kinds or kind_of(path) in kinds]


def _first(source: Source, path: str) -> list[Record]:
    try:
        return [_slim(record) for record in islice(read_records(source, path), _LOOK) if isinstance(record, Record)]
    except (CaseError, UserError):
        return []


def _slim(record: Record) -> Record:
    """The record with pictures inside it cut to their beginning and what tells them apart: thousands are held."""
    fields = {
        name: f"{value[:_BEGINNING]}{hash(value)}" if isinstance(value, str) and holds_picture(value) else value
        for name, value in record.fields.items()
    }
    return Record(record.line, fields)


def _recognised(source: Source, path: str, records: list[Record]) -> Recognition | None:
    column, where = image_column(source, records)
    if not column:
        return None
    options: dict[str, Any] = {**together(source, path, records[0]), "image": [column], **embedded(records, column)}
    if where:
        options["image_dir"] = [where]
    columns = [name for name in records[0].fields if name != column]
    values = {name: [text(record.fields.get(name)) for record in records] for name in columns}
    more = [name for name in columns if _names_pictures(source, values[name], where)]
    drawn, words = regions_in(columns, values, [name for name in more if is_mark(name, values[name])])
    more = [name for name in more if not is_mark(name, values[name])]
    options |= {"more_images": more} if more else {}
    columns = [name for name in columns if name not in more and name not in drawn_columns(drawn)]
    hints = {**_shipped(options), **roles(columns, values, options)}
    labels = labels_in(columns, values, options, hints)
    if "labels" in options:
        labels = _all_words(source, options, labels)
    options |= drawn
    if _repeats(records, column) or drawn:
        options["join"] = True
        hints["label_kind"] = "multi_label"
    options |= texts_in(columns, options)
    if "group" not in hints:
        options |= _grouped(source, path, column, hints)
    if "__key__" in columns:
        options["key"] = "__key__"
    known = len(set(options) & {"labels", "one_hot", "texts", "boxes", "masks"})
    told = {"boxes": "and boxes", "masks": "and masks placed on them"}
    said = " ".join(["names pictures that are here", *(told[name] for name in drawn if name in told)])
    why = f"the column {column!r} of {path} {said}"
    hints |= {axis: said for axis in ("modality", "anatomy") for said in [_only(axis, options, values)] if said}
    # Of two tables the one that places something on the pictures says more.
    return Recognition(0.7 + 0.1 * min(known, 2) + 0.05 * bool(drawn), why, options, (*labels, *words), hints)


def _only(axis: Axis, options: dict[str, Any], values: dict[str, list[str]]) -> str:
    """The word of the axis that all records say; empty where they say several or none."""
    said = {known_word(axis, value) for value in values.get(options.get(axis, ""), ()) if value}
    return said.pop() if len(said) == 1 else ""


def _names_pictures(source: Source, values: list[str], where: str) -> bool:
    tried = [value for value in values[:_TRY] if value and len(value) < 400]
    if len(tried) < 0.5 * len(values[:_TRY]) or not any("." in value or "/" in value for value in tried):
        return False
    finder = Finder(source, [where] if where else [])
    return all(_found(finder, value) or _found(Finder(source), value) for value in tried[:5])


def _repeats(records: list[Record], column: str) -> bool:
    """Whether several records that differ speak of one picture."""
    told = {(words(record.fields.get(column)), repr(record.fields)) for record in records}
    return len({name for name, _ in told}) < len(told)


def _grouped(source: Source, path: str, column: str, hints: dict[str, str]) -> dict[str, Any]:
    """The option ``lookup`` where another table says whose the pictures of this one are, as ISIC's lesion groupings."""
    for other, records in candidates(source):
        first = records[0].fields
        whose = [name for name in first if is_group(name)]
        if other == path or column not in first or not whose:
            continue
        if len({words(record.fields.get(column)) for record in records}) == len(records):
            hints["group"] = whose[0]
            return {"lookup": [{"file": other, "on": column}]}
    return {}


def together(source: Source, path: str, first: Record) -> dict[str, Any]:
    """The option ``table`` with the files beside this one that have its columns too: shards, or one file a split."""
    ending, shape = path[path.rindex(".") :], _shape(path)
    beside = [name for name in survey(source) if name.endswith(ending) and _shape(name) == shape]
    alike = [name for name in beside[:_SIBLINGS] if name == path or _columns(source, name) == set(first.fields)]
    splits = {_split(name) for name in alike} - {""}
    if len(alike) == 1:
        return {"table": [path]}
    whole = len(alike) == len(beside[:_SIBLINGS])
    pattern = f"{shape}*{ending}"
    return {"table": [pattern] if whole else alike, **({"split_from_path": True} if splits else {})}


def _shape(path: str) -> str:
    """The path's folder with a wildcard for every folder that is a split."""
    return "".join("*/" if split_name(part) else f"{part}/" for part in path.split("/")[:-1])


def text(value: Any) -> str:
    """A record's value as a cell of a table would hold it."""
    return "|".join(cells(value)) if isinstance(value, list) else words(value)


def _columns(source: Source, path: str) -> set[str]:
    try:
        first = next((each for each in islice(read_records(source, path), 3) if isinstance(each, Record)), None)
    except (CaseError, UserError):
        return set()
    return set(first.fields) if first is not None else set()


def _split(path: str) -> str:
    return next((name for name in map(split_name, re.split(r"[/_.\-]", path)) if name), "")


def _shipped(options: dict[str, Any]) -> dict[str, str]:
    return {"split": "shipped"} if options.get("split_from_path") else {}


def _all_words(source: Source, options: dict[str, Any], seen: tuple[str, ...]) -> tuple[str, ...]:
    """The label words of all tables, since a rare one may stand behind what was looked at."""
    found = dict.fromkeys(seen)
    paths = [path for pattern in options["table"] for path in survey(source) if fnmatch.fnmatchcase(path, pattern)]
    for path in paths[:_SIBLINGS]:
        for record in islice(read_records(source, path), _WORDS):
            if isinstance(record, Record):
                found |= dict.fromkeys(cells(record.fields.get(options["labels"][0])))
    return tuple(sorted(found))


def embedded(records: list[Record], column: str) -> dict[str, Any]:
    """The option ``embedded`` where a column holds pictures themselves, or the index of a record that has one."""
    held = [text(record.fields.get(column)) for record in records[:_TRY]]
    others = [value for value in held if not holds_picture(value)]
    short = all(len(value) <= REFERENCE for value in others)
    return {"embedded": [column]} if len(others) < len(held) and short else {}


def image_column(source: Source, records: list[Record]) -> tuple[str, str]:
    """The column whose values are found among the files, and the folder that they are relative to."""
    inside = next((name for name in records[0].fields if embedded(records, name)), "")
    if inside:
        return inside, ""
    folders = {"", *(folder(path) for path in survey(source) if is_picture(path))}
    finders = {
        where: Finder(source, [where]) for where in sorted(folders, key=lambda name: (name.count("/"), name))[:20]
    }
    best: tuple[float, str, str] = (0.0, "", "")
    for name in records[0].fields:
        tried = [words(record.fields.get(name)) for record in records[:_TRY]]
        tried = [value for value in tried if value and len(value) < 400]
        if len(set(tried)) < 2 and len(records) > 1:
            continue
        for where, finder in finders.items():
            share = sum(_found(finder, value) for value in tried) / max(len(tried), 1)
            # A number may be the name of a picture too; a column that says so goes first.
            best = max(best, (share, name, where), key=lambda each: (each[0], bool(_SAYS.search(each[1]))))
    return (best[1], best[2]) if best[0] >= 0.5 else ("", "")


def _found(finder: Finder, value: str) -> bool:
    try:
        path = finder.find(value)
        return is_picture(path) or MARK in path
    except CaseError:
        return False
