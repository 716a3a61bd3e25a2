"""A trunk in patient millimetres, sampled on any grid: liver at the patient's right, spleen and heart at the left.

Patient coordinates are RAS: +x towards the patient's right, +y forwards, +z upwards; the origin lies in the
middle of the body at the height of the kidneys' upper third (abdomen) or of the hilum (chest).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flows.phantoms.canvas import rng

Triple = tuple[float, float, float]
ORGANS = ("background", "liver", "spleen", "right kidney", "left kidney", "liver tumor")
"""Label values of the abdomen, by position."""
CHEST = ("background", "right lung", "left lung", "heart", "lung nodule")
"""Label values of the chest, by position."""
_BOWEL = ((-80, 10, -40), (-40, 40, -30), (0, 50, -44), (42, 46, -50), (84, 12, -56), (-20, 30, -78), (40, 20, -84))


@dataclass(frozen=True, slots=True)
class Shape:
    """An ellipsoid: where it lies, how dense it is (HU), and its label value (0 is unlabelled)."""

    centre: Triple
    radii: Triple
    density: float
    label: int = 0


@dataclass(frozen=True, slots=True)
class Grid:
    """A RAS sampling grid: ``shape`` voxels of ``spacing`` mm, centred on the body."""

    shape: tuple[int, int, int]
    spacing: Triple

    def axes(self) -> list[NDArray[np.float32]]:
        """Voxel centres in mm along x, y and z."""
        pairs = zip(self.shape, self.spacing, strict=True)
        return [((np.arange(n, dtype=np.float32) - (n - 1) / 2) * step).astype(np.float32) for n, step in pairs]

    def affine(self) -> NDArray[np.float64]:
        """Voxel index to RAS millimetres."""
        matrix = np.diag([*self.spacing, 1.0])
        matrix[:3, 3] = [-(n - 1) / 2 * step for n, step in zip(self.shape, self.spacing, strict=True)]
        return matrix


def abdomen(seed: int, key: str, tumours: int) -> list[Shape]:
    """Shapes of one patient's upper abdomen, later ones in front of earlier ones."""
    draw = rng(seed, "abdomen", key)

    def near(*centre: float) -> Triple:
        x, y, z = (value + float(draw.uniform(-5, 5)) for value in centre)
        return x, y, z

    grow = float(draw.uniform(0.92, 1.06))
    liver = Shape(near(64, 12, 42), (64 * grow, 62 * grow, 62), 108, 1)
    shapes = [
        *_wall(160, 112, inside=-78),
        *(Shape(near(x, y, z), (24, 20, 26), 34) for x, y, z in _BOWEL),
        Shape((0, -62, 0), (21, 19, 900), 360),
        Shape((0, -88, 0), (9, 14, 900), 300),
        Shape((-34, -78, 0), (30, 18, 900), 58),
        Shape((34, -78, 0), (30, 18, 900), 58),
        Shape(near(-58, 42, 52), (40, 30, 46), 28),
        Shape((-58, 58, 56), (22, 11, 26), -900),
        liver,
        Shape(near(8, 42, 56), (52, 28, 26), 108, 1),
        Shape(near(-98, -30, 46), (27 * grow, 42, 40), 122, 2),
        Shape(near(58, -46, -12), (25, 23, 46 * grow), 172, 3),
        Shape(near(-58, -46, 2), (25, 23, 46 * grow), 172, 4),
        Shape((-13, -34, 0), (10, 10, 900), 205),
        Shape((15, -32, 0), (12, 10, 900), 160),
    ]
    for _ in range(tumours):
        radius = float(draw.uniform(11, 18))
        offset = [float(draw.uniform(-0.35, 0.35)) * extent for extent in liver.radii]
        x, y, z = (value + shift for value, shift in zip(liver.centre, offset, strict=True))
        shapes.append(Shape((x, y, z), (radius, radius, radius), 62, 5))
    return shapes


def thorax(seed: int, key: str, nodule: str) -> list[Shape]:
    """Shapes of one patient's chest; ``nodule`` is the patient's side of a ground-glass nodule, or empty.

    The nodule (-560 HU) lies in lung (-840 HU): a lung window shows it, a soft-tissue window clips both to black.
    """
    draw = rng(seed, "thorax", key)
    shapes = [
        *_wall(165, 112, inside=40),
        Shape((70, 6, 0), (60, 80, 150), -840, 1),
        Shape((-70, 6, 0), (58, 78, 150), -840, 2),
        Shape((0, -64, 0), (19, 18, 900), 380),
        Shape((0, 20, 0), (24, 48, 900), 45),
        Shape((-26, 34, -24), (54, 40, 52), 55, 3),
        Shape((-16, -36, 0), (12, 12, 900), 190),
        Shape((0, -8, 60), (9, 8, 70), -980),
    ]
    if nodule:
        towards = {"right": 1, "left": -1}[nodule]
        centre = (towards * float(draw.uniform(76, 96)), float(draw.uniform(-34, 4)), float(draw.uniform(-14, 14)))
        radius = float(draw.uniform(13, 16))
        shapes.append(Shape(centre, (radius, radius, radius), -560, 4))
    return shapes


def sample(shapes: list[Shape], grid: Grid) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Densities (HU, air -1000) and labels on the grid, both of ``grid.shape`` in RAS order."""
    densities = np.full(grid.shape, -1000, np.float32)
    labels = np.zeros(grid.shape, np.uint8)
    axes = grid.axes()
    for shape in shapes:
        bounds = [_span(axis, c, r) for axis, c, r in zip(axes, shape.centre, shape.radii, strict=True)]
        x, y, z = (
            ((axis[span] - c) / r) ** 2
            for axis, span, c, r in zip(axes, bounds, shape.centre, shape.radii, strict=True)
        )
        inside = x[:, None, None] + y[None, :, None] + z[None, None, :] <= 1
        place = tuple(bounds)
        if shape.label == ORGANS.index("liver tumor"):
            inside &= labels[place] == ORGANS.index("liver")
        densities[place][inside] = shape.density
        labels[place][inside] = shape.label
    return densities, labels


def _span(axis: NDArray[np.float32], centre: float, radius: float) -> slice:
    first, last = np.searchsorted(axis, [centre - radius, centre + radius])
    return slice(int(first), int(last))


def _wall(width: float, depth: float, inside: float) -> list[Shape]:
    """Skin and fat, a ring of muscle with ribs in it, and what fills the cavity."""
    muscle, cavity = (width - 13, depth - 13), (width - 24, depth - 24)
    ring = [(value + other) / 2 for value, other in zip(muscle, cavity, strict=True)]
    angles = np.deg2rad([20, 55, 90, 125, 160, 200, 235, 270, 305, 340])
    return [
        Shape((0, 0, 0), (width, depth, 900), -98),
        Shape((0, 0, 0), (*muscle, 900), 55),
        Shape((0, 0, 0), (*cavity, 900), inside),
        *(Shape((ring[0] * float(np.sin(a)), ring[1] * float(np.cos(a)), 0), (7, 5, 900), 420) for a in angles),
    ]
