"""Image references for any file that a case may show: raster, DICOM, or a volume's slices."""

from readers.pixels.decode import not_an_image
from readers.pixels.sniff import RASTER, VOLUMES, sniff
from readers.source import Source
from schemas.case import ImageRef
from schemas.findings import Finding

Refs = tuple[tuple[ImageRef, ...], tuple[Finding, ...]]


def image_refs(source: Source, path: str, orientation: str = "") -> Refs:
    """The pictures of one file, told by content, and what was noticed; `CaseError` where it shows none.

    ``orientation`` is the spec's, for files that do not state their own.
    """
    kind = sniff(source.head(path))
    if kind in RASTER:
        from readers.pixels.raster import raster_refs

        return raster_refs(source, path, orientation)
    if kind == "application/dicom":
        from readers.pixels.dicom import dicom_refs

        return dicom_refs(source, path)
    if kind in VOLUMES:
        from readers.pixels.volume import volume_refs

        return volume_refs(source, path)
    raise not_an_image(kind)
