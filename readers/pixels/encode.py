"""From an 8-bit picture to its published PNG and every fact about its pixels, in one pass.

The PNG is written by hand: filter "up" on every row, then one libdeflate stream at level 1.  Measured on a
512x512 CT slice: 1.1 ms and 73 KiB, against Pillow level 1 with 3.9 ms and 72 KiB.  Intel's ISA-L is faster
still, but its output depends on the instruction set it finds, and a shard must have the same bytes on every machine.
"""

import hashlib
import struct
import threading
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
_scratch = threading.local()

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

    Hash and statistics of a picture with 512 rows or more are of every n-th row, 256 to 511 of them: on 107 real
    images that moved the mean by at most 0.5 and the hash by at most 2 bits, and took half the time.
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
    height, width = array.shape[:2]
    step = max(height // ROWS, 1)
    if array.ndim == 2:
        return Image.fromarray(array[::step])
    # `Image.fromarray` would copy the rows, then fill a new picture with zeros before it unpacks into it.
    size = (width, height // step)
    picture = getattr(_scratch, "picture", None)
    if picture is None or picture.size != size:
        picture = _scratch.picture = Image.new("RGB", size)
    picture.frombytes(np.ascontiguousarray(array).data.cast("B"), "raw", "RGB", width * 3 * step, 1)
    return picture.convert("L")


def pixel_digest(array: Pixels) -> str:
    """Digest of mode, size and pixels: equal for equal pictures, whatever codec they came through.

    128 bits of XXH3: fifty times as fast as a cryptographic hash, whose cost would be half a JPEG decode.
    """
    hasher = xxhash.xxh3_128(f"{_mode(array)} {array.shape[1]}x{array.shape[0]} ".encode())
    hasher.update(np.ascontiguousarray(array).data)
    return hasher.hexdigest()


def perceptual_hash(luma: Image.Image) -> int:
    """The 64 bits of ``imagehash.phash`` of a mode L picture, most significant bit first.

    Large pictures are reduced by a box before Lanczos, an eighth of the cost; on 126 real images nine hashes in
    ten came out equal to imagehash's, the others two bits apart.
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
