"""What the codestream of a compressed frame says of its own size, read before anything is decoded."""

import re

from pydicom.dataset import Dataset
from pydicom.encaps import get_frame

from schemas.errors import CaseError

_JPEG = b"\xff\xd8"
_JPEG2000_SIZE = b"\xff\x4f\xff\x51"
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
_SCAN = 0xDA
_WITHOUT_LENGTH = re.compile(rb"\xff[\x01\xd0-\xd8]")


def check_size(dataset: Dataset, index: int, frames: int, size: tuple[int, int], name: str) -> None:
    """Raise `CaseError` ``corrupt_pixels`` where a frame's codestream claims another ``(width, height)``.

    A codec makes room for what the codestream claims: in 400 bytes a JPEG 2000 of 60,000 x 60,000 pixels takes seven
    gigabytes and a minute before it is found not to fit.
    """
    try:
        stream = get_frame(dataset.PixelData, index, number_of_frames=frames)
    except Exception:  # noqa: BLE001 - what is wrong with the encapsulation, decoding says
        return
    stated = stated_size(stream)
    if stated is not None and stated != size:
        claimed, wanted = ("x".join(map(str, pair)) for pair in (stated, size))
        raise CaseError("corrupt_pixels", f"the pixel data of {name} claims {claimed} pixels, its header {wanted}")


def stated_size(stream: bytes) -> tuple[int, int] | None:
    """``(width, height)`` of a JPEG, JPEG-LS or JPEG 2000 codestream; None for others and broken ones."""
    if stream.startswith(_JPEG):
        return _jpeg_size(stream)
    at = stream.find(_JPEG2000_SIZE, 0, 4096)
    if at < 0 or len(stream) < at + 24:
        return None
    right, bottom, left, top = (int.from_bytes(stream[at + 8 + 4 * i : at + 12 + 4 * i], "big") for i in range(4))
    return right - left, bottom - top


def _jpeg_size(stream: bytes) -> tuple[int, int] | None:
    place = 2
    while place + 9 <= len(stream) and stream[place] == 0xFF:
        marker = stream[place + 1]
        if marker in _FRAMES:
            height, width = (int.from_bytes(stream[at : at + 2], "big") for at in (place + 5, place + 7))
            return width, height
        if marker == _SCAN:
            return None
        if marker == 0xFF:
            place += 1
        elif _WITHOUT_LENGTH.match(stream, place):
            place += 2
        else:
            place += 2 + int.from_bytes(stream[place + 2 : place + 4], "big")
    return None
