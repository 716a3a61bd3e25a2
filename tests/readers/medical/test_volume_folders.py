"""Volumes in the folder orders of the field, each laid out by the test, and other formats than NIfTI."""

import json

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from readers.base import Item, Refusal, open_reader
from readers.pixels.volume import volume_refs
from readers.pixels.volume_file import load_volume
from readers.source import Source
from readers.volume_paths import FieldPattern
from readers.volumes import Volumes
from schemas.errors import CaseError

SHAPE = (12, 10, 8)
LARGEST = {"slices": {"policy": "largest_region"}}


def mask(*box: tuple[int, int]) -> np.ndarray:
    voxels = np.zeros(SHAPE, np.uint8)
    voxels[tuple(slice(*edge) for edge in box)] = 1
    return voxels


LIVER = mask((1, 6), (2, 7), (3, 5))
SPLEEN = mask((8, 11), (5, 8), (3, 4))
LABELS = {"liver": "liver", "spleen": "spleen"}


@pytest.fixture
def total(make_nifti):
    """Two cases laid out as TotalSegmentator lays them out, the second without masks."""
    for case in ("s0001", "s0002"):
        make_nifti(f"{case}/ct.nii.gz", np.full(SHAPE, 40, np.int16))
    make_nifti("s0001/segmentations/liver.nii.gz", LIVER)
    make_nifti("s0001/segmentations/spleen.nii.gz", SPLEEN * 255)
    make_nifti("s0001/segmentations/aorta.nii.gz", np.zeros(SHAPE, np.uint8))


TOTAL = {"image": "{case}/ct.nii.gz", "masks": "{case}/segmentations/{label}.nii.gz", **LARGEST}


def read(reader):
    found = list(reader.items())
    items = [Item(i.key, json.loads(json.dumps(i.data))) for i in found if isinstance(i, Item)]
    return [reader.read(item) for item in items], [i for i in found if isinstance(i, Refusal)]


def regions(case):
    return [(r.label, r.box, r.area) for r in case.regions]


def test_one_file_per_organ(total, make_spec):
    reader = open_reader(make_spec("volumes", TOTAL, labels=LABELS, ignore_labels=["aorta"]))
    (case,), refusals = read(reader)
    assert (case.key, case.complete_regions, [f.code for f in case.findings]) == ("s0001", True, [])
    # Slice 3 holds both: the liver's 5 x 5 voxels and the spleen's 3 x 3.
    assert case.images[0].view.index == 3
    assert regions(case) == [("liver", (1, 2, 6, 7), 25), ("spleen", (8, 5, 11, 8), 9)]
    assert [(r.key, r.code) for r in refusals] == [("s0002", "unlabelled")]


def test_organs_may_overlap(total, make_nifti, make_spec):
    make_nifti("s0001/segmentations/spleen.nii.gz", LIVER)
    reader = open_reader(make_spec("volumes", TOTAL, labels=LABELS, ignore_labels=["aorta"]))
    (case,), _ = read(reader)
    assert regions(case) == [("liver", (1, 2, 6, 7), 25), ("spleen", (1, 2, 6, 7), 25)]


def test_an_organ_that_the_spec_does_not_know_is_an_error(total, make_spec):
    reader = open_reader(make_spec("volumes", TOTAL, labels={"livre": "liver"}, ignore_labels=["aorta", "spleen"]))
    (item, _) = reader.items()
    with pytest.raises(CaseError) as caught:
        reader.read(item)
    assert caught.value.code == "label_not_in_map"


def test_a_mask_with_two_classes_is_no_mask(total, make_nifti, make_spec):
    make_nifti("s0001/segmentations/liver.nii.gz", LIVER + SPLEEN * 2)
    reader = open_reader(make_spec("volumes", TOTAL, labels=LABELS, ignore_labels=["aorta"]))
    with pytest.raises(CaseError) as caught:
        read(reader)
    assert caught.value.code == "mask_not_binary"


def test_masks_without_an_image_and_strange_volumes_are_accounted_for(total, make_nifti, make_spec):
    make_nifti("s0003/segmentations/liver.nii.gz", LIVER)
    make_nifti("extra.nii.gz", LIVER)
    _, refusals = read(open_reader(make_spec("volumes", TOTAL, labels=LABELS, ignore_labels=["aorta"])))
    assert [(r.key, r.code, r.status) for r in refusals] == [
        ("extra.nii.gz", "no_pattern", "filtered"),
        ("s0002", "unlabelled", "filtered"),
        ("s0003/segmentations/liver.nii.gz", "orphan_mask", "failed"),
    ]


def test_total_segmentator_is_recognised(total, tmp_path):
    found = Volumes.recognise(Source.open(str(tmp_path)))
    assert found is not None
    assert found.options == {"image": TOTAL["image"], "masks": TOTAL["masks"]}
    assert found.labels == ("aorta", "liver", "spleen")


