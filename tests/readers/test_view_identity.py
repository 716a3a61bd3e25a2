"""View to source to view is the identity, for every kind of view, whatever its geometry."""

import itertools
import math

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nibabel.orientations import axcodes2ornt, inv_ornt_aff, ornt_transform
from pydicom.dataset import Dataset

from readers.pixels.cache import FileDigest
from readers.pixels.dicom_view import dicom_view
from readers.pixels.layout import oriented
from readers.pixels.orientation import AXES
from readers.pixels.volume import slice_axis, slice_view
from readers.pixels.volume_file import Volume
from readers.pixels.window import Window
from schemas.view import View

SIDES = st.integers(1, 700)
FRACTION = st.floats(0, 1)
HALF = 0.5
"""Of a pixel, which is asked for; it is exact but for rounding."""


def returns(view: View, across: float, down: float) -> None:
    x, y = across * view.width, down * view.height
    back = view.to_view(*view.to_source(x, y))
    assert math.dist(back, (x, y)) < 1e-6 < HALF
    u, v = view.to_source(x, y)
    again = view.to_source(*view.to_view(u, v))
    assert math.dist(again, (u, v)) < 1e-6 < HALF


@given(
    orientation=st.integers(1, 8), width=SIDES, height=SIDES, cut=st.tuples(FRACTION, FRACTION, FRACTION, FRACTION),
    size=st.tuples(SIDES, SIDES), across=FRACTION, down=FRACTION,
)  # fmt: skip
def test_rasters_turned_by_exif_cut_and_scaled(orientation, width, height, cut, size, across, down):
    matrix, wide, high = oriented(orientation, width, height)
    upright = View(width, height, wide, high, matrix=matrix)
    # The corners of the stored raster are the corners of the picture.
    assert upright.box_to_view((0, 0, width, height)) == (0, 0, wide, high)
    left, top = (min(int(part * side), side - 1) for part, side in zip(cut[:2], (wide, high), strict=True))
    right = left + max(int(cut[2] * (wide - left)), 1)
    bottom = top + max(int(cut[3] * (high - top)), 1)
    for view in (upright, upright.cropped((left, top, right, bottom)).resized(*size)):
        returns(view, across, down)


@st.composite
def headers(draw) -> Dataset:
    """A slice lying anyhow in the patient."""
    turn = np.linalg.qr(np.array(draw(st.lists(st.floats(-1, 1), min_size=9, max_size=9))).reshape(3, 3) + np.eye(3))[0]
    header = Dataset()
    header.Rows, header.Columns, header.Modality = draw(SIDES), draw(SIDES), "CT"
    header.ImageOrientationPatient = [round(float(part), 6) for part in (*turn[0], *turn[1])]
    header.ImagePositionPatient = [draw(st.integers(-500, 500)) for _ in range(3)]
    header.PixelSpacing = [draw(st.sampled_from((0.3, 0.5, 1.0, 2.5))), draw(st.sampled_from((0.3, 0.5, 1.0, 2.5)))]
    return header


def in_patient(header: Dataset, view: View, x: float, y: float) -> np.ndarray:
    """Millimetres of a view point; DICOM's position is the centre of the first pixel (PS3.3 C.7.6.2.1.1)."""
    u, v = view.to_source(x, y)
    along, across = (
        np.array(header.ImageOrientationPatient[:3], float),
        np.array(header.ImageOrientationPatient[3:], float),
    )
    down, right = (float(value) for value in header.PixelSpacing)
    return np.array(header.ImagePositionPatient, float) + along * (u - 0.5) * right + across * (v - 0.5) * down


@settings(deadline=None)
@given(header=headers(), across=FRACTION, down=FRACTION)
def test_dicom_slices_of_any_orientation(header, across, down):
    view = dicom_view(header)
    returns(view, across, down)
    x, y = across * view.width, down * view.height
    steps = in_patient(header, view, x + 1, y), in_patient(header, view, x, y + 1)
    for letter, step, spacing in zip(view.orientation, steps, view.spacing, strict=True):
        moved = step - in_patient(header, view, x, y)
        # A step on the picture goes the way that its letter says, and as far as its spacing says.
        assert moved @ np.array(AXES[letter]) >= -1e-6
        assert np.linalg.norm(moved) == pytest.approx(spacing, rel=1e-3)


ORDERS = [
    "".join(letters) for axes in itertools.permutations(("RL", "AP", "SI")) for letters in itertools.product(*axes)
]
LETTERS = {"axial": "LP", "coronal": "LI", "sagittal": "PI"}


def on_patient(volume: Volume, view: View, x: float, y: float) -> np.ndarray:
    """RAS+ millimetres of a view point; NIfTI's affine takes the centre of voxel 0 as index 0."""
    u, v = view.to_source(x, y)
    index = np.insert(np.array([u - 0.5, v - 0.5]), view.axis, view.index)
    return np.asarray(volume.affine[:3, :3] @ index + volume.affine[:3, 3])


@pytest.mark.parametrize("order", ORDERS)
@settings(max_examples=8, deadline=None)
@given(
    size=st.tuples(*[st.integers(1, 9)] * 3), spacing=st.tuples(*[st.floats(0.4, 6)] * 3),
    origin=st.tuples(*[st.floats(-300, 300)] * 3), across=FRACTION, down=FRACTION, depth=FRACTION,
)  # fmt: skip
def test_slices_of_volumes_in_all_48_voxel_orders(order, size, spacing, origin, across, down, depth):
    way = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(order))
    plain = np.diag([*spacing, 1.0])
    plain[:3, 3] = origin
    affine = plain @ inv_ornt_aff(way, size)
    stored = nib.apply_orientation(np.zeros(size, np.uint8), way)
    assert "".join(nib.aff2axcodes(affine)) == order
    volume = Volume("a", stored, 1, 0, affine, True, FileDigest(b""))
    for plane, letters in LETTERS.items():
        axis = slice_axis(volume, plane)
        index = min(int(depth * stored.shape[axis]), stored.shape[axis] - 1)
        view = slice_view(volume, axis, index, Window("range", 500, 1000))
        returns(view, across, down)
        assert view.orientation == letters
        # The corners of the picture are the corners of the stored plane.
        assert view.box_to_source((0, 0, view.width, view.height)) == pytest.approx(
            (0, 0, view.source_width, view.source_height), abs=1e-6
        )
        x, y = across * view.width, down * view.height
        start = on_patient(volume, view, x, y)
        for letter, (dx, dy), length in zip(letters, ((1, 0), (0, 1)), view.spacing, strict=True):
            moved = on_patient(volume, view, x + dx, y + dy) - start
            # AXES is LPS+, the affine RAS+.
            assert moved * (-1, -1, 1) == pytest.approx(np.array(AXES[letter]) * length, rel=1e-3, abs=1e-6)
