"""One shape of LabelMe as a mask, box or point on the picture that its author saw."""

import base64
import binascii
import io
import math
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from readers.boxes import box_region
from readers.declared import Declared, mask_to_stored, on_upright
from schemas.case import Region
from schemas.errors import CaseError
from schemas.findings import Finding
from schemas.masks import Mask, mask_region, polygon_mask
from schemas.view import View

AREAS = ("polygon", "oriented_rectangle", "circle", "mask")
MASK_LIMIT = 64 << 20
"""Pixels of a mask's own picture, which is cut to its box."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Shapes that are one object: of one word, and of one group where LabelMe's author grouped them."""

    word: str
    instance: str
    shapes: tuple[dict[str, Any], ...]


def objects(shapes: list[Any]) -> list[Drawn]:
    """The objects that a file's shapes draw, in their order; a group is one object in several parts."""
    found: dict[Any, list[dict[str, Any]]] = {}
    for number, shape in enumerate(shapes, 1):
        if not isinstance(shape, dict):
            raise CaseError("broken_json", f"shape {number} is no object with named fields")
        group = shape.get("group_id")
        key = number if group is None else (str(shape.get("label", "")).strip(), group)
        found.setdefault(key, []).append(shape)
    return [
        Drawn(str(parts[0].get("label", "")).strip(), str(number), tuple(parts))
        for number, parts in enumerate(found.values(), 1)
    ]


def regions(drawn: Drawn, name: str, view: View, declared: Declared, findings: list[Finding]) -> list[Region]:
    """The regions of an object on the stored raster; ``findings`` gets what was left out.

    All its areas make one mask.  Coordinates are continuous, 0 is the picture's left and upper edge, and a pixel
    belongs to an outline when its centre does.
    """
    where = f"shape {drawn.instance}"
    upright = on_upright(view, declared, findings)
    size = (view.height, view.width) if upright else (view.source_height, view.source_width)
    mask = np.zeros(size, dtype=bool)
    made: list[Region] = []
    for shape in drawn.shapes:
        kind = str(shape.get("shape_type") or "polygon")
        corners = _corners(shape, where)
        if kind in AREAS:
            mask |= _area(kind, corners, shape, size, where)
        elif kind == "rectangle" and len(corners) >= 4:
            across, down = corners[::2], corners[1::2]
            box = (min(across), min(down), max(across), max(down))
            box = view.box_to_source(box) if upright else box
            region, notes = box_region(box, view, name, drawn.word, 0, drawn.instance, where)
            made += region
            findings += notes
        elif kind in ("point", "points"):
            made += [_point(corners[at : at + 2], view, upright, name, drawn) for at in range(0, len(corners) - 1, 2)]
        else:
            findings.append(Finding("shape_left_out", f"{where} is a {kind}, which marks no area, and is left out"))
    whole = mask_region(mask_to_stored(mask, view, findings), name, drawn.word, 0, drawn.instance)
    if whole is None and any(str(shape.get("shape_type") or "polygon") in AREAS for shape in drawn.shapes):
        findings.append(Finding("empty_mask", f"{where} covers no pixel and is left out"))
    return [*made, *([whole] if whole is not None else [])]


def _corners(shape: dict[str, Any], where: str) -> list[float]:
    points = shape.get("points")
    pairs = points if isinstance(points, list) else []
    sound = all(isinstance(pair, list) and len(pair) == 2 for pair in pairs)
    numbers = list(chain.from_iterable(pairs)) if sound else []
    if not numbers or not all(isinstance(number, int | float) and math.isfinite(number) for number in numbers):
        raise CaseError("bad_points", f"{where} has no list of points of two numbers each")
    return [float(number) for number in numbers]


def _area(kind: str, corners: list[float], shape: dict[str, Any], size: tuple[int, int], where: str) -> Mask:
    if kind == "mask":
        return _placed(_own_mask(shape, where), corners, size, where)
    if kind == "circle" and len(corners) == 4:
        return _disc(corners, size)
    if kind in ("polygon", "oriented_rectangle") and len(corners) >= 6:
        return polygon_mask([corners], size)
    return np.zeros(size, dtype=bool)


def _disc(corners: list[float], size: tuple[int, int]) -> Mask:
    """A circle is given by its centre and one point of its rim."""
    u, v, rim_u, rim_v = corners
    across, down = np.arange(size[1]) + 0.5 - u, np.arange(size[0]) + 0.5 - v
    return np.asarray(across[None, :] ** 2 + down[:, None] ** 2 <= (rim_u - u) ** 2 + (rim_v - v) ** 2)


def _own_mask(shape: dict[str, Any], where: str) -> Mask:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(base64.b64decode(str(shape.get("mask") or ""), validate=True))) as picture:
            if picture.width * picture.height > MASK_LIMIT:
                raise CaseError("bad_mask", f"{where} has a mask of more than {MASK_LIMIT:,} pixels")
            return np.asarray(picture.convert("L")) > 0
    except (binascii.Error, UnidentifiedImageError, OSError, ValueError, SyntaxError):
        raise CaseError("bad_mask", f"{where} has a mask that is no picture") from None


def _placed(mask: Mask, corners: list[float], size: tuple[int, int], where: str) -> Mask:
    """A mask cut to its box, whose first and last pixel the two points name, on the whole picture."""
    left, top = round(min(corners[::2])), round(min(corners[1::2]))
    height, width = mask.shape
    inside = left >= 0 and top >= 0 and left + width <= size[1] and top + height <= size[0]
    if not inside or (round(max(corners[::2])) - left + 1, round(max(corners[1::2])) - top + 1) != (width, height):
        raise CaseError("mask_shape", f"{where} has a mask of {width}x{height} pixels that its points do not frame")
    whole = np.zeros(size, dtype=bool)
    whole[top : top + height, left : left + width] = mask
    return whole


def _point(corners: list[float], view: View, upright: bool, name: str, drawn: Drawn) -> Region:
    u, v = view.to_source(*corners) if upright else (corners[0], corners[1])
    return Region(name, drawn.word, "point", 0, (u, v, u, v), points=(u, v), instance=drawn.instance)
