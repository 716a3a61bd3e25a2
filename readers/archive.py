"""Zip and tar archives as sources: members are read one by one, never unpacked into a folder."""

import bz2
import gzip
import io
import lzma
import os
import posixpath
import tarfile
import tempfile
import threading
import zipfile
import zlib
from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

from readers.nested import reaches_inside
from readers.source import Source, check_path, is_junk, is_unsafe, printable
from schemas.errors import CaseError, UserError

IN_MEMORY = 64 << 20
"""A member up to so many bytes is held in memory while it is read, a larger one in a nameless temporary file."""

BOMB_RATIO = 300
BOMB_BYTES = 1 << 30
"""An archive or member that grows more than `BOMB_RATIO` times and beyond `BOMB_BYTES` is refused."""

COPIES = 8
"""Temporary copies that `local` keeps at once."""

_BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError)


def open_archive(path: Path) -> Source:
    """The zip or tar at ``path``, told apart by content; `UserError` where it is neither, or cut off."""
    with path.open("rb") as file:
        head = file.read(4)
    return Zip(path) if head[:2] == b"PK" else Tar(path)


class Archive(Source):
    """What zip and tar share: a sorted index of member names, and temporary copies."""

    def __init__(self, path: Path) -> None:
        self.root = str(path)
        self._names: dict[str, object] = {}
        self._tree: dict[str, tuple[dict[str, None], list[str]]] | None = None
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._copies: OrderedDict[str, Path] = OrderedDict()

    @abstractmethod
    def _read(self, path: str) -> IO[bytes]:
        """The member's bytes, whole and checked, as a seekable file."""

    def walk(self, under: str = "") -> Iterator[str]:
        """See `Source.walk`; members with unsafe names are listed and refused when opened."""
        prefix = f"{under.strip('/')}/" if under.strip("/") else ""
        yield from (name for name in self._names if name.startswith(prefix))

    def listing(self, under: str = "") -> tuple[list[str], list[str]]:
        """See `Source.listing`."""
        if self._tree is None:
            self._tree = _tree(name for name in self._names if not is_unsafe(name))
        folders, files = self._tree.get(under.strip("/"), ({}, []))
        return list(folders), list(files)

    @reaches_inside
    def exists(self, path: str) -> bool:
        """See `Source.exists`."""
        return path in self._names and not is_unsafe(path)

    @reaches_inside
    def stream(self, path: str) -> IO[bytes]:
        """See `Source.stream`; the member is read whole and its checksum compared before this returns."""
        self._find(path)
        try:
            return self._read(path)
        except _BROKEN as error:
            _refuse_member(path, error)

    @reaches_inside
    def local(self, path: str) -> Path:
        """See `Source.local`."""
        with self._lock:
            if path in self._copies:
                self._copies.move_to_end(path)
                return self._copies[path]
            self._folder = self._folder or tempfile.TemporaryDirectory(prefix="medcurate-")
            handle, place = tempfile.mkstemp(dir=self._folder.name, suffix=_suffix(path))
            with os.fdopen(handle, "wb") as copy, self.stream(path) as file:
                while block := file.read(1 << 20):
                    copy.write(block)
            self._copies[path] = Path(place)
            if len(self._copies) > COPIES:
                self._copies.popitem(last=False)[1].unlink(missing_ok=True)
            return Path(place)

    def _find(self, path: str) -> object:
        check_path(path)
        try:
            return self._names[path]
        except KeyError:
            raise CaseError("missing_file", f"there is no member {printable(path)} in the archive") from None


class Zip(Archive):
    """A zip archive."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            self._zip = zipfile.ZipFile(path)
        except _BROKEN:
            raise UserError(f"{path} is no whole zip archive; it may be cut off, so fetch it again") from None
        members = {_slashed(info.filename): info for info in self._zip.infolist() if not info.is_dir()}
        self._names = _indexed(members)

    @reaches_inside
    def size(self, path: str) -> int:
        """See `Source.size`."""
        return self._info(path).file_size

    def _info(self, path: str) -> zipfile.ZipInfo:
        info = self._find(path)
        assert isinstance(info, zipfile.ZipInfo)
        return info

    def _read(self, path: str) -> IO[bytes]:
        info = self._info(path)
        if info.flag_bits & 1:
            raise CaseError("encrypted_member", f"{printable(path)} is encrypted; decrypt the archive first")
        if info.external_attr >> 28 == 0o12:
            raise CaseError("link_leaves_root", f"{printable(path)} is a link inside a zip and is not followed")
        if info.file_size > BOMB_BYTES and info.file_size > BOMB_RATIO * max(info.compress_size, 1):
            raise CaseError("archive_bomb", f"{printable(path)} claims {info.file_size:,} bytes and is not unpacked")
        with self._zip.open(info) as member:
            return _whole(member, info.file_size)


@dataclass(frozen=True, slots=True)
class _Member:
    offset: int
    size: int
    link: str
    """Target inside the archive for links, ``..`` where it leaves, empty for files."""
    plain: bool


class Tar(Archive):
    """A tar archive; a compressed one is decompressed once into a nameless temporary file to be read at random."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            self._file = _plain_tar(path)
            with tarfile.open(fileobj=self._file, mode="r:") as tar:
                members = {_slashed(info.name).removeprefix("./"): _member(info) for info in tar if not info.isdir()}
        except _BROKEN:
            raise UserError(f"{path} is no whole tar archive; it may be cut off, so fetch it again") from None
        end = self._file.seek(0, io.SEEK_END)
        if any(member.offset + member.size > end for member in members.values()):
            raise UserError(f"{path} is cut off; fetch it again")
        self._names = _indexed(members)

    @reaches_inside
    def size(self, path: str) -> int:
        """See `Source.size`."""
        return self._target(path).size

    def _target(self, path: str) -> _Member:
        member = self._find(path)
        for _ in range(8):
            assert isinstance(member, _Member)
            if not member.link:
                break
            if is_unsafe(member.link) or member.link not in self._names:
                raise CaseError("link_leaves_root", f"{printable(path)} is a link that leaves the archive")
            member = self._names[member.link]
        else:
            raise CaseError("link_leaves_root", f"{printable(path)} is a link that leads in a circle")
        if not member.plain:
            raise CaseError("not_a_file", f"{printable(path)} is no regular file")
        return member

    def _read(self, path: str) -> IO[bytes]:
        member = self._target(path)
        with self._reading:
            self._file.seek(member.offset)
            return _whole(self._file, member.size)


