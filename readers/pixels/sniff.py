"""What a file is, told by its first bytes and never by its name."""

import re
import zlib
from typing import Literal

HEAD = 4096
"""As many first bytes as `sniff` wants."""

UNKNOWN = "application/octet-stream"

RASTER = frozenset(
    {
        "image/jpeg",
        "image/png",
        "image/tiff",
        "image/bmp",
        "image/gif",
        "image/webp",
        "image/jp2",
        "image/jls",
        "image/x-portable-anymap",
    }
)
"""Media types that `readers.pixels.raster` decodes."""

VOLUMES = frozenset(
    {
        "application/x-nifti", "application/x-nifti+gzip", "application/x-nrrd", "application/x-metaimage",
        "application/x-minc", "application/x-mgh", "application/x-mgh+gzip",
    }
)  # fmt: skip
"""Media types that `readers.pixels.volume` decodes."""

_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (128, b"DICM", "application/dicom"),  # first: the preamble before it may pose as a TIFF
    (0, b"\xff\xd8\xff\xf7", "image/jls"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"II+\0", "image/tiff"),
    (0, b"MM\0+", "image/tiff"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "image/jp2"),
    (0, b"\xff\x4f\xff\x51", "image/jp2"),
    (344, b"n+1\0", "application/x-nifti"),
    (344, b"ni1\0", "application/x-nifti"),
    (4, b"n+2\0\r\n\x1a\n", "application/x-nifti"),
    (4, b"ni2\0\r\n\x1a\n", "application/x-nifti"),
    (0, b"NRRD000", "application/x-nrrd"),
    (0, b"CDF\x01", "application/x-minc"),
    (0, b"CDF\x02", "application/x-minc"),
    (0, b"\x93NUMPY", "application/x-npy"),
    (0, b"PAR1", "application/vnd.apache.parquet"),
    (0, b"ARROW1\0\0", "application/vnd.apache.arrow.file"),
    (0, b"\xff\xff\xff\xff", "application/vnd.apache.arrow.stream"),
    (257, b"ustar", "application/x-tar"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"\xfd7zXZ\0", "application/x-xz"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"version https://git-lfs", "text/x-git-lfs"),
)

_PACKED = ("application/x-nifti", "application/x-tar", "application/x-mgh", "application/dicom")
_METAIMAGE = re.compile(rb"\s*(ObjectType|NDims|Comment)\s*=", re.IGNORECASE)
_HTML = re.compile(rb"\s*(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_JSON = re.compile(rb"\s*[\[{]")
_PORTABLE = re.compile(rb"P[1-6][\s#]")
_PICKLE = re.compile(rb"\x80[\x02-\x05]")


def sniff(head: bytes) -> str:
    """The media type of a file whose first bytes (4096, or all of a shorter file) are ``head``.

    Gzip is opened far enough to tell a packed NIfTI; an empty file is ``application/x-empty``; text that is
    nothing in particular is ``text/plain``; what nobody knows is ``application/octet-stream``.
    """
    if not head:
        return "application/x-empty"
    for offset, magic, kind in _MAGIC:
        if head.startswith(magic, offset):
            return kind
    return _packed(head) or _structured(head) or _textual(head) or UNKNOWN


def _packed(head: bytes) -> str:
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_kind(head)
    if head.startswith(b"\x1f\x8b"):
        inner = sniff(_gunzip(head) or b"\0")
        return f"{inner}+gzip" if inner in _PACKED else "application/gzip"
    return ""


def _zip_kind(head: bytes) -> str:
    name = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    if name.endswith(b".npy"):
        return "application/x-npz"
    if name.startswith((b"[Content_Types]", b"_rels/", b"xl/", b"docProps/")):
        return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return "application/zip"


def _gunzip(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(head, HEAD)
    except zlib.error:
        return b""


def _structured(head: bytes) -> str:
    if head[:4] in (b"\x5c\x01\0\0", b"\0\0\x01\x5c") and len(head) >= 348:
        return "application/x-nifti"  # Analyze 7.5: the same header without the magic
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return "application/x-minc" if b"minc-2.0" in head else "application/x-hdf5"
    if _is_bare_dicom(head, "little") or _is_bare_dicom(head, "big"):
        return "application/dicom"
    if (
        head[:2] == b"BM"
        and len(head) >= 26
        and int.from_bytes(head[14:18], "little") in (12, 16, 40, 52, 56, 64, 108, 124)
    ):
        return "image/bmp"
    if head[:4] == b"\0\0\0\x01" and len(head) >= 284 and not any(head[160:284]):
        return "application/x-mgh"
    if _PICKLE.match(head):
        return "application/x-pickle"
    if _PORTABLE.match(head):
        return "image/x-portable-anymap"
    return ""


def _is_bare_dicom(head: bytes, order: Literal["little", "big"]) -> bool:
    """Whether the bytes start with a DICOM element, as in files without preamble and meta header."""
    group, element = int.from_bytes(head[0:2], order), int.from_bytes(head[2:4], order)
    if group not in (0x0002, 0x0008) or len(head) < 12:
        return False
    if head[4:6] in (b"UL", b"UI", b"CS", b"DA", b"TM", b"SH", b"LO", b"PN", b"SQ", b"OB", b"US"):
        return True
    length = int.from_bytes(head[4:8], order)
    return element in (0x0000, 0x0001, 0x0005, 0x0008, 0x0016, 0x0018) and length <= 128


def _textual(head: bytes) -> str:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "text/plain"
    text = head.removeprefix(b"\xef\xbb\xbf")
    if _METAIMAGE.match(text):
        return "application/x-metaimage"
    if b"\0" in text:
        return ""
    if _HTML.match(text):
        return "text/html"
    if text.lstrip()[:5].lower() == b"<?xml" or re.match(rb"\s*<[A-Za-z_]", text):
        return "application/xml"
    if _JSON.match(text):
        return "application/json"
    odd = sum(byte < 32 and byte not in b"\t\n\r\x0c\x1b" for byte in text[:512])
    return "text/plain" if odd == 0 else ""
