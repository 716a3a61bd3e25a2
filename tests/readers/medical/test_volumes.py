"""Volumes: canonical orientation, scaling, slices, label volumes, oddities."""

import gzip
import io
import itertools
import json

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nibabel.orientations import axcodes2ornt, inv_ornt_aff, ornt_transform
from PIL import Image

from readers.base import Item, Refusal, open_reader
from readers.pixels.volume import load_volume, render_volume, slice_axis, slice_view, volume_refs
from readers.pixels.window import Window
from readers.source import Source
from schemas.case import ImageRef
from schemas.errors import CaseError, UserError
from schemas.masks import place
from schemas.view import View

SHAPE = (12, 10, 8)
MARKER = (2, 8, 6)
"""In RAS order: left, anterior and superior in the patient."""
SPACING = (2.0, 2.0, 2.0)
ORDERS = ["".join(codes) for codes in itertools.product("RL", "AP", "SI")]
TURNED = ["RAS", "LAS", "LPS", "PSR", "RSA", "LPI", "SPL", "IRA"]
# Voxel axes point right, anterior, superior, so i = 2 of 12 lies in the patient's left half.
# Axial (LP): x counts towards the left from the right side: 11 - 2 = 9; y from the front: 9 - 8 = 1.
# Coronal (LI): x = 9, y from the top: 7 - 6 = 1.  Sagittal (PI): x from the front: 1, y = 1.
PLACES = {"axial": ("LP", (9, 1), (12, 10)), "coronal": ("LI", (9, 1), (12, 8)), "sagittal": ("PI", (1, 1), (10, 8))}


def phantom() -> np.ndarray:
    voxels = np.zeros(SHAPE, np.int16)
    voxels[MARKER] = 1000
    return voxels


def in_order(voxels: np.ndarray, order: str) -> tuple[np.ndarray, np.ndarray]:
    """The RAS voxels stored in another order, with the affine that says so."""
    affine = np.diag([*SPACING, 1.0])
    affine[:3, 3] = (-11, -9, -7)
    way = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(order))
    return nib.apply_orientation(voxels, way), affine @ inv_ornt_aff(way, voxels.shape)


def shown(source: Source, ref: ImageRef) -> np.ndarray:
    with Image.open(io.BytesIO(render_volume(source, ref).data)) as picture:
        return np.asarray(picture)


def ref_of(name: str, view: View) -> ImageRef:
    return ImageRef((name,), "application/x-nifti+gzip", view)


RANGE = Window("range", 500, 1000)


@pytest.mark.parametrize("plane", PLACES)
@pytest.mark.parametrize("order", TURNED)
def test_the_marker_is_shown_at_its_place_whatever_the_voxel_order(make_nifti, source, order, plane):
    stored, affine = in_order(phantom(), order)
    make_nifti("a.nii.gz", stored, affine)
    volume = load_volume(source, "a.nii.gz")
    assert volume.orientation == order
    at = [int(index) for index in np.argwhere(volume.voxels == 1000)[0]]
    axis = slice_axis(volume, plane)
    view = slice_view(volume, axis, at[axis], RANGE)
    letters, (x, y), size = PLACES[plane]
    assert (view.orientation, (view.width, view.height), view.spacing) == (letters, size, (2, 2))
    assert np.argwhere(shown(source, ref_of("a.nii.gz", view)) == 255).tolist() == [[y, x]]
    u, v = (at[other] + 0.5 for other in range(3) if other != axis)
    assert view.to_view(u, v) == (x + 0.5, y + 0.5)


def test_every_voxel_order_gives_the_same_pictures(make_nifti, source):
    voxels = np.random.default_rng(3).integers(0, 1000, SHAPE).astype(np.int16)
    pictures = []
    for order in TURNED:
        make_nifti(f"{order}.nii.gz", *in_order(voxels, order))
        refs, findings = volume_refs(source, f"{order}.nii.gz")
        pictures.append([shown(source, ref).tolist() for ref in refs])
        assert findings == ()
    assert len(pictures[0]) == 3 and all(other == pictures[0] for other in pictures)


