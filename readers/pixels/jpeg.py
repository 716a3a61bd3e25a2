"""JPEG containers: what the header says, and the same picture without its metadata segments."""

import re
from dataclasses import dataclass, field

from readers.pixels.icc import wordless
from readers.pixels.layout import Layout, check_size, corrupt, exif_orientation

_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_JPEGLS_SCAN_END = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")
"""JPEG-LS stuffs a bit behind 0xff, not a byte, so that there only the upper half of the values are markers."""
_MOST_SCANS = 100
"""Each scan of a progressive picture is a pass over all its pixels; encoders write about ten."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
_NEEDED = _FRAMES | {0xC4, 0xCC, 0xDB, 0xDC, 0xDD, 0xDA, 0xF8}
_SHORT = frozenset({0xDC, 0xDD})
"""Number of lines and restart interval: two bytes; decoders pass over what else stands there."""
_SCAN, _END, _COMMENT, _JPEGLS = 0xDA, 0xD9, 0xFE, 0xF7
_APP0, _APP1, _APP2, _APP13, _APP14 = 0xE0, 0xE1, 0xE2, 0xED, 0xEE
_BASELINE, _PROGRESSIVE = frozenset({0xC0, 0xC1}), 0xC2


@dataclass(slots=True)
class _Parts:
    """What parsing gathers."""

    kept: list[tuple[int, int] | bytes] = field(default_factory=list)
    """Where kept segments begin and end; or segments that were rewritten."""
    removed: list[str] = field(default_factory=list)
    frame: bytes = b""
    process: int = 0
    scans: int = 0
    orientation: int = 1
    icc: dict[int, bytes] = field(default_factory=dict)


def layout(data: bytes) -> Layout:
    """Parse a JPEG (also lossless, 12-bit and JPEG-LS); `CaseError` where it is cut off or broken.

    Kept are the segments that decoding needs, JFIF without its thumbnail, Adobe's colour transform, and a
    colour profile that matters.  EXIF, XMP, IPTC, comments and whatever follows the picture are cut out.
    """
    parts = _Parts()
    place = 2
    while True:
        marker, place = _marker(data, place)
        if marker == _END:
            break
        place = _segment(data, marker, place, parts)
    if place != len(data):
        parts.removed.append("trailing data")
    return _layout(data, parts)


def _marker(data: bytes, place: int) -> tuple[int, int]:
    """The marker at ``place`` and where its segment begins."""
    if data[place : place + 1] != b"\xff":
        raise corrupt("is cut off or its JPEG segments do not follow one another")
    while data[place : place + 1] == b"\xff":
        place += 1
    if place >= len(data):
        raise corrupt("is cut off")
    return data[place], place + 1


def _segment(data: bytes, marker: int, place: int, parts: _Parts) -> int:
    """Take one segment in; returns where the next marker stands."""
    if marker == 0x01 or 0xD0 <= marker <= 0xD7:
        return place
    length = int.from_bytes(data[place : place + 2], "big")
    end = place + length
    if length < 2 or end > len(data):
        raise corrupt("is cut off or a JPEG segment has a wrong length")
    body = data[place + 2 : end]
    if marker in _FRAMES:
        if parts.frame:
            raise corrupt("has two JPEG frame headers")
        parts.frame, parts.process = body, marker
    if marker == _SCAN:
        end = _scan(data, end, parts)
    if marker in _NEEDED and (marker not in _SHORT or len(body) == 2):
        parts.kept.append((place - 2, end))
    else:
        _metadata(marker, body, (place - 2, end), parts)
    return end


def _scan(data: bytes, place: int, parts: _Parts) -> int:
    """Where the entropy-coded data that begins at ``place`` ends."""
    parts.scans += 1
    if parts.scans > _MOST_SCANS:
        raise corrupt(f"has more than {_MOST_SCANS} JPEG scans")
    found = (_JPEGLS_SCAN_END if parts.process == _JPEGLS else _SCAN_END).search(data, place)
    if found is None:
        raise corrupt("is cut off")
    return found.start()


def _metadata(marker: int, body: bytes, span: tuple[int, int], parts: _Parts) -> None:
    """Decide about a segment that decoding does not need."""
    if marker == _APP0 and body.startswith(b"JFIF\0") and len(body) >= 14:
        if len(body) > 14:
            parts.removed.append("thumbnail")
        _keep(parts, marker, body, body[:12] + b"\0\0", span)
    elif marker == _APP14 and body.startswith(b"Adobe") and len(body) >= 12:
        _keep(parts, marker, body, body[:12], span)
    elif marker == _APP2 and body.startswith(b"ICC_PROFILE\0") and len(body) > 14:
        parts.icc[body[12]] = body[14:]
    else:
        if marker == _APP1 and body.startswith(b"Exif\0"):
            parts.orientation = exif_orientation(body[6:])
        parts.removed.append(_kind(marker, body))


def _keep(parts: _Parts, marker: int, body: bytes, wanted: bytes, span: tuple[int, int]) -> None:
    head = b"\xff" + bytes([marker]) + (len(wanted) + 2).to_bytes(2, "big")
    parts.kept.append(span if body == wanted else head + wanted)


def _kind(marker: int, body: bytes) -> str:
    if marker == _COMMENT:
        return "comment"
    if marker == _APP1:
        return "EXIF" if body.startswith(b"Exif\0") else "XMP"
    return "IPTC" if marker == _APP13 else "application segment"


def _layout(data: bytes, parts: _Parts) -> Layout:
    if len(parts.frame) < 6:
        raise corrupt("has no JPEG frame header")
    depth = parts.frame[0]
    height, width = int.from_bytes(parts.frame[1:3], "big"), int.from_bytes(parts.frame[3:5], "big")
    check_size(width, height)
    channels = parts.frame[5]
    if channels not in (1, 3, 4):
        raise corrupt(f"has {channels} JPEG components")
    profile = b"".join(parts.icc[number] for number in sorted(parts.icc))
    icc = wordless(profile)
    if profile != icc:
        parts.removed.append("colour profile")
    usual = parts.process in _BASELINE or parts.process == _PROGRESSIVE
    return Layout(
        media_type="image/jls" if parts.process == _JPEGLS else "image/jpeg",
        width=width,
        height=height,
        bit_depth=depth,
        channels=channels,
        orientation=parts.orientation,
        passes=usual and depth == 8 and channels in (1, 3) and parts.orientation == 1,
        clean=_joined(data, parts, icc),
        removed=tuple(dict.fromkeys(parts.removed)),
        icc=icc,
    )


def _joined(data: bytes, parts: _Parts, icc: bytes) -> bytes:
    if not icc and _is_whole(parts.kept, len(data)):
        return data
    kept = [data[slice(*part)] if isinstance(part, tuple) else part for part in parts.kept]
    first = 1 if kept and kept[0][1] == _APP0 else 0
    body = b"".join([*kept[:first], *_profile_segments(icc), *kept[first:]])
    clean = b"\xff\xd8" + body + b"\xff\xd9"
    return data if clean == data else clean


def _is_whole(kept: list[tuple[int, int] | bytes], size: int) -> bool:
    """Whether the kept segments, untouched, are all that stands between the first marker and the last."""
    reached = 2
    for part in kept:
        if not isinstance(part, tuple) or part[0] != reached:
            return False
        reached = part[1]
    return reached == size - 2


def _profile_segments(icc: bytes) -> list[bytes]:
    chunks = [icc[start : start + 65519] for start in range(0, len(icc), 65519)]
    bodies = [b"ICC_PROFILE\0" + bytes([i + 1, len(chunks)]) + chunk for i, chunk in enumerate(chunks)]
    return [b"\xff\xe2" + (len(body) + 2).to_bytes(2, "big") + body for body in bodies]
