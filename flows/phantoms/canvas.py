"""Soft shapes on arrays, seeded generators, and files that come out with the same bytes every time."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from schemas.identity import digest

Plane = NDArray[np.float32]


def rng(seed: int, *parts: str) -> np.random.Generator:
    """A generator for one phantom, independent of the order in which phantoms are made."""
    return np.random.default_rng(int(digest(str(seed), *parts), 16))


def grid(height: int, width: int) -> tuple[Plane, Plane]:
    """Pixel centres as broadcastable ``(y, x)`` columns and rows: pixel ``i`` is centred at ``i + 0.5``."""
    y = np.arange(height, dtype=np.float32)[:, None] + 0.5
    x = np.arange(width, dtype=np.float32)[None, :] + 0.5
    return y, x


def ellipse(
    yx: tuple[Plane, Plane],
    centre: tuple[float, float],
    radii: tuple[float, float],
    tilt: float = 0.0,
    soft: float = 1.0,
) -> Plane:
    """Coverage 0..1 of an ellipse.

    Args:
        yx: what `grid` returns.
        centre: ``(y, x)`` in pixels.
        radii: half axes along y and x before tilting, in pixels.
        tilt: radians, from +x towards +y.
        soft: width of the edge in pixels.
    """
    dy, dx = yx[0] - centre[0], yx[1] - centre[1]
    along = dx * np.cos(tilt) + dy * np.sin(tilt)
    across = dy * np.cos(tilt) - dx * np.sin(tilt)
    radius = np.sqrt((across / radii[0]) ** 2 + (along / radii[1]) ** 2)
    return edge((1 - radius) * min(radii), soft)


def edge(distance: NDArray[np.floating[Any]], soft: float = 1.0) -> Plane:
    """Coverage 0..1 from a signed distance in pixels, positive inside."""
    cover: Plane = np.clip(distance / max(soft, 1e-6) + 0.5, 0, 1).astype(np.float32)
    return cover


def paint(picture: Plane, cover: Plane, value: float | Plane) -> None:
    """Blend ``value`` into ``picture`` where ``cover`` is above 0, in place."""
    picture += cover * (value - picture)


def to_bytes(picture: Plane) -> NDArray[np.uint8]:
    """Round to 8 bits, clipped."""
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def save_png(path: Path, pixels: NDArray[np.uint8], palette: list[int] | None = None) -> None:
    """Write an 8-bit PNG; with a palette, the pixels are its indices (mode P)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(pixels)
    if palette is not None:
        picture = picture.convert("L")
        picture.putpalette(palette)
    picture.save(path, "PNG", compress_level=6)


def save_jpeg(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write a baseline JPEG of quality 90."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, "JPEG", quality=90)


def save_text(path: Path, text: str) -> None:
    """Write UTF-8 text with plain line ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def save_json(path: Path, data: Any) -> None:
    """Write indented JSON."""
    save_text(path, json.dumps(data, indent=1) + "\n")


def save_gzip(path: Path, data: bytes) -> None:
    """Write gzip without a time stamp, so that the bytes are the same on every run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data, compresslevel=6, mtime=0))
