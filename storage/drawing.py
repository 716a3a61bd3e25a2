"""A published picture with its regions, as one inline SVG."""

import base64
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

COLOURS = ((255, 82, 82), (64, 196, 255), (255, 214, 0), (105, 240, 174), (224, 64, 251), (255, 145, 0))
SMALLEST = 320
"""Pictures of fewer pixels are drawn as if they had so many, so that lines and letters keep their size."""
NAMED = 3
"""Regions of one label that are each named."""
LARGEST_BYTES = 400_000
"""Beyond, the report shows a smaller copy."""


def figure(data: bytes | None, regions: Sequence[Mapping[str, Any]]) -> str:
    """The picture and the given regions (columns of `schemas.instruction`) drawn over it; empty without pixels."""
    if not data:
        return ""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as picture:
        width, height = picture.size
        shown = _small_copy(picture) if len(data) > LARGEST_BYTES else data
    scale = max(1.0, SMALLEST / min(width, height))
    width, height = round(width * scale), round(height * scale)
    names = {label: number for number, label in enumerate(dict.fromkeys(region["label"] for region in regions))}
    parts = [f'<image href="{_uri(shown)}" width="{width}" height="{height}" preserveAspectRatio="none"/>']
    for region in regions:
        parts += _region(region, COLOURS[names[region["label"]] % len(COLOURS)], width, height)
    parts += [_name(region, text, width, height, names[region["label"]]) for region, text in _named(regions)]
    return f'<svg viewBox="0 0 {width} {height}" role="img">{"".join(parts)}</svg>'


def _region(region: Mapping[str, Any], colour: tuple[int, int, int], width: int, height: int) -> list[str]:
    paint = f"rgb{colour}".replace(" ", "")
    line = f'fill="none" stroke="{paint}" stroke-width="{max(1.5, width / 260):.2f}"'
    x0, y0, x1, y1 = (edge * size for edge, size in zip(region["box"], (width, height) * 2, strict=True))
    parts = []
    if region["rle"]:
        mask = _uri(_mask(region, colour))
        parts.append(f'<image href="{mask}" width="{width}" height="{height}" preserveAspectRatio="none"/>')
    points = region["points"]
    if region["kind"] == "point" and points:
        x, y = points[0] * width, points[1] * height
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{width / 60:.1f}" {line}/>')
    elif points:
        pairs = " ".join(f"{x * width:.1f},{y * height:.1f}" for x, y in zip(points[::2], points[1::2], strict=True))
        parts.append(f'<polygon points="{pairs}" {line}/>')
    if region["kind"] == "box" or not (points or region["rle"]):
        parts.append(f'<rect x="{x0:.1f}" y="{y0:.1f}" width="{x1 - x0:.1f}" height="{y1 - y0:.1f}" {line}/>')
    return parts


def _named(regions: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Regions that get a name, and it; of many alike only the first, or the names would hide the picture."""
    counts, seen = Counter(region["label"] for region in regions), set()
    for region in regions:
        label = region["label"]
        if counts[label] <= NAMED:
            yield region, label
        elif label not in seen:
            yield region, f"{label} ×{counts[label]}"
        seen.add(label)


def _name(region: Mapping[str, Any], text: str, width: int, height: int, number: int) -> str:
    """The label above the box's upper left corner; near the right edge it ends at the box's right."""
    x0, y0, x1, _ = (edge * size for edge, size in zip(region["box"], (width, height) * 2, strict=True))
    size = max(13.0, width / 26)
    x, anchor = (min(x1, width - 2), "end") if x0 > width * 0.6 else (max(x0, 2), "start")
    paint = "rgb({},{},{})".format(*COLOURS[number % len(COLOURS)])
    style = f'font-size="{size:.0f}" fill="{paint}" stroke="#000" stroke-width="3" paint-order="stroke"'
    place = f'x="{x:.1f}" y="{max(y0 - size * 0.3, size):.1f}" text-anchor="{anchor}"'
    return f"<text {place} {style}>{escape(text)}</text>"


def _mask(region: Mapping[str, Any], colour: tuple[int, int, int]) -> bytes:
    """The mask as a PNG of one half-transparent colour."""
    import numpy as np
    from PIL import Image

    from schemas.masks import decode

    inside = decode(region["rle"], (region["size"][0], region["size"][1]))
    tinted = np.zeros((*inside.shape, 4), np.uint8)
    tinted[inside] = (*colour, 110)
    return _png(Image.fromarray(tinted))


def _small_copy(picture: Any) -> bytes:
    copy = picture.convert("RGB")
    copy.thumbnail((768, 768))
    return _png(copy)


def _png(picture: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def _uri(data: bytes) -> str:
    kind = "png" if data[:4] == b"\x89PNG" else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
