"""What labels measure in space, worked out by hand, in voxel orders of all kinds; and what happens to misfits."""

import json

import nibabel as nib
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, inv_ornt_aff, ornt_transform

from readers.base import Item, open_reader
from readers.pixels.volume_file import load_volume
from readers.volume_resample import nearest
from schemas.errors import CaseError

SHAPE = (20, 10, 8)
SPACING = (2.0, 3.0, 5.0)
ORDERS = ["RAS", "LAS", "LPS", "PSR", "RSA", "LPI", "IRA", "SPL"]


def labels() -> np.ndarray:
    """In RAS order: liver (1) at the patient's right, spleen (2) at the left, tumours (3) in the liver: two pieces."""
    voxels = np.zeros(SHAPE, np.uint8)
    voxels[12:18, 4:9, 3:7] = 1
    voxels[2:5, 1:4, 5:7] = 2
    voxels[13:15, 5:7, 3:5] = 3
    voxels[17, 8, 6] = 3
    return voxels


def in_order(voxels, order):
    affine = np.diag([*SPACING, 1.0])
    way = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(order))
    return nib.apply_orientation(voxels, way), affine @ inv_ornt_aff(way, voxels.shape)


@pytest.fixture
def task(make_nifti, make_spec, tmp_path):
    """Reads the only case of a decathlon task."""

    def read(image, label, image_affine=None, label_affine=None, options=None):
        make_nifti("imagesTr/a.nii.gz", image, image_affine)
        make_nifti("labelsTr/a.nii.gz", label, image_affine if label_affine is None else label_affine)
        entry = {"image": "./imagesTr/a.nii.gz", "label": "./labelsTr/a.nii.gz"}
        described = {"labels": {"0": "background", "1": "liver", "2": "spleen", "3": "tumour"}, "training": [entry]}
        (tmp_path / "dataset.json").write_text(json.dumps(described))
        mapped = {"liver": "liver", "spleen": "spleen", "tumour": "liver tumor"}
        spec = make_spec("decathlon", options or {}, labels=mapped, ignore_labels=["background"])
        reader = open_reader(spec)
        (item,) = reader.items()
        return reader.read(Item(item.key, json.loads(json.dumps(item.data))))

    return read


@pytest.mark.parametrize("order", ORDERS)
def test_measures_are_those_of_the_patient_in_every_voxel_order(task, order):
    stored, affine = in_order(labels(), order)
    case = task(np.zeros(stored.shape, np.int16), stored, affine)
    liver, spleen, tumor = case.volume_regions
    assert [region.label for region in case.volume_regions] == ["liver", "spleen", "liver tumor"]
    # Spleen: x 2..5 of 20, y 1..4 of 10, z 5..7 of 8; 3 x 3 x 2 voxels of 2 x 3 x 5 mm.
    assert spleen.extent.place == pytest.approx((0.1, 0.1, 0.625, 0.25, 0.4, 0.875))
    assert spleen.extent.centre == pytest.approx((0.175, 0.25, 0.75))
    assert (spleen.extent.voxels, spleen.extent.size_mm) == (18, (6, 9, 10))
    assert spleen.extent.millilitres == pytest.approx(18 * 30 / 1000)
    assert (spleen.extent.side, liver.extent.side, spleen.extent.cut_off) == ("left", "right", False)
    # The liver lost 2 x 2 x 2 voxels and one to the tumours.
    assert liver.extent.voxels == 6 * 5 * 4 - 9 and liver.pieces == ()
    assert sorted(piece.voxels for piece in tumor.pieces) == [1, 8]
    small = min(tumor.pieces, key=lambda piece: piece.voxels)
    assert small.place == pytest.approx((0.85, 0.8, 0.75, 0.9, 0.9, 0.875))
    assert (tumor.files, tumor.values) == (("labelsTr/a.nii.gz",), (3,))


@pytest.mark.parametrize("order", ORDERS)
def test_the_voxel_box_and_the_largest_slices_are_in_stored_voxels(task, order):
    stored, affine = in_order(labels(), order)
    case = task(np.zeros(stored.shape, np.int16), stored, affine)
    for region, value in zip(case.volume_regions, (1, 2, 3), strict=True):
        mine = stored == value
        i0, j0, k0, i1, j1, k1 = (int(edge) for edge in region.extent.box)
        assert mine[i0:i1, j0:j1, k0:k1].sum() == mine.sum() == region.extent.voxels
        for axis in range(3):
            counts = mine.sum(axis=tuple(other for other in range(3) if other != axis))
            assert region.largest[axis] == int(np.argmax(counts))


def test_a_volume_whose_header_is_no_geometry_measures_no_millimetres(make_nifti, source):
    from readers.volume_measure import Grid

    image = nib.Nifti1Image(labels(), np.eye(4))
    image.header["srow_x"], image.header["sform_code"], image.header["qform_code"] = (np.nan, 0, 0, 0), 2, 0
    image.header["vox_offset"], image.header["magic"] = 352, b"n+1"
    data = image.header.binaryblock + b"\0" * 4 + labels().tobytes(order="F")
    from pathlib import Path

    Path(source.root, "a.nii").write_bytes(data)
    grid = Grid.of(load_volume(source, "a.nii"))
    assert (grid.spacing, grid.voxel_ml) == ((0, 0, 0), 0)
    assert grid.extent((0, 0, 0, 1, 1, 1), (0.5, 0.5, 0.5), 1).millilitres == 0


