"""The numbers that a mask file stores: palette indices, class values or colours, before anything is made of them."""

import io
from typing import Any

import imagecodecs
import numpy as np
from PIL import Image

from readers.pixels import decode
from readers.pixels.layout import corrupt
from readers.source import Source
from schemas.errors import CaseError

Values = np.ndarray[Any, Any]
Palette = tuple[tuple[int, int, int], ...]


def stored_values(source: Source, path: str, frame: int = -1) -> tuple[Values, Palette]:
    """``(H, W)`` class values or ``(H, W, 3 or 4)`` colours of a mask file as stored, and its palette where it has one.

    A palette image gives its indices, a 1-bit image 0 and 1, a 16-bit image all its bits; EXIF orientation is not
    applied.  Raises `CaseError` as `readers.pixels.decode.decode` does.
    """
    data = source.read_bytes(path, 1 << 30)
    layout = decode.read_layout(data)
    if layout.media_type == "image/tiff":
        from readers.pixels import tiff

        return _guarded(lambda: tiff.raw(data, frame)), ()
    if layout.media_type == "image/png" and layout.bit_depth == 16:
        return _guarded(lambda: imagecodecs.png_decode(layout.clean)), ()
    if layout.media_type in ("image/png", "image/gif", "image/bmp"):
        found: tuple[Values, Palette] = _guarded(lambda: _pillow(data))
        return found
    return decode.decode(data, layout, frame), ()


def _guarded(read: Any) -> Any:
    try:
        return read()
    except (CaseError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - codecs raise whatever they like on broken bytes
        raise corrupt(f"cannot be decoded ({type(error).__name__})") from None


def _pillow(data: bytes) -> tuple[Values, Palette]:
    picture = Image.open(io.BytesIO(data), formats=["PNG", "GIF", "BMP"])
    picture.load()
    if picture.mode == "P":
        flat = picture.getpalette() or []
        return np.asarray(picture), tuple(zip(flat[::3], flat[1::3], flat[2::3], strict=False))
    if picture.mode == "1":
        return np.asarray(picture, dtype=np.uint8), ()
    if picture.mode == "LA":
        return np.asarray(picture)[..., 0], ()
    return np.asarray(picture), ()
