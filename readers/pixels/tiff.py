"""TIFF files: any depth, float, palette, tiles, multiple pages."""

import io
import logging
from typing import Any

import numpy as np
import tifffile
from PIL import Image

from readers.pixels.colours import from_cmyk, over_black, to_srgb
from readers.pixels.icc import wordless
from readers.pixels.layout import Layout, check_size, corrupt
from schemas.errors import CaseError

Samples = np.ndarray[Any, Any]

# A broken directory is a line of its log for every entry; what matters becomes a `CaseError`.
logging.getLogger("tifffile").setLevel(logging.CRITICAL)

_REDUCED, _MASK = 1, 4
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK, _YCBCR = 0, 1, 2, 3, 5, 6
_PHOTOMETRIC = (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK, _YCBCR)
_JPEG = (6, 7)
"""Compressions whose codec brings YCbCr to RGB by itself."""
_UNASSOCIATED, _PROFILE, _ORIENTATION = 2, 34675, 0x0112


def layout(data: bytes) -> Layout:
    """The header of a TIFF; its frames are the full-size pages, thumbnails and masks left out."""
    with _opened(data) as file:
        pages = _pages(file)
        first = pages[0]
        check_size(first.imagewidth, first.imagelength)
        tag = first.tags.get(_ORIENTATION)
        return Layout(
            media_type="image/tiff",
            width=first.imagewidth,
            height=first.imagelength,
            bit_depth=_bits(first),
            signed=first.dtype is not None and first.dtype.kind not in "ub",
            channels=int(first.samplesperpixel),
            orientation=int(tag.value) if tag is not None and tag.value in range(1, 9) else 1,
            frames=len(pages),
            removed=("TIFF tags",),
        )


def decode(data: bytes, frame: int) -> Samples:
    """Grey or RGB samples of one page: grey of fewer than 8 bits spread over 0..255, deeper as stored, 0 being black.

    Raises `CaseError` ``unsupported_colour`` for colour models that nobody brings to RGB here (CIE L*a*b*, raw
    sensors), ``unsupported_channels`` for more channels than a colour has.
    """
    with _opened(data) as file:
        pages = _pages(file)
        if frame >= len(pages):
            raise corrupt(f"has no page {frame}")
        page = pages[max(frame, 0)]
        check_size(page.imagewidth, page.imagelength)
        if int(page.photometric) not in _PHOTOMETRIC:
            raise CaseError("unsupported_colour", f"the image has the colour model {_name(page.photometric)}")
        samples = np.asarray(page.asarray())
        if page.planarconfig == 2 and samples.ndim == 3:
            samples = np.moveaxis(samples, 0, -1)
        return _coloured(samples, page)


def _name(photometric: Any) -> str:
    return str(getattr(photometric, "name", photometric))


def _bits(page: Any) -> int:
    bits = page.bitspersample
    return int(bits[0]) if isinstance(bits, tuple) else int(bits)


def raw(data: bytes, frame: int) -> Samples:
    """The stored numbers of one page, a palette's indices included: for masks."""
    with _opened(data) as file:
        return np.asarray(_pages(file)[max(frame, 0)].asarray())


def _opened(data: bytes) -> Any:
    try:
        return tifffile.TiffFile(io.BytesIO(data))
    except Exception as error:  # noqa: BLE001 - tifffile raises many kinds of error on broken bytes
        raise corrupt(f"cannot be opened as a TIFF ({type(error).__name__})") from None


def _pages(file: Any) -> list[Any]:
    """The full-size pages, in order."""
    try:
        # `useframes` off: every page's own tags are read, so that pages of different kinds stay different.
        pages = [page for page in file.pages if page.imagewidth and page.imagelength]
    except CaseError:
        raise
    except Exception as error:  # noqa: BLE001 - as above
        raise corrupt(f"has a broken TIFF directory ({type(error).__name__})") from None
    full = [page for page in pages if not int(getattr(page, "subfiletype", 0)) & (_REDUCED | _MASK)]
    if not (full or pages):
        raise corrupt("has no TIFF page with pixels")
    return full or pages


def _coloured(samples: Samples, page: Any) -> Samples:
    photometric = int(page.photometric)
    if photometric == _PALETTE and page.colormap is not None and samples.ndim == 2:
        return _through_map(samples, np.asarray(page.colormap))
    if samples.dtype.kind in "ub":
        samples = _spread(samples, _bits(page), white_is_zero=photometric == _WHITE_IS_ZERO)
    if samples.ndim == 3:
        samples = _in_rgb(samples, photometric, page)
    if samples.ndim not in (2, 3) or (samples.ndim == 3 and samples.shape[2] != 3):
        raise CaseError(
            "unsupported_channels", f"the image has an array of shape {samples.shape} where grey or RGB is needed"
        )
    return samples


def _through_map(samples: Samples, colours: Samples) -> Samples:
    # Maps should hold 16 bits; those that hold 8 are common.
    eight = colours >> 8 if colours.max(initial=0) > 255 else colours
    return np.ascontiguousarray(eight[:, samples].astype(np.uint8).transpose(1, 2, 0))


def _spread(samples: Samples, bits: int, *, white_is_zero: bool) -> Samples:
    """Unsigned samples with 0 as black; those of fewer than 8 bits over the whole range of a byte."""
    samples = samples.astype(np.uint8) if samples.dtype == bool else samples
    top = samples.dtype.type(2**bits - 1)
    if white_is_zero:
        samples = top - samples
    return (samples * (255.0 / top) + 0.5).astype(np.uint8) if bits < 8 else samples


def _in_rgb(samples: Samples, photometric: int, page: Any) -> Samples:
    tag = page.tags.get(_PROFILE)
    icc = wordless(tag.value) if tag is not None and isinstance(tag.value, bytes) else b""
    channels = samples.shape[2]
    if photometric == _CMYK and channels == 4:
        return from_cmyk(samples, icc)
    if channels in (2, 4):
        extra = [int(kind) for kind in page.extrasamples]
        # Of a premultiplied alpha the colours lie over black already; what is not said to be alpha is none.
        samples = over_black(samples) if extra in ([], [_UNASSOCIATED]) else samples[..., :-1]
    if samples.ndim == 3 and samples.shape[2] == 1:
        return np.ascontiguousarray(samples[..., 0])
    if photometric == _YCBCR and int(page.compression) not in _JPEG and samples.dtype == np.uint8:
        samples = np.asarray(Image.fromarray(np.ascontiguousarray(samples), "YCbCr").convert("RGB"))
    return to_srgb(np.ascontiguousarray(samples), icc)
