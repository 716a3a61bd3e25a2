"""What an export format is, and what formats share: rows, picture files, text cut at its pictures."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Protocol

from schemas.instruction import IMAGE
from schemas.spec import Strict
from storage.atomic import atomic

Row = Mapping[str, Any]
"""A published row: the columns of `schemas.instruction.arrow_schema` as Python objects."""


class Export(Protocol):
    """Registered by entry point under ``medcurate.exports``; one file each.

    A format that can carry volumes says so by ``volumes: ClassVar[bool] = True``, one that can carry the mask that a
    row asks for by ``masks: ClassVar[bool] = True``; to others such rows are not given.
    """

    name: ClassVar[str]
    Options: ClassVar[type[Strict]]

    def __init__(self, options: Any) -> None: ...

    def write(self, rows: Iterable[Row], split: str, folder: Path) -> int:
        """Write one split into ``folder``; returns how many rows went in.

        Rows come one at a time and are not kept.  A row that the format cannot say is left out.
        """
        ...

    def finish(self, splits: Mapping[str, int], release: str, folder: Path) -> None:
        """Write what describes all splits; called once, with the rows of each and ``name-version``."""
        ...


class Pictures:
    """Writes pictures beside an export, each once, and says under which relative path."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "images").mkdir(parents=True, exist_ok=True)
        self._written: set[str] = set()

    def paths(self, row: Row) -> list[str]:
        """``images/<name>`` of each picture of the row, with forward slashes."""
        return [self._path(image) for image in row["images"]]

    def _path(self, image: Mapping[str, Any]) -> str:
        path = f"images/{Path(image['path']).name}"
        if path not in self._written:
            (self._folder / path).write_bytes(image["bytes"])
            self._written.add(path)
        return path


def pieces(content: str) -> list[str | None]:
    """A turn's text cut at its pictures: ``None`` stands for a picture, blank text is left out.

    ``"<image>\\nWhat is it?"`` gives ``[None, "What is it?"]``.
    """
    found: list[str | None] = []
    for number, text in enumerate(content.split(IMAGE)):
        if number:
            found.append(None)
        if text.strip():
            found.append(text.strip("\n"))
    return found


def without_images(content: str) -> str:
    """The text of a turn without its picture placeholders."""
    return "\n".join(text for text in pieces(content) if text is not None)


@contextmanager
def json_array(path: Path) -> Iterator["JsonArray"]:
    """A JSON array that is written item by item and appears when whole."""
    with atomic(path) as file:
        file.write(b"[")
        yield JsonArray(file)
        file.write(b"\n]\n")


class JsonArray:
    """Items of a JSON array under way."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.count = 0

    def add(self, item: Any) -> None:
        """Append one item."""
        self._file.write((b",\n" if self.count else b"\n") + dumps(item))
        self.count += 1


def write_lines(path: Path, items: Iterable[Any]) -> int:
    """JSON lines; returns how many."""
    count = 0
    with atomic(path) as file:
        for item in items:
            file.write(dumps(item) + b"\n")
            count += 1
    return count


def dumps(item: Any) -> bytes:
    """Compact JSON in UTF-8."""
    return json.dumps(item, ensure_ascii=False).encode()
