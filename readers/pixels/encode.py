"""From an 8-bit picture to its published PNG and every fact about its pixels, in one pass.

The PNG is written by hand: filter "up" on every row, then one libdeflate stream at level 1.  Measured on a
512x512 CT slice: 1.1 ms and 73 KiB, against Pillow level 1 with 3.9 ms and 72 KiB.  Intel's ISA-L is faster
still, but its output depends on the instruction set it finds, and a shard must have the same bytes on every machine.
"""

import hashlib
import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import imagecodecs
import numpy as np
import xxhash
from PIL import Image

from schemas.findings import Finding
from schemas.rendered import Rendered

Pixels = np.ndarray[Any, np.dtype[np.uint8]]

ROWS = 256

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_UP = 2


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of decoded 8-bit pixels; the fields are those of `schemas.rendered.Rendered`."""

    pixel_digest: str
    phash: int
    minimum: float
    maximum: float
    mean: float
    std: float


def encode_png(array: Pixels, source_sha256: tuple[str, ...], findings: tuple[Finding, ...] = ()) -> Rendered:
    """Encode a grey ``(H, W)`` or RGB ``(H, W, 3)`` uint8 picture losslessly; same pixels, same bytes, everywhere."""
    data = png_bytes(array)
    known = facts(array)
    return Rendered(
        data=data,
        media_type="image/png",
        width=array.shape[1],
        height=array.shape[0],
        source_sha256=source_sha256,
        sha256=hashlib.sha256(data).hexdigest(),
        pixel_digest=known.pixel_digest,
        phash=known.phash,
        minimum=known.minimum,
        maximum=known.maximum,
        mean=known.mean,
        std=known.std,
        findings=findings,
    )


def png_bytes(array: Pixels) -> bytes:
    """The PNG of a grey ``(H, W)`` or RGB ``(H, W, 3)`` uint8 picture."""
    mode = _mode(array)
    height, width = array.shape[:2]
    rows = np.ascontiguousarray(array).reshape(height, -1)
    filtered = np.empty((height, rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = _UP
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    stream = bytes(imagecodecs.deflate_encode(filtered.tobytes(), level=1, raw=False))
    header = struct.pack(">IIBBBBB", width, height, 8, 0 if mode == "L" else 2, 0, 0, 0)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", stream) + _chunk(b"IEND", b"")


def facts(array: Pixels) -> Facts:
    """Digest, perceptual hash and luma statistics of a grey or RGB uint8 picture.

    The digest is of every pixel.  Hash and statistics of a picture with 512 rows or more are of every n-th row, n
    being the height over 256, rounded down, so of 256 to 384 rows, which takes half the time.  On 109 real images of
    that size the mean moved by at most 0.42 levels, the standard deviation by at most 0.38, and in ten of them the
    darkest or brightest level, by at most 6; for the hash see `perceptual_hash`.
    """
    luma = _luma(array)
    counts = np.array(luma.histogram(), dtype=np.float64)
    levels = np.arange(256.0)
    present = np.flatnonzero(counts)
    mean = float(counts @ levels / counts.sum())
    variance = float(counts @ (levels - mean) ** 2 / counts.sum())
    return Facts(
        pixel_digest=pixel_digest(array),
        phash=perceptual_hash(luma),
        minimum=float(present[0]),
        maximum=float(present[-1]),
        mean=mean,
        std=variance**0.5,
    )


def _luma(array: Pixels) -> Image.Image:
    """The luma of every n-th row as a mode L picture."""
    step = max(array.shape[0] // ROWS, 1)
    if array.ndim == 2:
        return Image.fromarray(array[::step])
    if step == 1:
        return Image.fromarray(array).convert("L")
    # Whole-number arithmetic, (9798 R + 19235 G + 3735 B + 16384) >> 15, the same on every machine, in a third of
    # Pillow's time, which differs from it by one level in one colour of 770.
    return Image.fromarray(_cv2().cvtColor(array[::step], _cv2().COLOR_RGB2GRAY))


@lru_cache(maxsize=1)
def _cv2() -> Any:
    import cv2

    cv2.setNumThreads(1)  # the other cores have pictures of their own
    return cv2


def pixel_digest(array: Pixels) -> str:
    """Digest of mode, size and pixels: equal for equal pictures, whatever codec they came through.

    128 bits of XXH3: fifty times as fast as a cryptographic hash, whose cost would be half a JPEG decode.
    """
    hasher = xxhash.xxh3_128(f"{_mode(array)} {array.shape[1]}x{array.shape[0]} ".encode())
    hasher.update(np.ascontiguousarray(array).data)
    return hasher.hexdigest()


def perceptual_hash(luma: Image.Image) -> int:
    """The 64 bits of ``imagehash.phash`` of a mode L picture, most significant bit first.

    Large pictures are reduced by a box before Lanczos, an eighth of the cost.  With the rows that `facts` leaves out,
    286 of 338 real images (109 of them with 512 rows or more) came out equal to imagehash's, the others two bits apart.
    """
    small = np.asarray(luma.resize((32, 32), Image.Resampling.LANCZOS, reducing_gap=3.0))
    dct = _dct()
    low = dct(dct(small, axis=0), axis=1)[:8, :8]
    ordered = np.sort(low, axis=None)  # numpy's median takes ten times as long for 64 numbers
    bits = low > (ordered[31] + ordered[32]) / 2
    return int.from_bytes(np.packbits(bits.ravel()).tobytes(), "big")


@lru_cache(maxsize=1)
def _dct() -> Any:
    # imagehash computes with this very function; another DCT would flip bits where coefficients tie.
    from scipy.fftpack import dct

    return dct


def _mode(array: Pixels) -> str:
    if array.dtype != np.uint8 or not array.size:
        raise TypeError(f"a picture is a non-empty uint8 array, not {array.dtype} of shape {array.shape}")
    if array.ndim == 2:
        return "L"
    if array.ndim == 3 and array.shape[2] == 3:
        return "RGB"
    raise TypeError(f"a picture has shape (H, W) or (H, W, 3), not {array.shape}")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))
