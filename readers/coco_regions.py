"""One COCO annotation as a region on the stored raster."""

import math
from typing import Any

import numpy as np

from readers.boxes import box_region
from readers.declared import Declared, mask_to_stored, on_upright, to_stored
from schemas.case import Region
from schemas.errors import CaseError
from schemas.findings import Finding, Severity
from schemas.masks import Mask, decode, mask_region, polygon_mask
from schemas.view import View


def annotation_regions(
    annotation: dict[str, Any], name: str, image: dict[str, Any], view: View, masks: bool, findings: list[Finding]
) -> list[Region]:
    """The annotation's region as a list of one, empty where it has none; ``findings`` gets what was wrong.

    A crowd (``iscrowd``) marks several objects at once, so it is no region of one; the case then does not claim to
    be complete.
    """
    where = f"annotation {annotation.get('id')}"
    word = str(annotation["category"])
    findings += [Finding(code, detail, _severity(code)) for code, detail in annotation.get("problems", [])]
    if annotation.get("iscrowd"):
        findings.append(Finding("crowd_region", f"{where} marks a crowd and is left out"))
        return []
    declared = (_positive(image.get("width")), _positive(image.get("height")))
    instance = str(annotation.get("id", ""))
    mask = _mask(annotation, view, declared, where, findings) if masks else None
    region = mask_region(mask, name, word, 0, instance) if mask is not None else None
    if region is not None:
        return [region]
    box = annotation.get("bbox")
    if not (isinstance(box, list) and len(box) == 4 and all(isinstance(edge, int | float) for edge in box)):
        findings.append(Finding("bad_box", f"{where} has no box of four numbers and is left out"))
        return []
    u, v, width, height = (float(edge) for edge in box)
    edges = to_stored((u, v, u + width, v + height), view, declared, findings)
    made, notes = box_region(edges, view, name, word, 0, instance, where)
    findings += notes
    return made


def _mask(
    annotation: dict[str, Any], view: View, declared: Declared, where: str, findings: list[Finding]
) -> Mask | None:
    """The annotation's mask on the stored raster, None where it has no usable one."""
    drawn = annotation.get("segmentation")
    if not drawn:
        return None
    try:
        if isinstance(drawn, dict):
            return mask_to_stored(_from_runs(drawn, view), view, findings)
        upright = on_upright(view, declared, findings)
        size = (view.height, view.width) if upright else (view.source_height, view.source_width)
        return _from_polygons(drawn, size, view, findings, where)
    except CaseError as error:
        findings.append(Finding(error.code, f"{where}: {error.detail}; its box is taken"))
        return None


def _from_runs(drawn: dict[str, Any], view: View) -> Mask:
    size, counts = drawn.get("size"), drawn.get("counts")
    if not (isinstance(size, list) and len(size) == 2 and all(isinstance(edge, int) and edge > 0 for edge in size)):
        raise CaseError("bad_mask", "the run-length mask has no size")
    height, width = size
    if (width, height) not in ((view.source_width, view.source_height), (view.width, view.height)):
        raise CaseError("mask_shape", f"the mask of {width}x{height} stands on an image of another size")
    if isinstance(counts, str):
        return decode(counts, (height, width))
    if not isinstance(counts, list) or not all(isinstance(count, int) and count >= 0 for count in counts):
        raise CaseError("bad_mask", "the run-length mask has no counts")
    if sum(counts) != height * width:
        raise CaseError("bad_mask", "the mask's run lengths do not fill its size")
    flat = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    return np.asarray(flat.reshape(width, height).T)


def _from_polygons(drawn: Any, size: tuple[int, int], view: View, findings: list[Finding], where: str) -> Mask | None:
    """Parts of one object are united, as COCO means them; a part of fewer than three points is left out."""
    parts = drawn if isinstance(drawn, list) and drawn and isinstance(drawn[0], list) else [drawn]
    mask = np.zeros(size, dtype=bool)
    for part in parts:
        sound = isinstance(part, list) and all(isinstance(n, int | float) and math.isfinite(n) for n in part)
        if not sound or len(part) < 6 or len(part) % 2:
            findings.append(
                Finding("polygon_too_short", f"{where} has a polygon that is no list of three points or more")
            )
            continue
        mask |= polygon_mask([part], size)
    return mask_to_stored(mask, view, findings) if mask.any() else None


def _positive(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and value > 0 else None


def _severity(code: str) -> Severity:
    return Severity.NOTE if code == "category_name_twice" else Severity.FLAG
