"""Files that are whole under their final name: temporary name, flush, fsync, rename."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

SUFFIX = ".unfinished"


def unfinished(path: Path) -> Path:
    """The temporary name of ``path``, in the same folder so that renaming is atomic."""
    return path.with_name(path.name + SUFFIX)


def settle(path: Path) -> None:
    """Force a finished temporary file of ``path`` to the disk, then give it its final name."""
    temporary = unfinished(path)
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.replace(path)


@contextmanager
def atomic(path: Path) -> Iterator[BinaryIO]:
    """Open ``path`` for writing; it appears only when the block ends without an error, else nothing stays."""
    temporary = unfinished(path)
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    temporary.replace(path)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a small file atomically."""
    with atomic(path) as file:
        file.write(data)
