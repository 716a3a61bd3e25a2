"""A decathlon folder of abdominal CT volumes, each stored in another voxel order, as scanners and tools leave them."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flows.phantoms.body import ORGANS, Grid, abdomen, sample
from flows.phantoms.canvas import rng, save_gzip, save_json

GRID = Grid((128, 96, 22), (2.8, 2.8, 8.0))
ORDERS = ("RAS", "LAS", "LPS", "PSR", "RSA", "LPI")
"""Voxel orders in turn: what +i, +j and +k point at."""


def decathlon(folder: Path, seed: int) -> dict[str, Any]:
    """``dataset.json``, ``imagesTr``, ``labelsTr``, ``imagesTs``; centroids in RAS millimetres are the truth.

    Deliberately bad: the label file of ``abdomen_012`` breaks off.
    """
    truth: dict[str, Any] = {}
    training = []
    for number in range(1, 13):
        key = f"abdomen_{number:03d}"
        order = ORDERS[number % len(ORDERS)]
        densities, labels = sample(abdomen(seed, f"volumes/{key}", tumours=number % 3), GRID)
        densities += rng(seed, "volumes", key).normal(0, 8, densities.shape).astype(np.float32)
        if number == 11:
            save_volume(folder / f"imagesTs/{key}.nii.gz", np.rint(densities).astype(np.int16), order, GRID)
            continue
        save_volume(folder / f"imagesTr/{key}.nii.gz", np.rint(densities).astype(np.int16), order, GRID)
        save_volume(folder / f"labelsTr/{key}.nii.gz", labels, order, GRID)
        training.append({"image": f"./imagesTr/{key}.nii.gz", "label": f"./labelsTr/{key}.nii.gz"})
        truth[key] = {"order": order, "organs": centroids(labels)}
    broken = folder / "labelsTr/abdomen_012.nii.gz"
    broken.write_bytes(broken.read_bytes()[:2000])
    save_json(folder / "dataset.json", {
        "name": "PhantomAbdomen", "description": "Made-up upper abdomens", "licence": "CC0-1.0",
        "tensorImageSize": "3D", "modality": {"0": "CT"}, "labels": {str(at): word for at, word in enumerate(ORGANS)},
        "numTraining": len(training), "numTest": 1, "training": training, "test": ["./imagesTs/abdomen_011.nii.gz"],
    })  # fmt: skip
    return truth


def centroids(labels: NDArray[np.uint8]) -> dict[str, Any]:
    """By organ name: ``centre`` in RAS mm and ``voxels``."""
    axes = GRID.axes()
    found = {}
    for value, word in enumerate(ORGANS[1:], 1):
        places = np.nonzero(labels == value)
        if len(places[0]):
            centre = [round(float(axis[place].mean()), 2) for axis, place in zip(axes, places, strict=True)]
            found[word] = {"centre": centre, "voxels": len(places[0])}
    return found


def save_volume(path: Path, volume: NDArray[Any], order: str, grid: Grid) -> None:
    """Write a volume on the RAS ``grid``, with or without channels, as NIfTI in the voxel ``order``."""
    import nibabel

    nib: Any = nibabel
    ras = nib.Nifti1Image(volume, grid.affine())
    turn = nib.orientations.ornt_transform(nib.io_orientation(ras.affine), nib.orientations.axcodes2ornt(order))
    turned = ras.as_reoriented(turn)
    stored = nib.Nifti1Image(np.ascontiguousarray(turned.dataobj), turned.affine)
    stored.set_data_dtype(volume.dtype)
    stored.header.set_xyzt_units("mm")
    stored.set_qform(turned.affine, 1)
    stored.set_sform(turned.affine, 1)
    save_gzip(path, stored.to_bytes())
