"""Pictures that a text file holds as base64: cells of VLMEvalKit's TSV, fields of JSON Lines, LabelMe's ``imageData``.

A path inside such a file says where the picture stands: ``column/offset``, the offset being that of its record's
first byte, or ``column/offset/position`` where the cell lists several; ``imageData`` in LabelMe's JSON.
"""

import base64
import binascii
import csv
import io
import json
import re
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from readers.questions import image_parts
from readers.records import FIELD_LIMIT, Fault, Record, cells, delimiter_of, flattened, load_json, names_of, row_of
from readers.source import Source, printable
from schemas.errors import CaseError, UserError

TABLES = (".csv", ".tsv", ".jsonl", ".ndjson")
PICTURE = "imageData"
REFERENCE = 64
"""Characters up to which a cell is no picture but the index of the record that has it, as VLMEvalKit reads it."""
_BASE64 = re.compile(
    r"(?:data:image/[a-z+]+;base64,)?(?:/9j/|iVBORw0KGgo|R0lGOD|UklGR|SUkq|TU0AK|Qk)[A-Za-z0-9+/\s]{40}"
)
"""How base64 of JPEG, PNG, GIF, WebP, TIFF and BMP begins."""
_AT = re.compile(r"(.+?)/(\d+)(?:/(\d+))?")


class Embedded(Source):
    """A text file, seen as the folder of its pictures."""

    def __init__(self, source: Source, path: str) -> None:
        self.root = f"{source.root}/{path}"
        self._outer, self._path = source, path

    @abstractmethod
    def _text(self, path: str) -> str:
        """The base64 text at ``path``; empty where there is none."""

    def walk(self, under: str = "") -> Iterator[str]:
        """Nothing: records name their pictures."""
        return iter(())

    def listing(self, under: str = "") -> tuple[list[str], list[str]]:
        """Nothing, as `walk`."""
        return [], []

    def exists(self, path: str) -> bool:
        """See `Source.exists`."""
        try:
            return bool(self._text(path))
        except CaseError:
            return False

    def size(self, path: str) -> int:
        """See `Source.size`."""
        return len(self._picture(path))

    def stamp(self, path: str) -> tuple[int, int]:
        """See `Source.stamp`: the file's own."""
        return self._outer.stamp(self._path)

    def stream(self, path: str) -> IO[bytes]:
        """See `Source.stream`."""
        return io.BytesIO(self._picture(path))

    def local(self, path: str) -> Path:
        """Such pictures have no path of their own; `CaseError`."""
        raise CaseError("unsupported_format", "a picture in a text file must be one that is decoded from memory")

    def _picture(self, path: str) -> bytes:
        text = self._text(path)
        if not text:
            raise CaseError("missing_file", f"there is no picture at {printable(path)}")
        try:
            return base64.b64decode(re.sub(r"^data:[^,]*,|\s+", "", text), validate=True)
        except (binascii.Error, ValueError):
            raise CaseError("corrupt_image", "the picture's base64 text is broken") from None


class TableCells(Embedded):
    """Pictures in the cells of a CSV or TSV, or in the fields of JSON Lines."""

    def __init__(self, source: Source, path: str) -> None:
        super().__init__(source, path)
        self._last: tuple[int, dict[str, Any]] = (-1, {})
        """A picture is looked for, looked at and read in turn; its record is parsed once."""

    def _text(self, path: str) -> str:
        place = _AT.fullmatch(path)
        if place is None:
            return ""
        column, offset, position = place[1], int(place[2]), int(place[3] or 0)
        if self._last[0] != offset:
            self._last = offset, record_at(self._outer, self._path, offset)
        listed = _listed(self._last[1].get(column))
        text = listed[position] if position < len(listed) else ""
        return text if len(text) > REFERENCE else ""


class LabelMePicture(Embedded):
    """The picture that LabelMe keeps in its JSON."""

    def __init__(self, source: Source, path: str) -> None:
        super().__init__(source, path)
        document = load_json(source, path)
        held = document.get(PICTURE) if isinstance(document, dict) else None
        self._held = held if isinstance(held, str) else ""

    def _text(self, path: str) -> str:
        return self._held if path == PICTURE else ""


def is_picture(text: str) -> bool:
    """Whether a text begins as base64 of a picture does, alone or as the first of a list."""
    return len(text) > REFERENCE and _BASE64.match(text.lstrip("[\"' ")) is not None


