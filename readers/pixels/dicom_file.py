"""Open DICOM files: headers, whole files, single stored frames; whatever is wrong with them becomes a `CaseError`."""

import hashlib
import io
import logging
import math
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydicom import config, dcmread
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.pixels.decoders.base import Decoder, get_decoder
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from readers.pixels.cache import BoundedCache
from readers.pixels.sniff import sniff
from readers.source import Source, printable
from schemas.errors import CaseError

Stored = np.ndarray[Any, Any]

MOST_PIXELS = 1 << 28
"""Samples that one frame may have; more is refused before anything is decoded."""

MOST_INFLATED = 1 << 30
"""Bytes that a deflated data set may inflate to."""
_PLUGINS = ("pyjpegls", "pylibjpeg", "pillow", "pydicom")
"""Codecs in the order they are asked.  GDCM is left out: it decodes nothing that these do not (all files of
pydicom, highdicom and cornerstone tried), and one wrong byte in a JPEG makes it abort the whole process."""

# Files break DICOM's value rules all the time; what matters is checked where it is used.
config.settings.reading_validation_mode = config.IGNORE
warnings.filterwarnings("ignore", module=r"pydicom(\..*)?")
logging.getLogger("pydicom").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class DicomFile:
    """One file, parsed, with its pixel data still encoded."""

    path: str
    dataset: Dataset
    sha256: str
    size: int


_FILES: BoundedCache[DicomFile] = BoundedCache(96 << 20, lambda file: file.size)


def open_dicom(source: Source, path: str) -> DicomFile:
    """Parse the whole file; held for a while, because several frames or a window's search may want it again.

    Raises `CaseError` ``not_dicom`` or ``corrupt_dicom``.
    """
    key = (source.root, path, source.size(path))

    def make() -> DicomFile:
        data = source.read_bytes(path)
        dataset = _parse(io.BytesIO(data), data[:4096], path, stop_before_pixels=False)
        return DicomFile(path, dataset, hashlib.sha256(data).hexdigest(), len(data))

    return _FILES.get(key, make)


def read_header(source: Source, path: str, tags: Sequence[str] | None = None) -> Dataset:
    """The attributes before the pixel data, only ``tags`` (keywords) where given; errors as in `open_dicom`."""
    with source.stream(path) as file:
        head = file.read(4096)
        file.seek(0)
        return _parse(file, head, path, stop_before_pixels=True, specific_tags=list(tags) if tags else None)


def _parse(file: Any, head: bytes, path: str, **options: Any) -> Dataset:
    if sniff(head) != "application/dicom":
        raise CaseError("not_dicom", f"{printable(path)} is no DICOM file: its content is {sniff(head)}")
    if DeflatedExplicitVRLittleEndian.encode() in head:
        _refuse_bomb(file, path)
    try:
        dataset = dcmread(file, force=True, **options)
        _complete_meta(dataset)
    except Exception as error:  # noqa: BLE001 - a broken file makes pydicom raise anything at all
        raise CaseError("corrupt_dicom", f"{printable(path)} cannot be parsed ({type(error).__name__})") from None
    return dataset


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


