"""Where a dataset's bytes lie: a folder, here or at an address, or a zip or tar read in place and never unpacked.

Whatever lies there is listed, so that everything can be accounted for; what must not be read (a member named
``../x``, a link that leaves the root, a pipe) is listed too and refused with a `CaseError` when it is opened.
"""

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from schemas.errors import CaseError, UserError

READ_LIMIT = 2 << 30
"""Bytes that one file may have to be read whole into memory."""

_PIECE = 1 << 20
"""Bytes asked for first: most pictures are smaller."""

JUNK_FILES = frozenset({".ds_store", "thumbs.db", "desktop.ini", "ehthumbs.db", ".directory", ".gitkeep"})
JUNK_FOLDERS = frozenset({"__macosx", ".git", ".svn", "__pycache__", ".ipynb_checkpoints", "@eadir", ".cache"})
_DRIVE = re.compile(r"[A-Za-z]:/")

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")


class Source(ABC):
    """A root and the files below it.

    Paths are relative to the root, with forward slashes, and can never lead out of it.  Every method that
    takes a path raises `CaseError` (``missing_file``, ``unsafe_path``, ``link_leaves_root``, ``not_a_file``,
    ``unreadable_file``, ``file_too_large``) where it cannot serve it.
    """

    root: str

    @classmethod
    def open(cls, root: str) -> "Source":
        """The folder, zip, tar or single file at ``root``, a path or any fsspec address (``s3://...``).

        `UserError` where there is none that can be read.
        """
        if not root:
            raise UserError("the spec has no root; set it to the folder or archive that holds the dataset")
        if "://" in root:
            from readers.remote import open_remote

            return open_remote(root)
        from readers.folder import Folder

        path = Path(root)
        try:
            if path.is_dir():
                return Folder(path)
            if not path.is_file():
                raise UserError(f"there is no folder or archive {root}; check the path, or `root` in the spec")
        except (ValueError, OSError) as error:
            raise UserError(f"the root {root!r} cannot be looked at: {error}") from None
        if path.name.lower().endswith(ARCHIVES):
            from readers.archive import open_archive

            return open_archive(path)
        return Folder(path.parent, only=path.name)

    @abstractmethod
    def walk(self, under: str = "") -> Iterator[str]:
        """Every file below ``under``, sorted within each folder, junk left out, streaming."""

    @abstractmethod
    def listing(self, under: str = "") -> tuple[list[str], list[str]]:
        """Names of the folders and of the files directly in ``under``, sorted, junk left out; empty where none."""

    @abstractmethod
    def exists(self, path: str) -> bool:
        """Whether ``path`` is a file that can be opened; false, never an error, for a path that leaves the root."""

    @abstractmethod
    def size(self, path: str) -> int:
        """Bytes of the file."""

    def stamp(self, path: str) -> tuple[int, int]:
        """Size and time of change, to tell whether a file is still the one that was read."""
        return self.size(path), 0

    @abstractmethod
    def stream(self, path: str) -> IO[bytes]:
        """The file, open for reading and seeking; the caller closes it."""

    @abstractmethod
    def local(self, path: str) -> Path:
        """A path on this machine's disk for libraries that need one; a temporary copy where the source is an archive.

        The copy keeps the file's extension and may vanish after a few further calls: use it at once.
        """

    def read_bytes(self, path: str, limit: int = READ_LIMIT) -> bytes:
        """The whole file; `CaseError` ``file_too_large`` above ``limit`` bytes."""
        with self.stream(path) as file:
            return read_rest(file, path, b"", limit)

    def head(self, path: str, count: int = 4096) -> bytes:
        """The first ``count`` bytes."""
        with self.stream(path) as file:
            return file.read(count)


def read_rest(file: IO[bytes], path: str, head: bytes, limit: int) -> bytes:
    """``head`` and what is left of an open file; `CaseError` ``file_too_large`` above ``limit`` bytes in all."""
    try:
        # A buffered file sets aside as much memory as it is asked for: asking for the limit at once would map and
        # give back gigabytes for every picture, and a megabyte for a small one costs more than reading it.
        asked = min(_left(file) + 1, limit - len(head))
        part = file.read(asked)
        data = head + part if head else part
        if len(part) == asked:
            data += file.read(limit - len(data))
        left = len(data) == limit and file.read(1)
    except OSError as error:
        raise CaseError("unreadable_file", f"{printable(path)} cannot be read: {error.strerror}") from None
    if left:
        raise CaseError("file_too_large", f"{printable(path)} has more than the {limit:,} bytes that are allowed")
    return data


def _left(file: IO[bytes]) -> int:
    """Bytes that an open file probably has left."""
    try:
        return os.fstat(file.fileno()).st_size - file.tell()
    except (OSError, AttributeError):
        return _PIECE - 1


def is_junk(name: str) -> bool:
    """Whether a file or folder of this name is left behind by an operating system or tool and belongs to no dataset."""
    lower = name.lower()
    return lower in JUNK_FILES or lower in JUNK_FOLDERS or name.startswith("._")


def is_unsafe(path: str) -> bool:
    """Whether a path is absolute, climbs with ``..``, or holds a NUL."""
    if not path or "\0" in path:
        return True
    slashed = path.replace("\\", "/")
    climbs = ".." in slashed and ".." in slashed.split("/")
    return climbs or slashed.startswith("/") or _DRIVE.match(slashed) is not None


def check_path(path: str) -> None:
    """Raise `CaseError` ``unsafe_path`` for a path that is absolute, climbs with ``..``, or holds a NUL."""
    if is_unsafe(path):
        raise CaseError("unsafe_path", f"{printable(path)} would lead out of the dataset's root and is not read")


def printable(path: str) -> str:
    """A path that can be shown and stored: bytes that are not UTF-8, and control characters, come out escaped."""
    if path.isprintable() and path.isascii():
        return path
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
