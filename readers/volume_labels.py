"""Label volumes: brought onto the grid of their image, checked, and cut into regions with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from readers.pixels.nifti_header import nibabel
from readers.pixels.volume import source_plane
from readers.pixels.volume_file import Volume
from readers.pixels.window import Values
from readers.source import printable
from readers.volume_resample import nearest
from schemas.case import Region
from schemas.errors import CaseError
from schemas.findings import Finding
from schemas.masks import mask_region

ROUNDING = 0.01
"""How far a label value may lie from a whole number."""
SHIFT = 0.5
"""Of the smallest voxel edge: how far corners of image and label may lie apart."""
Mismatch = Literal["voxels", "nearest", "refuse"]
"""What becomes of a label that lies elsewhere than its image: see `readers.volume_case.VolumeOptions`."""
_SMALL_RANGE = 1 << 16


@dataclass(frozen=True, slots=True)
class LabelClass:
    """One class of a label volume."""

    label: str
    """Canonical word."""
    original: str
    values: tuple[int, ...]
    """Voxel values that belong to it; several where the class is a union."""


def labels_on(
    image: Volume, label: Volume, known: set[int] | None, mismatch: Mismatch = "voxels"
) -> tuple[Values, tuple[Finding, ...]]:
    """The label's values as whole numbers on the image's grid, with what was repaired or is odd.

    A label stored in another voxel order than its image is turned to it; one that lies elsewhere is treated as
    ``mismatch`` says; ``known`` may be None for any value.  Raises `CaseError` ``mask_shape`` (another size),
    ``label_shifted``, ``label_not_whole``, ``unknown_label_value`` (a value that is not in ``known``).
    """
    name = printable(label.path)
    if label.voxels.ndim != 3:
        raise CaseError("mask_shape", f"{name} has channels, but a label volume has one value per voxel")
    values, rounded = _whole(label)
    values, affine, findings = _turned(image, label, values)
    values, moved = _laid(image, label, values, affine, mismatch)
    found = present_values(values)
    unknown = sorted(found - known - {0}) if known is not None else []
    if unknown:
        raise CaseError(
            "unknown_label_value",
            f"{name} holds the values {', '.join(map(str, unknown[:5]))}, which the dataset does not name",
            "quarantined",
        )
    if not found - {0}:
        findings.append(Finding("empty_label", "the label volume marks nothing"))
    return values, (*findings, *rounded, *moved)


def mask_on(image: Volume, mask: Volume, mismatch: Mismatch = "voxels") -> tuple[Values, tuple[Finding, ...]]:
    """A binary mask on the image's grid as 0 and 1; `CaseError` ``mask_not_binary`` where it has further values."""
    values, findings = labels_on(image, mask, None, mismatch)
    found = present_values(values) - {0}
    if len(found) > 1:
        raise CaseError("mask_not_binary", f"{printable(mask.path)} has {len(found)} values beside 0, but is one class")
    return (values != 0).astype(np.uint8), findings


def present_values(values: Values) -> set[int]:
    """The distinct values of a whole-number array."""
    found: set[int] = set()
    for slab in _slabs(values):
        low, high = int(slab.min()), int(slab.max())
        if low == high:
            found.add(low)
        elif high - low < _SMALL_RANGE:
            found.update((np.flatnonzero(np.bincount(slab.ravel().astype(np.int64) - low)) + low).tolist())
        else:
            found.update(np.unique(slab).tolist())
    return found


def labelled_areas(values: Values, axis: int) -> list[float]:
    """Labelled voxels in each slice along ``axis``."""
    others = tuple(other for other in range(3) if other != axis)
    return np.count_nonzero(values, axis=others).astype(float).tolist()  # type: ignore[no-any-return]


def slice_regions(
    values: Values, classes: list[LabelClass], axis: int, index: int, image_index: int
) -> Iterator[Region]:
    """One mask region per class on the slice, its instance the class's first value."""
    plane = source_plane(values, axis, index)
    present = present_values(plane)
    for item in classes:
        inside = present.intersection(item.values)
        if not inside:
            continue
        mask = np.isin(plane, list(inside)) if len(inside) > 1 else plane == inside.pop()
        region = mask_region(mask, item.label, item.original, image_index, str(item.values[0]))
        if region is not None:
            yield region


def components(values: Values, item: LabelClass) -> Values:
    """The connected parts (26 neighbours) of a class, numbered from 1 in voxel order; 0 elsewhere."""
    return numbered(np.isin(values, item.values))


