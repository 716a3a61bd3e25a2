"""Entries of a folder in order, in bounded memory: beyond some thousands, sorted runs wait in a temporary file."""

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import IO

Entry = tuple[str, bool, bool]
"""Name, whether it is a folder, whether it is a link."""

RUN = 10_000
"""Entries that are sorted in memory at once."""

_BLOCK = 1 << 14


def sorted_entries(entries: Iterable[Entry], run: int = RUN) -> Iterator[Entry]:
    """The entries by name; at most ``run`` of them are held at a time, and a few kilobytes of every further run."""
    entries = iter(entries)
    first = sorted(islice(entries, run))
    if len(first) < run:
        yield from first
        return
    files: list[IO[bytes]] = []
    try:
        while first:
            files.append(_written(first))
            first = sorted(islice(entries, run))
        yield from heapq.merge(*(_read(file) for file in files))
    finally:
        for file in files:
            file.close()


def _written(entries: list[Entry]) -> IO[bytes]:
    """The entries in a nameless file, each ended by a NUL, which no file name can hold."""
    file = tempfile.TemporaryFile(prefix="medcurate-")  # noqa: SIM115 - the caller closes it
    for name, folder, link in entries:
        file.write(name.encode("utf-8", "surrogatepass") + (b"/1" if folder else b"/0") + (b"1\0" if link else b"0\0"))
    file.seek(0)
    return file


def _read(file: IO[bytes]) -> Iterator[Entry]:
    rest = b""
    while block := file.read(_BLOCK):
        *whole, rest = (rest + block).split(b"\0")
        for each in whole:
            name, _, flags = each.rpartition(b"/")
            yield name.decode("utf-8", "surrogatepass"), flags[:1] == b"1", flags[1:] == b"1"
