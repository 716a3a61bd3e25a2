"""Overlay planes of DICOM files (groups 60xx, PS3.3 C.9.2 and C.9.3), drawn in white on their frame."""

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from pydicom.dataset import Dataset

from readers.pixels.dicom_file import DicomFile
from readers.pixels.window import Pixels
from readers.source import printable
from schemas.errors import CaseError

OverlayChoice = Literal["leave_out", "draw"]
"""``leave_out``: named in a finding and not drawn; ``draw``: graphics and regions of interest in white."""

Plane = np.ndarray[Any, np.dtype[np.bool_]]

WHITE = 255
GROUPS = range(0x6000, 0x6020, 2)
_ROWS, _COLUMNS, _FRAMES, _ORIGIN, _FIRST, _POSITION, _DATA = 0x10, 0x11, 0x15, 0x50, 0x51, 0x102, 0x3000


def overlay_groups(header: Dataset) -> list[int]:
    """Which of the sixteen overlay groups state rows, as planes of their own and those in spare bits both do."""
    return [group for group in GROUPS if (group << 16) + _ROWS in header]


def with_overlays(shown: Pixels, file: DicomFile, frame: int = -1) -> Pixels:
    """A copy of the frame (grey or RGB, on its own grid) with its overlay planes in white, clipped at its edges.

    A plane without a number of frames lies on every frame of the file.  Raises `CaseError` ``bad_overlay`` where a
    plane is broken, or lies in spare bits of compressed pixels.
    """
    drawn = shown.copy()
    for group in overlay_groups(file.header):
        try:
            for plane, top, left in _planes(file, group, max(frame, 0)):
                _lay(drawn, plane, top, left)
        except Exception as error:  # noqa: BLE001 - pydicom converts values only now, and a bad one raises anything
            raise CaseError(
                "bad_overlay",
                f"the overlay plane {group:04X} of {printable(file.path)} cannot be drawn ({type(error).__name__}); "
                "leave the overlays out with overlays: leave_out",
            ) from None
    return drawn


def _planes(file: DicomFile, group: int, frame: int) -> Iterator[tuple[Plane, int, int]]:
    """The plane that lies on ``frame``, if any, with the 0-based row and column of its first pixel."""
    header = file.header
    top, left = (int(value) - 1 for value in _value(header, group, _ORIGIN, (1, 1)))
    if (group << 16) + _DATA not in header:
        yield _embedded(file, group, frame), top, left
        return
    if header.original_encoding[1] is False:
        raise ValueError("big-endian overlay words")
    planes = header.overlay_array(group).astype(bool)
    if (group << 16) + _FRAMES not in header:
        yield planes, top, left
        return
    place = frame - (int(_value(header, group, _FIRST, 1)) - 1)
    planes = planes.reshape(-1, *planes.shape[-2:])
    if 0 <= place < len(planes):
        yield planes[place], top, left


def _embedded(file: DicomFile, group: int, frame: int) -> Plane:
    """The retired form: one spare bit of every stored word is the plane, as large as the picture."""
    header, held = file.header, file.plain_pixels
    if file.header.file_meta.TransferSyntaxUID.is_encapsulated or held is None:
        raise ValueError("no plain pixels")
    rows, columns, bits = int(header.Rows), int(header.Columns), int(header.BitsAllocated)
    if (int(header[group, _ROWS].value), int(header[group, _COLUMNS].value)) != (rows, columns):
        raise ValueError("another size than the picture")
    position = int(header[group, _POSITION].value)
    if not int(header.BitsStored) <= position < bits:
        raise ValueError("no spare bit")
    count = rows * columns
    stored = np.frombuffer(held, np.dtype(f"<u{bits // 8}"), count, frame * count * bits // 8)
    return (stored >> position & 1).astype(bool).reshape(rows, columns)


def _lay(drawn: Pixels, plane: Plane, top: int, left: int) -> None:
    height, width = drawn.shape[:2]
    seen = plane[max(-top, 0) : max(height - top, 0), max(-left, 0) : max(width - left, 0)]
    drawn[max(top, 0) :, max(left, 0) :][: seen.shape[0], : seen.shape[1]][seen] = WHITE


def _value(header: Dataset, group: int, element: int, default: Any) -> Any:
    tag = (group << 16) + element
    return header[tag].value if tag in header and header[tag].value is not None else default
