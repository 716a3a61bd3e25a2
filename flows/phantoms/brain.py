"""Heads in MRI as a decathlon task of four sequences in one 4D file; tumours with a rim, a core and edema around them.

Patient coordinates are RAS millimetres, as in `flows.phantoms.body`; the origin lies in the middle of the head.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flows.phantoms.body import Grid, Triple
from flows.phantoms.canvas import rng, save_json
from flows.phantoms.volumes import save_volume

GRID = Grid((60, 72, 20), (3.0, 3.0, 7.5))
SEQUENCES = ("FLAIR", "T1w", "t1gd", "T2w")
CLASSES = ("background", "edema", "necrotic core", "enhancing tumor", "left hippocampus", "right hippocampus")
"""Label values by position."""
ORDERS = ("RAS", "LPS", "PSR", "LAS", "RSA", "LPI")
_SIGNALS = {
    "air": (0, 0, 0, 0), "scalp": (300, 700, 720, 500), "brain": (400, 450, 450, 420), "fluid": (90, 150, 150, 900),
    "hippocampus": (470, 400, 410, 470), "edema": (800, 330, 330, 800), "core": (350, 200, 220, 850),
    "rim": (650, 380, 950, 700),
}  # fmt: skip
"""Tissue -> signal in each sequence."""


def tumours(folder: Path, seed: int) -> dict[str, Any]:
    """``dataset.json``, ``imagesTr``, ``labelsTr``; the truth is side and number of the tumours.

    Two volumes have no tumour, and two have a second, smaller one.
    """
    truth: dict[str, Any] = {}
    training = []
    for number in range(1, 9):
        key = f"brain_{number:03d}"
        side, many = ("left", "right")[number % 2], (1, 1, 2, 0)[number % 4]
        tissue, labels = _head(seed, key, side, many)
        noise = rng(seed, "brain", key, "noise").normal(0, 12, (*GRID.shape, len(SEQUENCES)))
        signals = np.array(list(_SIGNALS.values()), np.float32)[tissue] + noise * (tissue > 0)[..., None]
        order = ORDERS[number % len(ORDERS)]
        save_volume(folder / f"imagesTr/{key}.nii.gz", np.rint(signals).clip(0).astype(np.int16), order, GRID)
        save_volume(folder / f"labelsTr/{key}.nii.gz", labels, order, GRID)
        training.append({"image": f"./imagesTr/{key}.nii.gz", "label": f"./labelsTr/{key}.nii.gz"})
        truth[key] = {"order": order, "side": side if many else "", "tumours": many}
    save_json(folder / "dataset.json", {
        "name": "PhantomBrain", "description": "Made-up heads", "licence": "CC0-1.0", "tensorImageSize": "4D",
        "modality": {str(at): word for at, word in enumerate(SEQUENCES)},
        "labels": {str(at): word for at, word in enumerate(CLASSES)},
        "numTraining": len(training), "numTest": 0, "training": training, "test": [],
    })  # fmt: skip
    return truth


def _head(seed: int, key: str, side: str, many: int) -> tuple[NDArray[np.intp], NDArray[np.uint8]]:
    """Tissue numbers and labels on the grid."""
    draw = rng(seed, "brain", key)
    tissue, labels = np.zeros(GRID.shape, np.intp), np.zeros(GRID.shape, np.uint8)

    def put(kind: str, centre: Triple, radii: Triple, label: int = 0) -> None:
        inside = _inside(centre, radii)
        tissue[inside], labels[inside] = list(_SIGNALS).index(kind), label

    put("scalp", (0, 0, 0), (80, 98, 74))
    put("fluid", (0, 0, 0), (72, 90, 67))
    put("brain", (0, 0, 0), (68, 86, 63))
    for sign, label in ((-1, 4), (1, 5)):
        put("fluid", (sign * 11, 4, 12), (7, 26, 14))
        put("hippocampus", (sign * 29, -14, -22), (8, 20, 11), label)
    towards = -1 if side == "left" else 1
    for turn in range(many):
        x, y, z = towards * (36 + draw.uniform(-4, 4)), (34, -46)[turn] + draw.uniform(-4, 4), 20 + draw.uniform(-6, 6)
        size = (1.0, 0.7)[turn]
        for kind, radius, label in (("edema", 23, 1), ("rim", 16, 3), ("core", 9.5, 2)):
            put(kind, (x, y, z), (radius * size, radius * size, radius * size), label)
    return tissue, labels


def _inside(centre: Triple, radii: Triple) -> NDArray[np.bool_]:
    x, y, z = (((axis - c) / r) ** 2 for axis, c, r in zip(GRID.axes(), centre, radii, strict=True))
    found: NDArray[np.bool_] = x[:, None, None] + y[None, :, None] + z[None, None, :] <= 1
    return found
