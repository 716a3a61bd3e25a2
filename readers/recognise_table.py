"""Recognises tables of images: which column names the image, which the labels, the patient, the split."""

import fnmatch
import re
from itertools import groupby, islice
from typing import Any
from weakref import WeakKeyDictionary

from readers.base import Recognition
from readers.finder import Finder
from readers.nested import MARK
from readers.records import Record, cells, kind_of, read_records, words
from readers.source import Source
from readers.survey import folder, is_picture, survey
from readers.table import TABLES
from readers.values import split_name
from schemas.errors import CaseError, UserError

_LOOK = 500
_TRY = 30
_SIBLINGS = 50
_WORDS = 200_000
_LABEL_WORDS = (
    "label", "finding", "diagnos", "dx", "class", "cls", "target", "category", "disease", "grade", "pathology",
)  # fmt: skip
_TEXTS = {
    "caption": ("caption", "txt", "caption_txt"), "report": ("report",), "findings": ("findings",),
    "impression": ("impression",), "text": ("text",),
}  # fmt: skip
_ROLES = {"sex": ("sex", "gender"), "age": ("age",), "view": ("view", "projection"), "laterality": ("laterality",)}
_PATIENT = ("patient", "subject", "lesion_id", "case_id", "study")
_BINARY = frozenset({"0", "1", "-1", "0.0", "1.0", "-1.0"})
_candidates: "WeakKeyDictionary[Source, list[tuple[str, list[Record]]]]" = WeakKeyDictionary()


def recognise_table(source: Source) -> Recognition | None:
    """A table at the top or one folder down with a column that names pictures of this source."""
    best: Recognition | None = None
    for path, records in candidates(source):
        found = _recognised(source, path, records)
        if found is not None and (best is None or found.confidence > best.confidence):
            best = found
    return best


def recognise_vqa(source: Source) -> Recognition | None:
    """A JSON list of objects with an image, a question and an answer."""
    for path, records in candidates(source, ("json",)):
        column, where = image_column(source, records)
        if not column or not {"question", "answer"} <= set(records[0].fields):
            continue
        options: dict[str, Any] = {**together(source, path, records[0]), "image": [column]}
        if where:
            options["image_dir"] = [where]
        hints = {"group": column, **_shipped(options)}
        phrases = {words(record.fields.get("phrase_type")) for record in records}
        if any(phrase.startswith("test_") for phrase in phrases):
            options["split"] = "phrase_type"
            options["split_values"] = {
                phrase: "test" if phrase.startswith("test") else "train" for phrase in sorted(phrases) if phrase
            }
        pictures = len({words(record.fields.get(column)) for record in records})
        why = (
            f"{path} is a list of questions and answers about pictures that are here ({pictures} in what was looked at)"
        )
        return Recognition(0.95, why, options, (), hints)
    return None


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
        return [record for record in islice(read_records(source, path), _LOOK) if isinstance(record, Record)]
    except (CaseError, UserError):
        return []


def _recognised(source: Source, path: str, records: list[Record]) -> Recognition | None:
    column, where = image_column(source, records)
    if not column:
        return None
    options: dict[str, Any] = {**together(source, path, records[0]), "image": [column]}
    if where:
        options["image_dir"] = [where]
    columns = [name for name in records[0].fields if name != column]
    values = {name: [_text(record.fields.get(name)) for record in records] for name in columns}
    hints = {**_shipped(options), **_roles(columns, values, options)}
    labels = _labels(columns, values, options, hints)
    if "labels" in options:
        labels = _all_words(source, options, labels)
    options["texts"] = {kind: name for kind, known in _TEXTS.items() for name in columns if name.lower() in known}
    if not options["texts"]:
        del options["texts"]
    if "__key__" in columns:
        options["key"] = "__key__"
    known = len(set(options) & {"labels", "one_hot", "texts"})
    why = f"the column {column!r} of {path} names pictures that are here"
    return Recognition(0.7 + 0.1 * min(known, 2), why, options, labels, hints)


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


def _text(value: Any) -> str:
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


def image_column(source: Source, records: list[Record]) -> tuple[str, str]:
    """The column whose values are found among the files, and the folder that they are relative to."""
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
            best = max(best, (share, name, where), key=lambda each: each[0])
    return (best[1], best[2]) if best[0] >= 0.5 else ("", "")


def _found(finder: Finder, value: str) -> bool:
    try:
        path = finder.find(value)
        return is_picture(path) or MARK in path
    except CaseError:
        return False


def _roles(columns: list[str], values: dict[str, list[str]], options: dict[str, Any]) -> dict[str, str]:
    hints: dict[str, str] = {}
    for role, names in _ROLES.items():
        column = next(
            (c for c in columns if any(word in c.lower().split("_") + c.lower().split() for word in names)), ""
        )
        if column:
            options[role] = column
    for column in columns:
        if any(word in column.lower() for word in _PATIENT) and len(set(values[column])) > 1 and "group" not in hints:
            hints["group"] = column
        there = [value for value in values[column] if value]
        if there and all(split_name(value) for value in there) and "split" not in options:
            options["split"] = column
            hints["split"] = "shipped"
    return hints


def _flags(columns: list[str], values: dict[str, list[str]]) -> list[str]:
    """Columns of 1, 0, -1 and nothing: those with a 1, and those in one run with them that are all 0 so far.

    A rare finding has no 1 among the records looked at; a column that is named as a measurement is none.
    """

    def is_binary(column: str) -> bool:
        measured = any(word in column.lower() for word in ("offset", "count", "number", "days", "_id", "index"))
        return not measured and set(values[column]) <= _BINARY | {""} and set(values[column]) != {""}

    runs = [list(run) for binary, run in groupby(columns, is_binary) if binary]
    proven = [run for run in runs if any(set(values[column]) & {"1", "1.0"} for column in run)]
    return [column for run in proven for column in run]


def _labels(
    columns: list[str], values: dict[str, list[str]], options: dict[str, Any], hints: dict[str, str]
) -> tuple[str, ...]:
    """Columns with label words; one-hot columns win, since they also say what is absent."""
    free = [column for column in columns if column not in options.values() and column != hints.get("group")]
    hot = _flags(free, values)
    if len(hot) >= 2:
        options["one_hot"] = hot
        hints["label_kind"] = "multi_label"
        return tuple(hot)
    for column in free:
        if any(word in column.lower() for word in _LABEL_WORDS):
            listed = {word for value in values[column] for word in cells(value)}
            if 0 < len(listed) <= 100:
                options["labels"] = [column]
                several = any("|" in value for value in values[column])
                hints["label_kind"] = "multi_label" if several else "multi_class"
                return tuple(sorted(listed))
    return ()