def test_coronal_slices_of_thick_stacks_are_stretched_to_square_pixels(make_nifti, source):
    make_nifti("a.nii.gz", phantom(), np.diag([1.0, 1.0, 5.0, 1.0]))
    volume = load_volume(source, "a.nii.gz")
    view = slice_view(volume, slice_axis(volume, "coronal"), 0, RANGE)
    assert (view.width, view.height, view.spacing) == (12, 40, (1, 1))


def test_scaling_of_the_header_is_applied_and_recorded(tmp_path, source):
    image = nib.Nifti1Image(np.full(SHAPE, 300, np.int16), np.eye(4))
    image.header.set_slope_inter(0.5, -100)
    image.to_filename(tmp_path / "a.nii")
    volume = load_volume(source, "a.nii")
    assert (volume.voxels[0, 0, 0], volume.slope, volume.intercept) == (300, 0.5, -100)
    # 0.5 * 300 - 100 = 50; in the window 0..100 that is 127.5
    view = slice_view(volume, 2, 0, Window("range", 50, 100))
    assert (view.slope, view.intercept) == (0.5, -100)
    assert shown(source, ref_of("a.nii", view))[0, 0] in (127, 128)


def test_volumes_are_read_by_content(make_nifti, source, tmp_path):
    make_nifti("a.nii", phantom())
    (tmp_path / "b.nii.gz").write_bytes((tmp_path / "a.nii").read_bytes())
    (tmp_path / "c.nii").write_bytes(gzip.compress((tmp_path / "a.nii").read_bytes()))
    assert all((load_volume(source, name).voxels == phantom()).all() for name in ("a.nii", "b.nii.gz", "c.nii"))


def test_big_endian_and_nifti_two(tmp_path, source):
    nib.Nifti1Image(phantom().astype(">i2"), np.eye(4), nib.Nifti1Header(endianness=">")).to_filename(
        tmp_path / "a.nii"
    )
    nib.Nifti2Image(phantom(), np.eye(4)).to_filename(tmp_path / "b.nii.gz")
    assert all((load_volume(source, name).voxels == phantom()).all() for name in ("a.nii", "b.nii.gz"))


def test_broken_volumes_are_refused_with_their_reason(make_nifti, source, tmp_path):
    make_nifti("a.nii", phantom())
    whole = (tmp_path / "a.nii").read_bytes()
    packed = gzip.compress(whole)
    files = {
        "cut.nii": (whole[:1000], "truncated_volume"),
        "cut.nii.gz": (packed[: len(packed) // 2], "truncated_volume"),
        "bent.nii.gz": (packed[:40] + b"\xff" * 9 + packed[49:], "corrupt_volume"),
        "dims.nii": (whole[:42] + b"\xff\xff" + whole[44:], "corrupt_volume"),
        "huge.nii": (whole[:42] + b"\xff\x7f\xff\x7f\xff\x7f" + whole[48:], "volume_too_large"),
        "text.nii": (b"not a volume", "not_a_volume"),
    }
    found = {}
    for name, (data, _) in files.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(CaseError) as caught:
            load_volume(source, name)
        found[name] = caught.value.code
    assert found == {name: code for name, (_, code) in files.items()}


def test_an_affine_that_is_none_leaves_the_sides_unknown(make_nifti, source):
    for name, bad in (("nan", np.nan), ("zero", 0.0)):
        affine = np.eye(4)
        affine[0, 0] = bad
        image = nib.Nifti1Image(phantom(), np.eye(4))
        image.header["srow_x"] = affine[0]
        image.header["sform_code"] = 2
        image.header["qform_code"] = 0
        image.header["vox_offset"], image.header["magic"] = 352, b"n+1"
        from pathlib import Path

        data = image.header.binaryblock + b"\0" * 4 + phantom().tobytes(order="F")
        Path(source.root, f"{name}.nii").write_bytes(data)
        volume = load_volume(source, f"{name}.nii")
        assert (volume.orientation, [f.code for f in volume.findings][:1]) == ("", ["bad_geometry"])
        assert slice_view(volume, 2, 0, RANGE).orientation == ""


# Decathlon


@pytest.fixture
def make_task(make_nifti, make_spec, tmp_path):
    """A decathlon task of one volume; returns its reader."""

    def make(voxels, label, options=None, image_affine=None, label_affine=None, labels=None, **fields):
        make_nifti("imagesTr/a_001.nii.gz", voxels, image_affine)
        make_nifti("labelsTr/a_001.nii.gz", label, label_affine if label_affine is not None else image_affine)
        entry = {"image": "./imagesTr/a_001.nii.gz", "label": "./labelsTr/a_001.nii.gz"}
        described = {"labels": labels or {"0": "background", "1": "liver", "2": "tumour"}, "training": [entry]}
        (tmp_path / "dataset.json").write_text(json.dumps(described))
        mapped = {"liver": "liver", "tumour": "liver tumor"}
        return open_reader(make_spec("decathlon", options, labels=mapped, ignore_labels=["background"], **fields))

    return make


def only(reader):
    (item,) = reader.items()
    return reader.read(Item(item.key, json.loads(json.dumps(item.data))))


def two_masses() -> np.ndarray:
    label = np.zeros(SHAPE, np.uint8)
    label[1:6, 2:7, 3] = 1
    label[2, 3, 3] = 2
    label[9, 9, 3] = 2
    return label


def test_regions_are_the_masks_of_the_slice(make_task):
    case = only(make_task(phantom(), two_masses(), {"slices": {"policy": "largest_region"}}))
    assert (case.key, case.split, case.volumes[0].orientation) == ("a_001", "train", "RAS")
    (ref,) = case.images
    assert (ref.view.axis, ref.view.index) == (2, 3)
    found = [(r.label, r.original, r.box, r.area, r.instance) for r in case.regions]
    assert found == [("liver", "liver", (1, 2, 6, 7), 24, "1"), ("liver tumor", "tumour", (2, 3, 10, 10), 2, "2")]
    # In the picture (x = 12 - u, y = 10 - v) the liver reaches from 6 to 11 and from 3 to 8.
    assert place(case.regions[0], ref.view).box == pytest.approx((6 / 12, 3 / 10, 11 / 12, 8 / 10))


def test_separate_parts_can_be_instances(make_task):
    case = only(make_task(phantom(), two_masses(), {"slices": {"policy": "largest_region"}, "instances": "component"}))
    assert [r.box for r in case.regions if r.label == "liver tumor"] == [(2, 3, 3, 4), (9, 9, 10, 10)]


@pytest.mark.parametrize("order", TURNED)
def test_regions_lie_on_the_anatomy_in_every_order(make_task, order, source):
    voxels = np.zeros(SHAPE, np.int16)
    label = two_masses()
    voxels[label > 0] = 1000
    stored, affine = in_order(voxels, order)
    marks, _ = in_order(label, order)
    options = {
        "planes": ["axial", "coronal", "sagittal"],
        "slices": {"policy": "largest_region"},
        "window": [500, 1001],
    }
    case = only(make_task(stored, marks, options, affine))
    assert [ref.view.orientation for ref in case.images] == ["LP", "LI", "PI"]
    for index, ref in enumerate(case.images):
        picture = shown(source, ref)
        drawn = np.zeros(picture.shape, bool)
        for region in case.regions:
            if region.image_index == index:
                from schemas.masks import view_mask

                drawn |= view_mask(region, ref.view)
        assert (drawn == (picture == 255)).all() and drawn.any()


def test_a_label_in_another_voxel_order_is_turned_to_its_image(make_task):
    stored, affine = in_order(phantom(), "RAS")
    label, turned = in_order(two_masses(), "PSR")
    case = only(make_task(stored, label, {"slices": {"policy": "largest_region"}}, affine, turned))
    assert [f.code for f in case.findings] == ["label_reoriented"]
    assert case.regions[0].box == (1, 2, 6, 7)


def test_ct_gets_a_preset_and_mr_percentiles(make_task, make_spec):
    case = only(make_task(phantom(), two_masses()))
    assert (case.images[0].view.window, case.images[0].view.window_center) == ("range", 50)
    voxels = np.arange(960, dtype=np.int16).reshape(SHAPE)
    case = only(make_task(voxels, two_masses(), modality="MRI", name="other"))
    view = case.images[0].view
    # Of 1..959: 1 + 0.005 * 958 = 5.79 and 954.21.
    assert view.window == "percentile" and view.window_center == pytest.approx(480)
    assert view.window_width == pytest.approx(954.21 - 5.79)


def test_channels_are_channels(make_task):
    voxels = np.stack([phantom(), phantom() + 5, phantom() + 7], axis=-1)
    case = only(make_task(voxels, two_masses(), {"channel": 2}))
    assert {ref.view.frame for ref in case.images} == {2}
    with pytest.raises(CaseError) as caught:
        only(make_task(voxels, two_masses(), {"channel": 3}))
    assert caught.value.code == "missing_channel"


def test_a_label_of_the_file_that_the_spec_does_not_map_stops_the_run(make_task):
    with pytest.raises(UserError, match="did you mean 'tumour'"):
        only(make_task(phantom(), two_masses(), labels={"1": "liver", "2": "tumor"}))


def test_nnunet_two_lists_nothing(make_nifti, make_spec, tmp_path):
    for channel in (0, 1):
        make_nifti(f"imagesTr/c_1_000{channel}.nii.gz", phantom() + channel)
    make_nifti("labelsTr/c_1.nii.gz", two_masses())
    make_nifti("imagesTs/c_2_0000.nii.gz", phantom())
    described = {
        "channel_names": {"0": "T1", "1": "T2"}, "file_ending": ".nii.gz", "numTraining": 1,
        "labels": {"background": 0, "whole": [1, 2], "tumour": 2},
    }  # fmt: skip
    (tmp_path / "dataset.json").write_text(json.dumps(described))
    options = {"slices": {"policy": "largest_region"}, "channel": 1}
    reader = open_reader(
        make_spec(
            "decathlon", options, labels={"whole": "brain tumor", "tumour": "tumor core"}, ignore_labels=["background"]
        )
    )
    item, refusal = reader.items()
    assert isinstance(refusal, Refusal) and (refusal.key, refusal.code) == ("c_2", "unlabelled")
    case = reader.read(item)
    assert case.images[0].files == ("imagesTr/c_1_0001.nii.gz",)
    assert [(r.label, r.area) for r in case.regions] == [("brain tumor", 26), ("tumor core", 2)]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(TURNED),
    st.sampled_from(list(PLACES)),
    st.tuples(*[st.floats(0.4, 6)] * 3),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_view_to_source_to_view_is_the_identity_to_half_a_pixel(order, plane, spacing, across, down):
    from readers.pixels.cache import FileDigest
    from readers.pixels.volume_file import Volume

    affine = np.diag([*spacing, 1.0])
    stored = nib.apply_orientation(np.zeros(SHAPE), ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(order)))
    affine = affine @ inv_ornt_aff(ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(order)), SHAPE)
    volume = Volume("a", stored, 1, 0, affine, True, FileDigest(b""))
    view = slice_view(volume, slice_axis(volume, plane), 0, RANGE)
    x, y = across * view.width, down * view.height
    u, v = view.to_source(x, y)
    assert -1e-6 <= u <= view.source_width + 1e-6 and -1e-6 <= v <= view.source_height + 1e-6
    back = view.to_view(u, v)
    assert abs(back[0] - x) < 0.5 and abs(back[1] - y) < 0.5


