"""TIFF files: any depth, float, palette, tiles, multiple pages."""

import io
import logging
from typing import Any

import numpy as np
import tifffile

from readers.pixels.layout import Layout, check_size, corrupt
from schemas.errors import CaseError

Samples = np.ndarray[Any, Any]

# A broken directory is a line of its log for every entry; what matters becomes a `CaseError`.
logging.getLogger("tifffile").setLevel(logging.CRITICAL)

_REDUCED, _MASK = 1, 4
_PALETTE, _WHITE_IS_ZERO, _CMYK = 3, 0, 5


def layout(data: bytes) -> Layout:
    """The header of a TIFF; its frames are the full-size pages, thumbnails and masks left out."""
    with _opened(data) as file:
        pages = _pages(file)
        first = pages[0]
        check_size(first.imagewidth, first.imagelength)
        bits = first.bitspersample
        tag = first.tags.get(0x0112)
        return Layout(
            media_type="image/tiff",
            width=first.imagewidth,
            height=first.imagelength,
            bit_depth=int(bits[0]) if isinstance(bits, tuple) else int(bits),
            channels=int(first.samplesperpixel),
            orientation=int(tag.value) if tag is not None and tag.value in range(1, 9) else 1,
            frames=len(pages),
            removed=("TIFF tags",),
        )


def decode(data: bytes, frame: int) -> Samples:
    """Grey or RGB samples of one page in its stored depth; values of a bilevel page are 0 and 255."""
    with _opened(data) as file:
        pages = _pages(file)
        if frame >= len(pages):
            raise corrupt(f"has no page {frame}")
        page = pages[max(frame, 0)]
        check_size(page.imagewidth, page.imagelength)
        samples = np.asarray(page.asarray())
        photometric, colours = int(page.photometric), page.colormap
        planar = page.planarconfig == 2
    if planar and samples.ndim == 3:
        samples = np.moveaxis(samples, 0, -1)
    return _coloured(samples, photometric, colours)


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


def _coloured(samples: Samples, photometric: int, colours: Samples | None) -> Samples:
    if samples.dtype == bool:
        samples = samples.astype(np.uint8) * 255
    if photometric == _WHITE_IS_ZERO and samples.dtype.kind == "u":
        samples = np.iinfo(samples.dtype).max - samples
    if photometric == _PALETTE and colours is not None and samples.ndim == 2:
        return np.ascontiguousarray((np.asarray(colours)[:, samples] >> 8).astype(np.uint8).transpose(1, 2, 0))
    if samples.ndim == 3 and photometric == _CMYK and samples.shape[2] == 4:
        return _from_cmyk(samples)
    if samples.ndim == 3 and samples.shape[2] in (2, 4):
        from readers.pixels.decode import over_black

        return over_black(samples)
    if samples.ndim == 3 and samples.shape[2] == 1:
        samples = samples[..., 0]
    if samples.ndim not in (2, 3) or (samples.ndim == 3 and samples.shape[2] != 3):
        raise CaseError(
            "unsupported_channels", f"the image has an array of shape {samples.shape} where grey or RGB is needed"
        )
    return samples


def _from_cmyk(samples: Samples) -> Samples:
    top = np.iinfo(samples.dtype).max
    light = (top - samples.astype(np.float64)) / top
    return np.round(light[..., :3] * light[..., 3:] * 255).astype(np.uint8)
