"""Outlines of masks as closed polygons along pixel edges, and a point that surely lies inside a mask."""

from collections.abc import Iterator
from math import ceil

import numpy as np

from schemas.runs import Mask, Whole


def outlines(mask: Mask, left: int = 0, top: int = 0) -> list[tuple[float, ...]]:
    """Closed polygons ``x0 y0 x1 y1 ...`` in pixels around every part of an ``(H, W)`` mask and every hole in it.

    Args:
        mask: of a picture, or cut out of one.
        left: of the cut, in pixels of the picture.
        top: likewise.
    """
    begins, ends = _sides(mask)
    order = np.argsort(begins, kind="stable")
    begins, ends = begins[order], ends[order]
    x, y = np.divmod(begins, mask.shape[0] + 2)
    corners = np.stack([x + left, y + top], axis=1).astype(float)
    return [tuple(corners[path].ravel().tolist()) for path in _loops(begins, ends)]


def _sides(mask: Mask) -> tuple[Whole, Whole]:
    """Corners at which straight sides begin and end, each with the mask on its right hand.

    A corner (x, y) is told as ``x * (H + 2) + y``.
    """
    height, width = mask.shape
    wide = np.zeros((height + 2, width + 2), np.int8)
    wide[1:-1, 1:-1] = mask
    down, right = wide[1:] - wide[:-1], (wide[:, 1:] - wide[:, :-1]).T.copy()
    level, upright = [_straight(down > 0), _straight(down < 0)], [_straight(right < 0), _straight(right > 0)]
    upper, lower = (edges % (width + 2) * (height + 2) + edges // (width + 2) for edges in level)
    front, back = upright
    return (
        np.concatenate([upper[::2], front[::2], lower[1::2], back[1::2]]),
        np.concatenate([upper[1::2], front[1::2], lower[::2], back[::2]]),
    )


def _straight(sides: Mask) -> Whole:
    """Where runs of sides begin and end in turn, in a grid whose rows have a free place at either end."""
    flat = sides.ravel()
    return np.flatnonzero(flat[1:] != flat[:-1])


def _loops(begins: Whole, ends: Whole) -> Iterator[list[int]]:
    """Which sides follow each other, for each closed loop; ``begins`` rises.

    Where two sides begin at one corner, the first that is free follows.
    """
    follow = np.searchsorted(begins, ends).tolist()
    forks = (begins[1:] == begins[:-1]).any()
    start, stop = begins.tolist(), ends.tolist()
    free = [True] * len(start)
    for first, corner in enumerate(start):
        if free[first]:
            free[first], path, side = False, [first], first
            while stop[side] != corner:
                side = follow[side]
                if forks and not free[side]:
                    side += 1
                free[side] = False
                path.append(side)
            yield path


def inner_point(mask: Mask) -> tuple[float, float]:
    """The centre of the mask's pixel that is nearest to its centroid, in pixels."""
    number = np.count_nonzero(mask)
    x = float(np.dot(mask.sum(axis=0), np.arange(mask.shape[1])) / number)
    y = float(np.dot(mask.sum(axis=1), np.arange(mask.shape[0])) / number)
    # Of pixels at one distance, the upper and then the left one.
    column, row = ceil(x - 0.5), ceil(y - 0.5)
    if not mask[row, column]:
        rows, columns = np.divmod(np.flatnonzero(mask), mask.shape[1])
        nearest = int(np.argmin((rows - y) ** 2 + (columns - x) ** 2))
        column, row = int(columns[nearest]), int(rows[nearest])
    return column + 0.5, row + 0.5