# Hostile files: what is wanted of each is in EXPECTED.csv.


def nasty(shared_data, name: str):
    return volume_refs(Source.open(str(shared_data / "nasty" / "nifti")), name)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("nan_inf.nii.gz", ["nonfinite_voxels"]),
        ("no_orientation.nii.gz", ["orientation_unknown"]),
        ("sheared.nii.gz", ["sheared_affine"]),
        ("4d_singleton.nii.gz", []),
        ("4d_three_modalities.nii.gz", ["four_dimensional"]),
        ("int64.nii.gz", []),
        ("rgb24.nii.gz", []),
        ("slope_inter.nii.gz", []),
        ("not_gzip.nii.gz", []),
        ("flipped_LAS.nii.gz", []),
    ],
)
def test_nasty_volumes_are_read(shared_data, name, wanted):
    refs, findings = nasty(shared_data, name)
    assert [finding.code for finding in findings] == wanted
    source = Source.open(str(shared_data / "nasty" / "nifti"))
    assert len(refs) == 3 and all(shown(source, ref).size for ref in refs)


@pytest.mark.parametrize(
    ("name", "code"), [("truncated.nii.gz", "truncated_volume"), ("header_only.nii", "truncated_volume")]
)
def test_nasty_volumes_are_refused(shared_data, name, code):
    with pytest.raises(CaseError) as caught:
        nasty(shared_data, name)
    assert caught.value.code == code


