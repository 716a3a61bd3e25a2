"""From a volume and its label volumes to the pictures and regions of a case; shared by all readers of volumes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from readers.pixels.volume import canonical_order, image_ref, slice_axis, slice_view, volume_window
from readers.pixels.volume_file import Volume
from readers.pixels.window import Values
from readers.slices import StackOptions, choose
from readers.volume_labels import LabelClass, components, labelled_areas, slice_regions
from schemas.case import ImageRef, Region
from schemas.spec import DatasetSpec

Plane = Literal["axial", "coronal", "sagittal"]


class VolumeOptions(StackOptions):
    """How volumes are cut."""

    planes: tuple[Plane, ...] = ("axial",)
    """Each is cut by the slice policy."""
    channel: int = 0
    """Which channel of a multi-channel volume (0-based) is shown."""
    instances: Literal["class", "component"] = "class"
    """``class``: one region per class and slice; ``component``: one per connected part in space (for lesions)."""
    keep_unlabelled: bool = False
    """Volumes without a label become cases without regions, instead of being filtered out."""


@dataclass(frozen=True, slots=True)
class Part:
    """A label volume on the image's grid, cut to the box that it marks so that a hundred of them stay small."""

    values: Values
    origin: tuple[int, int, int]
    shape: tuple[int, int, int]
    """Of the whole grid."""
    classes: tuple[LabelClass, ...]

    def areas(self, axis: int) -> list[float]:
        """Labelled voxels in each slice of the whole grid."""
        inner = labelled_areas(self.values, axis)
        before = [0.0] * self.origin[axis]
        return before + inner + [0.0] * (self.shape[axis] - len(before) - len(inner))

    def slice(self, axis: int, index: int) -> Values | None:
        """The whole slice as ``(i, j, k)`` with one entry along ``axis``; None where nothing is marked on it."""
        inside = index - self.origin[axis]
        if not 0 <= inside < self.values.shape[axis]:
            return None
        cut = np.take(self.values, [inside], axis)
        shape = [1 if other == axis else self.shape[other] for other in range(3)]
        whole = np.zeros(shape, dtype=self.values.dtype)
        at = [0 if other == axis else self.origin[other] for other in range(3)]
        whole[tuple(slice(start, start + size) for start, size in zip(at, cut.shape, strict=True))] = cut
        return whole


def part(values: Values, classes: Sequence[LabelClass]) -> Part | None:
    """The part of a label volume that marks anything; None where nothing does."""
    edges = []
    for axis in range(3):
        marked = np.flatnonzero(values.any(axis=tuple(other for other in range(3) if other != axis)))
        if not marked.size:
            return None
        edges.append((int(marked[0]), int(marked[-1]) + 1))
    cut = np.ascontiguousarray(values[tuple(slice(*edge) for edge in edges)])
    origin = edges[0][0], edges[1][0], edges[2][0]
    return Part(cut, origin, (values.shape[0], values.shape[1], values.shape[2]), tuple(classes))


def separated(found: Part) -> list[Part]:
    """One part per class, its connected pieces as classes of their own in voxel order; classes may overlap."""
    parts = []
    for item in found.classes:
        own = components(found.values, item)
        pieces = [LabelClass(item.label, item.original, (n,)) for n in range(1, int(own.max(initial=0)) + 1)]
        parts.append(Part(own, found.origin, found.shape, tuple(pieces)))
    return parts


def cut(
    image: Volume, channel: int, parts: list[Part], options: VolumeOptions, spec: DatasetSpec
) -> tuple[tuple[ImageRef, ...], tuple[Region, ...]]:
    """Slices by the policy, in every plane asked for, and what is marked on them."""
    window = volume_window(image, options.window, spec.modality, spec.anatomy, channel)
    if options.instances == "component":
        parts = [piece for found in parts for piece in separated(found)]
    images: list[ImageRef] = []
    regions: list[Region] = []
    for plane in options.planes:
        axis = slice_axis(image, plane)
        order = canonical_order(image, axis)
        areas = np.sum([found.areas(axis) for found in parts], axis=0) if parts else np.zeros(len(order))
        for place in choose(options.slices, len(order), image.spacing[axis], [float(areas[index]) for index in order]):
            regions += _regions(parts, axis, order[place], len(images))
            images.append(image_ref(image, slice_view(image, axis, order[place], window, channel)))
    return tuple(images), tuple(regions)


def _regions(parts: list[Part], axis: int, index: int, image_index: int) -> list[Region]:
    found: list[Region] = []
    for item in parts:
        plane = item.slice(axis, index)
        if plane is not None:
            found += slice_regions(plane, list(item.classes), axis, 0, image_index)
    return found
