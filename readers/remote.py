"""A folder, zip or tar at any fsspec address (``s3://bucket/set``, ``https://...``) as a source.

Files are read where they lie.  Only what a library needs as a path on disk (volumes of some formats, zip and tar) is
copied, once for all processes, into ``${MEDCURATE_CACHE:-~/.cache/medcurate}/sources``; copies stay there until
somebody deletes them, and are made again where the file at the address has changed.
"""

import io
import os
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from readers.nested import reaches_inside
from readers.source import ARCHIVES, Source, check_path, is_junk, printable
from schemas.errors import CaseError, UserError
from schemas.identity import digest

IN_MEMORY = 64 << 20
"""A file up to so many bytes is fetched whole; a larger one is read through a window."""

_WINDOW = 8 << 20
_PIECE = 8 << 20
_FOLDERS = 64
"""Listings of folders that are kept, since looking for a file by its name would otherwise cost a request each."""


def open_remote(root: str) -> Source:
    """The source at an address; `UserError` where nothing is there or nobody answers."""
    import fsspec

    try:
        fs, path = fsspec.url_to_fs(root)
        info = fs.info(path)
    except Exception as error:  # noqa: BLE001 - each file system raises its own kinds
        raise UserError(f"the root {root} cannot be opened ({type(error).__name__}); check it and its access") from None
    # Over HTTP every address is a file; one that ends in a slash lists its folder.
    if info["type"] != "file" or root.endswith("/"):
        return Remote(root, fs, path)
    folder, _, name = path.rstrip("/").rpartition("/")
    whole = Remote(root.rstrip("/").rpartition("/")[0], fs, folder, only=name)
    if not name.lower().endswith(ARCHIVES):
        return whole
    from readers.archive import open_archive

    archive = open_archive(whole.local(name))
    archive.root = root
    return archive


class Remote(Source):
    """Files below an address."""

    def __init__(self, root: str, fs: Any, path: str, only: str = "") -> None:
        self.root = root
        self._fs, self._path, self._only = fs, path.rstrip("/"), only
        self._listed = lru_cache(maxsize=_FOLDERS)(self._list)

    def walk(self, under: str = "") -> Iterator[str]:
        """See `Source.walk`; one folder's listing is held at a time."""
        if self._only:
            yield from [self._only] if under == "" else []
            return
        base = f"{under.strip('/')}/" if under.strip("/") else ""
        for name, info in self._list(under.strip("/")).items():
            if info["type"] == "directory":
                yield from self.walk(base + name)
            else:
                yield base + name

    def listing(self, under: str = "") -> tuple[list[str], list[str]]:
        """See `Source.listing`."""
        if self._only:
            return [], [self._only] if under == "" else []
        found = self._listed(under.strip("/"))
        kinds = {name: info["type"] == "directory" for name, info in found.items()}
        return [name for name, folder in kinds.items() if folder], [
            name for name, folder in kinds.items() if not folder
        ]

    @reaches_inside
    def exists(self, path: str) -> bool:
        """See `Source.exists`."""
        try:
            self._info(path)
        except CaseError:
            return False
        return True

    @reaches_inside
    def size(self, path: str) -> int:
        """See `Source.size`."""
        return int(self._stated(path).get("size") or 0)

    @reaches_inside
    def stamp(self, path: str) -> tuple[int, int]:
        """See `Source.stamp`; the second number is made of whatever the store says of a file's version."""
        info = self._stated(path)
        said = [str(info.get(key, "")) for key in ("ETag", "etag", "LastModified", "mtime", "last_modified", "md5")]
        return int(info.get("size") or 0), int(digest(*said)[:15], 16)

    @reaches_inside
    def stream(self, path: str) -> IO[bytes]:
        """See `Source.stream`."""
        whole = self._stated(path).get("size")
        try:
            if whole is not None and whole <= IN_MEMORY:
                return io.BytesIO(self._fs.cat_file(self._place(path)))
            opened: IO[bytes] = self._fs.open(self._place(path), "rb", block_size=_WINDOW)
            return opened
        except FileNotFoundError:
            raise _missing(path) from None
        except Exception as error:  # noqa: BLE001 - each file system raises its own kinds
            raise _unreadable(path, error) from None

    @reaches_inside
    def local(self, path: str) -> Path:
        """See `Source.local`; the copy stays in the cache."""
        size, version = self.stamp(path)
        name = digest(self._fs.unstrip_protocol(self._place(path)), str(size), str(version))
        copy = cache_folder() / f"{name}-{path.rpartition('/')[2]}"
        if not copy.is_file():
            self._copy(path, copy)
        return copy

    def _copy(self, path: str, copy: Path) -> None:
        copy.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=copy.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as out, self.stream(path) as file:
                while block := file.read(_PIECE):
                    out.write(block)
            Path(part).replace(copy)
        except BaseException as error:
            Path(part).unlink(missing_ok=True)
            if isinstance(error, CaseError) or not isinstance(error, Exception):
                raise
            raise _unreadable(path, error) from None

    def _stated(self, path: str) -> dict[str, Any]:
        """What the store says of a file, asked for by itself where the listing of its folder leaves out the size."""
        info = self._info(path)
        if info.get("size") is not None:
            return info
        try:
            return {**info, **self._fs.info(self._place(path))}
        except Exception as error:  # noqa: BLE001 - each file system raises its own kinds
            raise _unreadable(path, error) from None

    def _info(self, path: str) -> dict[str, Any]:
        self._place(path)
        folder, _, name = path.rpartition("/")
        found: dict[str, Any] | None = self._listed(folder).get(name)
        if found is None or (self._only and path != self._only):
            raise _missing(path)
        if found["type"] != "file":
            raise CaseError("not_a_file", f"{printable(path)} is no regular file")
        return found

    def _list(self, folder: str) -> dict[str, dict[str, Any]]:
        """Name -> what the store says, sorted, junk left out; empty where there is no such folder."""
        place = f"{self._path}/{folder}" if folder else self._path
        try:
            found = self._fs.ls(f"{place}/" if place.startswith("http") else place, detail=True)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except Exception as error:  # noqa: BLE001 - each file system raises its own kinds
            raise _unreadable(folder or ".", error) from None
        named = {
            info["name"].rstrip("/").rpartition("/")[2]: info for info in found if info["name"].rstrip("/") != place
        }
        return {name: named[name] for name in sorted(named) if name and not is_junk(name)}

    def _place(self, path: str) -> str:
        check_path(path)
        return f"{self._path}/{path}"


def cache_folder() -> Path:
    """Where copies of remote files lie."""
    return Path(os.environ.get("MEDCURATE_CACHE") or Path.home() / ".cache" / "medcurate") / "sources"


def _missing(path: str) -> CaseError:
    return CaseError("missing_file", f"there is no file {printable(path)} in the source")


def _unreadable(path: str, error: Exception) -> CaseError:
    return CaseError(
        "unreadable_file", f"{printable(path)} cannot be fetched ({type(error).__name__}); try again later"
    )