def test_nasty_flipped_volume_looks_as_its_source(shared_data):
    source = Source.open(str(shared_data / "nasty" / "nifti"))
    flipped, _ = volume_refs(source, "flipped_LAS.nii.gz")
    plain, _ = volume_refs(source, "int64.nii.gz")
    assert [shown(source, ref).tolist() for ref in flipped] == [shown(source, ref).tolist() for ref in plain]


def test_nasty_scaling_is_applied(shared_data):
    volume = load_volume(Source.open(str(shared_data / "nasty" / "nifti")), "slope_inter.nii.gz")
    assert (volume.slope, volume.intercept) == (0.5, -100)


def test_nasty_rgb_volume_is_shown_in_colour(shared_data):
    refs, _ = nasty(shared_data, "rgb24.nii.gz")
    assert refs[0].channels == 3
    assert shown(Source.open(str(shared_data / "nasty" / "nifti")), refs[0]).ndim == 3


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("label_wrong_shape", "mask_shape"),
        ("label_unknown_37", "unknown_label_value"),
        ("label_shifted_origin", ["label_shifted"]),
        ("label_float_0.9999", ["label_rounded"]),
        ("label_empty", ["empty_label"]),
    ],
)
def test_nasty_pairs(shared_data, name, wanted):
    from readers.volume_labels import labels_on

    source = Source.open(str(shared_data / "nasty" / "nifti_pairs"))
    image, label = load_volume(source, "img.nii.gz"), load_volume(source, f"{name}.nii.gz")
    if isinstance(wanted, str):
        with pytest.raises(CaseError) as caught:
            labels_on(image, label, {0, 1, 2})
        assert caught.value.code == wanted
    else:
        values, findings = labels_on(image, label, {0, 1, 2})
        assert [finding.code for finding in findings] == wanted
        assert values.dtype.kind in "iu"


def test_hippocampus_regions_equal_their_label_volumes(shared_data, make_spec):
    root = shared_data / "seg3d_hippocampus_msd"
    names = {"Anterior": "anterior hippocampus", "Posterior": "posterior hippocampus"}
    reader = open_reader(
        make_spec(
            "decathlon", {"slices": {"policy": "all"}}, root=str(root), labels=names, ignore_labels=["background"]
        )
    )
    found = list(reader.items())
    assert [type(entry).__name__ for entry in found] == ["Item"] * 20 + ["Refusal"] * 4
    item = found[7]
    case = reader.read(item)
    truth = np.asarray(nib.load(root / item.data["label"]).dataobj)
    areas = {1: 0, 2: 0}
    for region in case.regions:
        areas[int(region.instance)] += int(region.area)
    assert areas == {1: int((truth == 1).sum()), 2: int((truth == 2).sum())}
