"""Single stored frames of DICOM files, decoded; whatever is wrong with them becomes a `CaseError`."""

import math
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels.decoders.base import Decoder, get_decoder
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGLSLossless, JPEGLSNearLossless

from readers.pixels.dicom_codestream import check_size
from readers.pixels.dicom_file import DicomFile, number, word
from readers.pixels.guarded import jpegls
from readers.pixels.layout import MAX_PIXELS
from readers.source import printable
from schemas.errors import CaseError

Stored = np.ndarray[Any, Any]

MOST_PIXELS = 1 << 28
"""Samples that one frame may have, of at most `MAX_PIXELS` pixels; more is refused before anything is decoded."""

_PLUGINS = ("pylibjpeg", "pillow", "pydicom")
"""Codecs in the order they are asked.  GDCM is left out: it decodes nothing that these do not (all files of
pydicom, highdicom and cornerstone tried), and one wrong byte in a JPEG makes it abort the whole process."""
_PLAIN = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
_GREY = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR")
_RETIRED = ("HSV", "ARGB", "CMYK", "YBR_PARTIAL_422")
"""Colour models of old files, which pydicom would show as if they were RGB."""


def stored_frame(file: DicomFile, frame: int = -1) -> Stored:
    """The stored values of one frame: ``(rows, columns)`` grey or indices, ``(rows, columns, 3)`` RGB.

    YBR is brought to RGB, planar data to interleaved, unused bits are cut off; no rescale, no window, no palette.
    Raises `CaseError` ``missing_pixels``, ``truncated_pixels``, ``undecodable_syntax``, ``image_too_large``,
    ``missing_frame``, ``corrupt_pixels``, ``unsupported_colour``.
    """
    index = max(frame, 0)
    plain = _plain(file, index)
    return _unpacked(file, index) if plain is None else plain


def _plain(file: DicomFile, index: int) -> Stored | None:
    """A grey frame of whole bytes as it lies in the file, read-only; None for what pydicom has to unpack or refuse.

    Same values as pydicom's, which spends as long on preparing as a 512x512 slice takes to window.
    """
    header = file.header
    if header.file_meta.TransferSyntaxUID not in _PLAIN or word(header, "PhotometricInterpretation") not in _GREY:
        return None
    allocated, kept, samples = (
        int(number(header, key, 0)) for key in ("BitsAllocated", "BitsStored", "SamplesPerPixel")
    )
    signed = number(header, "PixelRepresentation", -1)
    if allocated not in (8, 16) or not 0 < kept <= allocated or samples != 1 or signed not in (0, 1):
        return None
    rows, columns = (int(number(header, key, 0)) for key in ("Rows", "Columns"))
    frames, held = max(int(number(header, "NumberOfFrames", 1)), 1), file.plain_pixels
    kind = np.dtype(f"<{'iu'[signed == 0]}{allocated // 8}")
    size = rows * columns * kind.itemsize
    if held is None or not 0 < rows * columns <= MOST_PIXELS or index >= frames or len(held) < frames * size:
        return None
    frame = np.frombuffer(held, kind, rows * columns, index * size).reshape(rows, columns)
    return _used_bits(frame, allocated, kept, int(number(header, "HighBit", kept - 1)))


def _used_bits(frame: Stored, allocated: int, kept: int, high: int) -> Stored:
    """Samples without the bits above and below theirs; a ``high`` that the bits below it contradict is not believed."""
    unused = allocated - kept
    below = high - (kept - 1)
    if 0 < below <= unused and not (frame & frame.dtype.type((1 << below) - 1)).any():
        return frame << (unused - below) >> unused
    return frame << unused >> unused if unused else frame


def _unpacked(file: DicomFile, index: int) -> Stored:
    dataset, name = file.dataset, printable(file.path)
    if not any(key in dataset for key in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        raise CaseError("missing_pixels", f"{name} holds no pixel data")
    frames = max(int(number(dataset, "NumberOfFrames", 1)), 1)
    if index >= frames:
        raise CaseError("missing_frame", f"{name} has {frames} frames, so there is no frame {index}")
    rows, columns, channels = (int(number(dataset, key, 1)) for key in ("Rows", "Columns", "SamplesPerPixel"))
    samples = rows * columns * channels
    if not 0 < samples <= MOST_PIXELS or rows * columns > MAX_PIXELS:
        raise CaseError(
            "image_too_large", f"{name} states {samples:,} samples in a frame; at most {MOST_PIXELS:,} are decoded"
        )
    colours = word(dataset, "PhotometricInterpretation")
    if colours in _RETIRED:
        raise CaseError("unsupported_colour", f"{name} has the colour model {colours}, which is read no longer")
    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    if _is_compressed(syntax):
        check_size(dataset, index, frames, (columns, rows), name)
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
    if syntax in (JPEGLSLossless, JPEGLSNearLossless) and "pyjpegls" in decoder.available_plugins:
        # What CharLS refuses is broken; the other codec would make noise of it without a word.
        count = math.prod(int(number(dataset, key, 1)) for key in ("Rows", "Columns", "SamplesPerPixel"))
        return jpegls(lambda: _decoded_by(decoder, dataset, index, "pyjpegls", syntax, name), count, name)
    failure: CaseError | None = None
    for plugin in _PLUGINS:
        if plugin in decoder.available_plugins:
            try:
                return _decoded_by(decoder, dataset, index, plugin, syntax, name)
            except CaseError as error:
                failure = failure or error
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
