"""Gate: the published bytes carry pixels and nothing else; readers cut metadata out, this holds them to it."""

import math
import re
import struct
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
PROFILE_TAGS = frozenset(
    (
        b"wtpt", b"bkpt", b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", b"kTRC", b"chad", b"A2B0", b"A2B1",
        b"A2B2", b"B2A0", b"B2A1", b"B2A2", b"cicp",
    )
)  # fmt: skip
"""Tags of a colour profile by which colours are computed."""
PROFILE_WORDS = frozenset((b"enUS", b"colours"))
"""All that may be read in the two tags of words that a profile must have."""
REMEMBERED = 256
_WORD = re.compile(rb"[!-~\x80-\xff]{3,}")
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


class CarriersOptions(GateOptions):
    """No thresholds: metadata is either there or not."""


class Carriers:
    """Refuses rows whose picture files hold anything but what decoding needs.

    Codes: ``privacy_jpeg_segment``, ``privacy_png_chunk``, ``privacy_colour_profile``, ``privacy_trailing_bytes``,
    ``privacy_container``.
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
    """The code of the first thing in a NIfTI-1 file that is neither voxels nor needed for them; empty for none.

    Looks at the gzip header (time, original file name, comment), at ``data_type``, ``db_name``, ``descrip``,
    ``aux_file`` and ``intent_name``, at extensions, and whether the file is longer than its voxels.
    """
    size, counts = len(data), len(data) + 1
    if data[:2] == b"\x1f\x8b":
        if data[3] & 0b11100 or any(data[4:8]):
            return "privacy_gzip_header"
        size, counts = int.from_bytes(data[-4:], "little"), 1 << 32
        try:
            data = zlib.decompressobj(31).decompress(data, 352)
        except zlib.error:
            return "privacy_container"
    if len(data) < 352:
        return "privacy_container"
    texts = data[4:32] + data[148:252] + data[328:344]
    if texts.strip(b"\0 "):
        return "privacy_nifti_text"
    if data[348] or _voxels_begin(data) != 352:
        return "privacy_nifti_extension"
    return "" if size == (352 + _voxel_bytes(data)) % counts else "privacy_trailing_bytes"


def _order(header: bytes) -> str:
    return "<" if header[:2] == b"\x5c\x01" else ">"


def _voxels_begin(header: bytes) -> float:
    begin: float = struct.unpack_from(f"{_order(header)}f", header, 108)[0]
    return begin


def _voxel_bytes(header: bytes) -> int:
    count, *sizes = struct.unpack_from(f"{_order(header)}8h", header, 40)
    voxels: int = math.prod(sizes[:count]) * struct.unpack_from(f"{_order(header)}h", header, 72)[0] // 8
    return voxels


def _jpeg(data: bytes) -> str:
    place, size, profile = 2, len(data), b""
    while True:
        found = _MARKER.search(data, place)
        if found is None or found.start() + 2 > size:
            return "privacy_container"
        place, marker = found.start(), data[found.start() + 1]
        if marker == 0xD9:
            return _profile(profile) if place + 2 == size else "privacy_trailing_bytes"
        if marker == 0x01:
            place += 2
            continue
        end = place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        body = data[place + 4 : end]
        if marker not in JPEG_SEGMENTS and not body.startswith(JPEG_APPLICATION.get(marker, (b"\0\0nothing",))):
            return "privacy_jpeg_segment"
        if marker in (0xDC, 0xDD) and len(body) != 2:
            return "privacy_jpeg_segment"
        if marker == 0xE2:
            profile += body[14:]
        place = end


def _png(data: bytes) -> str:
    place, size = 8, len(data)
    while place + 12 <= size:
        length, name = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        body = data[place + 8 : place + 8 + length] if name == b"iCCP" else b""
        if name not in PNG_CHUNKS:
            return "privacy_png_chunk"
        if name == b"iCCP" and _packed_profile(body):
            return "privacy_colour_profile"
        place += 12 + length
        if name == b"IEND":
            return "" if place == size else "privacy_trailing_bytes"
    return "privacy_container"


def _packed_profile(body: bytes) -> str:
    name, _, packed = body.partition(b"\0")
    unpacking = zlib.decompressobj()
    try:
        profile = unpacking.decompress(packed[1:])
    except zlib.error:
        return "privacy_colour_profile"
    return "privacy_colour_profile" if name != b"colours" or unpacking.unused_data else _profile(profile)


def _profile(profile: bytes) -> str:
    """Whether a colour profile says who made it, when and of what, or holds tags of words."""
    if not profile:
        return ""
    blank = profile[24:36] + profile[40:64] + profile[80:128]
    tags = range(132, 132 + 12 * int.from_bytes(profile[128:132], "big"), 12)
    if blank.strip(b"\0") or len(profile) < 132 or len(tags) > 100:
        return "privacy_colour_profile"
    for place in tags:
        name, start, size = profile[place : place + 4], profile[place + 4 : place + 8], profile[place + 8 : place + 12]
        first = int.from_bytes(start, "big")
        element = profile[first : first + int.from_bytes(size, "big")]
        words = _WORD.findall(element[8:].replace(b"\0", b""))
        if name not in PROFILE_TAGS and not (name in (b"desc", b"cprt") and PROFILE_WORDS.issuperset(words)):
            return "privacy_colour_profile"
    return ""
