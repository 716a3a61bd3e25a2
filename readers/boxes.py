"""Boxes as annotated, made sound: clipped to the image, or refused with a word."""

import math
from collections.abc import Sequence

from schemas.case import Region
from schemas.findings import Finding
from schemas.view import Box, View


def box_region(
    box: Box, view: View, label: str, original: str, image_index: int, instance: str, where: str
) -> tuple[list[Region], list[Finding]]:
    """The region of a box in source coordinates, and what was wrong with it.

    A box beyond the image is clipped (``box_clipped``); one without area, inverted, not finite or wholly outside
    is left out (``box_inverted``, ``box_empty``, ``box_outside``).  ``where`` names the annotation.
    """
    u0, v0, u1, v1 = box
    if not all(math.isfinite(edge) for edge in box):
        return [], [Finding("box_not_finite", f"{where}: the box holds a number that is not finite; it is left out")]
    if u1 < u0 or v1 < v0:
        return [], [Finding("box_inverted", f"{where}: the box ends before it begins; it is left out")]
    if u1 == u0 or v1 == v0:
        return [], [Finding("box_empty", f"{where}: the box has no area; it is left out")]
    wide, high = float(view.source_width), float(view.source_height)
    inside = (max(u0, 0.0), max(v0, 0.0), min(u1, wide), min(v1, high))
    if inside[0] >= inside[2] or inside[1] >= inside[3]:
        return [], [Finding("box_outside", f"{where}: the box lies outside its image; it is left out")]
    notes = []
    # Annotation tools write an edge up to one pixel beyond the image; that is rounding, not a fault.
    if min(u0, v0) < -1 or u1 > wide + 1 or v1 > high + 1:
        notes.append(Finding("box_clipped", f"{where}: the box reaches beyond its image and is clipped"))
    return [Region(label, original, "box", image_index, inside, instance=instance)], notes


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, 0..1."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return both / (sum(areas) - both)


def mean_box(boxes: Sequence[Box]) -> Box:
    """The box of mean edges."""
    u0, v0, u1, v1 = (sum(box[edge] for box in boxes) / len(boxes) for edge in range(4))
    return u0, v0, u1, v1
