"""Where a dataset's bytes lie: a folder, or a zip or tar that is read in place and never unpacked.

Whatever lies there is listed, so that everything can be accounted for; what must not be read (a member named
``../x``, a link that leaves the root, a pipe) is listed too and refused with a `CaseError` when it is opened.
"""

import os
import re
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import IO

from readers.nested import reaches_inside
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
        """The folder, zip, tar or single file at ``root``; `UserError` where there is none that can be read."""
        if not root:
            raise UserError("the spec has no root; set it to the folder or archive that holds the dataset")
        if "://" in root:
            raise UserError(f"{root} is an address; get its files with `medcurate fetch` and name the folder as root")
        path = Path(root)
        try:
            if path.is_dir():
                return Folder(path)
            if not path.is_file():
                raise UserError(f"there is no folder or archive {root}; check the spec's root")
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


class Folder(Source):
    """A folder on disk, or one file of it."""

    def __init__(self, root: Path, only: str = "") -> None:
        self.root = str(root)
        self._only = only
        self._real = os.path.realpath(root)
        self._inside = lru_cache(maxsize=4096)(self._folder_is_inside)

    def walk(self, under: str = "") -> Iterator[str]:
        """See `Source.walk`; a folder that is a link is entered only where it stays inside and makes no circle."""
        if self._only:
            yield from [self._only] if under == "" else []
            return
        top = self._place(under) if under else self.root
        yield from self._walk(top, f"{under.strip('/')}/" if under.strip("/") else "", (os.path.realpath(top),))

    def _walk(self, folder: str, prefix: str, above: tuple[str, ...]) -> Iterator[str]:
        for name, is_folder, is_link in self._scan(folder):
            path = f"{folder}/{name}"
            if not is_folder:
                yield prefix + name
                continue
            real = os.path.realpath(path) if is_link else path
            if is_link and not self._within(real):
                yield prefix + name
            elif real not in above:
                yield from self._walk(path, f"{prefix}{name}/", (*above, real))

    @staticmethod
    def _scan(folder: str) -> list[tuple[str, bool, bool]]:
        try:
            with os.scandir(folder) as entries:
                found = [(e.name, _is_dir(e), e.is_symlink()) for e in entries if not is_junk(e.name)]
        except OSError:
            return []
        return sorted(found)

    def listing(self, under: str = "") -> tuple[list[str], list[str]]:
        """See `Source.listing`."""
        if self._only:
            return [], [self._only] if under == "" else []
        try:
            found = self._scan(self._place(under) if under else self.root)
        except CaseError:
            return [], []
        return [name for name, folder, _ in found if folder], [name for name, folder, _ in found if not folder]

    @reaches_inside
    def exists(self, path: str) -> bool:
        """See `Source.exists`."""
        try:
            return stat.S_ISREG(os.stat(self._place(path)).st_mode)  # noqa: PTH116 - see `stream`
        except (CaseError, OSError):
            return False

    @reaches_inside
    def size(self, path: str) -> int:
        """See `Source.size`."""
        return self._stat(path)[1].st_size

    @reaches_inside
    def stamp(self, path: str) -> tuple[int, int]:
        """See `Source.stamp`."""
        found = self._stat(path)[1]
        return found.st_size, found.st_mtime_ns

    @reaches_inside
    def stream(self, path: str) -> IO[bytes]:
        """See `Source.stream`."""
        # Plain system calls: pathlib would cost several times as much, and this runs for every picture.
        # Not blocking, since opening a pipe that nobody writes to would wait for ever.
        place = self._place(path)
        try:
            handle = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            raise CaseError("missing_file", f"there is no file {printable(path)} in the source") from None
        except OSError as error:
            raise CaseError("unreadable_file", f"{printable(path)} cannot be opened: {error.strerror}") from None
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise CaseError("not_a_file", f"{printable(path)} is no regular file")
        return os.fdopen(handle, "rb")

    @reaches_inside
    def local(self, path: str) -> Path:
        """See `Source.local`."""
        return Path(self._stat(path)[0])

    def _stat(self, path: str) -> tuple[str, os.stat_result]:
        place = self._place(path)
        try:
            found = os.stat(place)  # noqa: PTH116 - see `stream`
        except FileNotFoundError:
            raise CaseError("missing_file", f"there is no file {printable(path)} in the source") from None
        except OSError as error:
            raise CaseError("unreadable_file", f"{printable(path)} cannot be looked at: {error.strerror}") from None
        if not stat.S_ISREG(found.st_mode):
            raise CaseError("not_a_file", f"{printable(path)} is no regular file")
        return place, found

    def _place(self, path: str) -> str:
        """The path on disk, after making sure that it does not leave the root."""
        check_path(path)
        if self._only and path != self._only:
            raise CaseError("missing_file", f"there is no file {printable(path)} in the source")
        place = f"{self.root}/{path}"
        inside = self._inside(place.rpartition("/")[0])
        if inside and _is_link(place):
            inside = self._within(os.path.realpath(place))
        if not inside:
            raise CaseError("link_leaves_root", f"{printable(path)} is reached by a link that leaves the root")
        return place

    def _folder_is_inside(self, folder: str) -> bool:
        return self._within(os.path.realpath(folder))

    def _within(self, real: str) -> bool:
        return real == self._real or real.startswith(self._real.rstrip("/") + "/")


def _is_link(place: str) -> bool:
    try:
        return stat.S_ISLNK(os.lstat(place).st_mode)
    except (OSError, ValueError):
        return False


def _is_dir(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


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
