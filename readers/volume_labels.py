"""Label volumes: brought onto the grid of their image, checked, and cut into regions with it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from readers.pixels.volume import source_plane
from readers.pixels.volume_file import Volume, nibabel
from readers.pixels.window import Values
from readers.source import printable
from schemas.case import Region
from schemas.errors import CaseError
from schemas.findings import Finding
from schemas.masks import mask_region

ROUNDING = 0.01
"""How far a label value may lie from a whole number."""
SHIFT = 0.5
"""Of the smallest voxel edge: how far corners of image and label may lie apart."""


@dataclass(frozen=True, slots=True)
class LabelClass:
    """One class of a label volume."""

    label: str
    """Canonical word."""
    original: str
    values: tuple[int, ...]
    """Voxel values that belong to it; several where the class is a union."""


def labels_on(image: Volume, label: Volume, known: set[int]) -> tuple[Values, tuple[Finding, ...]]:
    """The label's values as whole numbers on the image's grid, with what was repaired or is odd.

    A label stored in another voxel order than its image is turned to it.  Raises `CaseError` ``mask_shape``
    (another size), ``label_not_whole``, ``unknown_label_value`` (a value that is not in ``known``).
    """
    name = printable(label.path)
    if label.voxels.ndim != 3:
        raise CaseError("mask_shape", f"{name} has channels, but a label volume has one value per voxel")
    values, affine, findings = _turned(image, label)
    if values.shape != image.shape:
        mine, other = ("x".join(map(str, shape)) for shape in (values.shape, image.shape))
        raise CaseError("mask_shape", f"{name} has {mine} voxels and its image {other}")
    values, rounded = _whole(values, label)
    found = present_values(values)
    unknown = sorted(found - known - {0})
    if unknown:
        raise CaseError(
            "unknown_label_value",
            f"{name} holds the values {', '.join(map(str, unknown[:5]))}, which the dataset does not name",
            "quarantined",
        )
    if not found - {0}:
        findings.append(Finding("empty_label", "the label volume marks nothing"))
    return values, (*findings, *rounded, *_apart(image, affine))


def mask_on(image: Volume, mask: Volume) -> tuple[Values, tuple[Finding, ...]]:
    """A binary mask on the image's grid as 0 and 1; `CaseError` ``mask_not_binary`` where it has further values."""
    values, findings = labels_on(image, mask, set(range(-(1 << 15), 1 << 15)))
    found = present_values(values) - {0}
    if len(found) > 1:
        raise CaseError("mask_not_binary", f"{printable(mask.path)} has {len(found)} values beside 0, but is one class")
    return (values != 0).astype(np.uint8), findings


def present_values(values: Values) -> set[int]:
    """The distinct values of a whole-number array."""
    if values.dtype.itemsize == 1 and values.dtype.kind == "u":
        return set(np.flatnonzero(np.bincount(values.ravel(order="K"), minlength=256)).tolist())
    return set(np.unique(values).tolist())


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
    from scipy import ndimage

    numbered, _ = ndimage.label(np.isin(values, item.values), structure=np.ones((3, 3, 3)))
    return np.asarray(numbered)


def _turned(image: Volume, label: Volume) -> tuple[Values, Values, list[Finding]]:
    """The label in the voxel order of the image, where both say which they have."""
    if not (image.oriented and label.oriented) or image.orientation == label.orientation:
        return label.voxels, label.affine, []
    start, end = (nibabel.io_orientation(volume.affine) for volume in (label, image))
    way = nibabel.orientations.ornt_transform(start, end)
    values = nibabel.apply_orientation(label.voxels, way)
    affine = label.affine @ nibabel.orientations.inv_ornt_aff(way, label.shape)
    note = Finding("label_reoriented", f"the label is stored {label.orientation}, the image {image.orientation}")
    return values, affine, [note]


def _whole(values: Values, label: Volume) -> tuple[Values, list[Finding]]:
    if label.slope != 1 or label.intercept != 0:
        values = values * label.slope + label.intercept
    if values.dtype.kind in "iu":
        return values, []
    rounded = np.rint(values)
    if not np.isfinite(values).all() or np.abs(values - rounded).max(initial=0) > ROUNDING:
        raise CaseError("label_not_whole", f"{printable(label.path)} holds values that are no class numbers")
    exact = bool((values == rounded).all())
    note = Finding("label_rounded", f"label values lie up to {ROUNDING:g} off whole numbers; they are rounded")
    return rounded.astype(np.int32), [] if exact else [note]


def _apart(image: Volume, affine: Values) -> list[Finding]:
    corners = np.array([[i, j, k, 1] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * [*image.shape, 1]
    distance = float(np.linalg.norm((corners @ (image.affine - affine).T)[:, :3], axis=1).max())
    if distance <= SHIFT * min(image.spacing):
        return []
    return [
        Finding("label_shifted", f"label and image lie up to {distance:.1f} mm apart; the label is laid voxel on voxel")
    ]