def stored_frame(file: DicomFile, frame: int = -1) -> Stored:
    """The stored values of one frame: ``(rows, columns)`` grey or indices, ``(rows, columns, 3)`` RGB.

    YBR is brought to RGB, planar data to interleaved, unused bits are cut off; no rescale, no window, no palette.
    Raises `CaseError` ``missing_pixels``, ``truncated_pixels``, ``undecodable_syntax``, ``image_too_large``,
    ``missing_frame``, ``corrupt_pixels``.
    """
    dataset, name = file.dataset, printable(file.path)
    if not any(key in dataset for key in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        raise CaseError("missing_pixels", f"{name} holds no pixel data")
    frames = max(int(number(dataset, "NumberOfFrames", 1)), 1)
    index = max(frame, 0)
    if index >= frames:
        raise CaseError("missing_frame", f"{name} has {frames} frames, so there is no frame {index}")
    samples = math.prod(int(number(dataset, key, 1)) for key in ("Rows", "Columns", "SamplesPerPixel"))
    if not 0 < samples <= MOST_PIXELS:
        raise CaseError("image_too_large", f"{name} states {samples:,} samples in a frame; at most {MOST_PIXELS:,}")
    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    _refuse_short(dataset, syntax, samples * frames, name)
    return _decode(dataset, syntax, index, name)


def _refuse_short(dataset: Dataset, syntax: UID, samples: int, name: str) -> None:
    if "PixelData" not in dataset:
        return
    try:
        held = len(dataset.PixelData or b"")
    except Exception:  # noqa: BLE001 - an element of no known kind
        raise CaseError("corrupt_dicom", f"the pixel data element of {name} is broken") from None
    if held == 0:
        raise CaseError("missing_pixels", f"{name} has an empty pixel data element")
    if _is_compressed(syntax) or word(dataset, "PhotometricInterpretation") == "YBR_FULL_422":
        return
    wanted = math.ceil(samples * int(number(dataset, "BitsAllocated", 8)) / 8)
    if held < wanted:
        raise CaseError("truncated_pixels", f"{name} holds {held:,} of {wanted:,} bytes of pixel data; copy it again")


def _is_compressed(syntax: UID) -> bool:
    try:
        return syntax.is_compressed
    except ValueError:
        return True


def _decode(dataset: Dataset, syntax: UID, index: int, name: str) -> Stored:
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        raise CaseError("undecodable_syntax", f"{name} has the transfer syntax {syntax.name}: no decoder") from None
    if not syntax.is_encapsulated:
        return _decoded_by(decoder, dataset, index, "", syntax, name)
    failure: CaseError | None = None
    for plugin in _PLUGINS:
        if plugin in decoder.available_plugins:
            try:
                return _decoded_by(decoder, dataset, index, plugin, syntax, name)
            except CaseError as error:
                failure = failure or error
                # What CharLS refuses is broken; the other codec would make noise of it without a word.
                if plugin == "pyjpegls":
                    break
    raise failure or CaseError("undecodable_syntax", f"{name} has the transfer syntax {syntax.name}: no decoder")


def _decoded_by(decoder: Decoder, dataset: Dataset, index: int, plugin: str, syntax: UID, name: str) -> Stored:
    try:
        array, _ = decoder.as_array(dataset, index=index, decoding_plugin=plugin)
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # noqa: BLE001 - codec plugins raise their own kinds, those in Rust panic
        raise _decoding_error(error, syntax, name) from None
    return np.asarray(array)


def _decoding_error(error: BaseException, syntax: UID, name: str) -> CaseError:
    said = str(error)
    # Process 2-12 with more than 8 bits per sample beyond the extended process has no decoder in Python.
    if syntax in ("1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55") or "missing dependencies" in said:
        return CaseError("undecodable_syntax", f"{name} has the transfer syntax {syntax.name}: no decoder")
    if isinstance(error, AttributeError) or "missing required" in said:
        return CaseError("corrupt_dicom", f"{name} lacks attributes that its pixel data needs")
    return CaseError(
        "corrupt_pixels", f"the {syntax.name} pixel data of {name} cannot be decoded by any installed codec"
    )


def number(dataset: Dataset, keyword: str, default: float) -> float:
    """A finite number of the header, the first of several; ``default`` where absent or nonsense."""
    found = numbers(dataset, keyword)
    return found[0] if found else default


def numbers(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """All numbers of an attribute; empty where it is absent or any of them is not a finite number."""
    try:
        value = dataset.get(keyword)
        if value is None or value == "":
            return ()
        several = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        found = tuple(float(item) for item in several)
    except Exception:  # noqa: BLE001 - pydicom converts values only now, and a bad one raises anything
        return ()
    return found if all(math.isfinite(item) for item in found) else ()


def words(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """All values of a text attribute, stripped; empty where it is absent or unreadable."""
    try:
        value = dataset.get(keyword)
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
        value = dataset.get(keyword)
    except Exception:  # noqa: BLE001 - see `numbers`
        return []
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []
