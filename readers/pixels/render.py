"""One entry for every picture: from an image reference to the bytes that are published."""

from readers.pixels.sniff import RASTER, VOLUMES
from readers.source import Source
from schemas.case import ImageRef
from schemas.errors import CaseError
from schemas.rendered import Rendered


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
    kind = ref.media_type
    if kind in RASTER:
        from readers.pixels.raster import render_raster

        return render_raster(source, ref, decode_pixels=decode)
    if kind in ("application/x-npz", "application/x-npy", "application/x-hdf5"):
        from readers.pixels.arrays import render_array

        return render_array(source, ref)
    if kind == "application/dicom":
        from readers.pixels.dicom import render_dicom

        return render_dicom(source, ref)
    if kind in VOLUMES:
        from readers.pixels.volume import render_volume

        return render_volume(source, ref)
    raise CaseError("unsupported_format", f"there is no decoder for {kind}")