def test_brats(make_nifti, make_spec, tmp_path):
    name = "BraTS-GLI-00001-000"
    for level, channel in enumerate(("t1n", "t1c", "t2w", "t2f")):
        make_nifti(f"train/{name}/{name}-{channel}.nii.gz", np.full(SHAPE, 100 + level, np.int16))
    make_nifti(f"train/{name}/{name}-seg.nii.gz", LIVER * 2 + SPLEEN * 3)
    found = Volumes.recognise(Source.open(str(tmp_path)))
    assert found is not None and found.hints == {"modality": "MRI", "anatomy": "brain"}
    labels = {"necrotic core": "necrotic tumor core", "edema": "edema", "enhancing tumor": "enhancing tumor"}
    options = {**found.options, "values": {**found.options["values"], "whole": [1, 2, 3]}}
    labels["whole"] = "brain tumor"
    reader = open_reader(make_spec("volumes", options, labels=labels, modality="MRI"))
    (case,), refusals = read(reader)
    assert (case.key, refusals) == (name, [])
    assert case.images[0].files == (f"train/{name}/{name}-t2f.nii.gz",)
    assert regions(case) == [
        ("edema", (1, 2, 6, 7), 25), ("enhancing tumor", (8, 5, 11, 8), 9), ("brain tumor", (1, 2, 11, 8), 34),
    ]  # fmt: skip


def test_bids(make_nifti, make_spec, tmp_path):
    image, label = (
        "rawdata/sub-01/ses-1/dwi/sub-01_ses-1_dwi.nii.gz",
        "derivatives/sub-01/ses-1/sub-01_ses-1_msk.nii.gz",
    )
    make_nifti(image, np.full(SHAPE, 9, np.int16))
    make_nifti(label, LIVER)
    (tmp_path / "dataset_description.json").write_text('{"BIDSVersion": "1.8.0"}')
    found = Volumes.recognise(Source.open(str(tmp_path)))
    assert found is not None
    assert found.options["image"] == "rawdata/sub-{subject}/ses-{session}/dwi/sub-{subject}_ses-{session}_dwi.nii.gz"
    options = {**found.options, **LARGEST}
    group = {"by": "field", "field": "subject"}
    (case,), _ = read(open_reader(make_spec("volumes", options, labels={"lesion": "lesion"}, group=group)))
    assert (case.key, case.group, regions(case)) == ("01/1", "01", [("lesion", (1, 2, 6, 7), 25)])


def test_image_and_label_side_by_side(make_nifti, make_spec):
    for frame in ("01", "12"):
        make_nifti(f"patient001/patient001_frame{frame}.nii.gz", np.full(SHAPE, 9, np.int16))
        make_nifti(f"patient001/patient001_frame{frame}_gt.nii.gz", LIVER)
    options = {
        "image": "patient{patient}/patient{patient}_frame{frame}.nii.gz",
        "label": "patient{patient}/patient{patient}_frame{frame}_gt.nii.gz", "values": {"RV": 1}, **LARGEST,
    }  # fmt: skip
    group = {"by": "field", "field": "patient"}
    cases, refusals = read(open_reader(make_spec("volumes", options, labels={"RV": "right ventricle"}, group=group)))
    # A frame is no patient: both frames are one group.
    assert [(case.key, case.group) for case in cases] == [("001/01", "001"), ("001/12", "001")]
    assert refusals == []


