"""Frontal chest radiographs: heart apex and aortic knob at the patient's left, which is the picture's right."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from flows.phantoms.canvas import Plane, edge, ellipse, grid, paint, rng, to_bytes

SIZE = 256
MIDLINE = SIZE / 2
Side = Literal["left", "right"]
"""Of the patient."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One abnormality; ``side`` is the patient's, empty for the heart."""

    name: Literal["pneumonia", "pleural effusion", "nodule", "cardiomegaly"]
    side: Side | Literal[""] = ""


@dataclass(slots=True)
class Film:
    """One radiograph, 8-bit, bright bone (MONOCHROME2), with what is known about it."""

    pixels: Any
    """uint8 (256, 256)."""
    truth: dict[str, Any] = field(default_factory=dict)
    """``apex`` (x, y), ``cardiothoracic_ratio`` and, by finding, ``side`` and ``centre`` (x, y), in pixels."""


def film(seed: int, key: str, findings: tuple[Finding, ...] = ()) -> Film:
    """Draw one patient's film with ``findings``; the same seed and key give the same pixels."""
    draw = rng(seed, "chest", key)
    yx = grid(SIZE, SIZE)
    scale = draw.uniform(0.94, 1.04)
    picture = np.full((SIZE, SIZE), 12, np.float32)
    _body(picture, yx, scale)
    lungs = _lungs(picture, yx, scale, draw)
    _bones(picture, yx, scale)
    places: dict[str, Any] = {f.name: _opacity(picture, yx, lungs[f.side], f, draw) for f in findings if f.side}
    big = any(finding.name == "cardiomegaly" for finding in findings)
    truth = {**_heart(picture, yx, scale, lungs, big), **places}
    picture += draw.normal(0, 2.5, picture.shape).astype(np.float32)
    return Film(to_bytes(picture), truth)


def image_x(side: str) -> int:
    """Direction along +x in which a patient's side lies on a frontal film: +1 for the left, -1 for the right."""
    return {"left": 1, "right": -1}[side]


def _body(picture: Plane, yx: tuple[Plane, Plane], scale: float) -> None:
    trunk = ellipse(yx, (190, MIDLINE), (190 * scale, 108 * scale), soft=4)
    shoulders = ellipse(yx, (95, MIDLINE), (62, 124 * scale), soft=6)
    paint(picture, np.maximum(trunk, shoulders), 138)
    paint(picture, ellipse(yx, (14, MIDLINE), (46, 26), soft=4), 140)


def _lungs(
    picture: Plane, yx: tuple[Plane, Plane], scale: float, draw: np.random.Generator
) -> dict[str, tuple[Plane, tuple[float, float], float]]:
    """Draw both lungs; coverage, centre (y, x) and height of the dome, by patient side."""
    found = {}
    for side, half_width, dome in (("right", 40 * scale, 198.0), ("left", 36 * scale, 208.0)):
        x = MIDLINE + image_x(side) * 50 * scale
        lobe = ellipse(yx, (140, x), (96 * scale, half_width), soft=3)
        bow = 26 * ((yx[1] - x) / half_width) ** 2
        above_dome = edge(dome + bow - yx[0], 3)
        cover = lobe * above_dome
        paint(picture, cover, 52)
        vessels = draw.normal(0, 1, (SIZE // 8, SIZE // 8)).astype(np.float32)
        texture = np.kron(vessels, np.ones((8, 8), np.float32))
        picture += cover * texture * 3
        found[side] = (cover, (140.0, x), dome)
    bubble = ellipse(yx, (226, MIDLINE + 52), (9, 17), soft=4)
    paint(picture, bubble, 70)
    return found


def _bones(picture: Plane, yx: tuple[Plane, Plane], scale: float) -> None:
    spine = edge(11 - np.abs(yx[1] - MIDLINE), 4) * np.ones_like(picture)
    picture += spine * (34 + 6 * np.sign(np.sin(yx[0] / 5)))
    paint(picture, edge(5 - np.abs(yx[1] - MIDLINE), 3) * edge(82 - yx[0], 6), 84)
    for side in ("left", "right"):
        centre = MIDLINE + image_x(side) * 46 * scale
        for level in range(9):
            curve = 52 + level * 19 + 0.012 * (yx[1] - centre) ** 2
            rib = edge(2.6 - np.abs(yx[0] - curve), 2) * edge(44 * scale - np.abs(yx[1] - centre), 3)
            picture += rib * 17
        collar = 50 - 0.16 * np.abs(yx[1] - MIDLINE)
        reach = edge(78 - np.abs(yx[1] - MIDLINE), 3) * (image_x(side) * (yx[1] - MIDLINE) > 6)
        picture += edge(4 - np.abs(yx[0] - collar), 2) * reach * 26


def _heart(picture: Plane, yx: tuple[Plane, Plane], scale: float, lungs: dict[str, Any], big: bool) -> dict[str, Any]:
    """Two thirds of the heart lie left of the midline, its apex lowest and leftmost."""
    width = (50.0 if big else 34.0) * scale
    centre = (176.0, MIDLINE + 0.42 * width)
    chambers = ellipse(yx, centre, (30 * scale, width), tilt=0.42, soft=3)
    right_atrium = ellipse(yx, (168, MIDLINE - 10), (26, 16 * scale), soft=3)
    paint(picture, np.maximum(chambers, right_atrium), 176)
    paint(picture, ellipse(yx, (96, MIDLINE + 14), (12, 12), soft=3), 164)
    paint(picture, edge(13 - np.abs(yx[1] - MIDLINE - 3), 4) * edge(60 - np.abs(yx[0] - 130), 8), 168)
    columns = np.flatnonzero((chambers > 0.5).any(axis=0))
    chest = np.flatnonzero((lungs["left"][0] + lungs["right"][0] > 0.5).any(axis=0))
    ratio = (columns[-1] - min(columns[0], MIDLINE - 26)) / (chest[-1] - chest[0])
    row = np.flatnonzero(chambers[:, columns[-1]] > 0.5).mean()
    return {"apex": [float(columns[-1]), float(row)], "cardiothoracic_ratio": round(float(ratio), 3)}


def _opacity(
    picture: Plane, yx: tuple[Plane, Plane], lung: tuple[Plane, tuple[float, float], float], finding: Finding,
    draw: np.random.Generator,
) -> dict[str, Any]:  # fmt: skip
    """Draw one finding into its lung and say where; of an effusion, where its outer part, clear of the heart, lies."""
    cover, (_, x), dome = lung
    outward = image_x(finding.side) * draw.uniform(4, 14)
    if finding.name == "pleural effusion":
        level = dome - draw.uniform(34, 52)
        curve = level - 0.02 * np.maximum(image_x(finding.side) * (yx[1] - x), 0) ** 2
        fluid = cover * edge(yx[0] - curve, 4)
        paint(picture, fluid, 160)
        rows, columns = np.nonzero((fluid > 0.5) & (image_x(finding.side) * (yx[1] - x) > 6))
        return {"side": finding.side, "centre": [float(columns.mean()), float(rows.mean())]}
    radius = draw.uniform(7, 9) if finding.name == "nodule" else draw.uniform(19, 25)
    centre = (float(draw.uniform(96, 150)), x + outward)
    soft = 3.0 if finding.name == "nodule" else 16.0
    patch = ellipse(yx, centre, (radius, radius * (1.0 if finding.name == "nodule" else 0.85)), soft=soft) * cover
    paint(picture, patch * (0.95 if finding.name == "nodule" else 0.8), 158)
    return {"side": finding.side, "centre": [float(centre[1]), float(centre[0])]}
