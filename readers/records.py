"""Records out of tables, JSON, Parquet and WebDataset files; a broken one is reported and the rest kept."""

import csv
import json
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from readers.source import Source, printable
from readers.text import open_text
from schemas.errors import CaseError, UserError

FIELD_LIMIT = 16 << 20
JSON_LIMIT = 1 << 30
_DELIMITERS = ",;\t|"
_MISSING = frozenset({"", "nan", "NaN", "NULL", "null", "<NA>"})


@dataclass(frozen=True, slots=True)
class Record:
    """One record; values are strings in CSV, and whatever JSON holds elsewhere."""

    line: int
    """1-based line (CSV, JSON Lines) or position (JSON, XLSX)."""
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """A record that cannot be read."""

    line: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Format:
    """How a file of records is to be taken; empty means: find out."""

    kind: str = ""
    """csv, jsonl, json, xlsx, parquet, arrow or webdataset."""
    delimiter: str = ""
    encoding: str = ""
    header: tuple[str, ...] = ()
    """Column names of a table whose first line is already data; a last one ending in ``*`` takes all that is left."""
    inside: str = ""
    """Dotted path to the list of records inside a JSON document, ``*`` for all its lists; the sheet's name in XLSX."""
    embedded: tuple[str, ...] = ()
    """Columns that hold pictures as base64 text; the records have paths of them."""


def read_records(source: Source, path: str, form: Format = Format()) -> Iterator[Record | Fault]:
    """Stream the records of a file; `CaseError` where the file as a whole cannot be read."""
    if path.lower().endswith((".pkl", ".pickle")):
        raise UserError(
            f"{printable(path)} is a Python pickle, which is never loaded; rewrite it as JSON or Parquet first"
        )
    kind = form.kind or kind_of(path)
    readers: dict[str, Callable[[Source, str, Format], Iterator[Record | Fault]]] = {
        "csv": _csv,
        "jsonl": _jsonl,
        "json": _json,
        "xlsx": _xlsx,
        "parquet": _columns,
        "arrow": _columns,
        "webdataset": _webdataset,
    }
    if kind not in readers:
        raise UserError(f"{printable(path)}: the format {kind!r} is none of {', '.join(readers)}")
    if form.embedded:
        from readers.embedded import records

        yield from records(source, path, form.embedded, form.delimiter)
        return
    try:
        yield from readers[kind](source, path, form)
    except (EOFError, zlib.error, OSError) as error:
        yield Fault(0, "broken_table", f"{printable(path)} breaks off and is not read further ({type(error).__name__})")


def kind_of(path: str) -> str:
    """The format that a file's name promises; ``csv`` for everything unknown."""
    lower = path.lower().removesuffix(".gz")
    if lower.endswith((".jsonl", ".ndjson")):
        return "jsonl"
    if lower.endswith(".json"):
        return "json"
    ends = {".parquet": "parquet", ".arrow": "arrow", ".tar": "webdataset", ".xlsx": "xlsx", ".xls": "xlsx"}
    return next((kind for end, kind in ends.items() if lower.endswith(end)), "csv")


def words(value: Any) -> str:
    """A record's value as text: stripped, and empty for None, NaN and the usual words for nothing."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip()
    return "" if text in _MISSING else text


def cells(value: Any, separator: str = "|") -> list[str]:
    """The words that a record's value lists: a list's own, or a text's between separators; empty ones left out.

    A text may also be a list as Python prints it, ``['Mass', 'Nodule']`` (VinDr-Mammo, PadChest).
    """
    parts = value if isinstance(value, list) else _printed_list(words(value)) or words(value).split(separator)
    return [word for word in map(words, parts) if word]


def _printed_list(text: str) -> list[str]:
    quoted = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
    if not (text.startswith("[") and re.fullmatch(rf"\[\s*(?:{quoted})(?:\s*,\s*(?:{quoted}))*\s*\]", text)):
        return []
    return [re.sub(r"\\(.)", r"\1", found[1:-1]) for found in re.findall(quoted, text)]


def flattened(fields: dict[str, Any], depth: int = 3) -> dict[str, Any]:
    """The fields, with those of nested objects added under dotted names: ``oa_info.license``."""
    out = dict(fields)
    for name, value in fields.items():
        if isinstance(value, dict) and depth:
            out |= {f"{name}.{inner}": each for inner, each in flattened(value, depth - 1).items()}
    return out


def delimiter_of(header: str) -> str:
    """The delimiter that stands most often in a header line, outside quotes; a comma where none does."""
    bare = re.sub(r'"[^"]*"', "", header)
    return max(_DELIMITERS, key=bare.count)


def _csv(source: Source, path: str, form: Format) -> Iterator[Record | Fault]:
    csv.field_size_limit(FIELD_LIMIT)
    with open_text(source, path, form.encoding) as file:
        delimiter = form.delimiter or delimiter_of(file.readline())
        file.seek(0)
        rows = csv.reader(file, delimiter=delimiter)
        names = list(form.header) or names_of(next(rows, []))
        while True:
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield Fault(rows.line_num, "broken_row", f"line {rows.line_num} cannot be parsed: {error}")
                continue
            if row and any(cell.strip() for cell in row):
                yield row_of(rows.line_num, names, row)


def names_of(header: Sequence[str]) -> list[str]:
    """Column names, stripped; the second of the same name gets ``.1`` and so on."""
    names: list[str] = []
    for name in (cell.strip() for cell in header):
        count = sum(known == name or known.startswith(f"{name}.") for known in names)
        names.append(f"{name}.{count}" if name in names else name)
    return names


def row_of(line: int, names: list[str], row: list[str]) -> Record | Fault:
    """A table's row under its column names; a fault where it has fewer fields or more."""
    if names and names[-1].endswith("*"):
        rest = [cell.strip() for cell in row[len(names) - 1 :] if cell.strip()]
        return Record(line, {**dict(zip(names[:-1], row, strict=False)), names[-1][:-1]: rest})
    surplus = row[len(names) :]
    if len(row) < len(names) or any(cell.strip() for cell in surplus):
        return Fault(line, "broken_row", f"line {line} has {len(row)} fields where the header has {len(names)}")
    return Record(line, dict(zip(names, row, strict=False)))


