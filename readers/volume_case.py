"""From a volume and its label volumes to the pictures and regions of a case; shared by all readers of volumes."""

from typing import Literal

import numpy as np

from readers.montages import pictures
from readers.pixels.volume import canonical_order, image_ref, slice_axis, slice_view, volume_window
from readers.pixels.volume_file import Volume
from readers.slices import StackOptions, choose
from readers.volume_labels import Mismatch, slice_regions
from readers.volume_measure import measure
from readers.volume_parts import Part, separated
from schemas.case import Acquisition, ImageRef, Region, Region3D
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
    mismatch: Mismatch = "voxels"
    """A label whose header puts it elsewhere than its image: ``voxels`` lays it voxel on voxel and flags the rows,
    ``nearest`` takes the nearest label voxel, ``refuse`` quarantines the case.  A label of another shape is resampled
    by ``nearest`` and else quarantined."""
    contrast: str = ""
    """Contrast phase or sequence of every scan of the dataset, where its documentation says so: ``portal venous``,
    ``T1-weighted``; else the name of the shown channel."""
    measure: bool = True
    """Measure the labels in space, for questions about the whole volume."""
    keep_unlabelled: bool = False
    """Volumes without a label become cases without regions, instead of being filtered out."""


def cut(
    image: Volume, channel: int, parts: list[Part], options: VolumeOptions, spec: DatasetSpec
) -> tuple[tuple[ImageRef, ...], tuple[Region, ...]]:
    """Slices by the policy, in every plane asked for, as pictures of their own or as montages, and what is marked."""
    window = volume_window(image, options.window, spec.modality, spec.anatomy, channel)
    if options.instances == "component":
        parts = [piece for found in parts for piece in separated(found)]
    images: list[ImageRef] = []
    regions: list[Region] = []
    for plane in options.planes:
        axis = slice_axis(image, plane)
        order = canonical_order(image, axis)
        areas = np.sum([found.areas(axis) for found in parts], axis=0) if parts else np.zeros(len(order))
        shown: list[ImageRef] = []
        marked: list[Region] = []
        for place in choose(options.slices, len(order), image.spacing[axis], [float(areas[index]) for index in order]):
            marked += _regions(parts, axis, order[place], len(shown))
            shown.append(image_ref(image, slice_view(image, axis, order[place], window, channel)))
        together, kept = pictures(options.slices, shown, marked, len(images))
        images += together
        regions += kept
    return tuple(images), tuple(regions)


def three_dimensional(image: Volume, parts: list[Part], options: VolumeOptions) -> tuple[Region3D, ...]:
    """What the labels measure in space, where the options ask for it."""
    if not options.measure:
        return ()
    return measure(image, parts, options.instances == "component", options.mismatch == "nearest")


def made(options: VolumeOptions, channel_name: str) -> Acquisition:
    """What the options and the dataset's own words say of how the volume was made."""
    return Acquisition(
        plane=options.planes[0] if len(options.planes) == 1 else "", contrast=options.contrast or channel_name
    )


def _regions(parts: list[Part], axis: int, index: int, image_index: int) -> list[Region]:
    found: list[Region] = []
    for item in parts:
        plane = item.slice(axis, index)
        if plane is not None:
            found += slice_regions(plane, list(item.classes), axis, 0, image_index)
    return found