def _member(info: tarfile.TarInfo) -> _Member:
    link = ""
    if info.issym():
        link = posixpath.normpath(posixpath.join(posixpath.dirname(info.name), info.linkname))
    elif info.islnk():
        link = posixpath.normpath(info.linkname)
    plain = info.isreg() and not info.issparse()
    return _Member(info.offset_data, info.size if plain else 0, link, plain)


def _plain_tar(path: Path) -> IO[bytes]:
    """The uncompressed tar as a seekable file."""
    file = path.open("rb")
    head = file.read(6)
    file.seek(0)
    packed: gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile
    if head[:2] == b"\x1f\x8b":
        packed = gzip.GzipFile(fileobj=file)
    elif head[:3] == b"BZh":
        packed = bz2.BZ2File(file)
    elif head == b"\xfd7zXZ\x00":
        packed = lzma.LZMAFile(file)  # noqa: SIM115 - closed below
    else:
        return file
    limit = max(BOMB_BYTES, BOMB_RATIO * path.stat().st_size)
    plain = tempfile.TemporaryFile(prefix="medcurate-")  # noqa: SIM115 - it lives as long as the source
    with file, packed:
        while block := packed.read(1 << 20):
            if plain.tell() > limit:
                raise UserError(f"{path} grows beyond {limit:,} bytes when unpacked and is refused as a bomb")
            plain.write(block)
    plain.seek(0)
    return plain


def _indexed(members: "dict[str, zipfile.ZipInfo] | dict[str, _Member]") -> dict[str, object]:
    """Members without junk, in the order in which a folder with these files is walked."""
    kept = [name for name in members if not any(is_junk(part) for part in name.split("/"))]
    return {name: members[name] for name in sorted(kept, key=lambda name: name.split("/"))}


def _tree(names: Iterable[str]) -> dict[str, tuple[dict[str, None], list[str]]]:
    """Folder -> names of its folders and of its files, in the order of ``names``."""
    found: dict[str, tuple[dict[str, None], list[str]]] = {}
    for path in names:
        folder, _, name = path.rpartition("/")
        found.setdefault(folder, ({}, []))[1].append(name)
        while folder and folder.rpartition("/")[2] not in found.setdefault(folder.rpartition("/")[0], ({}, []))[0]:
            above, _, own = folder.rpartition("/")
            found[above][0][own] = None
            folder = above
    return found


def _whole(member: IO[bytes], size: int) -> IO[bytes]:
    """``size`` bytes from the member's current place, as a file of its own."""
    if size <= IN_MEMORY:
        data = member.read(size)
        if len(data) != size:
            raise EOFError
        return io.BytesIO(data)
    spool = tempfile.TemporaryFile(prefix="medcurate-")  # noqa: SIM115 - the caller closes it
    left = size
    while left:
        block = member.read(min(left, 1 << 20))
        if not block:
            spool.close()
            raise EOFError
        spool.write(block)
        left -= len(block)
    spool.seek(0)
    return spool


def _slashed(name: str) -> str:
    return name.replace("\\", "/")


def _suffix(path: str) -> str:
    """The extension with up to two parts, so that ``.nii.gz`` stays whole."""
    suffixes = Path(path).suffixes[-2:]
    return "".join(suffixes) if suffixes[-1:] == [".gz"] else "".join(suffixes[-1:])


def _refuse_member(path: str, error: Exception) -> NoReturn:
    raise CaseError(
        "corrupt_archive", f"{printable(path)} cannot be read from the archive ({type(error).__name__})"
    ) from None
