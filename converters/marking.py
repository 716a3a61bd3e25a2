"""Marks drawn on a view around a region or over it: box, outline, point, number or filled mask."""

from functools import lru_cache
from typing import Literal

from converters.cutout import cutout
from converters.geometry_words import Spot
from converters.outline import inner_point, outlines
from schemas.case import Mark
from schemas.instruction import Place
from schemas.view import View

Style = Literal["box", "contour", "point", "mask"]
_PLATE = 28
"""Pixels that a number takes, about."""
SHOWN = (255, 0, 0)
COLOURS = ((255, 0, 0), (0, 160, 255), (255, 200, 0), (0, 200, 80), (255, 0, 200), (255, 128, 0), (0, 220, 220),
           (160, 96, 255), (200, 200, 0))  # fmt: skip


def styles_of(seen: Spot) -> tuple[Style, ...]:
    """How a region can be marked."""
    if seen.place.kind == "point":
        return ("point",)
    if seen.place.rle:
        return ("box", "contour", "point", "mask")
    return ("box", "contour", "point") if seen.place.kind == "contour" else ("box",)


def marks(seen: Spot, view: View, style: Style, colour: tuple[int, int, int] = SHOWN) -> tuple[Mark, ...]:
    """The marks of one region; a mask in several parts has an outline for each."""
    if style == "box":
        x0, y0, x1, y1 = seen.place.box
        edges = (x0 * view.width, y0 * view.height, x1 * view.width, y1 * view.height)
        return (Mark("box", edges, colour),)
    if style == "point":
        return (Mark("point", anchor(seen, view), colour),)
    if style == "mask":
        loops = outlines(*cutout(seen.place))
        return (Mark("mask", tuple(value for path in loops for value in (*path, *path[:2])), colour),)
    if seen.place.rle:
        return tuple(Mark("contour", path, colour) for path in outlines(*cutout(seen.place)))
    sides = (view.width, view.height)
    return (Mark("contour", tuple(v * sides[i % 2] for i, v in enumerate(seen.place.points)), colour),)


def number(seen: Spot, view: View, text: str, colour: tuple[int, int, int]) -> Mark:
    """A number on the region, or at its corner where the number would hide it."""
    x0, y0, x1, y1 = seen.place.box
    x, y = anchor(seen, view)
    if min((x1 - x0) * view.width, (y1 - y0) * view.height) < _PLATE:
        # Above the region where there is room, else below it.
        y = y0 * view.height - _PLATE / 2 if y0 * view.height >= _PLATE else y1 * view.height + _PLATE / 2
    return Mark("number", (x, min(max(y, 0.0), float(view.height))), colour, text)


def anchor(seen: Spot, view: View) -> tuple[float, float]:
    """A point on the region, in view pixels: inside its mask, else its centre."""
    if seen.place.rle:
        return _inside(seen.place)
    return seen.centre[0] * view.width, seen.centre[1] * view.height


@lru_cache(maxsize=64)
def _inside(place: Place) -> tuple[float, float]:
    mask, left, top = cutout(place)
    x, y = inner_point(mask)
    return x + left, y + top
