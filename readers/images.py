"""Image references for any file that a case may show: raster, DICOM, or a volume's slices."""

from readers.pixels.decode import not_an_image
from readers.pixels.sniff import VOLUMES
from readers.source import Source
from schemas.case import ImageRef
from schemas.findings import Finding

Refs = tuple[tuple[ImageRef, ...], tuple[Finding, ...]]


def image_refs(source: Source, path: str, orientation: str = "") -> Refs:
    """The pictures of one file, told by content, and what was noticed; `CaseError` where it shows none.

    ``orientation`` is the spec's, for files that do not state their own.
    """
    from readers.pixels.raster import refs_or_kind

    kind = refs_or_kind(source, path, orientation)
    if not isinstance(kind, str):
        return kind
    if kind == "application/dicom":
        from readers.pixels.dicom import dicom_refs

        return dicom_refs(source, path)
    if kind == "application/x-npy":
        from readers.array_images import npy_refs

        return npy_refs(source, path, orientation), ()
    if kind in VOLUMES:
        from readers.pixels.volume import volume_refs

        return volume_refs(source, path)
    raise not_an_image(kind)
