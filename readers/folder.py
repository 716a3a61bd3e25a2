"""A folder on disk as a source; also one file of it."""

import os
import stat
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import IO

from readers.nested import reaches_inside
from readers.sorting import sorted_entries
from readers.source import Source, check_path, is_junk, printable
from schemas.errors import CaseError


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
        for name, is_folder, is_link in sorted_entries(self._entries(folder)):
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
    def _entries(folder: str) -> Iterator[tuple[str, bool, bool]]:
        """Name, whether it is a folder, and whether it is a link, in no order; none where the folder cannot be read."""
        try:
            with os.scandir(folder) as entries:
                yield from ((e.name, _is_dir(e), e.is_symlink()) for e in entries if not is_junk(e.name))
        except OSError:
            return

    def listing(self, under: str = "") -> tuple[list[str], list[str]]:
        """See `Source.listing`."""
        if self._only:
            return [], [self._only] if under == "" else []
        try:
            found = sorted(self._entries(self._place(under) if under else self.root))
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
        place, known = self._located(path)
        try:
            found = known or os.stat(place)  # noqa: PTH116 - see `stream`
        except FileNotFoundError:
            raise CaseError("missing_file", f"there is no file {printable(path)} in the source") from None
        except OSError as error:
            raise CaseError("unreadable_file", f"{printable(path)} cannot be looked at: {error.strerror}") from None
        if not stat.S_ISREG(found.st_mode):
            raise CaseError("not_a_file", f"{printable(path)} is no regular file")
        return place, found

    def _place(self, path: str) -> str:
        return self._located(path)[0]

    def _located(self, path: str) -> tuple[str, os.stat_result | None]:
        """The path on disk, after making sure that it does not leave the root, and what lies there if it is no link."""
        check_path(path)
        if self._only and path != self._only:
            raise CaseError("missing_file", f"there is no file {printable(path)} in the source")
        place = f"{self.root}/{path}"
        inside, found = self._inside(place.rpartition("/")[0]), _seen(place)
        if inside and found is not None and stat.S_ISLNK(found.st_mode):
            inside, found = self._within(os.path.realpath(place)), None
        if not inside:
            raise CaseError("link_leaves_root", f"{printable(path)} is reached by a link that leaves the root")
        return place, found

    def _folder_is_inside(self, folder: str) -> bool:
        return self._within(os.path.realpath(folder))

    def _within(self, real: str) -> bool:
        return real == self._real or real.startswith(self._real.rstrip("/") + "/")


def _seen(place: str) -> os.stat_result | None:
    """What lies at a path, links not followed; None where that cannot be told."""
    try:
        return os.lstat(place)
    except (OSError, ValueError):
        return None


def _is_dir(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
