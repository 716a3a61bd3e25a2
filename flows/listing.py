"""What planning remembers of a listing, little however long it is: which keys stood before, and the files' state."""

import os
from array import array
from collections.abc import Iterator
from pathlib import Path

from schemas.identity import digest

_BUCKETS = 1 << 12


class Keys:
    """Keys seen so far, at eight bytes each: of thirty million listings of a million, one takes two keys for one."""

    def __init__(self) -> None:
        self._buckets = [array("Q") for _ in range(_BUCKETS)]

    def add(self, key: str) -> bool:
        """Remember ``key``; whether it is new."""
        mark = int(digest(key)[:16], 16)
        bucket = self._buckets[mark % _BUCKETS]
        if mark in bucket:
            return False
        bucket.append(mark)
        return True


def fingerprint_of(root: str) -> str:
    """Digest of path, size and time of every file below ``root``, so that a mended source is read again.

    The digests of the files are added up, so that their order, and with it sorting and memory, does not matter.
    """
    total = count = 0
    for stated in _remote(root) if "://" in root else _local(root):
        total = (total + int(digest(stated), 16)) % (1 << 128)
        count += 1
    return digest(str(count), f"{total:x}")


def _local(root: str) -> Iterator[str]:
    path = Path(root)
    if path.is_dir():
        yield from _below(root)
    elif path.exists():
        yield f"{root}\0{path.stat().st_size}\0{path.stat().st_mtime_ns}"


def _below(folder: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _below(entry.path)
            else:
                state = entry.stat(follow_symlinks=False)
                # A name that is no UTF-8 is hashed too.
                path = entry.path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
                yield f"{path}\0{state.st_size}\0{state.st_mtime_ns}"


def _remote(root: str) -> Iterator[str]:
    from readers.source import Source

    source = Source.open(root)
    for path in source.walk():
        size, version = source.stamp(path)
        yield f"{path}\0{size}\0{version}"