def numbered(mask: Values) -> Values:
    """The connected parts (26 neighbours) of a mask, numbered from 1 in voxel order; 0 elsewhere."""
    from scipy import ndimage

    found, _ = ndimage.label(mask, structure=np.ones((3, 3, 3)))
    return np.asarray(found)


def _slabs(values: Values) -> Iterator[Values]:
    """Slices across the axis that is slowest in memory, so that no step needs the room of a whole volume."""
    axis = int(np.argmax(np.abs(values.strides)))
    yield from np.moveaxis(values, axis, 0)


def _turned(image: Volume, label: Volume, values: Values) -> tuple[Values, Values, list[Finding]]:
    """The label in the voxel order of the image, where both say which they have."""
    if not (image.oriented and label.oriented) or image.orientation == label.orientation:
        return values, label.affine, []
    start, end = (nibabel.io_orientation(volume.affine) for volume in (label, image))
    way = nibabel.orientations.ornt_transform(start, end)
    turned = nibabel.apply_orientation(values, way)
    affine = label.affine @ nibabel.orientations.inv_ornt_aff(way, label.shape)
    note = Finding("label_reoriented", f"the label is stored {label.orientation}, the image {image.orientation}")
    return turned, affine, [note]


def _laid(
    image: Volume, label: Volume, values: Values, affine: Values, mismatch: Mismatch
) -> tuple[Values, list[Finding]]:
    """The label voxel on voxel, or by nearest voxel where its place differs and the policy says so."""
    placed = image.oriented and label.oriented
    same_shape = values.shape == image.shape
    if same_shape and not placed:
        unplaced = image.oriented and Finding(
            "label_unplaced", "the label's header does not say where it lies; it is laid voxel on voxel"
        )
        return values, [unplaced] if unplaced else []
    distance = _apart(image, affine, values.shape)
    if same_shape and distance <= SHIFT * min(image.spacing):
        return values, []
    if placed and mismatch == "nearest":
        return nearest(values, affine, image), [
            Finding("label_resampled", "the label lies on another grid than its image; the nearest voxel is taken")
        ]
    name = printable(label.path)
    if not same_shape:
        mine, other = ("x".join(map(str, shape)) for shape in (values.shape, image.shape))
        raise CaseError(
            "mask_shape",
            f"{name} has {mine} voxels and its image {other}; the reader's option mismatch: nearest resamples it",
            "quarantined",
        )
    apart = f"label and image lie up to {distance:.1f} mm apart"
    if mismatch == "voxels":
        return values, [Finding("label_shifted", f"{apart}; the label is laid voxel on voxel")]
    raise CaseError("label_shifted", f"{name}: {apart}", "quarantined")


def _whole(label: Volume) -> tuple[Values, list[Finding]]:
    """Whole numbers, slab by slab, in a narrow type where they are stored as floats or scaled."""
    values, slope, shift = label.voxels, label.slope, label.intercept
    if values.dtype.kind in "iu" and slope == 1 and shift == 0:
        return values, []
    out = np.empty(values.shape, dtype=np.int32, order="F")
    exact = True
    for stored, whole in zip(_slabs(values), _matching(out, values), strict=True):
        scaled = stored * slope + shift
        rounded = np.rint(scaled)
        wrong = np.abs(scaled - rounded).max(initial=0) > ROUNDING or np.abs(rounded).max(initial=0) >= 1 << 31
        if wrong or not np.isfinite(scaled).all():
            raise CaseError("label_not_whole", f"{printable(label.path)} holds values that are no class numbers")
        exact = exact and bool((scaled == rounded).all())
        whole[...] = rounded
    note = Finding("label_rounded", f"label values lie up to {ROUNDING:g} off whole numbers; they are rounded")
    return out, [] if exact else [note]


def _matching(out: Values, values: Values) -> Iterator[Values]:
    yield from np.moveaxis(out, int(np.argmax(np.abs(values.strides))), 0)


def _apart(image: Volume, affine: Values, shape: tuple[int, ...]) -> float:
    """Millimetres between the corners of the two grids that lie farthest apart."""
    corners = np.array([[i, j, k, 1] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    mine, other = corners * [*image.shape, 1] @ image.affine.T, corners * [*shape, 1] @ affine.T
    return float(np.linalg.norm((mine - other)[:, :3], axis=1).max())
