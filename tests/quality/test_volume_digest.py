"""Copies of a volume, however they are stored, have one digest; and a copied volume is a duplicate and a leak."""

import gzip
from typing import Any

import nibabel
import numpy as np
import pytest

from quality.volume_digest import volume_digest

VOXELS = np.arange(24, dtype=np.int16).reshape(2, 3, 4)


def nifti(voxels: Any, affine: Any = None, packed: bool = False) -> bytes:
    data = nibabel.Nifti1Image(voxels, np.eye(4) if affine is None else affine).to_bytes()
    return gzip.compress(data) if packed else bytes(data)


def test_packing_voxel_order_and_number_type_do_not_matter() -> None:
    wanted = volume_digest(nifti(VOXELS))
    assert len(wanted) == 32
    assert volume_digest(nifti(VOXELS, packed=True)) == wanted
    assert volume_digest(nifti(VOXELS.astype(np.float32))) == wanted
    assert volume_digest(nifti(VOXELS.astype(">i2"))) == wanted
    # Stored from right to left, as the header says: voxel (0, j, k) lies at x = 1.
    flipped = np.diag([-1.0, 1, 1, 1])
    flipped[0, 3] = 1
    assert volume_digest(nifti(VOXELS[::-1], flipped)) == wanted
    # Stored with the patient's x as its last axis.
    turned = np.array([[0, 0, 1, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1.0]])
    assert volume_digest(nifti(VOXELS.transpose(1, 2, 0), turned)) == wanted


@pytest.mark.parametrize("other", [VOXELS[::-1], VOXELS + 1, VOXELS.reshape(3, 2, 4), VOXELS[:1], VOXELS + 0.5])
def test_other_contents_and_silent_flips_have_other_digests(other: Any) -> None:
    assert volume_digest(nifti(other)) != volume_digest(nifti(VOXELS))


def test_what_cannot_be_read_has_none() -> None:
    assert volume_digest(b"no volume") == ""
    assert volume_digest(nifti(VOXELS)[:100]) == ""
    assert volume_digest(gzip.compress(nifti(VOXELS))[:40]) == ""
