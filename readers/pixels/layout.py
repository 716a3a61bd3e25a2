"""What a raster file's container says before any pixel is decoded, and the fault that all parsers share."""

from dataclasses import dataclass
from typing import Literal

from schemas.errors import CaseError
from schemas.view import IDENTITY, Matrix

IMAGE_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".gif", ".webp", ".tif", ".tiff", ".jp2", ".j2k", ".jls",
    ".pgm", ".ppm", ".pnm", ".dcm", ".dicom", ".nii", ".nii.gz",
)  # fmt: skip
"""Names that promise a picture; what a file is, its content says."""

MAX_PIXELS = 100_000_000
"""An image with more pixels is refused before it is decoded."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The header of one raster file."""

    media_type: str
    width: int
    height: int
    """Of the stored raster, before any EXIF orientation."""
    bit_depth: int = 8
    """Bits per sample as stored."""
    signed: bool = False
    """Whether samples may be negative or fractional, whatever their depth."""
    channels: int = 3
    orientation: int = 1
    """EXIF orientation, 1 to 8."""
    frames: int = 1
    """Pages or animation frames."""
    passes: bool = False
    """Whether ``clean`` can be published as it is: an 8-bit grey or RGB JPEG or PNG, upright."""
    clean: bytes = b""
    """The file without metadata segments, pixel data untouched; the very same object where there was nothing to cut."""
    removed: tuple[str, ...] = ()
    """Kinds of metadata that are not in ``clean``, e.g. ``EXIF``, ``comment``."""
    icc: bytes = b""
    """A colour profile that differs from sRGB and grey, and so matters, without its words (`readers.pixels.icc`)."""


_LONG = 4
"""The type of four-byte numbers in EXIF, whose orientation should be of two."""


def corrupt(what: str) -> CaseError:
    """The error for an image whose bytes do not hold together; ``what`` is the end of the sentence."""
    return CaseError("corrupt_image", f"the image {what}; fetch it again or drop it")


def check_size(width: int, height: int) -> None:
    """Refuse empty pictures and decompression bombs."""
    if width < 1 or height < 1:
        raise corrupt(f"claims to be {width}x{height} pixels")
    if width * height > MAX_PIXELS:
        raise CaseError(
            "decompression_bomb",
            f"the image claims {width}x{height} pixels, more than the {MAX_PIXELS:,} that are decoded",
            "quarantined",
        )


def oriented(orientation: int, width: int, height: int) -> tuple[Matrix, int, int]:
    """The matrix from the stored raster to the upright picture of an EXIF orientation, and the picture's size."""
    w, h = float(width), float(height)
    matrices: dict[int, Matrix] = {
        2: (-1, 0, w, 0, 1, 0),
        3: (-1, 0, w, 0, -1, h),
        4: (1, 0, 0, 0, -1, h),
        5: (0, 1, 0, 1, 0, 0),
        6: (0, -1, h, 1, 0, 0),
        7: (0, -1, h, -1, 0, w),
        8: (0, 1, 0, -1, 0, w),
    }
    matrix = matrices.get(orientation, IDENTITY)
    return matrix, *((height, width) if orientation in (5, 6, 7, 8) else (width, height))


def exif_orientation(tiff: bytes) -> int:
    """The orientation tag of an EXIF block that starts with its TIFF header; 1 where it has none or is broken."""
    order: Literal["little", "big"] = "little" if tiff[:2] == b"II" else "big"
    start = int.from_bytes(tiff[4:8], order)
    count = int.from_bytes(tiff[start : start + 2], order)
    for entry in range(start + 2, min(start + 2 + 12 * count, len(tiff) - 11), 12):
        if int.from_bytes(tiff[entry : entry + 2], order) == 0x0112:
            wide = int.from_bytes(tiff[entry + 2 : entry + 4], order) == _LONG
            value = int.from_bytes(tiff[entry + 8 : entry + (12 if wide else 10)], order)
            return value if 1 <= value <= 8 else 1
    return 1
