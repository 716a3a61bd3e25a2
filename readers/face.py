"""Finds where the face begins in a volume of a head, from its outline alone: no atlas, no model.

The face is what lies in front of a coronal plane and below an axial one.  Measures are of the head itself: its length
``L`` from forehead to occiput, some 190 mm in adults.  The axial plane lies ``BROW`` L below the vertex, above the eyes
and below the frontal lobes; the coronal one ``DEPTH`` L behind the tip of the nose, behind the eyes and before the
temporal lobes.  Both planes are flat, so that what is left shows no cast of the face.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from readers.pixels.nifti_header import nibabel
from readers.pixels.volume_file import Volume

GRID_MM = 3.0
"""Voxels are looked at on a grid of about so many millimetres."""
BROW, DEPTH, NOSE = 0.5, 0.3, 0.25
"""Parts of L: vertex to brow; tip of the nose to the coronal plane; how far below the brow a face must go on."""
LENGTHS, WIDTHS = (120.0, 260.0), (90.0, 220.0)
"""Millimetres that a head may be long and wide, from a child of one year to a large adult."""
CT_TISSUE = -300.0
"""Hounsfield units above which there is tissue."""
MR_TISSUE = 0.15
"""Of the 99th percentile, above which there is tissue in MR; noise lies below 0.1 of it."""


Plane = tuple[float, float, float, float]
"""``a b c d``; ``a x + b y + c z + d`` is the distance in front of a plane, in millimetres."""


@dataclass(frozen=True, slots=True)
class Face:
    """Where a face lies in RAS millimetres: in front of both planes, which are square to the volume's own axes.

    Heads are scanned tilted; planes square to the patient's axes would then cut brain, or leave a nose.
    """

    front: Plane
    below: Plane

    def holds(self, x: Any, y: Any, z: Any) -> Any:
        """Whether points lie in the face; arrays or numbers."""
        one, two = ((a * x + b * y + c * z + d) > 0 for a, b, c, d in (self.front, self.below))
        return one & two


def find_face(voxels: np.ndarray[Any, Any], affine: np.ndarray[Any, Any], is_ct: bool) -> Face | None:
    """The face of the head in a volume; None where there is no head or its face is not in the volume.

    Args:
        voxels: ``(i, j, k)`` in modality units.
        affine: 4x4, voxel indices to RAS millimetres; its axes may be tilted.
        is_ct: whether the values are Hounsfield units.
    """
    image = nibabel.as_closest_canonical(nibabel.Nifti1Image(voxels.astype(np.float32), affine))
    spacing = [float(np.linalg.norm(image.affine[:3, axis])) for axis in range(3)]
    step = [max(round(GRID_MM / max(size, 1e-6)), 1) for size in spacing]
    values = np.asarray(image.dataobj)[:: step[0], :: step[1], :: step[2]]
    size = [spacing[axis] * step[axis] for axis in range(3)]
    least = CT_TISSUE if is_ct else MR_TISSUE * float(np.percentile(values, 99))
    body = _largest(values > least)
    limits = _limits(body, size) if body.any() else None
    if limits is None:
        return None
    behind, top = limits
    # Millimetres along the volume's own axes, from RAS.
    along = np.linalg.inv(image.affine) * np.array([*spacing, 1.0])[:, None]
    front, below = along[1] - [0, 0, 0, behind], -along[2] + [0, 0, 0, top]
    return Face(_plane(front), _plane(below))


def _plane(row: np.ndarray[Any, Any]) -> Plane:
    # Of a sheared volume the row is no unit vector; its zero is the plane all the same.
    a, b, c, d = (float(value) for value in row / np.linalg.norm(row[:3]))
    return a, b, c, d


def face_of(volume: Volume, is_ct: bool) -> Face | None:
    """`find_face` of a loaded volume, of its first channel."""
    return find_face(volume.channel(0) * volume.slope + volume.intercept, volume.affine, is_ct)


def _limits(body: np.ndarray[Any, Any], size: Sequence[float]) -> tuple[float, float] | None:
    """(coronal, axial) limit in millimetres from the first voxel along y and z."""
    across = body.sum(axis=(0, 1)) * size[0] * size[1]
    levels = np.flatnonzero(across > 1000)  # square millimetres: more than an ear or a tube
    if not levels.size:
        return None
    vertex = int(levels[-1])
    # The middle of the head, where it is widest and longest: 40 to 90 mm below the vertex.
    upper = slice(max(vertex - round(90 / size[2]), 0), max(vertex - round(40 / size[2]), 0) + 1)
    head = np.any(body[:, :, upper], axis=2)
    xs, ys = np.flatnonzero(np.any(head, axis=1)), np.flatnonzero(np.any(head, axis=0))
    if not xs.size or not ys.size:
        return None
    width, length = (xs[-1] - xs[0] + 1) * size[0], (ys[-1] - ys[0] + 1) * size[1]
    if not (LENGTHS[0] <= length <= LENGTHS[1] and WIDTHS[0] <= width <= WIDTHS[1]):
        return None
    brow = vertex - BROW * length / size[2]
    lowest = int(levels[0])
    if brow - NOSE * length / size[2] < lowest:
        return None
    middle = slice(int((xs[0] + xs[-1]) / 2 - 20 / size[0]), int((xs[0] + xs[-1]) / 2 + 20 / size[0]) + 1)
    below = body[middle, :, max(int(brow - 0.35 * length / size[2]), 0) : int(brow)]
    front = np.flatnonzero(below.any(axis=(0, 2)))
    if not front.size:
        return None
    return float((front[-1] + 0.5) * size[1] - DEPTH * length), float(brow * size[2])


def _largest(body: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The largest connected part, so that a head rest or coil is no part of the head."""
    from scipy import ndimage

    labelled, count = ndimage.label(body)
    if count < 2:
        return body
    sizes = np.bincount(labelled.ravel())
    sizes[0] = 0
    return np.asarray(labelled == int(sizes.argmax()))
