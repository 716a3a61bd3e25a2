"""Masks cut out of their picture: all that is asked about one lies within its box, which is far smaller."""

from functools import lru_cache

import numpy as np

from schemas.instruction import Place
from schemas.runs import Mask, runs

Edges = tuple[int, int, int, int]


@lru_cache(maxsize=64)
def cutout(place: Place) -> tuple[Mask, int, int]:
    """The mask within its box, and the box's left and upper edge in pixels of the view.

    The box of a place with a mask is tight, and stands on whole pixels.
    """
    left, top, _, _ = edges_of(place)
    return runs(place.rle, place.size).cut(), left, top


def edges_of(place: Place, margin: int = 0) -> Edges:
    """``(left, top, right, bottom)`` of the mask's box in pixels of the view, a margin added on each side."""
    height, width = place.size
    x0, y0, x1, y1 = place.box
    return (
        round(x0 * width) - margin,
        round(y0 * height) - margin,
        round(x1 * width) + margin,
        round(y1 * height) + margin,
    )


def within(place: Place, edges: Edges) -> Mask:
    """The part of a mask between these edges, which may lie outside the picture: nothing is there."""
    mask, left, top = cutout(place)
    return pasted(mask, left, top, edges)


def pasted(mask: Mask, left: int, top: int, edges: Edges) -> Mask:
    """A mask that stands at (left, top), on a canvas between the edges."""
    x0, y0, x1, y1 = edges
    canvas = np.zeros((y1 - y0, x1 - x0), bool)
    low_x, low_y = max(left, x0), max(top, y0)
    high_x, high_y = min(left + mask.shape[1], x1), min(top + mask.shape[0], y1)
    if low_x < high_x and low_y < high_y:
        part = mask[low_y - top : high_y - top, low_x - left : high_x - left]
        canvas[low_y - y0 : high_y - y0, low_x - x0 : high_x - x0] = part
    return canvas
