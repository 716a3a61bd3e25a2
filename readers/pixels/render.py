"""One entry for every picture: from an image reference to its pixels, or to the bytes that are published."""

from typing import Any

import numpy as np

from readers.pixels.sniff import RASTER, VOLUMES
from readers.source import Source
from schemas.case import ImageRef
from schemas.errors import CaseError
from schemas.rendered import Rendered

ARRAYS = frozenset({"application/x-npz", "application/x-npy", "application/x-hdf5"})


def render(source: Source, ref: ImageRef, *, decode: bool = True) -> Rendered:
    """Render one picture.

    Args:
        source: where the reference's files lie.
        ref: files, view and marks; equal references give equal bytes on every machine.
        decode: false leaves a JPEG or PNG that passes through undecoded: its pixel facts stay empty and a
            fault in its pixels is not found.

    Raises:
        CaseError: the files cannot be read or decoded.
    """
    if ref.tiles:
        from readers.pixels.montage import render_montage

        return render_montage(source, ref)
    kind = ref.media_type
    if kind in RASTER:
        from readers.pixels.raster import render_raster

        return render_raster(source, ref, decode_pixels=decode)
    if kind in ARRAYS:
        from readers.pixels.arrays import render_array

        return render_array(source, ref)
    if kind == "application/dicom":
        from readers.pixels.dicom import render_dicom

        return render_dicom(source, ref)
    if kind in VOLUMES:
        from readers.pixels.volume import render_volume

        return render_volume(source, ref)
    raise _unsupported(kind)


def picture(source: Source, ref: ImageRef) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The pixels that `render` publishes, nothing hashed or encoded: grey ``(H, W)`` or RGB ``(H, W, 3)``.

    The array may be written over by the next call in the same thread.  Raises `CaseError` as `render` does.
    """
    if ref.tiles:
        from readers.pixels.montage import montage_picture

        return montage_picture(source, ref)
    kind = ref.media_type
    if kind in RASTER:
        from readers.pixels.raster import raster_picture

        return raster_picture(source, ref)
    if kind in ARRAYS:
        from readers.pixels.arrays import array_picture

        return array_picture(source, ref)
    if kind == "application/dicom":
        from readers.pixels.dicom import dicom_picture

        return dicom_picture(source, ref)
    if kind in VOLUMES:
        from readers.pixels.volume import volume_picture

        return volume_picture(source, ref)
    raise _unsupported(kind)


def _unsupported(kind: str) -> CaseError:
    return CaseError("unsupported_format", f"there is no decoder for {kind}")
