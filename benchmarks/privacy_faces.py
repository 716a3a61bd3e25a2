"""What defacing leaves of a real head, beside pydeface: figures, and a picture to be looked at.

    python -m benchmarks.privacy_faces FOLDER faces.png

``FOLDER`` holds ``mean_reg2mean.nii.gz``, the mean T1 of real heads, and ``facemask.nii.gz``, what pydeface keeps of
it: the folder ``pydeface/data`` of that package (2.1.0, MIT), which is no dependency of this one.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from readers.face import MR_TISSUE, find_face
from readers.pixels.nifti_header import nibabel

Array = np.ndarray[Any, Any]


def main(folder: Path, picture: Path) -> None:
    """Print shares of tissue, and save the head from in front: whole, without its face, and as pydeface leaves it."""
    head: Any = nibabel.load(folder / "mean_reg2mean.nii.gz")
    voxels = np.asarray(head.dataobj, dtype=np.float32)
    theirs = np.asarray(nibabel.load(folder / "facemask.nii.gz").dataobj) < 0.5
    face = find_face(voxels, head.affine, is_ct=False)
    assert face is not None
    index = np.indices(voxels.shape).reshape(3, -1)
    ours = face.holds(*(head.affine[:3, :3] @ index + head.affine[:3, 3:])).reshape(voxels.shape)
    tissue = voxels > MR_TISSUE * np.percentile(voxels, 99)
    both = (ours & theirs & tissue).sum()
    print(f"of the tissue that pydeface cuts off, ours does {both / (theirs & tissue).sum():.2f}; "
          f"of what ours cuts off, pydeface does {both / (ours & tissue).sum():.2f}")  # fmt: skip
    shown = [_front(tissue & ~gone) for gone in (np.zeros_like(ours), ours, theirs)]
    Image.fromarray(np.hstack(shown)).save(picture)


def _front(tissue: Array) -> Array:
    """Tissue as it is seen from in front, shaded by the slope of its surface."""
    depth = np.where(tissue.any(1), tissue.shape[1] - 1 - np.argmax(tissue[:, ::-1], 1), 0).astype(np.float32)
    across, down = np.gradient(depth)
    light = (0.3 + 0.7 / np.sqrt(1 + across**2 + down**2)) * (0.4 + 0.6 * depth / tissue.shape[1]) * (depth > 0)
    return np.ascontiguousarray((light * 255).astype(np.uint8).T[::-1])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
