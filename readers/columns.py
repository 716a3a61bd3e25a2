"""Parquet files and Hugging Face datasets on disk: rows as records, pictures in their cells as files."""

import io
import json
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import IO, Any

from readers.source import Source, printable
from schemas.errors import CaseError

_BATCH = 256


class Columns(Source):
    """The binary cells of one file; a path is ``column/row``, or ``column/row/position`` inside a list."""

    def __init__(self, source: Source, path: str) -> None:
        self.root = f"{source.root}/{path}"
        self._file = open_columns(source, path)
        self._held: tuple[tuple[int, str], Any] = ((-1, ""), None)

    def walk(self, under: str = "") -> Iterator[str]:
        """See `Source.walk`."""
        for column in self._file.pictures:
            if f"{column}/".startswith(under):
                yield from (f"{column}/{row}" for row in range(self._file.rows))

    def listing(self, under: str = "") -> tuple[list[str], list[str]]:
        """See `Source.listing`."""
        return list(self._file.pictures), []

    def exists(self, path: str) -> bool:
        """See `Source.exists`; cells are not looked into."""
        column, row, _ = _parts(path)
        return column in self._file.pictures and 0 <= row < self._file.rows

    def size(self, path: str) -> int:
        """See `Source.size`."""
        return len(self._cell(path))

    def stamp(self, path: str) -> tuple[int, int]:
        """See `Source.stamp`; a cell stays what it is while its file is open."""
        return 0, 0

    def stream(self, path: str) -> IO[bytes]:
        """See `Source.stream`."""
        return io.BytesIO(self._cell(path))

    def local(self, path: str) -> Path:
        """Cells have no path of their own; `CaseError`."""
        raise CaseError("unsupported_format", "a picture in a table's cell must be one that is decoded from memory")

    def _cell(self, path: str) -> bytes:
        column, row, position = _parts(path)
        if not self.exists(path):
            raise CaseError("missing_file", f"there is no cell {printable(path)}")
        group, at = self._file.place(row)
        if self._held[0] != (group, column):
            try:
                self._held = ((group, column), self._file.read(group, column))
            except broken() as error:
                raise _broken(self.root, error) from None
        value = self._held[1][at].as_py()
        if position >= 0:
            value = value[position] if isinstance(value, list) and position < len(value) else None
        data = value.get("bytes") if isinstance(value, dict) else value
        if not isinstance(data, bytes):
            raise CaseError("empty_file", "the table's cell holds no picture")
        return data


class ColumnFile:
    """A Parquet or Arrow file, read by groups of rows."""

    def __init__(self, schema: Any, sizes: list[int]) -> None:
        self.schema = schema
        self._ends = list(accumulate(sizes))
        self.rows = self._ends[-1] if self._ends else 0
        self.pictures = {field.name: _is_list(field.type) for field in schema if _holds_bytes(field.type)}
        self.words = _class_names(schema)

    def place(self, row: int) -> tuple[int, int]:
        """The group that a row is in, and its place there."""
        group = next(i for i, end in enumerate(self._ends) if row < end)
        return group, row - (self._ends[group - 1] if group else 0)

    def read(self, group: int, column: str) -> Any:
        """One column of one group, as an Arrow array."""
        raise NotImplementedError

    def plain(self) -> Iterator[dict[str, Any]]:
        """Every row without its binary columns; what `broken` names where the file's data is broken from there on."""
        raise NotImplementedError

    def records(self, path: str) -> Iterator[dict[str, Any]]:
        """Every row, pictures as paths, class numbers as the words that the file gives them."""
        for row, fields in enumerate(self.plain()):
            for column, names in self.words.items():
                if isinstance(fields.get(column), int) and 0 <= fields[column] < len(names):
                    fields[column] = names[fields[column]]
            for column in self.pictures:
                fields[column] = f"{path}!/{column}/{row}"
            yield fields


class _Parquet(ColumnFile):
    def __init__(self, file: Any) -> None:
        import pyarrow.parquet as pq

        self._file = pq.ParquetFile(file)
        meta = self._file.metadata
        super().__init__(self._file.schema_arrow, [meta.row_group(i).num_rows for i in range(meta.num_row_groups)])

    def read(self, group: int, column: str) -> Any:
        return _sound(self._file.read_row_group(group, columns=[column]).column(0).combine_chunks())

    def plain(self) -> Iterator[dict[str, Any]]:
        names = [name for name in self.schema.names if name not in self.pictures]
        if not names:
            yield from ({} for _ in range(self.rows))
            return
        for batch in self._file.iter_batches(_BATCH, columns=names):
            yield from _sound(batch).to_pylist()


class _Arrow(ColumnFile):
    def __init__(self, path: Path) -> None:
        import pyarrow as pa

        mapped = pa.memory_map(str(path))
        try:
            self._batches = pa.ipc.open_stream(mapped).read_all().to_batches()
        except pa.ArrowInvalid:
            self._batches = pa.ipc.open_file(mapped).read_all().to_batches()
        schema = self._batches[0].schema if self._batches else pa.schema([])
        super().__init__(schema, [batch.num_rows for batch in self._batches])

    def read(self, group: int, column: str) -> Any:
        return _sound(self._batches[group].column(column))

    def plain(self) -> Iterator[dict[str, Any]]:
        names = [name for name in self.schema.names if name not in self.pictures]
        for batch in self._batches:
            yield from _sound(batch.select(names)).to_pylist() if names else ({} for _ in range(batch.num_rows))


def broken() -> tuple[type[Exception], ...]:
    """What Arrow raises over broken files."""
    import pyarrow as pa

    return pa.ArrowException, OSError, UnicodeDecodeError


def open_columns(source: Source, path: str) -> ColumnFile:
    """The Parquet or Arrow file at ``path``; `CaseError` ``broken_table`` where it is none."""
    try:
        if path.lower().endswith(".arrow"):
            return _Arrow(source.local(path))
        return _Parquet(source.stream(path))
    except broken() as error:
        raise _broken(path, error) from None


def _sound(data: Any) -> Any:
    """A batch or array whose offsets and texts were looked at: Arrow follows broken ones out of its memory."""
    data.validate(full=True)
    return data


def _broken(path: str, error: Exception) -> CaseError:
    return CaseError("broken_table", f"{printable(path)} cannot be read ({type(error).__name__})")


def _parts(path: str) -> tuple[str, int, int]:
    """Column, row, and position in a list or -1; row -1 where the path names no cell."""
    parts = path.split("/")
    numbers = [int(part) for part in parts[1:] if part.isdigit()]
    if len(parts) not in (2, 3) or len(numbers) != len(parts) - 1:
        return "", -1, -1
    return parts[0], numbers[0], numbers[1] if len(numbers) == 2 else -1


def _holds_bytes(kind: Any) -> bool:
    import pyarrow as pa

    if _is_list(kind):
        return _holds_bytes(kind.value_type)
    if pa.types.is_struct(kind):
        return any(field.name == "bytes" and _holds_bytes(field.type) for field in kind)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _is_list(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _class_names(schema: Any) -> dict[str, list[str]]:
    """Column -> names, where the Hugging Face metadata says that its numbers are classes."""
    try:
        info = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = info["info"]["features"]
        return {name: each["names"] for name, each in features.items() if each.get("_type") == "ClassLabel"}
    except (ValueError, KeyError, AttributeError, TypeError):
        return {}
