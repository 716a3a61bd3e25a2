"""A label volume brought onto the grid of another one by taking the nearest voxel, never mixing values."""

import numpy as np

from readers.pixels.volume_file import Volume
from readers.pixels.window import Values


def nearest(values: Values, affine: Values, image: Volume) -> Values:
    """``values`` on the grid of ``image``: at the centre of each of its voxels, the label voxel that covers it, else 0.

    Args:
        values: ``(i, j, k)`` labels.
        affine: 4x4, their voxel indices to RAS millimetres.
        image: gives the grid; its affine must be one, too.
    """
    way = np.linalg.inv(affine) @ image.affine
    across, up = np.arange(image.shape[0]), np.arange(image.shape[1])
    out = np.zeros(image.shape, dtype=values.dtype, order="F")
    for k in range(image.shape[2]):
        inside = np.ones(image.shape[:2], dtype=bool)
        at = []
        for axis in range(3):
            line = way[axis, 0] * across[:, None] + way[axis, 1] * up[None, :] + (way[axis, 2] * k + way[axis, 3])
            # A hair is added because a centre on the border of two voxels must fall the same way on every machine.
            index = np.floor(line + 0.5 + 1e-9).astype(np.intp)
            inside &= (index >= 0) & (index < values.shape[axis])
            at.append(index)
        out[..., k][inside] = values[at[0][inside], at[1][inside], at[2][inside]]
    return out
