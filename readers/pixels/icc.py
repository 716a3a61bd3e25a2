"""Colour profiles rid of their words: the tags by which colours are computed, and nothing else of the file."""

import struct

KNOWN = (b"sRGB", b"s\0R\0G\0B", b"Gray Gamma 2.2", b"sGray", b"G\0r\0a\0y\0 \0G\0a\0m\0m\0a\0 \x002\0.\x002")
"""Names of profiles that change nothing of what is seen."""
_COLOUR = frozenset(
    (
        b"wtpt", b"bkpt", b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", b"kTRC", b"chad", b"A2B0", b"A2B1",
        b"A2B2", b"B2A0", b"B2A1", b"B2A2", b"cicp",
    )
)  # fmt: skip
_TABLES = (b"mft1", b"mft2", b"mAB ", b"mBA ")
_PARAMETERS = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}
"""Numbers of a parametric curve by its kind (ICC.1:2022, table 68)."""
_CLASSES = (b"mntr", b"scnr", b"prtr", b"spac")
_SPACES = (b"RGB ", b"GRAY", b"CMYK")
_CONNECTED = (b"XYZ ", b"Lab ")
_WORD = "colours"
_MOST_TAGS = 100


def wordless(profile: bytes) -> bytes:
    """The profile with every text, date, maker and unknown tag taken out; the same for one that was treated before.

    Empty for sRGB and plain grey, which change nothing of what is seen, and for profiles that cannot be read.  What
    the standard demands of words, a description and a copyright, says ``colours``.
    """
    if len(profile) < 132 or profile[36:40] != b"acsp" or any(name in profile for name in KNOWN):
        return b""
    if profile[12:16] not in _CLASSES or profile[16:20] not in _SPACES or profile[20:24] not in _CONNECTED:
        return b""
    tags = _tags(profile)
    if not tags:
        return b""
    version = profile[8]
    tags = {b"desc": _words(version, b"desc"), b"cprt": _words(version, b"text"), **tags}
    return _written(profile, tags)


def _tags(profile: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    count = int.from_bytes(profile[128:132], "big")
    for place in range(132, 132 + 12 * min(count, _MOST_TAGS), 12):
        name, start, size = profile[place : place + 4], *_numbers(profile[place + 4 : place + 12])
        if name in _COLOUR:
            body = _exactly(profile[start : start + size])
            if body:
                found[name] = body
    return found


def _numbers(data: bytes) -> tuple[int, int]:
    return int.from_bytes(data[:4], "big"), int.from_bytes(data[4:], "big")


def _exactly(body: bytes) -> bytes:
    """The element without bytes that its type does not count; empty for types that hold no colours."""
    kind = body[:4]
    if kind in _TABLES:
        return body
    sizes = {b"XYZ ": 20, b"sf32": 44, b"cicp": 12}
    if kind == b"curv" and len(body) >= 12:
        sizes[kind] = 12 + 2 * int.from_bytes(body[8:12], "big")
    if kind == b"para" and len(body) >= 12:
        sizes[kind] = 12 + 4 * _PARAMETERS.get(int.from_bytes(body[8:10], "big"), 1 << 20)
    size = sizes.get(kind, 0)
    return kind + bytes(4) + body[8:size] if size and len(body) >= size else b""


def _words(version: int, kind: bytes) -> bytes:
    if version >= 4:
        said = _WORD.encode("utf-16-be")
        return b"mluc" + struct.pack(">4xII4sII", 1, 12, b"enUS", len(said), 28) + said
    said = _WORD.encode() + b"\0"
    return b"text" + bytes(4) + said if kind == b"text" else b"desc" + struct.pack(">4xI", len(said)) + said + bytes(78)


def _written(profile: bytes, tags: dict[bytes, bytes]) -> bytes:
    """A profile of ``tags``, equal ones once, under the header's numbers that say how colours are meant."""
    table, body, known = b"", b"", dict[bytes, int]()
    first = 132 + 12 * len(tags)
    for name, data in tags.items():
        if data not in known:
            known[data] = first + len(body)
            body += data + bytes(-len(data) % 4)
        table += name + struct.pack(">II", known[data], len(data))
    head = bytearray(128)
    head[8:24], head[36:40], head[64:80] = profile[8:24], b"acsp", profile[64:80]
    struct.pack_into(">I", head, 0, first + len(body))
    return bytes(head) + struct.pack(">I", len(tags)) + table + body
