"""Contours of DICOM structure sets as masks on the slices that they were drawn on."""

from collections import defaultdict

import numpy as np
from pydicom.dataset import Dataset

from readers.dicom_seg import SegmentMask
from readers.pixels.dicom_file import items, number, numbers, open_dicom, word
from readers.pixels.dicom_stack import Slice, Stack
from readers.pixels.dicom_view import pixel_spacing
from readers.source import Source
from schemas.findings import Finding
from schemas.masks import edge_mask, polygon_mask

_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
_FARTHEST_MM = 1e6
NEAR_MM = 0.5
"""How far a contour may lie from the slice that it belongs to, where slices are not closer than twice that."""


def referenced_series(dataset: Dataset) -> list[str]:
    """Series instance UIDs that a structure set refers to."""
    return [
        word(series, "SeriesInstanceUID")
        for frame in items(dataset, "ReferencedFrameOfReferenceSequence")
        for study in items(frame, "RTReferencedStudySequence")
        for series in items(study, "RTReferencedSeriesSequence")
        if word(series, "SeriesInstanceUID")
    ]


def roi_names(dataset: Dataset) -> dict[int, str]:
    """ROI number to name."""
    rois = items(dataset, "StructureSetROISequence")
    return {int(number(roi, "ROINumber", 0)): word(roi, "ROIName") for roi in rois}


def contour_masks(source: Source, path: str, stack: Stack) -> tuple[list[SegmentMask], tuple[Finding, ...]]:
    """Closed contours filled by the even-odd rule, so that a contour inside another is a hole.

    Contours that lie on no slice of ``stack`` are left out with a finding, open ones and points likewise.
    """
    dataset = open_dicom(source, path).dataset
    names = roi_names(dataset)
    found: list[SegmentMask] = []
    elsewhere = other = 0
    for roi in items(dataset, "ROIContourSequence"):
        segment = int(number(roi, "ReferencedROINumber", 0))
        by_slice: dict[int, list[np.ndarray]] = defaultdict(list)
        for contour in items(roi, "ContourSequence"):
            points = np.array(numbers(contour, "ContourData"))
            if word(contour, "ContourGeometricType") not in _CLOSED or not _is_outline(points):
                other += 1
                continue
            index = _slice_of(points.reshape(-1, 3), stack)
            if index is None:
                elsewhere += 1
            else:
                by_slice[index].append(points.reshape(-1, 3))
        found += [_filled(stack.slices[i], i, segment, names.get(segment, ""), drawn) for i, drawn in by_slice.items()]
    return [mask for mask in found if mask.mask.any()], _findings(elsewhere, other)


def _is_outline(coordinates: np.ndarray) -> bool:
    """Whether they are three or more points that lie within a kilometre."""
    return coordinates.size >= 9 and coordinates.size % 3 == 0 and bool(np.abs(coordinates).max() <= _FARTHEST_MM)


def _findings(elsewhere: int, other: int) -> tuple[Finding, ...]:
    found = []
    if elsewhere:
        found.append(Finding("contours_elsewhere", f"{elsewhere} contours lie on no slice that is here"))
    if other:
        found.append(Finding("open_contours", f"{other} contours are points, open or broken and are left out"))
    return tuple(found)


def _filled(item: Slice, index: int, segment: int, name: str, contours: list[np.ndarray]) -> SegmentMask:
    size = int(number(item.header, "Rows", 0)), int(number(item.header, "Columns", 0))
    flat = [_on_plane(points, item).ravel().tolist() for points in contours]
    mask = polygon_mask(flat, size) | edge_mask(flat, size)
    return SegmentMask(index, segment, (name,) if name else (), mask)


def _on_plane(points: np.ndarray, item: Slice) -> np.ndarray:
    """Millimetres to ``(u, v)`` of the slice; the corner that DICOM gives is the centre of the first pixel."""
    assert item.plane is not None
    corner, along_u, along_v = (np.array(part) for part in item.plane)
    across, down = pixel_spacing(item.header, item.frame)
    offset = points - corner
    return np.stack([offset @ along_u / (across or 1.0) + 0.5, offset @ along_v / (down or 1.0) + 0.5], axis=1)


def _slice_of(points: np.ndarray, stack: Stack) -> int | None:
    """The slice in whose plane the contour lies; None where it lies on none, or across several."""
    distances = []
    for item in stack.slices:
        if item.plane is None:
            return None
        normal = np.cross(item.plane[1], item.plane[2])
        distances.append(float(np.abs((points - np.array(item.plane[0])) @ normal).max()))
    nearest = int(np.argmin(distances))
    near = min(NEAR_MM, stack.spacing / 2) if stack.spacing > 0 else NEAR_MM
    return nearest if distances[nearest] <= near else None