# Misfits of image and label


def shifted(by: float) -> np.ndarray:
    affine = np.diag([*SPACING, 1.0])
    affine[0, 3] = by
    return affine


PLAIN = np.diag([*SPACING, 1.0])


def test_a_shifted_label_is_laid_voxel_on_voxel_and_flagged_or_resampled_or_refused(task):
    image = np.zeros(SHAPE, np.int16)
    # The label's first voxel lies 4 mm, two voxels, farther to the right.
    case = task(image, labels(), PLAIN, shifted(4.0))
    assert [finding.code for finding in case.findings] == ["label_shifted"]
    assert case.volume_regions[1].extent.box == (2, 1, 5, 5, 4, 7)
    case = task(image, labels(), PLAIN, shifted(4.0), {"mismatch": "nearest"})
    assert [finding.code for finding in case.findings] == ["label_resampled"]
    assert case.volume_regions[1].extent.box == (4, 1, 5, 7, 4, 7)
    with pytest.raises(CaseError) as caught:
        task(image, labels(), PLAIN, shifted(4.0), {"mismatch": "refuse"})
    assert (caught.value.code, caught.value.status) == ("label_shifted", "quarantined")


def test_a_label_of_another_shape_is_quarantined_unless_resampling_is_allowed(task):
    image = np.zeros(SHAPE, np.int16)
    # Half the resolution along x: voxels of 4 mm whose centres lie 1 mm to the right of their first half.
    coarse = labels()[::2]
    affine = np.diag([4.0, 3.0, 5.0, 1.0])
    affine[0, 3] = 1.0
    with pytest.raises(CaseError) as caught:
        task(image, coarse, PLAIN, affine)
    assert (caught.value.code, caught.value.status) == ("mask_shape", "quarantined")
    case = task(image, coarse, PLAIN, affine, {"mismatch": "nearest"})
    spleen = case.volume_regions[1]
    # Coarse voxels 1 and 2 (fine 2 and 4 were sampled) become fine 2..5.
    assert spleen.extent.box == (2, 1, 5, 6, 4, 7)
    assert {region.label for region in case.volume_regions} == {"liver", "spleen", "liver tumor"}


def test_the_nearest_voxel_is_taken_and_no_value_is_mixed(make_nifti, source):
    make_nifti("image.nii", np.zeros((6, 4, 2), np.int16), np.eye(4))
    image = load_volume(source, "image.nii")
    values = np.zeros((3, 4, 2), np.uint8)
    values[1] = 7
    # Voxels of 2 mm along x, the first centre at 0.5 mm: voxel 1 covers x = 1.5 .. 3.5, so centres 2 and 3.
    affine = np.diag([2.0, 1, 1, 1])
    affine[0, 3] = 0.5
    found = nearest(values, affine, image)
    assert found[:, 0, 0].tolist() == [0, 0, 7, 7, 0, 0]
    assert set(np.unique(found)) == {0, 7}


def test_an_oblique_image_and_its_label_fit(task):
    angle = np.deg2rad(20)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    case = task(np.zeros(SHAPE, np.int16), labels(), turn @ PLAIN)
    assert case.findings == ()
    assert (case.volumes[0].orientation, case.volumes[0].tilt) == ("RAS", 20.0)
    assert case.volume_regions[1].extent.size_mm == pytest.approx((6, 9, 10))
    assert case.volume_regions[1].extent.millilitres == pytest.approx(18 * 30 / 1000)


# Headers that contradict themselves


def header_of(source, **fields):
    from pathlib import Path

    image = nib.Nifti1Image(labels(), PLAIN)
    image.set_qform(PLAIN, 1)
    image.set_sform(fields.pop("sform", PLAIN), 1)
    for name, value in fields.items():
        image.header[name] = value
    image.header["vox_offset"], image.header["magic"] = 352, b"n+1"
    data = image.header.binaryblock + b"\0" * 4 + labels().tobytes(order="F")
    Path(source.root, "a.nii").write_bytes(data)
    return load_volume(source, "a.nii")


def test_forms_that_disagree_on_the_sides_refuse_the_case(source):
    mirrored = PLAIN.copy()
    mirrored[0, 0] = -2.0
    volume = header_of(source, sform=mirrored)
    assert [(f.code, f.severity) for f in volume.findings] == [("sides_disagree", "refuse")]
    assert "LAS and RAS" in volume.findings[0].detail


def test_a_template_form_that_is_merely_turned_is_taken(source):
    angle = np.deg2rad(10)
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    volume = header_of(source, sform=turn @ PLAIN)
    assert volume.findings == () and volume.tilt == pytest.approx(10, abs=1e-3)


def test_voxel_sizes_that_disagree_are_flagged(source):
    volume = header_of(source, sform=np.diag([2.0, 3.0, 6.0, 1.0]))
    assert [f.code for f in volume.findings] == ["spacing_disagrees"]
    assert volume.spacing == (2, 3, 6)


def test_negative_voxel_sizes_mirror_nothing(source):
    volume = header_of(source, pixdim=[1, -2, -3, -5, 1, 1, 1, 1], qform_code=0)
    assert (volume.orientation, volume.spacing, volume.findings) == ("RAS", (2, 3, 5), ())
