"""Masks and polygons on a pixel grid: COCO run lengths, tight boxes, and the way from the source plane to the view.

All coordinates are continuous and half-open as in `schemas.view`; a pixel belongs to a polygon when its centre does.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from schemas.case import Region, RegionKind
from schemas.errors import CaseError
from schemas.instruction import Place
from schemas.runs import Mask as Mask
from schemas.runs import decode as decode
from schemas.runs import encode_cut, runs
from schemas.view import IDENTITY, Box, View, invert

Points = tuple[float, ...]

FARTHEST = 1 << 31
"""Pixels from a picture's corner within which a polygon's corners lie: no picture is so wide, and the products of such
numbers are far from overflowing."""


def encode(mask: Mask) -> str:
    """COCO compressed run-length string (column-major) of an ``(H, W)`` mask, any non-zero being inside."""
    packed = _coco().encode(np.asfortranarray(mask != 0, dtype=np.uint8))
    return str(packed["counts"], "ascii")


def tight_box(mask: Mask) -> Box | None:
    """The smallest ``(x0, y0, x1, y1)`` around the mask's pixels, half-open; None where the mask is empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def polygon_mask(polygons: Iterable[Sequence[float]], size: tuple[int, int]) -> Mask:
    """Fill closed polygons ``x0 y0 x1 y1 ...`` by the even-odd rule, so that a polygon inside another is a hole.

    Raises `CaseError` ``bad_mask`` for a corner that is no number, or farther out than `FARTHEST`.
    """
    mask = np.zeros(size, dtype=bool)
    for points in polygons:
        corners = np.asarray(points, dtype=np.float64).reshape(-1, 2)
        if not (np.abs(corners) <= FARTHEST).all():
            raise CaseError("bad_mask", f"a polygon's corner is no number, or farther out than {FARTHEST:,} pixels")
        _toggle(mask, corners)
    return mask


