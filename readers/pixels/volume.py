"""Slices of volumes as published pictures, in canonical orientation."""

from dataclasses import replace

import numpy as np

from readers.pixels.encode import encode_png
from readers.pixels.marks import draw
from readers.pixels.nifti_header import nibabel
from readers.pixels.orientation import Direction, hung, square_pixels
from readers.pixels.volume_file import Volume, load_volume
from readers.pixels.warp import warp
from readers.pixels.window import PRESETS, Pixels, Values, Window, for_anatomy, to_eight_bits
from readers.slices import evenly
from readers.source import Source
from schemas.case import ImageRef, VolumeRef
from schemas.findings import Finding
from schemas.rendered import Rendered
from schemas.view import View

PLANES = {"sagittal": 0, "coronal": 1, "axial": 2}


def render_volume(source: Source, ref: ImageRef) -> Rendered:
    """The slice that ``ref`` describes, as PNG.  Raises `CaseError` as `load_volume` does."""
    return encode_png(volume_picture(source, ref), (load_volume(source, ref.files[0]).sha256,))


def volume_picture(source: Source, ref: ImageRef) -> Pixels:
    """The pixels that `render_volume` publishes."""
    volume = load_volume(source, ref.files[0])
    return draw(warp(shown_slice(volume, ref.view), ref.view), ref.marks)


def shown_slice(volume: Volume, view: View) -> Pixels:
    """A slice on its own grid in 8 bits, ``(v, u)`` or ``(v, u, 3)``."""
    if volume.colour:
        return np.ascontiguousarray(np.moveaxis(volume.voxels, view.axis, 0)[view.index].swapaxes(0, 1))
    return to_eight_bits(source_plane(volume.channel(view.frame), view.axis, view.index), view)


def source_plane(voxels: Values, axis: int, index: int) -> Values:
    """Slice ``index`` along ``axis`` of ``(i, j, k)`` voxels, as ``(v, u)``: rows are the higher remaining axis."""
    plane: Values = np.moveaxis(voxels, axis, 0)[index].T
    return plane


def slice_axis(volume: Volume, plane: str) -> int:
    """The voxel axis across which ``plane`` (axial, coronal, sagittal) lies, each axis belonging to one plane."""
    towards = nibabel.io_orientation(volume.affine)[:, 0]
    return int(np.flatnonzero(towards == PLANES[plane])[0])


def canonical_order(volume: Volume, axis: int) -> list[int]:
    """Slice indices along ``axis`` in patient order (to left, posterior, superior), whatever the voxel order."""
    direction = _direction(volume, axis)
    forward = direction[int(np.argmax(np.abs(direction)))] > 0
    indices = list(range(volume.shape[axis]))
    return indices if forward else indices[::-1]


def slice_view(volume: Volume, axis: int, index: int, window: Window, frame: int = -1) -> View:
    """The view of one slice, turned for display, with square pixels; without letters where the sides are unknown."""
    across, down = (other for other in range(3) if other != axis)
    width, height = volume.shape[across], volume.shape[down]
    view = View(
        width, height, width, height,
        axis=axis, index=index, frame=frame if volume.channels > 1 else -1,
        slope=volume.slope, intercept=volume.intercept,
        window=window.kind, window_center=window.center, window_width=window.width,
    )  # fmt: skip
    spacing = volume.spacing
    shown = hung(view, _direction(volume, across), _direction(volume, down), (spacing[across], spacing[down]))
    shown = square_pixels(shown)
    return shown if volume.oriented else replace(shown, orientation="")


def patient_axes(volume: Volume) -> tuple[tuple[int, int, int], tuple[bool, bool, bool]]:
    """For each voxel axis, the nearest patient axis (0 right, 1 anterior, 2 superior), and whether it runs that way."""
    turned = nibabel.io_orientation(volume.affine)
    i, j, k = (int(axis) for axis in turned[:, 0])
    return (i, j, k), (turned[0, 1] > 0, turned[1, 1] > 0, turned[2, 1] > 0)


def _direction(volume: Volume, axis: int) -> Direction:
    right, anterior, superior = volume.affine[:3, axis] / np.linalg.norm(volume.affine[:3, axis])
    return -float(right), -float(anterior), float(superior)


def volume_window(
    volume: Volume, choice: str | tuple[float, float], modality: str = "", anatomy: str = "", frame: int = -1
) -> Window:
    """The window of a volume by the option's rule: see `readers.slices.StackOptions`."""
    if volume.colour:
        return Window("none", 0.0, 0.0)
    if not isinstance(choice, str):
        return Window("linear", choice[0], choice[1])
    if choice in PRESETS:
        return PRESETS[choice]
    if choice == "file" and volume.intent is not None:
        return volume.intent
    if choice == "auto" and modality == "CT":
        return for_anatomy(anatomy)
    return volume.percentiles(frame)


def volume_refs(source: Source, path: str, count: int = 3) -> tuple[tuple[ImageRef, ...], tuple[Finding, ...]]:
    """``count`` axial slices, evenly spread, of a volume of unknown kind, with what is odd about it."""
    volume = load_volume(source, path)
    axis = slice_axis(volume, "axial")
    order = canonical_order(volume, axis)
    indices = [order[place] for place in evenly(0, len(order) - 1, count)]
    window = volume_window(volume, "auto")
    refs = tuple(image_ref(volume, slice_view(volume, axis, index, window, 0)) for index in indices)
    more = (
        (Finding("four_dimensional", f"the first of {volume.channels} channels or times is shown"),)
        if volume.channels > 1
        else ()
    )
    return refs, (*volume.findings, *more)


def image_ref(volume: Volume, view: View) -> ImageRef:
    """The reference to one slice."""
    return ImageRef(
        files=(volume.path,),
        media_type=volume.media_type,
        view=view,
        bit_depth=8 if volume.colour else 8 * volume.voxels.dtype.itemsize,
        channels=3 if volume.colour else 1,
    )


def volume_ref(volume: Volume, channel: int = 0, channel_names: tuple[str, ...] = ()) -> VolumeRef:
    """The reference to the whole volume; ``channel`` is the one that the case is about."""
    return VolumeRef(
        files=(volume.path,),
        media_type=volume.media_type,
        shape=volume.shape,
        spacing=volume.spacing if volume.measured else (0.0, 0.0, 0.0),
        orientation=volume.orientation,
        tilt=round(volume.tilt, 2),
        channels=volume.channels,
        channel=channel,
        channel_names=channel_names if len(channel_names) == volume.channels else (),
    )
