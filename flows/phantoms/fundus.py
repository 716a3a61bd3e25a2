"""Fundus photographs with grades of diabetic retinopathy, and others that are sharp or blurred."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flows.phantoms.canvas import Plane, edge, ellipse, grid, paint, rng, save_jpeg, save_text, to_bytes

SIDE = 128
GRADES = 5
SPOTS = {0: 0, 1: 3, 2: 8, 3: 20, 4: 20}
"""Red spots by grade of the ICDR scale; grade 4 also has new vessels."""
_BACK, _DISC, _BLOOD = (196.0, 92.0, 40.0), (250.0, 214.0, 140.0), (112.0, 16.0, 12.0)
_MIDDLE, _RADIUS = SIDE / 2, SIDE * 0.47

Truth = dict[str, dict[str, int | str]]


def grades(folder: Path, seed: int) -> Truth:
    """``images/<eye>.jpg`` and ``labels.csv`` with ``id_code,diagnosis``: two eyes of each grade 0 to 4."""
    truth: Truth = {}
    lines = ["id_code,diagnosis"]
    for grade in range(GRADES):
        for number in range(2):
            name = f"eye{grade}{number}"
            save_jpeg(folder / "images" / f"{name}.jpg", _photograph(seed, name, grade))
            lines.append(f"{name}.jpg,{grade}")
            truth[name] = {"grade": grade}
    save_text(folder / "labels.csv", "\n".join(lines) + "\n")
    return truth


def quality(folder: Path, seed: int) -> Truth:
    """``good/`` and ``bad/``, four photographs each; the bad ones are out of focus and too dark."""
    truth: Truth = {}
    for number in range(8):
        word, name = ("good", "bad")[number % 2], f"photo{number:02d}"
        pixels = _photograph(seed, f"quality{number}", 0)
        if word == "bad":
            pixels = to_bytes(_blurred(pixels.astype(np.float32), 6) * 0.5)
        save_jpeg(folder / word / f"{name}.jpg", pixels)
        truth[name] = {"quality": word}
    return truth


def _photograph(seed: int, name: str, grade: int) -> NDArray[np.uint8]:
    draw = rng(seed, "fundus", name)
    yx = grid(SIDE, SIDE)
    planes = [np.zeros((SIDE, SIDE), np.float32) for _ in range(3)]
    field = ellipse(yx, (_MIDDLE, _MIDDLE), (_RADIUS, _RADIUS))
    side = 1 if draw.random() < 0.5 else -1
    disc = (_MIDDLE + draw.uniform(-4, 4), _MIDDLE + side * SIDE * 0.24)
    layers = [(field, _BACK), (_vessels(yx, disc, side, draw) * field, _BLOOD), (ellipse(yx, disc, (9.0, 8.0)), _DISC)]
    layers += [(cover * field, _BLOOD) for cover in _spots(yx, SPOTS[grade], draw)]
    if grade == 4:
        layers.append((_new_vessels(yx, disc, draw) * field, _BLOOD))
    for cover, colour in layers:
        for plane, value in zip(planes, colour, strict=True):
            paint(plane, cover, value)
    noise = draw.normal(0, 2, (SIDE, SIDE)).astype(np.float32) * field
    return np.stack([to_bytes(plane + noise) for plane in planes], axis=-1)


def _vessels(yx: tuple[Plane, Plane], disc: tuple[float, float], side: int, draw: np.random.Generator) -> Plane:
    """Four arcades that leave the disc and bend round the macula."""
    y, x = yx
    along = (disc[1] - x) * side
    cover = np.zeros((SIDE, SIDE), np.float32)
    for turn in (-1, 1):
        for reach in (18.0, 34.0):
            bend = disc[0] + turn * reach * np.sqrt(np.clip(along / (SIDE * 0.5), 0, 1)) + draw.uniform(-2, 2)
            cover = np.maximum(cover, edge(1.1 - np.abs(y - bend), 1.2) * (along > 0))
    return cover


def _spots(yx: tuple[Plane, Plane], number: int, draw: np.random.Generator) -> list[Plane]:
    """Spots spread evenly over the four quadrants."""
    found = []
    for place in range(number):
        angle = (place % 4 + draw.uniform(0.1, 0.9)) * np.pi / 2
        reach = draw.uniform(0.25, 0.85) * _RADIUS
        centre = (_MIDDLE + reach * np.sin(angle), _MIDDLE + reach * np.cos(angle))
        radius = draw.uniform(1.2, 1.8) if number <= 3 else draw.uniform(1.4, 3.2)
        found.append(ellipse(yx, centre, (radius, radius)))
    return found


def _new_vessels(yx: tuple[Plane, Plane], disc: tuple[float, float], draw: np.random.Generator) -> Plane:
    """A tangle of fine loops on the disc."""
    cover = np.zeros((SIDE, SIDE), np.float32)
    for _ in range(7):
        centre = (disc[0] + draw.uniform(-7, 7), disc[1] + draw.uniform(-7, 7))
        radius = draw.uniform(3, 6)
        outer, inner = (ellipse(yx, centre, (size, size)) for size in (radius, radius - 1.0))
        cover = np.maximum(cover, outer - inner)
    return cover


def _blurred(pixels: Plane, reach: int) -> Plane:
    """A box blur along both axes."""
    for axis in (0, 1):
        shifted = [np.roll(pixels, step, axis) for step in range(-reach, reach + 1)]
        pixels = np.mean(shifted, axis=0, dtype=np.float32)
    return pixels
