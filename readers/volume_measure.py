"""What the labels of a volume measure: boxes, centroids, sizes and pieces in space, from the mask's own voxels."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from readers.pixels.volume import patient_axes
from readers.pixels.volume_file import Volume
from readers.pixels.window import Values
from readers.volume_labels import LabelClass, numbered
from readers.volume_parts import Part
from schemas import taxonomy
from schemas.case import Box3D, Extent, Region3D, Triple

Window3D = tuple[slice, slice, slice]


@dataclass(frozen=True, slots=True)
class Grid:
    """The frame of one volume."""

    shape: tuple[int, int, int]
    axes: tuple[int, int, int]
    """For each voxel axis, the patient axis (0 right, 1 anterior, 2 superior) that it lies along most."""
    forward: tuple[bool, bool, bool]
    """Whether it runs towards right, anterior, superior."""
    spacing: Triple
    voxel_ml: float
    """Millilitres of one voxel, 0 where unknown."""

    @classmethod
    def of(cls, image: Volume) -> "Grid":
        """The frame of ``image``; sizes are unknown where its header's geometry is none."""
        axes, forward = patient_axes(image)
        spacing = image.spacing if image.measured else (0.0, 0.0, 0.0)
        volume = abs(float(np.linalg.det(image.affine[:3, :3]))) / 1000 if image.measured else 0.0
        return cls(image.shape, axes, forward, spacing, volume)

    def extent(self, box: Box3D, centre: Triple, voxels: int) -> Extent:
        """The extent of a box and centroid in voxels as stored."""
        low, high, middle, size = [0.0] * 3, [0.0] * 3, [0.0] * 3, [0.0] * 3
        for axis, to in enumerate(self.axes):
            ends = [self._fraction(axis, value) for value in (box[axis], box[axis + 3])]
            low[to], high[to], middle[to] = min(ends), max(ends), self._fraction(axis, centre[axis])
            size[to] = round((box[axis + 3] - box[axis]) * self.spacing[axis], 6)
        return Extent(
            box=box,
            place=(*_triple(low), *_triple(high)),
            centre=_triple(middle),
            voxels=voxels,
            size_mm=_triple(size),
            millilitres=voxels * self.voxel_ml,
        )

    def _fraction(self, axis: int, value: float) -> float:
        part = value / self.shape[axis]
        return part if self.forward[axis] else 1 - part


def measure(
    image: Volume, parts: list[Part], every_piece: bool = False, resampled: bool = False
) -> tuple[Region3D, ...]:
    """One region for each class that marks a voxel, in the order of the parts.

    Args:
        image: the volume that the parts lie on.
        parts: its labels.
        every_piece: also look for the connected pieces of structures of the body; those of lesions and findings,
            which may be several, are always looked for.
        resampled: whether labels of another grid may have been resampled.
    """
    grid = Grid.of(image)
    found: list[Region3D] = []
    for part in parts:
        boxes = _boxes(part.values)
        for item in part.classes:
            region = _region(grid, part, item, boxes, every_piece or not _structure(item.label))
            if region is not None:
                found.append(replace(region, resampled=resampled))
    return tuple(found)


def _region(grid: Grid, part: Part, item: LabelClass, boxes: dict[int, Window3D], with_pieces: bool) -> Region3D | None:
    inside = [boxes[value] for value in item.values if value in boxes]
    if not inside:
        return None
    window = _around(inside)
    mask = np.isin(part.values[window], item.values)
    start = _start(part, window)
    counts = _counts(mask)
    pieces = _pieces(grid, mask, start) if with_pieces else ()
    at = [origin + int(np.argmax(line)) for origin, line in zip(start, counts, strict=True)]
    return Region3D(
        label=item.label,
        original=item.original,
        volume_index=0,
        extent=_extent(grid, counts, start),
        largest=(at[0], at[1], at[2]),
        files=(part.path,),
        values=() if part.binary else item.values,
        pieces=pieces,
    )


def _pieces(grid: Grid, mask: Values, start: tuple[int, int, int]) -> tuple[Extent, ...]:
    own = numbered(mask)
    found = []
    for number, window in _boxes(own).items():
        counts = _counts(own[window] == number)
        first = [origin + span.start for origin, span in zip(start, window, strict=True)]
        found.append(_extent(grid, counts, (first[0], first[1], first[2])))
    return tuple(found)


def _counts(mask: Values) -> list[Values]:
    """Voxels in each slice across each axis."""
    plane = np.count_nonzero(mask, axis=2)
    return [plane.sum(axis=1), plane.sum(axis=0), np.count_nonzero(mask, axis=(0, 1))]


def _extent(grid: Grid, counts: list[Values], start: tuple[int, int, int]) -> Extent:
    voxels = int(counts[0].sum())
    low, high, middle = [], [], []
    for line, origin in zip(counts, start, strict=True):
        marked = np.flatnonzero(line)
        low.append(float(origin + marked[0]))
        high.append(float(origin + marked[-1] + 1))
        middle.append(origin + float(line @ (np.arange(len(line)) + 0.5)) / voxels)
    return grid.extent((*_triple(low), *_triple(high)), _triple(middle), voxels)


def _boxes(values: Values) -> dict[int, Window3D]:
    """Positive value -> the smallest window that holds all of it."""
    from scipy import ndimage

    # Whole numbers of scipy's own kinds; labels are small ones, so a narrow type never loses any.
    windows: list[Any] = ndimage.find_objects(values if values.dtype.kind in "iu" else values.astype(np.int32))
    return {number: window for number, window in enumerate(windows, 1) if window is not None}


def _around(windows: list[Window3D]) -> Window3D:
    i, j, k = (slice(min(w[axis].start for w in windows), max(w[axis].stop for w in windows)) for axis in range(3))
    return i, j, k


def _start(part: Part, window: Window3D) -> tuple[int, int, int]:
    i, j, k = (origin + span.start for origin, span in zip(part.origin, window, strict=True))
    return i, j, k


def _structure(label: str) -> bool:
    concept = taxonomy.labels().get(taxonomy.canonical_label(label))
    return concept is not None and concept.kind == "structure"


def _triple(values: list[float]) -> Triple:
    return values[0], values[1], values[2]