def edge_mask(polygons: Iterable[Sequence[float]], size: tuple[int, int], tolerance: float = 1e-3) -> Mask:
    """The pixels whose centres lie on an edge of a closed polygon, to ``tolerance`` pixels.

    Contours that software drew through the centres of boundary pixels lose a rim without them.
    """
    height, width = size
    mask = np.zeros(size, dtype=bool)
    for points in polygons:
        begin = np.asarray(points, dtype=np.float64).reshape(-1, 2) - 0.5
        for (x0, y0), (x1, y1) in zip(begin, np.roll(begin, -1, axis=0), strict=True):
            along_x = abs(x1 - x0) >= abs(y1 - y0)
            start, span, last = (x0, x1 - x0, width) if along_x else (y0, y1 - y0, height)
            low, high = sorted((start, start + span))
            whole = np.arange(max(np.ceil(low - tolerance), 0), min(high + tolerance, last - 1) + 1)
            part = (whole - start) / span if span else np.zeros(1)
            near = (part >= -tolerance) & (part <= 1 + tolerance)
            x, y = x0 + part[near] * (x1 - x0), y0 + part[near] * (y1 - y0)
            columns, rows = np.rint(x), np.rint(y)
            on = (np.abs(x - columns) <= tolerance) & (np.abs(y - rows) <= tolerance)
            on &= (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
            mask[rows[on].astype(int), columns[on].astype(int)] = True
    return mask


def mask_region(mask: Mask, label: str, original: str, image_index: int, instance: str = "") -> Region | None:
    """The region of an ``(H, W)`` mask on the source plane; None where the mask is empty."""
    box = tight_box(mask)
    if box is None:
        return None
    return Region(
        label=label,
        original=original,
        kind="mask",
        image_index=image_index,
        box=box,
        rle=encode(mask),
        size=(mask.shape[0], mask.shape[1]),
        area=float(np.count_nonzero(mask)),
        instance=instance,
    )


def source_mask(region: Region) -> Mask:
    """The mask of a region of kind mask, on the source plane's grid."""
    return decode(region.rle, region.size)


def view_mask(region: Region, view: View) -> Mask:
    """A mask region sampled at the centres of the view's pixels, never interpolated: ``(view.height, view.width)``.

    Exact for flips, transposes and whole-pixel crops.  Raises `CaseError` where the mask's grid is not the
    view's source plane.
    """
    _same_grid(region, view)
    return sample_nearest(source_mask(region), view)


def _same_grid(region: Region, view: View) -> None:
    if region.size != (view.source_height, view.source_width):
        height, width = region.size
        raise CaseError(
            "mask_shape",
            f"a mask of {width}x{height} stands on an image of {view.source_width}x{view.source_height}",
        )


def sample_nearest(plane: np.ndarray[Any, Any], view: View) -> np.ndarray[Any, Any]:
    """``plane`` (source height, source width, ...) at the centres of the view's pixels; 0 outside the source."""
    a, b, c, d, e, f = invert(view.matrix)
    x, y = np.arange(view.width) + 0.5, np.arange(view.height) + 0.5
    if b == 0 and d == 0:
        return _pick(plane, _floor(e * y + f), _floor(a * x + c))
    if a == 0 and e == 0:
        return _pick(plane.swapaxes(0, 1), _floor(b * y + c), _floor(d * x + f))
    u = _floor(a * x[None, :] + b * y[:, None] + c)
    v = _floor(d * x[None, :] + e * y[:, None] + f)
    inside = (u >= 0) & (u < plane.shape[1]) & (v >= 0) & (v < plane.shape[0])
    out = np.zeros((view.height, view.width, *plane.shape[2:]), dtype=plane.dtype)
    out[inside] = plane[v[inside], u[inside]]
    return out


def place(region: Region, view: View) -> Place | None:
    """A region of the source as a place on the published picture; None where nothing of it lies on the view.

    Boxes, contours and masks are cut at the view's edges.  The box of a mask is the tight box of the mask as it
    stands on the view.  ``image_index`` is 0, as in a row that shows this picture only.
    """
    if region.kind == "mask":
        return _place_mask(region, view)
    if region.kind == "point":
        x, y = view.to_view(*region.points[:2])
        inside = 0 <= x <= view.width and 0 <= y <= view.height
        return _place(region, view, "point", (x, y, x, y), (x, y)) if inside else None
    if region.kind == "contour" and region.points:
        points = clip_polygon(_moved(region.points, view), (0.0, 0.0, float(view.width), float(view.height)))
        return _place(region, view, "contour", _around(points), points) if points else None
    x0, y0, x1, y1 = _clipped(view.box_to_view(region.box), view)
    if x0 >= x1 or y0 >= y1:
        return None
    return Place(region.label, "box", (x0 / view.width, y0 / view.height, x1 / view.width, y1 / view.height))


def clip_polygon(points: Points, box: Box) -> Points:
    """The part of a closed polygon inside ``box`` (Sutherland and Hodgman); empty where there is none."""
    kept = [(points[i], points[i + 1]) for i in range(0, len(points) - 1, 2)]
    for axis, edge, sign in ((0, box[0], 1), (0, box[2], -1), (1, box[1], 1), (1, box[3], -1)):
        kept = _cut(kept, axis, edge, sign)
    return tuple(value for point in kept for value in point) if len(kept) > 2 else ()


def _place_mask(region: Region, view: View) -> Place | None:
    _same_grid(region, view)
    if not _whole_pixels(view):
        mask = view_mask(region, view)
        box = tight_box(mask)
        return box and _place(region, view, "mask", box, (), encode(mask))
    edges = runs(region.rle, region.size).edges
    if edges is None:
        return None
    if view.matrix == IDENTITY and region.size == (view.height, view.width):
        left, top, right, bottom = map(float, edges)
        return _place(region, view, "mask", (left, top, right, bottom), (), region.rle)
    cut, left, top = _turned(runs(region.rle, region.size).cut(), edges, view)
    box = tight_box(cut)
    if box is None:
        return None
    around = box[0] + left, box[1] + top, box[2] + left, box[3] + top
    return _place(region, view, "mask", around, (), encode_cut(cut, left, top, (view.height, view.width)))


def _whole_pixels(view: View) -> bool:
    """Whether every pixel of the source is one of the view or outside it: turned, flipped or cut, not resampled."""
    a, b, c, d, e, f = view.matrix
    straight = (abs(a), abs(b), abs(d), abs(e)) in ((1, 0, 0, 1), (0, 1, 1, 0))
    return straight and c == round(c) and f == round(f)


def _turned(cut: Mask, edges: tuple[int, int, int, int], view: View) -> tuple[Mask, int, int]:
    """A mask cut out of the source as it stands on a view of `_whole_pixels`, cut at the view's edges; left and top."""
    if view.matrix[0] == 0:
        cut = cut.T
    if view.matrix[0] + view.matrix[1] < 0:
        cut = cut[:, ::-1]
    if view.matrix[3] + view.matrix[4] < 0:
        cut = cut[::-1]
    x0, y0, _, _ = (round(edge) for edge in view.box_to_view(edges))
    left, top = max(x0, 0), max(y0, 0)
    return cut[top - y0 : max(view.height - y0, 0), left - x0 : max(view.width - x0, 0)], left, top


def _place(
    region: Region,
    view: View,
    kind: RegionKind,
    box: Box,
    points: Points,
    rle: str = "",
    size: tuple[int, int] = (0, 0),
) -> Place:
    scale = (view.width, view.height)
    return Place(
        label=region.label,
        kind=kind,
        box=view.normalised(box),
        rle=rle,
        size=(view.height, view.width) if rle else (0, 0),
        points=tuple([value / scale[i % 2] for i, value in enumerate(points)]),
    )


def _moved(points: Points, view: View) -> Points:
    pairs = (view.to_view(points[i], points[i + 1]) for i in range(0, len(points) - 1, 2))
    return tuple(value for pair in pairs for value in pair)


def _around(points: Points) -> Box:
    return min(points[::2]), min(points[1::2]), max(points[::2]), max(points[1::2])


def _clipped(box: Box, view: View) -> Box:
    return max(box[0], 0.0), max(box[1], 0.0), min(box[2], float(view.width)), min(box[3], float(view.height))


def _cut(points: list[tuple[float, float]], axis: int, edge: float, sign: int) -> list[tuple[float, float]]:
    out: list[tuple[float, float]] = []
    for here, after in zip(points, points[1:] + points[:1], strict=True):
        one, two = sign * (here[axis] - edge), sign * (after[axis] - edge)
        if one >= 0:
            out.append(here)
        if (one >= 0) != (two >= 0):
            other = here[1 - axis] + one / (one - two) * (after[1 - axis] - here[1 - axis])
            # The edge itself, since a sum could fall short of it by a hair and lie outside.
            out.append((edge, other) if axis == 0 else (other, edge))
    return out


def _floor(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    # A hair is added because a pixel centre on a source edge must fall the same way on every machine.
    return np.floor(values + 1e-9).astype(np.intp)


def _pick(
    plane: np.ndarray[Any, Any], rows: np.ndarray[Any, Any], columns: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    down, right = (rows >= 0) & (rows < plane.shape[0]), (columns >= 0) & (columns < plane.shape[1])
    if down.all() and right.all():
        whole: np.ndarray[Any, Any] = plane[rows[:, None], columns[None, :]]
        return whole
    out = np.zeros((len(rows), len(columns), *plane.shape[2:]), dtype=plane.dtype)
    out[np.ix_(down, right)] = plane[np.ix_(rows[down], columns[right])]
    return out


def _toggle(mask: Mask, points: np.ndarray[Any, Any]) -> None:
    """Flip every pixel of ``mask`` whose centre lies inside the closed polygon."""
    height, width = mask.shape
    begin, end = points, np.roll(points, -1, axis=0)
    low, high = np.minimum(begin[:, 1], end[:, 1]), np.maximum(begin[:, 1], end[:, 1])
    if len(points) < 3:
        return
    first, last = max(int(low.min() - 0.5), 0), min(int(np.ceil(high.max())), height)
    for row in range(first, last):
        level = row + 0.5
        crossing = (low <= level) & (level < high)
        if not crossing.any():
            continue
        p, q = begin[crossing], end[crossing]
        xs = p[:, 0] + (level - p[:, 1]) * (q[:, 0] - p[:, 0]) / (q[:, 1] - p[:, 1])
        edges = np.clip(np.ceil(np.sort(xs) - 0.5), 0, width).astype(int)
        for left, right in zip(edges[::2], edges[1::2], strict=True):
            mask[row, left:right] ^= True


@lru_cache(maxsize=1)
def _coco() -> Any:
    from pycocotools import mask

    return mask
