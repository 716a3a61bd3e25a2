"""Bring 8-bit pixels from the source plane to the view: flips, transposes and crops exactly, scaling filtered."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from schemas.view import View, invert

Pixels = np.ndarray[Any, np.dtype[np.uint8]]


def warp(plane: Pixels, view: View) -> Pixels:
    """``plane`` (source height, source width[, 3]) as the view shows it; black where the view leaves the source.

    Where the view's matrix only flips, transposes and crops by whole pixels, pixels are copied; where it
    scales along the axes, Pillow's Lanczos filter (area-true when shrinking) is used; else bilinear.
    """
    a, b, _, d, e, _ = view.matrix
    if _is_copy(view.matrix):
        return _copied(plane, view)
    if b == 0 and d == 0:
        return _scaled(plane, view)
    if a == 0 and e == 0:
        return _scaled(np.ascontiguousarray(plane.swapaxes(0, 1)), _transposed(view))
    picture = Image.fromarray(plane).transform(
        (view.width, view.height), Image.Transform.AFFINE, invert(view.matrix), Image.Resampling.BILINEAR
    )
    return np.asarray(picture)


def _is_copy(matrix: tuple[float, ...]) -> bool:
    a, b, c, d, e, f = matrix
    straight = abs(a) == 1 and abs(e) == 1 and b == 0 and d == 0
    turned = abs(b) == 1 and abs(d) == 1 and a == 0 and e == 0
    return (straight or turned) and c == round(c) and f == round(f)


def _copied(plane: Pixels, view: View) -> Pixels:
    """The plane flipped, transposed and cut by whole pixels."""
    a, b, c, d, e, f = view.matrix
    if a == 0:
        plane, a, e = plane.swapaxes(0, 1), b, d
    # Turned round, x = W - u + (c - W): what was a flip about c becomes a shift by c - W.
    if a < 0:
        plane, c = plane[:, ::-1], c - plane.shape[1]
    if e < 0:
        plane, f = plane[::-1], f - plane.shape[0]
    left, top = round(c), round(f)
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + plane.shape[1], view.width), min(top + plane.shape[0], view.height)
    if (x0, y0, x1, y1) == (0, 0, view.width, view.height):
        return np.ascontiguousarray(plane[-top : view.height - top, -left : view.width - left])
    out = np.zeros((view.height, view.width, *plane.shape[2:]), dtype=plane.dtype)
    if x1 > x0 and y1 > y0:
        out[y0:y1, x0:x1] = plane[y0 - top : y1 - top, x0 - left : x1 - left]
    return out


def _transposed(view: View) -> View:
    """The same view of the transposed source plane."""
    a, b, c, d, e, f = view.matrix
    return replace(view, source_width=view.source_height, source_height=view.source_width, matrix=(b, a, c, e, d, f))


def _scaled(plane: Pixels, view: View) -> Pixels:
    whole = (0.0, 0.0, float(view.source_width), float(view.source_height))
    asked = view.box_to_source((0.0, 0.0, float(view.width), float(view.height)))
    box = (max(asked[0], 0.0), max(asked[1], 0.0), min(asked[2], whole[2]), min(asked[3], whole[3]))
    left, top, right, bottom = (round(edge) for edge in view.box_to_view(box))
    out = np.zeros((view.height, view.width, *plane.shape[2:]), dtype=np.uint8)
    if right <= left or bottom <= top or box[0] >= box[2] or box[1] >= box[3]:
        return out
    # Cut before scaling: the filter must not draw in what the crop leaves out.
    x0, y0 = int(box[0]), int(box[1])
    plane = np.ascontiguousarray(plane[y0 : math.ceil(box[3]), x0 : math.ceil(box[2])])
    inner = (box[0] - x0, box[1] - y0, box[2] - x0, box[3] - y0)
    scaled = Image.fromarray(plane).resize((right - left, bottom - top), Image.Resampling.LANCZOS, inner)
    right_step, down_step = (-1 if view.matrix[0] < 0 else 1), (-1 if view.matrix[4] < 0 else 1)
    out[top:bottom, left:right] = np.asarray(scaled)[::down_step, ::right_step]
    return out
