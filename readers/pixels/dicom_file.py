"""Open DICOM files: headers and whole files; whatever is wrong with them becomes a `CaseError`."""

import io
import logging
import math
import struct
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydicom import config, dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from readers.pixels.cache import BoundedCache, FileDigest
from readers.pixels.dicom_walk import walked
from readers.pixels.sniff import sniff
from readers.source import Source, printable
from schemas.errors import CaseError

MOST_INFLATED = 1 << 30
"""Bytes that a deflated data set may inflate to."""

_TEXTS = frozenset({"CS", "DS", "IS", "UI", "DA", "TM", "AS"})
_NUMBERS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d"}
"""Value representations that are ASCII, and those that `struct` unpacks."""
_PIXEL_DATA = b"\xe0\x7f\x10\x00"
_HEAD = 1 << 17
"""Bytes in which most headers end; those of longer ones are left to pydicom."""

# Files break DICOM's value rules all the time; what matters is checked where it is used.
config.settings.reading_validation_mode = config.IGNORE
warnings.filterwarnings("ignore", module=r"pydicom(\..*)?")
logging.getLogger("pydicom").setLevel(logging.CRITICAL)


class DicomFile:
    """One file, its header parsed, its pixel data still encoded."""

    __slots__ = ("_dataset", "_digest", "_end", "data", "header", "path")

    def __init__(self, path: str, data: bytes, header: FileDataset, end: int) -> None:
        self.path = path
        self.data = data
        self.header = header
        """The attributes before the pixel data; of a deflated file all."""
        self._end = end
        self._digest = FileDigest(data)
        self._dataset: FileDataset | None = header if end < 0 else None

    @property
    def sha256(self) -> str:
        """Of the file as it lies."""
        return self._digest.sha256

    @property
    def dataset(self) -> FileDataset:
        """All attributes, pixel data too; `CaseError` ``corrupt_dicom`` where what follows the header is broken."""
        if self._dataset is None:
            self._dataset = _completed(self.header, self.data, self._end, self.path)
        return self._dataset

    @property
    def plain_pixels(self) -> memoryview | None:
        """The value of the pixel data where it lies, uncopied; None where it is encapsulated, cut off, or not plain."""
        implicit, little = self.header.original_encoding
        at = self._end
        kind = self.data[at + 4 : at + 6]
        if at < 0 or not little or self.data[at : at + 4] != _PIXEL_DATA or not (implicit or kind in (b"OB", b"OW")):
            return None
        start = at + (8 if implicit else 12)
        length = int.from_bytes(self.data[start - 4 : start], "little")
        return memoryview(self.data)[start : start + length] if start + length <= len(self.data) else None


@dataclass(frozen=True, slots=True)
class _Header:
    """What stands before the pixel data, and where that begins; -1 where the bytes after it are no elements."""

    dataset: FileDataset
    end: int


# Series are put in order by their headers and shown a moment later: neither is parsed twice.  Few files are held, for
# the hundreds of elements of each cost Python's garbage collection time as long as they live.
_HEADERS: BoundedCache[_Header] = BoundedCache(16 << 20, lambda header: max(header.end, 1 << 15))
_FILES: BoundedCache[DicomFile] = BoundedCache(96 << 20, lambda file: max(len(file.data), 16 << 20))


def open_dicom(source: Source, path: str) -> DicomFile:
    """Read the whole file; held for a while, because several frames or a window's search may want it again.

    Raises `CaseError` ``not_dicom`` or ``corrupt_dicom``.
    """
    key = (source.root, path, source.stamp(path))

    def make() -> DicomFile:
        data = source.read_bytes(path)
        known = _HEADERS.held(key) or _header_of(data, io.BytesIO(data), path)
        if known.end < 0:
            return DicomFile(path, data, _parse(io.BytesIO(data), data[:4096], path, stop_before_pixels=False), -1)
        return DicomFile(path, data, known.dataset, known.end)

    return _FILES.get(key, make)


def read_header(source: Source, path: str, tags: Sequence[str] | None = None) -> Dataset:
    """The attributes before the pixel data, only ``tags`` (keywords) where given; errors as in `open_dicom`."""

    def make() -> _Header:
        with source.stream(path) as file:
            return _header_of(file.read(_HEAD), file, path, tags or ())

    return make().dataset if tags else _HEADERS.get((source.root, path, source.stamp(path)), make).dataset


def _header_of(head: bytes, file: Any, path: str, tags: Sequence[str] = ()) -> _Header:
    """The header of a ``file`` that begins with ``head``, or is all of it."""
    known = walked(head, frozenset(_tag(keyword) for keyword in tags))
    if known is not None:
        return _Header(*known)
    file.seek(0)
    dataset = _parse(file, head[:4096], path, stop_before_pixels=True, specific_tags=list(tags) or None)
    deflated = dataset.file_meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian
    return _Header(dataset, -1 if deflated else file.tell())


