"""Marks drawn into a picture: boxes, contours, points and set-of-mark numbers."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from schemas.case import Mark

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
VEIL = 0.4
"""How much of a mask's pixels is its colour; what it covers stays visible.  Ours."""


def draw(picture: Pixels, marks: Sequence[Mark]) -> Pixels:
    """The picture, as RGB, with ``marks`` drawn at their view pixels; the very same array where there are none.

    A grey picture in which there is only something painted over stays grey.

    Lines are about 1/250 of the picture's longer side wide, two pixels at least, and lie on the outline of
    the region, so that what they surround stays visible.
    """
    if not marks:
        return picture
    image = Image.fromarray(picture)
    if any(mark.kind != "fill" for mark in marks):
        image = image.convert("RGB")
    for mark in marks:
        if mark.kind == "mask":
            image = _veiled(image, mark)
    pen = ImageDraw.Draw(image)
    thick = max(2, round(max(image.size) / 250))
    for mark in marks:
        _draw(pen, mark, thick)
    return np.asarray(image)


def _veiled(image: Image.Image, mark: Mark) -> Image.Image:
    """The picture with the mark's colour laid over the pixels inside its loops."""
    pixels = np.array(image)
    inside = np.zeros(pixels.shape[:2], bool)
    for (x, y), (next_x, next_y) in _sides([round(value) for value in mark.points]):
        if x == next_x:  # each upright side turns over what lies to its right
            inside[min(y, next_y) : max(y, next_y), x:] ^= True
    pixels[inside] = np.round(pixels[inside] * (1 - VEIL) + np.array(mark.colour) * VEIL)
    return Image.fromarray(pixels)


def _sides(corners: list[int]) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """The sides of closed loops that follow one another."""
    begin: tuple[int, int] | None = None
    before = (0, 0)
    for here in zip(corners[::2], corners[1::2], strict=True):
        if begin is None:
            begin = here
        else:
            yield before, here
            begin = None if here == begin else begin
        before = here


def _draw(pen: ImageDraw.ImageDraw, mark: Mark, thick: int) -> None:
    if mark.kind == "box":
        x0, y0, x1, y1 = mark.points
        # Edges are half-open: the last pixel inside is the one before x1.
        corners = (math.floor(x0), math.floor(y0), max(math.ceil(x1) - 1, x0), max(math.ceil(y1) - 1, y0))
        pen.rectangle(corners, outline=mark.colour, width=thick)
    elif mark.kind == "fill":
        red, green, blue = mark.colour
        edge = list(zip(mark.points[::2], mark.points[1::2], strict=True))
        pen.polygon(edge, fill=mark.colour if pen.im.mode == "RGB" else round((red + green + blue) / 3))
    elif mark.kind == "contour":
        points = list(zip(mark.points[::2], mark.points[1::2], strict=True))
        pen.line([*points, points[0], points[min(1, len(points) - 1)]], fill=mark.colour, width=thick, joint="curve")
    elif mark.kind == "point":
        x, y = mark.points[:2]
        radius = 2.5 * thick
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=mark.colour, outline=(255, 255, 255))
    if mark.text or mark.kind == "number":
        _badge(pen, mark, thick)


def _badge(pen: ImageDraw.ImageDraw, mark: Mark, thick: int) -> None:
    """The mark's text on a filled plate: centred on a number's point, else at the upper left of the mark."""
    size = max(12, 7 * thick)
    font = ImageFont.load_default(size)
    left, top, right, bottom = pen.textbbox((0, 0), mark.text, font=font)
    wide, high = right - left + thick * 2, bottom - top + thick * 2
    x, y = min(mark.points[::2]), min(mark.points[1::2])
    if mark.kind == "number":
        x, y = x - wide / 2, y - high / 2
    x = min(max(x, 0), max(pen.im.size[0] - wide, 0))
    y = min(max(y, 0), max(pen.im.size[1] - high, 0))
    pen.rectangle((x, y, x + wide, y + high), fill=mark.colour)
    light = 0.299 * mark.colour[0] + 0.587 * mark.colour[1] + 0.114 * mark.colour[2] > 140
    pen.text((x + thick - left, y + thick - top), mark.text, fill=(0, 0, 0) if light else (255, 255, 255), font=font)