def test_patterns_look_only_where_they_can_match(tmp_path):
    for path in ("a/x/1_m.nii", "a/y/1_m.nii", "b/x/1_m.nii", "a/x/2_m.nii"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    source = Source.open(str(tmp_path))
    pattern = FieldPattern("{top}/*/{case}_m.nii")
    assert pattern.fields("a/x/1_m.nii") == {"top": "a", "case": "1"}
    assert [path for path, _ in pattern.matches(source, {"top": "a", "case": "1"})] == ["a/x/1_m.nii", "a/y/1_m.nii"]
    assert FieldPattern("{a}/{a}.nii").fields("x/y.nii") is None


# Other formats, each against the same voxels as NIfTI


@pytest.fixture
def itk_image():
    """A marker at voxel (2, 7, 5) of an image stored towards left and posterior, 2 x 2 x 3 mm."""
    voxels = np.zeros(SHAPE, np.int16)
    voxels[2, 7, 5] = 900
    image = sitk.GetImageFromArray(voxels.T)
    image.SetSpacing((2.0, 2.0, 3.0))
    image.SetOrigin((-10.0, 5.0, 20.0))
    return image, voxels


@pytest.mark.parametrize("name", ["a.nrrd", "a.mha", "a.mhd", "a.nhdr"])
def test_nrrd_and_metaimage(tmp_path, source, itk_image, name):
    image, voxels = itk_image
    sitk.WriteImage(image, str(tmp_path / name))
    volume = load_volume(source, name)
    assert (volume.voxels == voxels).all()
    assert (volume.orientation, volume.spacing) == ("LPS", (2, 2, 3))
    # Origin in LPS (-10, 5, 20) is (10, -5, 20) in RAS.
    assert volume.affine[:3, 3].tolist() == [10, -5, 20]
    refs, findings = volume_refs(source, name)
    assert findings == () and refs[0].view.orientation == "LP" and refs[0].view.matrix == (1, 0, 0, 0, 1, 0)


def test_a_header_may_only_name_a_file_beside_it(tmp_path, source, itk_image):
    sitk.WriteImage(itk_image[0], str(tmp_path / "a.mhd"))
    for number, name in enumerate(("../a.raw", "/etc/passwd", "..\\a.raw", "missing.raw")):
        text = (tmp_path / "a.mhd").read_text().replace("a.raw", name)
        (tmp_path / f"bad{number}.mhd").write_text(text)
        with pytest.raises(CaseError) as caught:
            load_volume(source, f"bad{number}.mhd")
        assert caught.value.code == ("missing_file" if name == "missing.raw" else "unsafe_path")


def test_nrrd_without_a_space_has_no_sides(tmp_path, source):
    header = "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 4 3 2\nencoding: raw\nspacings: 1 1 1\n\n"
    (tmp_path / "a.nrrd").write_bytes(header.encode() + bytes(range(24)))
    volume = load_volume(source, "a.nrrd")
    assert volume.voxels[:, 0, 0].tolist() == [0, 1, 2, 3]
    assert (volume.orientation, [f.code for f in volume.findings]) == ("", ["orientation_unknown"])


def test_a_truncated_nrrd_is_refused(tmp_path, source, itk_image):
    sitk.WriteImage(itk_image[0], str(tmp_path / "a.nrrd"))
    data = (tmp_path / "a.nrrd").read_bytes()
    (tmp_path / "b.nrrd").write_bytes(data[: len(data) - 500])
    with pytest.raises(CaseError) as caught:
        load_volume(source, "b.nrrd")
    assert caught.value.code == "corrupt_volume"


def test_header_and_image_in_two_files(tmp_path, source):
    voxels = np.arange(960, dtype=np.int16).reshape(SHAPE)
    nib.Nifti1Pair(voxels, np.diag([2.0, 2, 2, 1])).to_filename(tmp_path / "a.hdr")
    volume = load_volume(source, "a.hdr")
    assert (volume.voxels == voxels).all() and volume.orientation == "RAS"
    (tmp_path / "a.img").unlink()
    nib.Nifti1Pair(voxels, np.eye(4)).to_filename(tmp_path / "bb.hdr")
    (tmp_path / "bb.img").unlink()
    with pytest.raises(CaseError) as caught:
        load_volume(source, "bb.hdr")
    assert caught.value.code == "missing_file"


def test_mgh(tmp_path, source):
    voxels = np.arange(960, dtype=np.float32).reshape(SHAPE)
    affine = np.array([[-1.0, 0, 0, 5], [0, 0, 1, 6], [0, -1, 0, 7], [0, 0, 0, 1]])
    nib.MGHImage(voxels, affine).to_filename(tmp_path / "a.mgz")
    volume = load_volume(source, "a.mgz")
    assert (volume.voxels == voxels).all() and volume.orientation == "LIA"


def test_minc_one_and_two_show_the_same(shared_data):
    # nibabel ships one image in both versions; they differ in axis order only.
    source = Source.open(str(shared_data / "formats_misc" / "nibabel"))
    one, two = (load_volume(source, f"minc{version}_1_scale.mnc") for version in (1, 2))
    assert one.orientation == "SAR" and two.orientation == "RAS"
    assert np.allclose(one.voxels.transpose(2, 1, 0), two.voxels, atol=1e-5)
    assert np.allclose(one.affine[:, [2, 1, 0, 3]], two.affine)


def test_nrrd_of_pyradiomics_has_its_label_inside(shared_data):
    from readers.volume_labels import mask_on

    source = Source.open(str(shared_data / "formats_misc" / "pyradiomics"))
    image, label = load_volume(source, "breast1_image.nrrd"), load_volume(source, "breast1_label.nrrd")
    values, findings = mask_on(image, label)
    assert findings == () and 0 < values.sum() < values.size


def test_total_segmentator_masks_are_counted_voxel_by_voxel(shared_data, make_spec):
    root = shared_data / "seg3d_totalseg"
    options = {
        "image": "ct_sm.nii.gz",
        "masks": "seg_fast/{label}.nii.gz",
        "slices": {"policy": "all"},
        "planes": ["axial"],
    }
    names = ["liver", "spleen", "aorta", "kidney_left"]
    every = [path.name.removesuffix(".nii.gz") for path in (root / "seg_fast").iterdir()]
    labels = {name: name.replace("_", " ") for name in names}
    spec = make_spec("volumes", options, root=str(root), labels=labels, ignore_labels=sorted(set(every) - set(names)))
    reader = open_reader(spec)
    item = next(entry for entry in reader.items() if isinstance(entry, Item))
    case = reader.read(item)
    for name in names:
        truth = np.asarray(nib.load(root / "seg_fast" / f"{name}.nii.gz").dataobj)
        assert sum(r.area for r in case.regions if r.original == name) == np.count_nonzero(truth)
