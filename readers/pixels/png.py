"""PNG containers: what the header says, and the same picture without its text, time and EXIF chunks."""

import zlib
from dataclasses import dataclass, field

import imagecodecs

from readers.pixels.icc import wordless
from readers.pixels.layout import Layout, check_size, corrupt, exif_orientation

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_KEPT = {b"IHDR": 13, b"PLTE": 768, b"IDAT": 1 << 31, b"IEND": 0, b"tRNS": 256, b"gAMA": 4, b"cHRM": 32, b"sRGB": 1}
"""Chunks that decoding needs or that say what the colours mean, and how many bytes they may have."""
_PALETTED = 3
_KINDS = {
    b"tEXt": "text",
    b"zTXt": "text",
    b"iTXt": "text",
    b"eXIf": "EXIF",
    b"tIME": "time",
    b"iCCP": "colour profile",
}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_PROFILE_LIMIT = 4 << 20
_SLACK = 1 << 16
"""Bytes that packed pixels may take beyond twice what they are unpacked: libpng unpacks all there is."""


@dataclass(slots=True)
class _Parts:
    """What parsing gathers."""

    kept: list[tuple[int, int] | bytes] = field(default_factory=list)
    """Where kept chunks begin and end, joined as long as they touch; or chunks that were rewritten."""
    removed: list[str] = field(default_factory=list)
    header: bytes = b""
    transparent: bool = False
    orientation: int = 1
    frames: int = 1
    icc: bytes = b""
    pixels: int = 0
    """Packed bytes of pixels."""


def layout(data: bytes) -> Layout:
    """Parse a PNG and check every chunk's CRC; `CaseError` where it is cut off or broken.

    Kept are the chunks that decoding needs and those that say what the colours mean (gAMA, cHRM, sRGB, and a
    profile that matters); text, time, EXIF, animation and unknown chunks are cut out.
    """
    parts = _Parts()
    view = memoryview(data)
    place, name = len(SIGNATURE), b""
    while name != b"IEND":
        length = int.from_bytes(view[place : place + 4], "big")
        end = place + 12 + length
        if end > len(data):
            raise corrupt("is cut off")
        name = bytes(view[place + 4 : place + 8])
        if zlib.crc32(view[place + 4 : end - 4]) != int.from_bytes(view[end - 4 : end], "big"):
            raise corrupt("has a PNG chunk whose checksum is wrong")
        _chunk(name, view[place + 8 : end - 4], (place, end), parts)
        place = end
    if place != len(data):
        parts.removed.append("trailing data")
    return _layout(data, parts)


def _chunk(name: bytes, body: memoryview, span: tuple[int, int], parts: _Parts) -> None:
    if (not parts.header) != (name == b"IHDR"):
        raise corrupt("does not begin with a PNG header, or has two")
    if name == b"IHDR":
        parts.header = bytes(body)
    elif name == b"iCCP":
        parts.icc = _profile(bytes(body))
    elif name == b"eXIf":
        parts.orientation = exif_orientation(bytes(body))
    elif name == b"acTL":
        parts.frames = max(int.from_bytes(body[:4], "big"), 1)
    parts.transparent |= name == b"tRNS"
    parts.pixels += len(body) if name == b"IDAT" else 0
    last = parts.kept[-1] if parts.kept else b""
    own = _profile_chunk(parts.icc) if name == b"iCCP" and parts.icc else b""
    if own and own[8:-4] != body:
        parts.kept.append(own)
        parts.removed.append(_KINDS[name])
    elif own:
        parts.kept.append(span)
    elif len(body) > _KEPT.get(name, -1) or _is_idle(name, parts.header):
        parts.removed.append(_KINDS.get(name, "other chunk"))
    elif isinstance(last, tuple) and last[1] == span[0]:
        parts.kept[-1] = (last[0], span[1])
    else:
        parts.kept.append(span)


def _is_idle(name: bytes, header: bytes) -> bool:
    """Whether the chunk is a palette that only suggests colours to old screens, up to 768 bytes of anything."""
    return name == b"PLTE" and header[9:10] != bytes([_PALETTED])


def _profile(body: bytes) -> bytes:
    """The unpacked colour profile where it matters, without its words, else nothing."""
    _, _, packed = body.partition(b"\0")
    try:
        return wordless(zlib.decompressobj().decompress(packed[1:], _PROFILE_LIMIT))
    except zlib.error:
        return b""


def _profile_chunk(icc: bytes) -> bytes:
    # libdeflate, whose output does not depend on the processor.
    body = b"iCCPcolours\0\0" + bytes(imagecodecs.deflate_encode(icc, level=6, raw=False))
    return (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")


def _layout(data: bytes, parts: _Parts) -> Layout:
    if len(parts.header) != 13:
        raise corrupt("has no PNG header")
    width, height = int.from_bytes(parts.header[:4], "big"), int.from_bytes(parts.header[4:8], "big")
    depth, colour = parts.header[8], parts.header[9]
    if depth not in _DEPTHS.get(colour, ()):
        raise corrupt("has a PNG colour type that does not exist")
    check_size(width, height)
    row = -(-width * depth * _CHANNELS[colour] // 8) + 1
    if not parts.pixels:
        raise corrupt("has no pixels")
    if parts.pixels > 2 * row * height + _SLACK:
        raise corrupt("holds more pixel data than its size has room for")
    plain = depth == 8 and colour in (0, 2) and not parts.transparent
    whole = parts.kept == [(len(SIGNATURE), len(data))]
    return Layout(
        media_type="image/png",
        width=width,
        height=height,
        bit_depth=depth,
        channels=_CHANNELS[colour],
        orientation=parts.orientation,
        frames=parts.frames,
        passes=plain and parts.orientation == 1,
        clean=data if whole else _joined(data, parts),
        removed=tuple(dict.fromkeys(parts.removed)),
        icc=parts.icc,
    )


def _joined(data: bytes, parts: _Parts) -> bytes:
    clean = SIGNATURE + b"".join(data[slice(*part)] if isinstance(part, tuple) else part for part in parts.kept)
    return data if clean == data else clean