def _completed(header: FileDataset, data: bytes, end: int, path: str) -> FileDataset:
    """The header with the elements behind it."""
    implicit, little = header.original_encoding
    file = io.BytesIO(data)
    file.seek(end)
    try:
        rest = read_dataset(file, bool(implicit), bool(little))
    except Exception as error:  # noqa: BLE001 - see `_parse`
        raise _unparsed(path, error) from None
    elements = {**dict(header.items()), **dict(rest.items())}
    whole = FileDataset("", elements, None, header.file_meta, bool(implicit), bool(little))
    whole.set_original_encoding(implicit, little, header.original_character_set)
    return whole


def _parse(file: Any, head: bytes, path: str, **options: Any) -> FileDataset:
    if sniff(head) != "application/dicom":
        raise CaseError("not_dicom", f"{printable(path)} is no DICOM file: its content is {sniff(head)}")
    if DeflatedExplicitVRLittleEndian.encode() in head:
        _refuse_bomb(file, path)
    try:
        dataset = dcmread(file, force=True, **options)
        _complete_meta(dataset)
    except Exception as error:  # noqa: BLE001 - a broken file makes pydicom raise anything at all
        raise _unparsed(path, error) from None
    return dataset


def _unparsed(path: str, error: Exception) -> CaseError:
    return CaseError("corrupt_dicom", f"{printable(path)} cannot be parsed ({type(error).__name__})")


def _refuse_bomb(file: Any, path: str) -> None:
    """Inflate a deflated data set piece by piece, keeping nothing, because pydicom inflates it whole."""
    start = file.tell()
    # The group length of the meta header stands in its first element, twelve bytes behind the magic word.
    file.seek(140)
    file.seek(144 + int.from_bytes(file.read(4), "little"))
    inflater, inflated = zlib.decompressobj(-zlib.MAX_WBITS), 0
    try:
        while (packed := file.read(1 << 16)) and inflated <= MOST_INFLATED:
            while packed and inflated <= MOST_INFLATED:
                inflated += len(inflater.decompress(packed, 1 << 20))
                packed = inflater.unconsumed_tail
    except zlib.error:
        raise CaseError("corrupt_dicom", f"the deflated data of {printable(path)} is broken; copy it again") from None
    if inflated > MOST_INFLATED:
        raise CaseError("file_too_large", f"{printable(path)} inflates to more than {MOST_INFLATED:,} bytes")
    file.seek(start)


def _complete_meta(dataset: FileDataset) -> None:
    """Give a file without meta header the transfer syntax that pydicom guessed."""
    if not hasattr(dataset, "file_meta"):
        dataset.file_meta = FileMetaDataset()
    if dataset.file_meta.get("TransferSyntaxUID"):
        return
    implicit, little = dataset.original_encoding
    syntax = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian if little else ExplicitVRBigEndian
    dataset.file_meta.TransferSyntaxUID = syntax


@lru_cache(maxsize=1024)
def _tag(keyword: str) -> BaseTag:
    return Tag(keyword)


def _value(dataset: Dataset, keyword: str) -> Any:
    # By tag, a third of the time that pydicom takes by keyword; half of what is asked for is not there.
    tag = _tag(keyword)
    return dataset[tag].value if tag in dataset else None


def _plain_value(dataset: Dataset, keyword: str) -> list[str] | tuple[float, ...] | None:
    """A value of a simple kind from its own bytes, which pydicom takes ten times as long to wrap; None for others."""
    raw: Any = dataset.get_item(_tag(keyword))
    if not isinstance(raw, RawDataElement) or not raw.value:
        return None
    if raw.VR in _TEXTS:
        return raw.value.decode("ascii").rstrip("\0 ").split("\\") if raw.value.isascii() else None
    code = _NUMBERS.get(raw.VR or "")
    if code is None or len(raw.value) % struct.calcsize(code):
        return None
    order = "<" if raw.is_little_endian else ">"
    return struct.unpack(f"{order}{len(raw.value) // struct.calcsize(code)}{code}", raw.value)


def number(dataset: Dataset, keyword: str, default: float) -> float:
    """A finite number of the header, the first of several; ``default`` where absent or nonsense."""
    found = numbers(dataset, keyword)
    return found[0] if found else default


def numbers(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """All numbers of an attribute; empty where it is absent or any of them is not a finite number."""
    try:
        value = _plain_value(dataset, keyword) or _value(dataset, keyword)
        if value is None or value == "" or value == [""]:
            return ()
        several = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        found = tuple(float(item) for item in several)
    except Exception:  # noqa: BLE001 - pydicom converts values only now, and a bad one raises anything
        return ()
    return found if all(math.isfinite(item) for item in found) else ()


def words(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """All values of a text attribute, stripped; empty where it is absent or unreadable."""
    try:
        value = _plain_value(dataset, keyword) or _value(dataset, keyword)
        several = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        return tuple(str(item).strip() for item in several if item is not None and str(item).strip())
    except Exception:  # noqa: BLE001 - see `numbers`
        return ()


def word(dataset: Dataset, keyword: str) -> str:
    """The first value of a text attribute, or an empty string."""
    return next(iter(words(dataset, keyword)), "")


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """The items of a sequence; empty where it is absent or is none."""
    try:
        value = _value(dataset, keyword)
    except Exception:  # noqa: BLE001 - see `numbers`
        return []
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []
