"""Volumes as their publishers lay them out: each read by a short spec and by an unedited draft."""

# ruff: noqa: E501 - files as they are published

import json

import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.data import get_testdata_file

from schemas.masks import source_mask

from .conftest import words

SHAPE = (12, 10, 8)
IMAGE = np.random.default_rng(0).integers(1, 200, SHAPE).astype(np.int16)


def block(value, *edges):
    out = np.zeros(SHAPE, np.uint8)
    out[tuple(slice(*edge) for edge in edges)] = value
    return out


LIVER = block(1, (1, 6), (2, 7), (3, 5))
SPLEEN = block(1, (8, 11), (5, 8), (3, 4))


@pytest.fixture
def volume(tmp_path):
    """Write a volume in the format of its name's extension, 2 x 2 x 3 mm."""

    def write(name, voxels, meta=None):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if ".nii" in name:
            nib.save(nib.Nifti1Image(voxels, np.diag([2.0, 2.0, 3.0, 1.0])), path)
            return
        image = sitk.GetImageFromArray(np.moveaxis(voxels, (0, 1, 2), (2, 1, 0)), isVector=voxels.ndim == 4)
        image.SetSpacing((2.0, 2.0, 3.0))
        for key, value in (meta or {}).items():
            image.SetMetaData(key, value)
        sitk.WriteImage(image, str(path))

    return write


def areas(case):
    """Canonical label -> voxels marked on the slices shown."""
    return {region.label: region.area for region in case.regions}


def test_total_segmentator_with_its_meta_table(volume, put, tmp_path, read_spec, read_draft):
    for case in ("s0000", "s0001"):
        volume(f"{case}/ct.nii.gz", IMAGE)
        volume(f"{case}/segmentations/liver.nii.gz", LIVER)
        volume(f"{case}/segmentations/spleen.nii.gz", SPLEEN)
    head = "image_id;age;gender;institute;study_type;split;manufacturer;scanner_model;kvp;pathology;pathology_location"
    put(
        {
            "meta.csv": f"{head}\ns0000;67.0;m;A;ct;train;siemens;x;120;tumor;liver\ns0001;;f;B;ct;test;ge;y;100;no_pathology;\n"
        }
    )
    lines = """
        reader:
          type: volumes
          options:
            image: "{case}/ct.nii.gz"
            masks: "{case}/segmentations/{label}.nii.gz"
            slices: {policy: largest_region}
            subjects: {file: meta.csv, delimiter: ;, "on": image_id, key: "{case}", sex: gender, age: age, split: split}
        labels: {liver: liver, spleen: spleen}
        group: {by: field, field: case}
    """
    cases, lost = read_spec(tmp_path, lines)
    assert lost == {}
    # Slice 3 holds 5 x 5 of the liver and 3 x 3 of the spleen.
    assert areas(cases["s0000"]) == {"liver": 25, "spleen": 9}
    drafted, lost = read_draft(tmp_path)
    assert (lost, set(drafted)) == ({}, {"s0000", "s0001"})
    for found in (cases, drafted):
        one, two = found["s0000"], found["s0001"]
        assert (one.split, one.demographics.sex, one.demographics.age_years, one.group) == (
            "train",
            "male",
            67,
            "s0000",
        )
        assert (two.split, two.demographics.sex, two.demographics.age_years) == ("test", "female", None)


@pytest.mark.parametrize(
    ("year", "name", "mark", "channels", "enhancing"),
    [
        (2023, "BraTS-GLI-00000-000", "-", ("t1n", "t1c", "t2w", "t2f"), 3),
        (2020, "BraTS20_Training_001", "_", ("t1", "t1ce", "t2", "flair"), 4),
    ],
)
def test_brats_of_two_generations(volume, tmp_path, read_spec, read_draft, year, name, mark, channels, enhancing):
    for channel in channels:
        volume(f"{name}/{name}{mark}{channel}.nii.gz", IMAGE)
    volume(
        f"{name}/{name}{mark}seg.nii.gz", block(2, (1, 6), (2, 7), (3, 5)) + block(enhancing, (8, 11), (5, 8), (3, 4))
    )
    lines = f"""
        reader:
          type: volumes
          options:
            image: "{{case}}/{{case}}{mark}{{channel}}.nii.gz"
            channels: {list(channels)}
            channel: 3
            label: "{{case}}/{{case}}{mark}seg.nii.gz"
            values: {{necrotic core: 1, edema: 2, enhancing tumor: {enhancing}, whole tumor: [1, 2, {enhancing}]}}
            slices: {{policy: largest_region}}
        labels: {{necrotic core: necrotic brain tumor core, edema: brain edema, enhancing tumor: enhancing brain tumor, whole tumor: brain tumor}}
    """
    cases, lost = read_spec(tmp_path, lines)
    assert lost == {}
    assert areas(cases[name]) == {"brain edema": 25, "enhancing brain tumor": 9, "brain tumor": 34}
    assert cases[name].images[0].files == (f"{name}/{name}{mark}{channels[3]}.nii.gz",)
    drafted, lost = read_draft(tmp_path)
    assert lost == {}
    assert sorted(areas(drafted[name]).values()) == [9, 25]


def test_bids_with_participants(volume, put, tmp_path, read_spec, read_draft):
    for subject in ("01", "02"):
        stem = f"sub-{subject}/ses-0001"
        volume(f"rawdata/{stem}/dwi/sub-{subject}_ses-0001_dwi.nii.gz", IMAGE)
        volume(f"derivatives/{stem}/sub-{subject}_ses-0001_msk.nii.gz", LIVER)
    put({"dataset_description.json": '{"Name": "x", "BIDSVersion": "1.8.0"}',
         "participants.tsv": "participant_id\tage\tsex\tcentre\nsub-01\t61\tF\tA\nsub-02\tn/a\tM\tB\n"})  # fmt: skip
    stem = "sub-{subject}/ses-{session}"
    lines = f"""
        reader:
          type: volumes
          options:
            image: "rawdata/{stem}/dwi/sub-{{subject}}_ses-{{session}}_dwi.nii.gz"
            label: "derivatives/{stem}/sub-{{subject}}_ses-{{session}}_msk.nii.gz"
            values: {{lesion: 1}}
            subjects: {{sex: sex, age: age}}
            slices: {{policy: largest_region}}
        labels: {{lesion: stroke lesion}}
        group: {{by: field, field: participant_id}}
    """
    cases, lost = read_spec(tmp_path, lines)
    assert lost == {}
    assert (areas(cases["01/0001"]), cases["01/0001"].group) == ({"stroke lesion": 25}, "sub-01")
    drafted, lost = read_draft(tmp_path)
    assert lost == {}
    for found in (cases, drafted):
        assert (found["01/0001"].demographics.sex, found["01/0001"].demographics.age_years) == ("female", 61)
        assert (found["02/0001"].demographics.sex, found["02/0001"].demographics.age_years) == ("male", None)
    assert {case.group for case in drafted.values()} == {"01", "02"}


def segment(number, name, value, layer, colour="0.9 0.1 0.1"):
    return {f"Segment{number}_{key}": str(said) for key, said in
            (("ID", f"S{number}"), ("Name", name), ("LabelValue", value), ("Layer", layer), ("Color", colour))}  # fmt: skip


def test_segments_of_seg_nrrd_name_themselves(volume, tmp_path, read_spec, read_draft):
    from readers.segment_names import segments
    from readers.source import Source

    volume("p1.nrrd", IMAGE)
    meta = segment(0, "Liver", 1, 0) | segment(1, "Spleen left part", 2, 0, "0 0.5 1")
    volume("p1.seg.nrrd", LIVER + 2 * SPLEEN, meta)
    found = segments(Source.open(str(tmp_path)), "p1.seg.nrrd")
    assert [(each.name, each.value, each.colour) for each in found] == [
        ("Liver", 1, (0.9, 0.1, 0.1)),
        ("Spleen left part", 2, (0, 0.5, 1)),
    ]
    lines = """
        reader:
          type: volumes
          options: {image: "{case}.nrrd", label: "{case}.seg.nrrd", slices: {policy: largest_region}}
        labels: {Liver: liver, Spleen left part: spleen}
    """
    cases, lost = read_spec(tmp_path, lines)
    assert (lost, areas(cases["p1"])) == ({}, {"liver": 25, "spleen": 9})
    drafted, lost = read_draft(tmp_path)
    assert lost == {}
    assert list(areas(drafted["p1"]).values()) == [25, 9]


def test_overlapping_segments_lie_in_layers(volume, tmp_path, read_spec):
    volume("p1.nrrd", IMAGE)
    tumour = block(1, (2, 4), (3, 5), (3, 4))
    meta = segment(0, "liver", 1, 0) | segment(1, "tumour", 1, 1)
    volume("p1.seg.nrrd", np.stack([LIVER, tumour], axis=-1), meta)
    lines = """
        reader:
          type: volumes
          options: {image: "{case}.nrrd", label: "{case}.seg.nrrd", slices: {policy: largest_region}}
        labels: {liver: liver, tumour: liver tumor}
    """
    cases, lost = read_spec(tmp_path, lines)
    assert (lost, areas(cases["p1"])) == ({}, {"liver": 25, "liver tumor": 4})


def test_han_seg_one_seg_nrrd_per_organ(volume, tmp_path, read_spec, read_draft):
    volume("set_1/case_01/case_01_IMG_CT.nrrd", IMAGE)
    volume("set_1/case_01/case_01_OAR_Parotid_L.seg.nrrd", LIVER, segment(0, "Parotid_L", 1, 0))
    volume("set_1/case_01/case_01_OAR_Bone_Mandible.seg.nrrd", SPLEEN, segment(0, "Bone_Mandible", 1, 0))
    lines = """
        reader:
          type: volumes
          options:
            image: "set_1/{case}/{case}_IMG_CT.nrrd"
            masks: "set_1/{case}/{case}_OAR_{label}.seg.nrrd"
            slices: {policy: largest_region}
        labels: {Parotid_L: left parotid gland, Bone_Mandible: mandible}
    """
    cases, lost = read_spec(tmp_path, lines)
    assert (lost, areas(cases["case_01"])) == ({}, {"left parotid gland": 25, "mandible": 9})
    assert read_draft(tmp_path)[1] == {}


def test_acdc_frames_are_no_patients(volume, tmp_path, read_spec, read_draft):
    for patient, frame in (("001", "01"), ("001", "12"), ("002", "01")):
        volume(f"training/patient{patient}/patient{patient}_frame{frame}.nii.gz", IMAGE)
        volume(f"training/patient{patient}/patient{patient}_frame{frame}_gt.nii.gz", LIVER + 3 * SPLEEN)
    stem = "training/patient{patient}/patient{patient}_frame{frame}"
    lines = f"""
        reader:
          type: volumes
          options:
            image: "{stem}.nii.gz"
            label: "{stem}_gt.nii.gz"
            values: {{right ventricle: 1, myocardium: 2, left ventricle: 3}}
            slices: {{policy: largest_region}}
        labels: {{right ventricle: right heart ventricle, myocardium: myocardium, left ventricle: left heart ventricle}}
        group: {{by: field, field: patient}}
    """
    for cases, lost in (read_spec(tmp_path, lines), read_draft(tmp_path)):
        assert lost == {}
        assert {key: case.group for key, case in cases.items()} == {"001/01": "001", "001/12": "001", "002/01": "002"}
        assert sorted(areas(cases["002/01"]).values()) == [9, 25]


def test_abdomen_1k_images_and_labels_in_two_folders(volume, tmp_path, read_spec, read_draft):
    for case in ("Case_00001", "Case_00002"):
        volume(f"images/{case}_0000.nii.gz", IMAGE)
        volume(f"labels/{case}.nii.gz", LIVER + 3 * SPLEEN)
    lines = """
        reader:
          type: volumes
          options:
            image: "images/{case}_0000.nii.gz"
            label: "labels/{case}.nii.gz"
            values: {liver: 1, kidney: 2, spleen: 3, pancreas: 4}
            slices: {policy: largest_region}
        labels: {liver: liver, kidney: kidney, spleen: spleen, pancreas: pancreas}
    """
    cases, lost = read_spec(tmp_path, lines)
    assert (lost, areas(cases["Case_00001"])) == ({}, {"liver": 25, "spleen": 9})
    drafted, lost = read_draft(tmp_path)
    assert (lost, {label.split()[-1] for label in areas(drafted["Case_00002"])}) == ({}, {"1", "3"})


def test_promise12_pairs_of_mhd_and_raw(volume, tmp_path, read_spec, read_draft):
    volume("Case00.mhd", IMAGE)
    volume("Case00_segmentation.mhd", LIVER)
    lines = """
        reader:
          type: volumes
          options: {image: "{case}.mhd", label: "{case}_segmentation.mhd", values: {prostate: 1}, slices: {policy: largest_region}}
        labels: {prostate: prostate}
    """
    cases, lost = read_spec(tmp_path, lines)
    assert (lost, areas(cases["Case00"])) == ({}, {"prostate": 25})
    drafted, lost = read_draft(tmp_path)
    assert (lost, list(areas(drafted["Case00"]).values())) == ({}, [25])


def test_luna16_nodules_by_centre_and_diameter(volume, put, tmp_path, read_spec, read_draft):
    """Voxels of 2 x 2 x 3 mm from the origin: LPS (10, 8, 9) mm is the centre of voxel (5, 4, 3), which is at 5.5, 4.5.

    A diameter of 8 mm is 2 voxels either way on slice 3.  Slices 2 and 4 lie 3 mm off: sqrt(1 - 0.75²) = 0.6614 of that.
    The second nodule, 7 mm about slice 6, has sqrt(1 - (3 / 3.5)²) = 0.51508 of its 1.75 voxels on slices 5 and 7.
    """
    for name in ("1.2.3", "1.2.4"):
        volume(f"subset0/{name}.mhd", IMAGE)
    head = "seriesuid,coordX,coordY,coordZ,diameter_mm\n"
    put({"annotations.csv": head + "1.2.3,10,8,9,8\n1.2.3,18,6,18,7\n1.2.9,1,1,1,5\n1.2.3,1,1,x,5\n1.2.3,1,1,99,5\n"})
    lines = """
        reader:
          type: volume_points
          options: {image: "subset{part}/{id}.mhd", table: annotations.csv, slices: {policy: all}, columns: {id: seriesuid, x: coordX, y: coordY, z: coordZ, diameter: diameter_mm, word: nodule}}
        labels: {nodule: lung nodule}
    """
    cases, lost = read_spec(tmp_path, lines)
    assert {key: code for key, (code, *_) in lost.items()} == {
        "annotations.csv:4": "missing_image", "annotations.csv:5": "bad_point", "1.2.4": "unlabelled",
    }  # fmt: skip
    case = cases["1.2.3"]
    found = [(case.images[r.image_index].view.index, r.kind, [round(edge, 4) for edge in r.box]) for r in case.regions]
    assert sorted(found) == [
        (2, "box", [4.1771, 3.1771, 6.8229, 5.8229]), (3, "box", [3.5, 2.5, 7.5, 6.5]),
        (4, "box", [4.1771, 3.1771, 6.8229, 5.8229]), (5, "box", [8.5986, 2.5986, 10.4014, 4.4014]),
        (6, "box", [7.75, 1.75, 11.25, 5.25]), (7, "box", [8.5986, 2.5986, 10.4014, 4.4014]),
    ]  # fmt: skip
    assert {finding.code for finding in case.findings} == {"point_outside"} and not case.complete_regions
    drafted, _ = read_draft(tmp_path)
    assert words(drafted["1.2.3"]) == {"lung nodule": "present"} and len(drafted["1.2.3"].images) == 3


def test_what_is_at_the_rim_of_a_slice_is_not_said_to_be_there(volume, put, tmp_path, read_spec):
    """Diameter 6.6 mm about slice 3: slice 4 lies 3 of 3.3 mm off, where sqrt(1 - (3 / 3.3)²) = 0.417 is left."""
    volume("subset0/a.mhd", IMAGE)
    put({"annotations.csv": "id,x,y,z,d\na,-10,-8,9,6.6\n"})
    lines = """
        reader:
          type: volume_points
          options: {image: "subset{part}/{id}.mhd", table: annotations.csv, axes: RAS, slices: {policy: all}, columns: {id: id, x: x, y: y, z: z, diameter: d, word: nodule}}
        labels: {nodule: lung nodule}
    """
    case = read_spec(tmp_path, lines)[0]["a"]
    assert [case.images[region.image_index].view.index for region in case.regions] == [3]
    assert [finding.code for finding in case.findings] == ["at_the_rim"] and not case.complete_regions


@pytest.mark.parametrize("version", [1, 2])
def test_nnunet_and_decathlon(volume, put, tmp_path, read_spec, read_draft, version):
    ending = "_0000.nii.gz" if version == 2 else ".nii.gz"
    volume(f"imagesTr/liver_1{ending}", IMAGE)
    volume("labelsTr/liver_1.nii.gz", LIVER + 2 * SPLEEN)
    if version == 2:
        about = {
            "channel_names": {"0": "CT"},
            "labels": {"background": 0, "liver": 1, "tumour": 2},
            "numTraining": 1,
            "file_ending": ".nii.gz",
        }
    else:
        about = {"name": "Liver", "modality": {"0": "CT"}, "labels": {"0": "background", "1": "liver", "2": "tumour"},
                 "training": [{"image": "./imagesTr/liver_1.nii.gz", "label": "./labelsTr/liver_1.nii.gz"}], "test": []}  # fmt: skip
    put({"dataset.json": json.dumps(about), "imagesTr/._liver_1.nii.gz": b"junk"})
    lines = """
        reader: {type: decathlon, options: {slices: {policy: largest_region}}}
        labels: {liver: liver, tumour: liver tumor}
    """
    cases, lost = read_spec(tmp_path, lines)
    assert (lost, areas(cases["liver_1"])) == ({}, {"liver": 25, "liver tumor": 9})
    assert read_draft(tmp_path)[1] == {}


def slice_file(path, number, rows=16):
    """A DICOM slice of its own place, ``rows`` high and wide."""
    data = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")))
    data.Rows = data.Columns = rows
    data.SOPInstanceUID = f"1.2.3.{number}"
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.ImagePositionPatient = [0, 0, float(number)]
    data.InstanceNumber = number
    data.PixelData = np.full((rows, rows), 40 + number, np.int16).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path)


def test_chaos_dicom_slices_with_masks_as_png(put, tmp_path, read_spec, read_draft):
    mask = np.zeros((16, 16), np.uint8)
    mask[2:6, 3:9] = 255
    files = {}
    for patient in ("1", "2"):
        for number in (1, 2):
            slice_file(tmp_path / f"CT/{patient}/DICOM_anon/i000{number - 1},0000b.dcm", number)
            files[f"CT/{patient}/Ground/liver_GT_00{number - 1}.png"] = mask * (number == 2)
    put(files)
    lines = """
        reader:
          type: mask_pairs
          options:
            image_pattern: "CT/{patient}/DICOM_anon/{id}.dcm"
            mask_pattern: "CT/{patient}/Ground/{id}.png"
            pair_by: order
            binary: liver
        labels: {liver: liver}
        group: {by: field, field: patient}
    """
    for cases, lost in (read_spec(tmp_path, lines), read_draft(tmp_path)):
        assert lost == {}
        assert {key: case.group for key, case in cases.items()} == {
            f"{patient}/i000{number},0000b": patient for patient in "12" for number in range(2)
        }
        empty, marked = cases["2/i0000,0000b"], cases["2/i0001,0000b"]
        assert empty.regions == ()
        assert [(region.label, region.box) for region in marked.regions] == [("liver", (3, 2, 9, 6))]
        assert (source_mask(marked.regions[0]) == (mask > 0)).all()


def test_chaos_mr_codes_of_grey_and_two_phases_of_one_mask(put, tmp_path, read_spec, read_draft):
    codes = np.zeros((16, 16), np.uint8)
    for place, value in enumerate((63, 126, 189, 252)):
        codes[4 * place : 4 * place + 2, 1:4] = value
    root = {}
    for number in (1, 2):
        slice_file(tmp_path / f"MR/1/T1DUAL/DICOM_anon/InPhase/IMG-0004-0000{2 * number}.dcm", number)
        slice_file(tmp_path / f"MR/1/T1DUAL/DICOM_anon/OutPhase/IMG-0004-0000{2 * number - 1}.dcm", number)
        slice_file(tmp_path / f"MR/1/T2SPIR/DICOM_anon/IMG-0002-0000{number}.dcm", number)
        root |= {
            f"MR/1/T1DUAL/Ground/IMG-0004-0000{2 * number}.png": codes,
            f"MR/1/T2SPIR/Ground/IMG-0002-0000{number}.png": codes,
        }
    put(root)
    lines = """
        reader:
          type: mask_pairs
          options:
            image_pattern: "MR/{patient}/{sequence}/DICOM_anon/{phase:(?:\\\\w+/)?}{id}.dcm"
            mask_pattern: "MR/{patient}/{sequence}/Ground/{id}.png"
            pair_by: order
            classes: {63: liver, 126: right kidney, 189: left kidney, 252: spleen}
        labels: {liver: liver, right kidney: right kidney, left kidney: left kidney, spleen: spleen}
    """
    organs = ["liver", "right kidney", "left kidney", "spleen"]
    for cases, lost in (read_spec(tmp_path, lines), read_draft(tmp_path)):
        assert (lost, len(cases)) == ({}, 6)
        for case in cases.values():
            assert [region.label for region in case.regions] == organs
            assert list(words(case)) == organs
            assert [region.box for region in case.regions] == [(1, 4 * n, 4, 4 * n + 2) for n in range(4)]
    put({"MR/1/T2SPIR/Ground/IMG-0002-00009.png": codes})
    _, lost = read_spec(tmp_path, lines)
    assert {code for code, _ in lost.values()} == {"mask_count"}, "a mask too many must not shift the others"
