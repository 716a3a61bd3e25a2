"""Arrays in npy and npz files: looked at by header, read row by row through a map, never unpickled."""

import hashlib
import tempfile
import zipfile
import zlib
from typing import IO, Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.lib import format as npy

from readers.pixels import encode, intensity, marks
from readers.pixels.colours import over_black
from readers.pixels.warp import warp
from readers.source import Source, printable
from schemas.case import ImageRef
from schemas.errors import CaseError
from schemas.rendered import Rendered

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]

ARRAY_LIMIT = 64 << 30
"""Bytes of one array when unpacked; it goes to a temporary file, not to memory."""

_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, NotImplementedError, SyntaxError)
_arrays: "WeakKeyDictionary[Source, dict[tuple[str, str], Array]]" = WeakKeyDictionary()
_digests: "WeakKeyDictionary[Source, dict[str, str]]" = WeakKeyDictionary()


def array_headers(source: Source, path: str) -> dict[str, tuple[Shape, np.dtype[Any]]]:
    """Name, shape and type of every array of an npz (or of the one array of an npy, named ``""``).

    Raises `CaseError` ``pickle_refused`` where an array holds Python objects, ``broken_array`` where the file is
    no whole npz.
    """
    try:
        with source.stream(path) as file:
            if path.lower().endswith(".npy"):
                return {"": _header(file, path)[:2]}
            with zipfile.ZipFile(file) as archive:
                return {name.removesuffix(".npy"): _member_header(archive, name, path) for name in _members(archive)}
    except _BROKEN as error:
        raise _broken(path, error) from None


def open_array(source: Source, path: str, name: str) -> Array:
    """One array, read-only, mapped from disk, so that taking a row reads a row; `CaseError` as `array_headers`."""
    kept = _arrays.setdefault(source, {})
    if (path, name) not in kept:
        try:
            kept[path, name] = _mapped(source, path, name)
        except _BROKEN as error:
            raise _broken(path, error) from None
    return kept[path, name]


def array_row(source: Source, path: str, name: str, row: int) -> Array:
    """Row ``row`` of a stack of pictures, or the whole array for -1; a copy in memory."""
    array = open_array(source, path, name)
    if row >= len(array):
        raise CaseError("broken_array", f"{printable(path)}: the array {name} has no row {row}")
    return np.array(array if row < 0 else array[row])


def render_array(source: Source, ref: ImageRef) -> Rendered:
    """The published PNG of a row of an array: ``ref.array`` names it, ``view.frame`` is the row.

    A row of three axes whose last is not 1, 3 or 4 is a volume, cut at ``view.index`` along ``view.axis``.
    """
    return encode.encode_png(array_picture(source, ref), (_digest(source, ref.files[0]),))


def array_picture(source: Source, ref: ImageRef) -> intensity.Pixels:
    """The pixels that `render_array` publishes."""
    samples = plane(array_row(source, ref.files[0], ref.array, ref.view.frame), ref.view.axis, ref.view.index)
    pixels = intensity.as_grey(intensity.to_8bit(samples, ref.view))
    return marks.draw(warp(pixels, ref.view), ref.marks)


def plane(row: Array, axis: int = -1, index: int = -1) -> Array:
    """Grey ``(H, W)`` or RGB ``(H, W, 3)`` samples of a row; a volume's slice has the lower voxel axis as u."""
    if axis >= 0:
        return np.ascontiguousarray(np.moveaxis(row, axis, 0)[index].T)
    if row.ndim == 3 and row.shape[2] in (2, 4):
        row = over_black(row)
    if row.ndim == 3 and row.shape[2] == 1:
        row = row[..., 0]
    if row.dtype == bool:
        row = row.astype(np.uint8) * 255
    if not (row.ndim == 2 or (row.ndim == 3 and row.shape[2] == 3)):
        raise CaseError("unsupported_channels", f"an array of shape {row.shape} is neither a grey nor an RGB picture")
    return row


def _members(archive: zipfile.ZipFile) -> list[str]:
    return [info.filename for info in archive.infolist() if info.filename.endswith(".npy")]


def _member_header(archive: zipfile.ZipFile, name: str, path: str) -> tuple[Shape, np.dtype[Any]]:
    with archive.open(name) as member:
        return _header(member, path)[:2]


def _header(file: IO[bytes], path: str) -> tuple[Shape, np.dtype[Any], bool]:
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, dtype = read(file, max_header_size=10_000)
    if dtype.hasobject:
        raise CaseError("pickle_refused", f"{printable(path)} holds Python objects, which are never unpickled")
    return shape, dtype, fortran


def _mapped(source: Source, path: str, name: str) -> Array:
    with source.stream(path) as file:
        if path.lower().endswith(".npy"):
            return _spooled(file, path)
        with zipfile.ZipFile(file) as archive:
            names = _members(archive)
            if f"{name}.npy" not in names:
                raise CaseError("missing_array", f"{printable(path)} has no array {name!r}")
            with archive.open(f"{name}.npy") as member:
                return _spooled(member, path)


def _spooled(file: IO[bytes], path: str) -> Array:
    """The array, mapped from a nameless temporary file that vanishes with it."""
    shape, dtype, fortran = _header(file, path)
    count = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if count > ARRAY_LIMIT:
        raise CaseError("archive_bomb", f"{printable(path)} claims an array of {count:,} bytes and is not unpacked")
    order = "F" if fortran else "C"
    if count <= 1 << 26:
        data = file.read(count)
        if len(data) != count:
            raise EOFError
        return np.frombuffer(data, dtype).reshape(shape, order=order)  # type: ignore[call-overload,no-any-return]
    with tempfile.TemporaryFile(prefix="medcurate-") as spool:
        left = count
        while left and (block := file.read(min(left, 1 << 22))):
            spool.write(block)
            left -= len(block)
        if left:
            raise EOFError
        spool.flush()
        return np.memmap(spool, dtype, "r", 0, shape, order)  # type: ignore[call-overload,no-any-return]


def _digest(source: Source, path: str) -> str:
    known = _digests.setdefault(source, {})
    if path not in known:
        hasher = hashlib.sha256()
        with source.stream(path) as file:
            while block := file.read(1 << 20):
                hasher.update(block)
        known[path] = hasher.hexdigest()
    return known[path]


def _broken(path: str, error: Exception) -> CaseError:
    return CaseError("broken_array", f"{printable(path)} is no whole array file ({type(error).__name__})")
