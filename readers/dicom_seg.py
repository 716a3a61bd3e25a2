"""DICOM segmentations laid onto the slices of the series that they mark."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from readers.pixels.dicom_file import DicomFile, items, number, open_dicom, word
from readers.pixels.dicom_frames import stored_frame
from readers.pixels.dicom_stack import Slice, Stack
from readers.pixels.dicom_view import frame_groups, macro, pixel_spacing, plane_geometry
from readers.pixels.orientation import Direction
from readers.source import Source, printable
from schemas.errors import CaseError
from schemas.masks import Mask

FRACTION = 0.5
"""Of the maximum fractional value, from which on a pixel counts as inside."""


@dataclass(frozen=True, slots=True)
class SegmentMask:
    """One segment on one slice."""

    slice: int
    """Index into the stack."""
    segment: int
    """Segment number."""
    words: tuple[str, ...]
    """The segment's own names, the most particular first: label, property type."""
    mask: Mask


def segment_words(dataset: Dataset) -> dict[int, tuple[str, ...]]:
    """Segment number to its names."""
    found = {}
    for item in items(dataset, "SegmentSequence"):
        kinds = items(item, "SegmentedPropertyTypeCodeSequence")
        names = [word(item, "SegmentLabel"), *(word(kind, "CodeMeaning") for kind in kinds)]
        found[int(number(item, "SegmentNumber", 0))] = tuple(dict.fromkeys(name for name in names if name))
    return found


def segment_masks(source: Source, path: str, stack: Stack) -> Iterator[SegmentMask]:
    """Every non-empty mask of a DICOM-SEG file that lies on a slice of ``stack``, on the slice's own grid.

    Binary, fractional and label map segmentations; segments may overlap.  Raises `CaseError` ``seg_elsewhere``
    where a frame lies on no slice, ``mask_shape`` where its grid is another one.
    """
    file = open_dicom(source, path)
    names = segment_words(file.header)
    for frame in range(max(int(number(file.header, "NumberOfFrames", 1)), 1)):
        planes = list(_masks_of_frame(file, frame, names))
        if not planes:
            continue
        index = _slice_of_frame(file, frame, stack)
        if index is None:
            raise CaseError("seg_elsewhere", f"{printable(path)} marks a plane that is no slice of its series")
        for segment, mask in planes:
            yield SegmentMask(index, segment, names.get(segment, ()), mask)


def _masks_of_frame(file: DicomFile, frame: int, names: dict[int, tuple[str, ...]]) -> Iterator[tuple[int, Mask]]:
    kind = word(file.header, "SegmentationType")
    stored = stored_frame(file, frame)
    if kind == "LABELMAP":
        background = int(number(file.header, "PixelPaddingValue", 0))
        yield from ((int(value), stored == value) for value in np.unique(stored) if value != background)
        return
    ceiling = number(file.header, "MaximumFractionalValue", 1) if kind == "FRACTIONAL" else 1
    mask = stored >= max(FRACTION * ceiling, 1)
    groups = frame_groups(file.header, frame)
    named = int(number(macro(groups, "SegmentIdentificationSequence"), "ReferencedSegmentNumber", 0))
    if mask.any():
        yield named or next(iter(names), 0), mask


def _slice_of_frame(file: DicomFile, frame: int, stack: Stack) -> int | None:
    """The slice that a frame names as its source, else the one in whose plane it lies; both must have its grid."""
    source = _source_image(file.header, frame)
    index = next((i for i, item in enumerate(stack.slices) if source == (item.uid, item.frame)), None)
    if index is None:
        index = _slice_by_place(file, frame, stack)
    if index is None:
        return None
    header = stack.slices[index].header
    grid = tuple(int(number(header, key, 0)) for key in ("Rows", "Columns"))
    own = tuple(int(number(file.header, key, 0)) for key in ("Rows", "Columns"))
    if grid != own:
        raise CaseError(
            "mask_shape",
            f"{printable(file.path)} has masks of {own[1]}x{own[0]} for slices of {grid[1]}x{grid[0]}",
        )
    if not _same_grid(file, frame, stack, index):
        raise CaseError("seg_elsewhere", f"{printable(file.path)} lies on another grid than its series")
    return index


def _source_image(dataset: Dataset, frame: int) -> tuple[str, int] | None:
    """SOP instance UID and 0-based frame (-1 for a single-frame file) of the only image a frame was made from."""
    derived = items(macro(frame_groups(dataset, frame), "DerivationImageSequence"), "SourceImageSequence")
    if len(derived) != 1 or not word(derived[0], "ReferencedSOPInstanceUID"):
        return None
    return word(derived[0], "ReferencedSOPInstanceUID"), int(number(derived[0], "ReferencedFrameNumber", 0)) - 1


def _slice_by_place(file: DicomFile, frame: int, stack: Stack) -> int | None:
    plane = plane_geometry(file.header, frame)
    if plane is None or not stack.slices:
        return None
    distances = [_from_plane(plane[0], item) for item in stack.slices]
    nearest = int(np.argmin(distances))
    return nearest if distances[nearest] <= max(stack.spacing * 0.1, 0.01) else None


def _from_plane(point: Direction, item: Slice) -> float:
    """Millimetres from a point to a slice's plane."""
    if item.plane is None:
        return np.inf
    normal = np.cross(item.plane[1], item.plane[2])
    return abs(float(np.dot(np.subtract(point, item.plane[0]), normal)))


def _same_grid(file: DicomFile, frame: int, stack: Stack, index: int) -> bool:
    """Whether the frame's pixels are the slice's pixels: same corner, directions and spacing to a tenth of a pixel."""
    mine, item = plane_geometry(file.header, frame), stack.slices[index]
    if mine is None or item.plane is None:
        return True
    across, down = pixel_spacing(item.header, item.frame)
    own_across, own_down = pixel_spacing(file.header, frame)
    tolerance = 0.1 * min(across or 1.0, down or 1.0)
    same_spacing = not own_across or max(abs(own_across - across), abs(own_down - down)) < 1e-3 * max(across, 1.0)
    corner = np.linalg.norm(np.subtract(mine[0], item.plane[0])) < max(tolerance, 0.01)
    turned = max(np.abs(np.subtract(mine[1:], item.plane[1:])).ravel()) < 1e-3
    return bool(same_spacing and corner and turned)
