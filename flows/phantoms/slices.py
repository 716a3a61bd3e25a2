"""Abdominal CT slices with palette masks, shown as a radiologist sees them: image left is the patient's right."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flows.phantoms.body import ORGANS, Grid, abdomen, sample
from flows.phantoms.canvas import rng, save_png, save_text, to_bytes

PALETTE = [0, 0, 0, 200, 80, 60, 90, 60, 180, 60, 170, 90, 220, 180, 40, 240, 60, 200]
GRID = Grid((256, 192, 9), (1.4, 1.4, 14.0))
SHOWN = (3, 4, 6)
"""Slice indices: through the kidneys' middle, through all four organs, through liver and spleen."""


def mask_pairs(folder: Path, seed: int) -> dict[str, Any]:
    """``images/<patient>_s<n>.png`` (window 40/400) and ``masks/<patient>_s<n>_mask.png`` (mode P, ``classes.csv``).

    Deliberately bad: one mask has another size, one picture has no mask.
    """
    truth: dict[str, Any] = {}
    for patient in range(1, 7):
        key = f"abd{patient:02d}"
        densities, labels = sample(abdomen(seed, f"slices/{key}", tumours=patient % 2), GRID)
        noise = rng(seed, "slices", key).normal(0, 9, densities.shape).astype(np.float32)
        for index in SHOWN:
            picture = window(radiological(densities + noise, index), 40, 400)
            mask = radiological(labels, index)
            name = f"{key}_s{index}"
            save_png(folder / f"images/{name}.png", picture)
            save_png(folder / f"masks/{name}_mask.png", mask, PALETTE)
            truth[f"images/{name}.png"] = centroids(mask)
    save_png(folder / "masks/abd06_s6_mask.png", np.ascontiguousarray(mask[::2, ::2]), PALETTE)
    (folder / "masks/abd05_s3_mask.png").unlink()
    save_text(folder / "classes.csv", "index,name\n" + "".join(f"{at},{word}\n" for at, word in enumerate(ORGANS)))
    return truth


def radiological(volume: NDArray[Any], index: int) -> NDArray[Any]:
    """An axial slice of a RAS volume as (row, column): rows run to the back, columns to the patient's left."""
    return np.ascontiguousarray(volume[::-1, ::-1, index].T)


def window(densities: NDArray[np.float32], centre: float, width: float) -> NDArray[np.uint8]:
    """Show densities (HU) between ``centre`` - and + half the ``width`` on 0..255."""
    return to_bytes((densities - (centre - width / 2)) / width * 255)


def centroids(mask: NDArray[np.uint8]) -> dict[str, Any]:
    """By organ name: ``centre`` (x, y) and ``pixels`` in the mask."""
    found = {}
    for value, word in enumerate(ORGANS[1:], 1):
        rows, columns = np.nonzero(mask == value)
        if len(rows):
            centre = [float(columns.mean() + 0.5), float(rows.mean() + 0.5)]
            found[word] = {"centre": centre, "pixels": len(rows)}
    return found
