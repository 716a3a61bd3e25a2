"""Gate: the published bytes carry pixels and nothing else; readers cut metadata out, this holds them to it."""

import re
import zlib
from collections.abc import Iterator, Sequence
from typing import ClassVar

from quality.base import GateOptions, refuse
from schemas.case import Case
from schemas.context import Context
from schemas.findings import Finding
from schemas.instruction import Instruction
from schemas.rendered import Rendered

JPEG_SEGMENTS = frozenset([0xC4, 0xCC, 0xDA, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF, *range(0xC0, 0xC4), *range(0xC5, 0xC8)]) | {
    *range(0xC9, 0xCC), *range(0xCD, 0xD0),
}  # fmt: skip
"""Markers that decoding needs."""
JPEG_APPLICATION = {0xE0: (b"JFIF\0",), 0xE2: (b"ICC_PROFILE\0",), 0xEE: (b"Adobe",)}
"""Application segments that say how to decode, by how their bodies begin."""
PNG_CHUNKS = frozenset(
    (
        b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"pHYs", b"bKGD",
        b"cICP", b"mDCV", b"cLLI",
    )
)  # fmt: skip
"""Chunks that decoding needs or that say what the colours mean."""
REMEMBERED = 256
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


class CarriersOptions(GateOptions):
    """No thresholds: metadata is either there or not."""


class Carriers:
    """Refuses rows whose picture files hold anything but what decoding needs.

    Codes: ``privacy_jpeg_segment``, ``privacy_png_chunk``, ``privacy_trailing_bytes``, ``privacy_container``.
    """

    name: ClassVar[str] = "carriers"
    Options: ClassVar[type[GateOptions]] = CarriersOptions

    def __init__(self, options: CarriersOptions) -> None:
        self.options = options
        self._seen: dict[str, str] = {}

    def check(self, row: Instruction, case: Case, pictures: Sequence[Rendered], context: Context) -> Iterator[Finding]:
        """Walk through each picture's container."""
        for number, picture in enumerate(pictures):
            code = self._once(picture)
            if code:
                yield refuse(code, f"picture {number}: its file carries more than the picture")

    def _once(self, picture: Rendered) -> str:
        """The rows of a case show the same few pictures; each is walked through once."""
        if picture.sha256 not in self._seen:
            if len(self._seen) >= REMEMBERED:
                self._seen.clear()
            self._seen[picture.sha256] = carried(picture.data)
        return self._seen[picture.sha256]


def carried(data: bytes) -> str:
    """The code of the first thing in a JPEG or PNG that is no part of the picture; empty where there is none."""
    if data.startswith(b"\xff\xd8"):
        return _jpeg(data)
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(data)
    return "privacy_container"


def nifti_carried(data: bytes) -> str:
    """The code of the first text in a NIfTI-1 file that could name somebody; empty where there is none.

    Looks at the gzip header (original file name, comment), at ``data_type``, ``db_name``, ``descrip``, ``aux_file``
    and ``intent_name``, and at extensions.
    """
    if data[:2] == b"\x1f\x8b":
        if data[3] & 0b11100:
            return "privacy_gzip_header"
        try:
            data = zlib.decompressobj(31).decompress(data, 352)
        except zlib.error:
            return "privacy_container"
    if len(data) < 352:
        return "privacy_container"
    texts = data[4:32] + data[148:252] + data[328:344]
    if texts.strip(b"\0 "):
        return "privacy_nifti_text"
    return "privacy_nifti_extension" if data[348] else ""


def _jpeg(data: bytes) -> str:
    place, size = 2, len(data)
    while True:
        found = _MARKER.search(data, place)
        if found is None or found.start() + 2 > size:
            return "privacy_container"
        place, marker = found.start(), data[found.start() + 1]
        if marker == 0xD9:
            return "" if place + 2 == size else "privacy_trailing_bytes"
        if marker == 0x01:
            place += 2
            continue
        body = data[place + 4 : place + 20]
        if marker not in JPEG_SEGMENTS and not body.startswith(JPEG_APPLICATION.get(marker, (b"\0\0nothing",))):
            return "privacy_jpeg_segment"
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")


def _png(data: bytes) -> str:
    place, size = 8, len(data)
    while place + 12 <= size:
        length, name = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        if name not in PNG_CHUNKS:
            return "privacy_png_chunk"
        place += 12 + length
        if name == b"IEND":
            return "" if place == size else "privacy_trailing_bytes"
    return "privacy_container"