def records(source: Source, path: str, columns: Sequence[str], delimiter: str = "") -> Iterator[Record | Fault]:
    """Stream a table's records, in the ``columns`` paths of pictures instead of their text.

    A cell that names another record by its ``index`` has that one's paths, where it stands before.
    """
    if not path.lower().endswith(TABLES):
        raise UserError(f"{printable(path)}: pictures inside are read from {', '.join(TABLES)}; unpack or convert it")
    known: dict[str, list[str]] = {}
    lines = _json_lines(source, path) if _is_json(path) else _rows(source, path, delimiter)
    for offset, record in lines:
        if isinstance(record, Fault):
            yield record
            continue
        fields = dict(record.fields)
        for column in columns:
            if column not in fields and not _is_json(path):
                raise UserError(f"{printable(path)} has no column {column!r}; check the option `embedded`")
            paths = _paths(path, column, offset, fields.get(column), known)
            known[str(fields.get("index", ""))] = paths
            if _is_dialogue(fields.get(column)):
                for part, place in zip(_parts(fields[column]), paths, strict=True):
                    part |= {"type": "image", "image": place}
            else:
                fields[column] = paths if len(paths) > 1 else "".join(paths)
        yield Record(record.line, fields)


def _parts(value: Any) -> list[dict[str, Any]]:
    """Of a dialogue the parts of its turns that hold a picture themselves."""
    return [part for part, address in image_parts(value) if address.startswith("data:")]


def _listed(value: Any) -> list[str]:
    """The pictures' texts in a field: its own, those that it lists, or those inside a dialogue's turns."""
    if _is_dialogue(value):
        return [address for _, address in image_parts(value) if address.startswith("data:")]
    return cells(value)


def _is_dialogue(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(turn, dict) for turn in value)


def _paths(path: str, column: str, offset: int, value: Any, known: dict[str, list[str]]) -> list[str]:
    listed = _listed(value)
    if len(listed) == 1 and len(listed[0]) <= REFERENCE:
        return known.get(listed[0], [f"{path}!/{column}/{offset}"])
    if len(listed) == 1:
        return [f"{path}!/{column}/{offset}"]
    return [f"{path}!/{column}/{offset}/{position}" for position in range(len(listed))]


def record_at(source: Source, path: str, offset: int) -> dict[str, Any]:
    """The fields of the record that begins at a byte of a table; empty where none does."""
    with source.stream(path) as file:
        if _is_json(path):
            file.seek(offset)
            return _object(file.readline()) or {}
        names, delimiter = _head(file)
        file.seek(offset)
        try:
            row = next(csv.reader(map(_line, file), delimiter=delimiter), None)
        except csv.Error:
            return {}
    return dict(zip(names, row or [], strict=False))


def _is_json(path: str) -> bool:
    return path.lower().endswith((".jsonl", ".ndjson"))


def _json_lines(source: Source, path: str) -> Iterator[tuple[int, Record | Fault]]:
    offset = 0
    with source.stream(path) as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                fields = _object(line)
                broken = Fault(number, "broken_row", f"line {number} is no JSON object")
                yield offset, broken if fields is None else Record(number, fields)
            offset += len(line)


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return flattened(value) if isinstance(value, dict) else None


def _rows(source: Source, path: str, delimiter: str) -> Iterator[tuple[int, Record | Fault]]:
    with source.stream(path) as file:
        names, found = _head(file)
        at = file.tell()

        def lines() -> Iterator[str]:
            nonlocal at
            for line in file:
                at += len(line)
                yield _line(line)

        rows = csv.reader(lines(), delimiter=delimiter or found)
        while True:
            offset = at
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                number = rows.line_num + 1
                yield offset, Fault(number, "broken_row", f"line {number} cannot be parsed: {error}")
                continue
            if any(cell.strip() for cell in row):
                yield offset, row_of(rows.line_num + 1, names, row)


def _head(file: IO[bytes]) -> tuple[list[str], str]:
    """Column names and delimiter; the file then stands at the first record."""
    csv.field_size_limit(FIELD_LIMIT)
    header = file.readline().decode("utf-8-sig", "replace")
    delimiter = delimiter_of(header)
    return names_of(next(csv.reader([header], delimiter=delimiter), [])), delimiter


def _line(line: bytes) -> str:
    return line.decode("utf-8", "replace")
