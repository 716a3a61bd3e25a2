"""Recognises tables of images: which column names the image, which the labels, the patient, the split."""

from itertools import islice
from typing import Any

from readers.base import Recognition
from readers.finder import Finder
from readers.nested import MARK
from readers.records import Record, kind_of, read_records, words
from readers.source import Source
from readers.survey import folder, is_picture, survey
from readers.table import TABLES
from readers.values import split_name
from schemas.errors import CaseError, UserError

_LOOK = 500
_TRY = 30
_LABEL_WORDS = ("label", "finding", "diagnos", "dx", "class", "target", "category", "disease", "grade", "pathology")
_TEXTS = {"caption": "caption", "report": "report", "findings": "findings", "impression": "impression"}
_ROLES = {"sex": ("sex", "gender"), "age": ("age",), "view": ("view", "projection"), "laterality": ("laterality",)}
_PATIENT = ("patient", "subject", "lesion_id", "case_id", "study")
_BINARY = frozenset({"0", "1", "-1", "0.0", "1.0", "-1.0"})


def recognise_table(source: Source) -> Recognition | None:
    """A table at the top or one folder down with a column that names pictures of this source."""
    best: Recognition | None = None
    for path, records in _tables(source):
        found = _recognised(source, path, records)
        if found is not None and (best is None or found.confidence > best.confidence):
            best = found
    return best


def recognise_vqa(source: Source) -> Recognition | None:
    """A JSON list of objects with an image, a question and an answer."""
    for path, records in _tables(source, ("json",)):
        column, where = _image_column(source, records)
        if not column or not {"question", "answer"} <= set(records[0].fields):
            continue
        options: dict[str, Any] = {"table": [path], "image": [column], **({"image_dir": [where]} if where else {})}
        hints = {"group": column}
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


def _tables(source: Source, kinds: tuple[str, ...] = ()) -> list[tuple[str, list[Record]]]:
    found = []
    for path in survey(source):
        if path.count("/") > 1 or not path.lower().endswith(TABLES) or path.lower().endswith((".txt", "license")):
            continue
        if kinds and kind_of(path) not in kinds:
            continue
        try:
            records = [r for r in islice(read_records(source, path), _LOOK) if isinstance(r, Record)]
        except (CaseError, UserError):
            continue
        if records:
            found.append((path, records))
    return found


def _recognised(source: Source, path: str, records: list[Record]) -> Recognition | None:
    column, where = _image_column(source, records)
    if not column:
        return None
    options: dict[str, Any] = {"table": [path], "image": [column]}
    if where:
        options["image_dir"] = [where]
    columns = [name for name in records[0].fields if name != column]
    values = {name: [words(record.fields.get(name)) for record in records] for name in columns}
    hints = _roles(columns, values, options)
    labels = _labels(columns, values, options, hints)
    options["texts"] = {kind: name for kind, word in _TEXTS.items() for name in columns if name.lower() == word}
    if not options["texts"]:
        del options["texts"]
    known = len(set(options) & {"labels", "one_hot", "texts"})
    why = f"the column {column!r} of {path} names pictures that are here"
    return Recognition(0.7 + 0.1 * min(known, 2), why, options, labels, hints)


def _image_column(source: Source, records: list[Record]) -> tuple[str, str]:
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


def _is_flag(column: str, values: set[str]) -> bool:
    """Whether a column's values are 1, 0, -1 and nothing, with a 1 among them, and its name is no measurement's."""
    measured = any(word in column.lower() for word in ("offset", "count", "number", "days", "_id", "index"))
    return not measured and values <= _BINARY | {""} and bool(values & {"1", "1.0"})


def _labels(
    columns: list[str], values: dict[str, list[str]], options: dict[str, Any], hints: dict[str, str]
) -> tuple[str, ...]:
    """Columns with label words; one-hot columns win, since they also say what is absent."""
    free = [column for column in columns if column not in options.values() and column != hints.get("group")]
    hot = [column for column in free if _is_flag(column, set(values[column]))]
    if len(hot) >= 2:
        options["one_hot"] = hot
        hints["label_kind"] = "multi_label"
        return tuple(hot)
    for column in free:
        if any(word in column.lower() for word in _LABEL_WORDS):
            listed = {part.strip() for value in values[column] for part in value.split("|") if part.strip()}
            if 0 < len(listed) <= 100:
                options["labels"] = [column]
                several = any("|" in value for value in values[column])
                hints["label_kind"] = "multi_label" if several else "multi_class"
                return tuple(sorted(listed))
    return ()
