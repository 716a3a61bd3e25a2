"""Outlines of masks as closed polygons along pixel edges, and a point that surely lies inside a mask."""

from collections.abc import Iterator
from math import ceil

import numpy as np

from schemas.runs import Mask


def outlines(mask: Mask, left: int = 0, top: int = 0) -> list[tuple[float, ...]]:
    """Closed polygons ``x0 y0 x1 y1 ...`` in pixels around every part of an ``(H, W)`` mask and every hole in it.

    Each has the mask on its right hand.  Where four sides meet in a corner, the upper follows the left one or is
    followed by it, and so do the lower and the right one.

    Args:
        mask: of a picture, or cut out of one.
        left: of the cut, in pixels of the picture.
        top: likewise.
    """
    height, width = mask.shape
    wide = np.zeros((width + 2, height + 2), np.int8)
    wide[1:-1, 1:-1] = mask.T
    down = wide[:, 1:] - wide[:, :-1]
    turns = (down[1:] - down[:-1]).ravel()
    corners = np.flatnonzero(turns != 0)
    turns = turns[corners]
    meeting = np.abs(turns)
    if meeting.max(initial=0) > 1:
        corners, turns = corners.repeat(meeting), turns.repeat(meeting)
    x, y = np.divmod(corners, height + 1)
    # Row by row, as column by column, a side joins the first corner with the second, the third with the fourth.
    level = y.argsort(kind="stable").reshape(-1, 2)
    across = np.empty_like(corners)
    across[level] = level[:, ::-1]
    begins = (turns > 0).tolist()
    return list(_loops((x + float(left)).tolist(), (y + float(top)).tolist(), across.tolist(), begins))


def _loops(x: list[float], y: list[float], across: list[int], begins: list[bool]) -> Iterator[tuple[float, ...]]:
    """Each closed loop, once.

    Args:
        x: of the corners, column by column, so that the two ends of an upright side are neighbours.
        y: likewise.
        across: the other end of each corner's level side.
        begins: whether that side begins there; changed.
    """
    for first, free in enumerate(begins):
        if free:
            path: list[float] = []
            corner = first
            while begins[corner]:
                begins[corner] = False
                end = across[corner]
                path += (x[corner], y[corner], x[end], y[corner])
                corner = end ^ 1
            yield tuple(path)


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
