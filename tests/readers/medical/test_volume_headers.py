"""NIfTI and NRRD headers that say something unusual: units, places of the voxels, scaling; nibabel as judge."""

import gzip
import warnings

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from readers.pixels.volume import volume_ref
from readers.pixels.volume_file import read_volume
from readers.volume_bytes import volume_bytes
from schemas.errors import CaseError

TYPES = ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8")


def packed(header, voxels, offset):
    """A single file whose voxels begin at ``offset``, whatever the header says."""
    return header.binaryblock.ljust(offset, b"\0") + voxels.astype(header.get_data_dtype()).tobytes(order="F")


def header_of(kind, voxels, offset, order="<", dtype=None):
    header = kind.header_class(endianness=order)
    header.set_data_dtype(dtype or voxels.dtype)
    header.set_data_shape(voxels.shape)
    header["magic"] = b"n+2\0\r\n\x1a\n" if kind is nib.Nifti2Image else b"n+1\0"
    header["vox_offset"] = offset
    return header


@pytest.mark.parametrize(("unit", "millimetres"), [("meter", 1000), ("mm", 1), ("micron", 0.001), ("unknown", 1)])
def test_lengths_are_in_the_unit_of_the_header(tmp_path, source, unit, millimetres):
    image = nib.Nifti1Image(np.zeros((4, 3, 2), np.uint8), np.diag([-0.5, 0.25, 2, 1]))
    image.header.set_xyzt_units(unit)
    nib.save(image, tmp_path / "a.nii")
    volume = read_volume(source, "a.nii")
    assert volume.spacing == pytest.approx((0.5 * millimetres, 0.25 * millimetres, 2 * millimetres))
    assert volume.orientation == "LAS"
    assert [finding.code for finding in volume.findings] == ([] if millimetres == 1 else ["length_unit"])


@pytest.mark.parametrize(("unit", "millimetres"), [("mm", 1), ("cm", 10), ("um", 0.001), ("\N{MICRO SIGN}m", 0.001)])
def test_lengths_of_nrrd_are_in_the_unit_of_the_header(tmp_path, source, unit, millimetres):
    header = (
        "NRRD0004\ntype: uchar\ndimension: 3\nspace: left-posterior-superior\nsizes: 4 3 2\nencoding: raw\n"
        f'space units: "{unit}" "{unit}" "{unit}"\nspace directions: (0.5,0,0) (0,0.25,0) (0,0,2)\n\n'
    )
    (tmp_path / "a.nrrd").write_bytes(header.encode() + bytes(24))
    volume = read_volume(source, "a.nrrd")
    assert volume.spacing == pytest.approx((0.5 * millimetres, 0.25 * millimetres, 2 * millimetres))


@pytest.mark.parametrize(("kind", "offset"), [(nib.Nifti1Image, 0), (nib.Nifti1Image, 100), (nib.Nifti2Image, 352)])
def test_voxels_that_begin_inside_the_header_are_not_read(tmp_path, source, kind, offset):
    voxels = np.arange(24, dtype=np.uint8).reshape(4, 3, 2)
    (tmp_path / "a.nii").write_bytes(packed(header_of(kind, voxels, offset), voxels, 544))
    with pytest.raises(CaseError) as caught:
        read_volume(source, "a.nii")
    assert caught.value.code == "corrupt_volume"


def test_a_slope_without_an_intercept_is_not_guessed(tmp_path, source):
    voxels = np.zeros((4, 3, 2), np.uint8)
    header = header_of(nib.Nifti1Image, voxels, 352)
    header["scl_slope"], header["scl_inter"] = 2, np.nan
    (tmp_path / "a.nii").write_bytes(packed(header, voxels, 352))
    with pytest.raises(CaseError) as caught:
        read_volume(source, "a.nii")
    assert caught.value.code == "corrupt_volume"


def test_a_file_that_changed_is_read_anew(tmp_path, source):
    from readers.pixels.volume_file import load_volume

    for value in (1, 2):
        voxels = np.full((4, 3, 2), value, np.uint8)
        (tmp_path / "a.nii").write_bytes(packed(header_of(nib.Nifti1Image, voxels, 352), voxels, 352))
        assert load_volume(source, "a.nii").voxels.max() == value


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from((nib.Nifti1Image, nib.Nifti2Image)),
    order=st.sampled_from("<>"),
    dtype=st.sampled_from(TYPES),
    shape=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    scaling=st.sampled_from(((1, 0), (2, 5), (0, 5), (np.nan, 5), (np.inf, 0), (-1.5, 3))),
    forms=st.tuples(st.sampled_from((0, 1, 2)), st.sampled_from((0, 1, 2))),
    numbers=st.lists(st.floats(-40, 40, width=32), min_size=12, max_size=12),
    more=st.integers(0, 64),
    zipped=st.booleans(),
    seed=st.integers(0, 99),
)
def test_every_header_means_what_nibabel_makes_of_it(
    tmp_path, source, kind, order, dtype, shape, scaling, forms, numbers, more, zipped, seed
):
    voxels = np.random.default_rng(seed).integers(0, 120, shape).astype(dtype)
    offset = (544 if kind is nib.Nifti2Image else 352) + more
    header = header_of(kind, voxels, offset, order)
    header["scl_slope"], header["scl_inter"] = scaling
    header["srow_x"], header["srow_y"], header["srow_z"] = np.reshape(numbers, (3, 4))
    header["quatern_b"], header["quatern_c"] = numbers[0] / 80, numbers[1] / 80
    header["pixdim"][:4] = (-1 if seed % 2 else 1, 1.5, 2, 2.5)
    header["sform_code"], header["qform_code"] = forms
    data = packed(header, voxels, offset)
    (tmp_path / "a.nii").write_bytes(gzip.compress(data, 1) if zipped else data)
    volume = read_volume(source, "a.nii")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = nib.Nifti1Image.from_bytes(data) if kind is nib.Nifti1Image else nib.Nifti2Image.from_bytes(data)
        wanted = np.asarray(image.get_fdata())
    wanted = wanted.reshape([*wanted.shape, 1, 1][: max(wanted.ndim, 3)])
    wanted = wanted[..., 0] if wanted.ndim == 4 and wanted.shape[3] == 1 else wanted
    assert volume.voxels.shape == wanted.shape
    assert np.allclose(volume.voxels * np.float64(volume.slope) + volume.intercept, wanted)
    if "bad_geometry" not in [finding.code for finding in volume.findings]:
        assert np.allclose(volume.affine, image.affine)
    assert volume_bytes(source, volume_ref(volume)).data
