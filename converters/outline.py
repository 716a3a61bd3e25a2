"""Outlines of masks as closed polygons along pixel edges, and a point that surely lies inside a mask."""

from collections.abc import Iterator
from itertools import chain

import numpy as np

from schemas.masks import Mask

Vertex = tuple[int, int]


def outlines(mask: Mask, left: int = 0, top: int = 0) -> list[tuple[float, ...]]:
    """Closed polygons ``x0 y0 x1 y1 ...`` in pixels around every part of an ``(H, W)`` mask and every hole in it.

    Args:
        mask: of a picture, or cut out of one.
        left: of the cut, in pixels of the picture.
        top: likewise.
    """
    height, width = mask.shape
    wide = np.zeros((height + 2, width + 2), bool)
    wide[1:-1, 1:-1] = mask
    inside = wide[1:-1, 1:-1]
    follow: dict[Vertex, list[Vertex]] = {}
    # A row of sides of pixels that face the outside is a step with the mask on its right hand.
    for y, x0, x1 in _straight(inside & ~wide[:-2, 1:-1]):
        follow.setdefault((x0 + left, y + top), []).append((x1 + left, y + top))
    for x, y0, y1 in _straight((inside & ~wide[1:-1, 2:]).T):
        follow.setdefault((x + 1 + left, y0 + top), []).append((x + 1 + left, y1 + top))
    for y, x0, x1 in _straight(inside & ~wide[2:, 1:-1]):
        follow.setdefault((x1 + left, y + 1 + top), []).append((x0 + left, y + 1 + top))
    for x, y0, y1 in _straight((inside & ~wide[1:-1, :-2]).T):
        follow.setdefault((x + left, y1 + top), []).append((x + left, y0 + top))
    loops = []
    for start in sorted(follow):
        while follow[start]:
            loops.append(tuple(map(float, chain.from_iterable(_walk(start, follow)))))
    return loops


def _straight(sides: Mask) -> Iterator[tuple[int, int, int]]:
    """(row, first, end) of every run of sides in a row, the end exclusive."""
    edge = np.zeros((sides.shape[0], sides.shape[1] + 1), np.int8)
    edge[:, :-1] = sides
    edge[:, 1:] -= sides
    rows, first = np.nonzero(edge > 0)
    _, end = np.nonzero(edge < 0)
    return zip(rows.tolist(), first.tolist(), end.tolist(), strict=True)


def _walk(start: Vertex, follow: dict[Vertex, list[Vertex]]) -> list[Vertex]:
    path = [start]
    while (step := follow[path[-1]].pop(0)) != start:
        path.append(step)
    return path


def inner_point(mask: Mask) -> tuple[float, float]:
    """The centre of the mask's pixel that is nearest to its centroid, in pixels."""
    rows, columns = np.nonzero(mask)
    nearest = int(np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2))
    return float(columns[nearest]) + 0.5, float(rows[nearest]) + 0.5
