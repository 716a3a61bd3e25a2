"""Outlines of masks as closed polygons along pixel edges, and a point that surely lies inside a mask."""

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
    follow: dict[Vertex, list[Vertex]] = {}
    wide = np.pad(mask.astype(bool), 1)
    inside = wide[1:-1, 1:-1]
    # Each side of a pixel that faces the outside is a step with the mask on its right hand.
    sides = (
        (wide[:-2, 1:-1], (0, 0), (1, 0)),
        (wide[1:-1, 2:], (1, 0), (1, 1)),
        (wide[2:, 1:-1], (1, 1), (0, 1)),
        (wide[1:-1, :-2], (0, 1), (0, 0)),
    )
    for neighbour, (ax, ay), (bx, by) in sides:
        rows, columns = np.nonzero(inside & ~neighbour)
        for y, x in zip((rows + top).tolist(), (columns + left).tolist(), strict=True):
            follow.setdefault((x + ax, y + ay), []).append((x + bx, y + by))
    loops = []
    for start in sorted(follow):
        while follow[start]:
            loops.append(_simplified(_walk(start, follow)))
    return loops


def _walk(start: Vertex, follow: dict[Vertex, list[Vertex]]) -> list[Vertex]:
    path = [start]
    while (step := follow[path[-1]].pop(0)) != start:
        path.append(step)
    return path


def _simplified(path: list[Vertex]) -> tuple[float, ...]:
    """Without the vertices that lie on a straight line."""
    kept = [
        here
        for before, here, after in zip(path[-1:] + path[:-1], path, path[1:] + path[:1], strict=True)
        if (here[0] - before[0]) * (after[1] - here[1]) != (here[1] - before[1]) * (after[0] - here[0])
    ]
    return tuple(float(value) for vertex in kept for value in vertex)


def inner_point(mask: Mask) -> tuple[float, float]:
    """The centre of the mask's pixel that is nearest to its centroid, in pixels."""
    rows, columns = np.nonzero(mask)
    nearest = int(np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2))
    return float(columns[nearest]) + 0.5, float(rows[nearest]) + 0.5
