"""Pictures with regions drawn, for people to look at."""

import io
from collections.abc import Iterable

import numpy as np
from PIL import Image, ImageDraw

from schemas.instruction import Place

COLOURS = ((255, 64, 64), (64, 200, 64), (80, 140, 255), (255, 200, 0), (255, 0, 255), (0, 220, 220))


def overlay(data: bytes, places: Iterable[Place], smallest: int = 256) -> Image.Image:
    """The picture with every distinct place drawn: box outlined and named, mask tinted; small pictures enlarged."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    factor = max(1, -(-smallest // min(picture.size)))
    picture = picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
    names: dict[str, int] = {}
    for place in dict.fromkeys(places):
        colour = COLOURS[names.setdefault(place.label, len(names)) % len(COLOURS)]
        if place.rle:
            picture = _tint(picture, place, colour)
        _outline(picture, place, colour)
    return picture


def _outline(picture: Image.Image, place: Place, colour: tuple[int, int, int]) -> None:
    draw = ImageDraw.Draw(picture)
    x0, y0, x1, y1 = (edge * size for edge, size in zip(place.box, picture.size * 2, strict=True))
    draw.rectangle((x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)), outline=colour)
    draw.text((x0 + 2, y0 + 1), place.label, fill=colour)


def _tint(picture: Image.Image, place: Place, colour: tuple[int, int, int]) -> Image.Image:
    from schemas.masks import decode

    mask = Image.fromarray(decode(place.rle, place.size).astype(np.uint8) * 90).resize(
        picture.size, Image.Resampling.NEAREST
    )
    return Image.composite(
        Image.blend(picture, Image.new("RGB", picture.size, colour), 0.4),
        picture,
        mask.point(lambda v: 255 if v else 0),
    )