def _jsonl(source: Source, path: str, form: Format) -> Iterator[Record | Fault]:
    with open_text(source, path, form.encoding) as file:
        for number, line in enumerate(iter(lambda: file.readline(FIELD_LIMIT), ""), 1):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                yield Fault(number, "broken_row", f"line {number} is not valid JSON")
                continue
            yield from _records([value], number)


def _json(source: Source, path: str, form: Format) -> Iterator[Record | Fault]:
    document = load_json(source, path)
    if form.inside == "*" and isinstance(document, dict):
        lists = [value for value in document.values() if isinstance(value, list)]
        yield from _records([record for records in lists for record in records], 1)
        return
    for part in form.inside.split(".") if form.inside else []:
        if not isinstance(document, dict) or part not in document:
            raise UserError(f"{printable(path)} holds nothing under {form.inside!r}; check the option `records`")
        document = document[part]
    if isinstance(document, dict):
        # A mapping of ids to records.
        document = [{"id": key, **value} if isinstance(value, dict) else value for key, value in document.items()]
    yield from _records(document if isinstance(document, list) else [document], 1)


def load_json(source: Source, path: str) -> Any:
    """A whole JSON document; `CaseError` ``broken_json`` where it is none."""
    try:
        return json.loads(source.read_bytes(path, JSON_LIMIT))
    except (ValueError, RecursionError):
        raise CaseError("broken_json", f"{printable(path)} is not valid JSON") from None


def _records(values: Sequence[Any], first: int) -> Iterator[Record | Fault]:
    for number, value in enumerate(values, first):
        if isinstance(value, dict):
            yield Record(number, flattened(value))
        else:
            yield Fault(number, "broken_row", f"record {number} is no object with named fields")


def _xlsx(source: Source, path: str, form: Format) -> Iterator[Record | Fault]:
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_path(str(source.local(path)))
        sheet = book.get_sheet_by_name(form.inside) if form.inside else book.get_sheet_by_index(0)
        rows = iter(sheet.iter_rows())
    except (python_calamine.CalamineError, OSError) as error:
        raise CaseError("broken_table", f"{printable(path)} cannot be read as a spreadsheet: {error}") from None
    names = list(form.header) or names_of([words(cell) for cell in next(rows, [])])
    for number, row in enumerate(rows, 1 if form.header else 2):
        cells = [words(cell) for cell in row]
        if any(cells):
            yield row_of(number, names, cells)


def _columns(source: Source, path: str, form: Format) -> Iterator[Record | Fault]:
    from readers.columns import broken, open_columns

    file = open_columns(source, path)
    rows = file.records(path)
    for number in range(1, file.rows + 1):
        try:
            fields, why = next(rows, None), "it ends before them"
        except broken() as error:
            fields, why = None, type(error).__name__
        if fields is None:
            detail = f"records {number} to {file.rows} of {printable(path)} cannot be read ({why})"
            yield Fault(number, "broken_table", detail)
            return
        yield Record(number, flattened(fields))


def _webdataset(source: Source, path: str, form: Format) -> Iterator[Record | Fault]:
    """Samples of one tar: members that share a name up to its first dot; pictures as paths, JSON spread out."""
    from readers.archive import open_archive
    from readers.pixels.layout import IMAGE_SUFFIXES
    from readers.text import read_text

    archive = open_archive(source.local(path))
    samples: dict[str, dict[str, Any]] = {}
    for name in archive.walk():
        folder, _, base = name.rpartition("/")
        key, _, kind = base.partition(".")
        fields = samples.setdefault(f"{folder}/{key}" if folder else key, {})
        if f".{kind}".lower().endswith(IMAGE_SUFFIXES):
            fields[kind] = f"{path}!/{name}"
        elif kind == "json":
            document = load_json(archive, name)
            fields |= flattened(document) if isinstance(document, dict) else {"json": document}
        elif kind in ("txt", "cls", "caption", "text"):
            fields[kind] = read_text(archive, name).strip()
    for number, (key, fields) in enumerate(samples.items(), 1):
        yield Record(number, {"__key__": key, **fields})
