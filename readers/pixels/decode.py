"""Raster bytes to samples: every format ends as grey ``(H, W)`` or RGB ``(H, W, 3)``, in the depth it was stored."""

import io
import math
import threading
from typing import Any, NoReturn

import imagecodecs
import numpy as np
from PIL import Image

from readers.pixels import jpeg, png
from readers.pixels.colours import over_black, through_profile, to_srgb
from readers.pixels.guarded import jpegls
from readers.pixels.icc import wordless
from readers.pixels.layout import Layout, check_size, corrupt
from readers.pixels.sniff import HEAD, RASTER, sniff
from schemas.errors import CaseError

Samples = np.ndarray[Any, Any]

_BUFFER_LIMIT = 64 << 20
_scratch = threading.local()

_PILLOW = {
    "image/bmp": "BMP",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/x-portable-anymap": "PPM",
    "image/jp2": "JPEG2000",
}
_NESTED = ("nested_archive", "the file is an archive; name it as the root of a spec of its own")
_NOT_IMAGES = {
    "application/zip": _NESTED,
    "application/x-tar": _NESTED,
    "application/x-tar+gzip": _NESTED,
    "application/x-7z-compressed": _NESTED,
    "application/vnd.rar": _NESTED,
    "application/x-empty": ("empty_file", "the file is empty; fetch it again"),
    "text/html": ("html_instead_of_image", "the file is a web page, probably an error page; fetch it again"),
    "text/x-git-lfs": ("missing_data", "the file is a Git LFS pointer; fetch its content with `git lfs pull`"),
    "application/x-pickle": ("pickle_refused", "the file is a Python pickle, which is never loaded"),
}


def read_layout(data: bytes, kind: str = "") -> Layout:
    """The header of a raster file, told by content unless ``kind`` is known; `CaseError` naming what else it is."""
    kind = kind or sniff(data[:HEAD])
    if kind not in RASTER:
        raise not_an_image(kind)
    if kind in ("image/jpeg", "image/jls"):
        return jpeg.layout(data)
    if kind == "image/png":
        return png.layout(data)
    if kind == "image/tiff":
        from readers.pixels import tiff

        return tiff.layout(data)
    return _pillow_layout(data, kind)


def not_an_image(kind: str) -> CaseError:
    """The error for a file of media type ``kind`` where an image was wanted."""
    code, detail = _NOT_IMAGES.get(kind, ("not_an_image", f"the file is no image that can be read, but {kind}"))
    return CaseError(code, detail)


def decode_passing(layout: Layout) -> Samples:
    """The pixels of a file that passes through, decoded from what will be published.

    The array is overwritten by the next call in the same thread: fresh memory for every picture costs a third of a
    JPEG's decoding in page faults.
    """
    shape = (layout.height, layout.width, 3)[: 3 if layout.channels == 3 else 2]
    codec = imagecodecs.jpeg8_decode if layout.media_type == "image/jpeg" else imagecodecs.png_decode
    try:
        return codec(layout.clean, out=_buffer(shape))
    except Exception as error:  # noqa: BLE001 - codecs raise whatever they like on broken bytes
        _refuse(error)


def _buffer(shape: tuple[int, ...]) -> Samples:
    count = math.prod(shape)
    if count > _BUFFER_LIMIT:
        return np.empty(shape, np.uint8)
    buffer = getattr(_scratch, "buffer", None)
    if buffer is None or buffer.size < count:
        buffer = _scratch.buffer = np.empty(count, np.uint8)
    return np.asarray(buffer[:count].reshape(shape))


def decode(data: bytes, layout: Layout, frame: int = -1) -> Samples:
    """Samples of one frame (the first for -1): palettes applied, alpha laid over black, colours brought to sRGB."""
    try:
        if layout.media_type in ("image/jpeg", "image/jls"):
            return _jpeg(data, layout)
        if layout.media_type == "image/tiff":
            from readers.pixels import tiff

            return tiff.decode(data, frame)
        if layout.media_type == "image/png" and (layout.frames == 1 or frame <= 0):
            return _flat(imagecodecs.png_decode(layout.clean), layout)
        return _pillow(data, layout, frame)
    except CaseError:
        raise
    except Exception as error:  # noqa: BLE001 - codecs of many libraries raise whatever they like on broken bytes
        _refuse(error)


def _refuse(error: Exception) -> NoReturn:
    if isinstance(error, MemoryError):
        raise error
    raise corrupt(f"cannot be decoded ({type(error).__name__})") from None


def _jpeg(data: bytes, layout: Layout) -> Samples:
    if layout.media_type == "image/jls":
        return jpegls(lambda: _jpegls(data), layout.width * layout.height * layout.channels, "the image")
    if layout.channels == 4:
        return _cmyk(data, layout)
    # Decoding what is published, not what was read, proves that cutting left a whole picture.
    return to_srgb(imagecodecs.jpeg8_decode(layout.clean), layout.icc)


def _jpegls(data: bytes) -> Samples:
    try:
        return imagecodecs.jpegls_decode(data)
    except imagecodecs.JpeglsError as error:
        _refuse(error)


def _cmyk(data: bytes, layout: Layout) -> Samples:
    """RGB of a CMYK JPEG, through its own colour profile where it has one."""
    picture = Image.open(io.BytesIO(data), formats=["JPEG"])
    picture.load()
    return through_profile(picture, layout.icc) if layout.icc else np.asarray(picture.convert("RGB"))


def _flat(samples: Samples, layout: Layout) -> Samples:
    """Grey or RGB samples, alpha laid over black."""
    if samples.ndim == 3 and samples.shape[2] in (2, 4):
        samples = over_black(samples)
    if samples.ndim == 3 and samples.shape[2] == 1:
        samples = samples[..., 0]
    return to_srgb(samples, layout.icc)


def _pillow_layout(data: bytes, kind: str) -> Layout:
    try:
        picture = Image.open(io.BytesIO(data), formats=[_PILLOW[kind]])
        check_size(*picture.size)
        frames = getattr(picture, "n_frames", 1)
    except CaseError:
        raise
    except Image.DecompressionBombError:
        raise CaseError("decompression_bomb", "the image claims more pixels than are decoded", "quarantined") from None
    except Exception as error:  # noqa: BLE001 - as in decode
        _refuse(error)
    profile = picture.info.get("icc_profile") or b""
    removed = tuple(
        name for key, name in (("exif", "EXIF"), ("xmp", "XMP"), ("comment", "comment")) if key in picture.info
    )
    return Layout(
        media_type=kind,
        width=picture.width,
        height=picture.height,
        bit_depth={"1": 1, "I;16": 16, "I": 32, "F": 32}.get(picture.mode, 8),
        channels=len(picture.getbands()),
        orientation=int(picture.getexif().get(0x0112, 1) or 1) if "exif" in picture.info else 1,
        frames=frames,
        removed=removed,
        icc=wordless(profile),
    )


def _pillow(data: bytes, layout: Layout, frame: int) -> Samples:
    picture: Image.Image = Image.open(io.BytesIO(data), formats=[_PILLOW.get(layout.media_type, "PNG")])
    if frame > 0:
        picture.seek(frame)
    picture.load()
    if picture.mode in ("P", "PA"):
        picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    if picture.mode == "1":
        picture = picture.convert("L")
    if picture.mode in ("CMYK", "YCbCr", "LAB", "HSV", "RGBX", "RGBa"):
        picture = picture.convert("RGB")
    return _flat(np.asarray(picture), layout)
