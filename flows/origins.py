"""Where a picture comes from, whatever window, crop, size or mark it is shown with."""

from readers.pixels.sniff import VOLUMES
from schemas.case import ImageRef
from schemas.identity import digest
from schemas.rendered import Rendered

SEVERAL = {"application/dicom", *VOLUMES}
"""Media types of which every slice and frame in one file shows the same patient."""


def origins(ref: ImageRef, made: Rendered) -> tuple[str, ...]:
    """Digests of what the picture was made from; two pictures that share one show the same patient.

    Of a DICOM file or a volume that is the file; of pages and arrays, which may hold pictures of many patients, the
    page or row.
    """
    parts = [tile.image for tile in ref.tiles] or [ref]
    return tuple(sorted({_origin(part, sha) for part in parts for sha in made.source_sha256}))


def _origin(part: ImageRef, sha256: str) -> str:
    one_of_many = part.media_type not in SEVERAL and (part.array or part.view.frame >= 0)
    return digest(sha256, part.array, str(part.view.frame)) if one_of_many else of_file(sha256)


def of_file(sha256: str) -> str:
    """The origin that all share which is made from one whole file, by its digest."""
    return sha256[:32]
