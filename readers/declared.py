"""Annotations stand on the raster that their tool saw: the stored one, or the one turned upright by EXIF."""

from schemas.errors import CaseError
from schemas.findings import Finding
from schemas.masks import Mask, sample_nearest
from schemas.view import Box, View, invert

Declared = tuple[float | None, float | None]
"""Width and height that an annotation gives its image; None or 0 where it gives none."""

_AMBIGUOUS = Finding(
    "orientation_ambiguous", "the image is turned by EXIF; its regions are taken as drawn on the stored raster"
)


def on_upright(view: View, declared: Declared, findings: list[Finding]) -> bool:
    """Whether coordinates count on the upright picture although the stored raster is turned.

    Raises `CaseError` ``size_mismatch`` where ``declared`` is neither the stored nor the upright size; notes
    ``orientation_ambiguous`` where the image is turned and its size does not tell.
    """
    stored, upright = (view.source_width, view.source_height), (view.width, view.height)
    width, height = declared
    if width and height and (width, height) not in (stored, upright):
        raise CaseError(
            "size_mismatch",
            f"the annotation was made on {width:g}x{height:g} pixels, but the image has {stored[0]}x{stored[1]}",
            "quarantined",
        )
    if view.matrix[0] == 1 and view.matrix[4] == 1:
        return False
    if not (width and height) or stored == upright:
        findings.append(_AMBIGUOUS)
        return False
    return (width, height) == upright


def to_stored(box: Box, view: View, declared: Declared, findings: list[Finding]) -> Box:
    """The box on the stored raster."""
    return view.box_to_source(box) if on_upright(view, declared, findings) else box


def mask_to_stored(mask: Mask, view: View, findings: list[Finding]) -> Mask:
    """A mask drawn on the stored or on the upright picture, on the stored raster; `CaseError` where it fits neither."""
    if not on_upright(view, (float(mask.shape[1]), float(mask.shape[0])), findings):
        return mask
    back = View(view.width, view.height, view.source_width, view.source_height, invert(view.matrix))
    return sample_nearest(mask, back)
