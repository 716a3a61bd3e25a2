"""Volumes and masks whose publishers tell them apart by other words: recognised, drafted, and read by the draft."""

# ruff: noqa: E501 - paths as they are published

import json

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image

from readers.inspect import inspect
from readers.roles import paired

from .conftest import boxes

SHAPE = (12, 10, 8)
IMAGE = np.random.default_rng(0).integers(1, 200, SHAPE).astype(np.int16)
ORGAN, LESION = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.uint8)
ORGAN[1:6, 2:7, 3:5] = 1
LESION[8:11, 5:8, 3] = 1
BOTH = ORGAN + 2 * LESION
WHERE = {"organ": (1, 2, 6, 7), "lesion": (8, 5, 11, 8)}


@pytest.fixture
def lay(put, tmp_path):
    """Write volumes (NIfTI or what the name says), pictures (None), masks (2D arrays) and texts."""

    def write(files):
        flat = {}
        for name, content in files.items():
            if not isinstance(content, np.ndarray) or content.ndim == 2:
                flat[name] = content
                continue
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if ".nii" in name:
                nib.save(nib.Nifti1Image(content, np.diag([2.0, 2, 3, 1])), path)
            else:
                sitk.WriteImage(sitk.GetImageFromArray(content.T), str(path))
        return put(flat)

    return write


PAIRS = {
    "KiTS19": ({"case_0000{n}/imaging.nii.gz": IMAGE, "case_0000{n}/segmentation.nii.gz": BOTH}, "case_00001"),
    "LiTS": ({"Training Batch 1/volume-{n}.nii": IMAGE, "Training Batch 1/segmentation-{n}.nii": BOTH}, "1"),
    "BTCV": ({"Training/img/img000{n}.nii.gz": IMAGE, "Training/label/label000{n}.nii.gz": BOTH}, "0001"),
    "SLIVER07": ({"training/liver-orig00{n}.mhd": IMAGE, "training/liver-seg00{n}.mhd": BOTH}, "001"),
    "LNQ2023": ({"train/lnq2023-train-000{n}-ct.nrrd": IMAGE, "train/lnq2023-train-000{n}-seg.nrrd": BOTH}, "lnq2023-train-0001"),
    "FLARE22": ({"images/FLARE22_Tr_000{n}_0000.nii.gz": IMAGE, "labels/FLARE22_Tr_000{n}.nii.gz": BOTH}, "FLARE22_Tr_0001"),
    "AbdomenCT-1K": ({"ImagePart1/Case_0000{n}_0000.nii.gz": IMAGE, "Mask/Case_0000{n}.nii.gz": BOTH}, "Case_00001"),
    "LUNA16 lungs": ({"subset0/1.3.6.{n}.mhd": IMAGE, "seg-lungs-LUNA16/1.3.6.{n}.mhd": BOTH}, "1.3.6.1"),
    "M&Ms": ({"Labeled/A0S9V{n}/A0S9V{n}_sa.nii.gz": IMAGE, "Labeled/A0S9V{n}/A0S9V{n}_sa_gt.nii.gz": BOTH}, "A0S9V1"),
    "PARSE": ({"train/PA00000{n}/image/PA00000{n}.nii.gz": IMAGE, "train/PA00000{n}/label/PA00000{n}.nii.gz": BOTH}, "PA000001"),
    "AutoPET": ({"PETCT_0011f{n}/CTres.nii.gz": IMAGE, "PETCT_0011f{n}/SEG.nii.gz": BOTH}, "PETCT_0011f1"),
    "CTPelvic1K": ({"images/CLINIC_000{n}_data.nii.gz": IMAGE, "masks/CLINIC_000{n}_mask_4label.nii.gz": BOTH}, "CLINIC_0001"),
    "ATLAS 2": ({"R001/sub-r001s00{n}/anat/sub-r001s00{n}_space-MNI_T1w.nii.gz": IMAGE,
                 "R001/sub-r001s00{n}/anat/sub-r001s00{n}_space-MNI_label-L_desc-T1lesion_mask.nii.gz": BOTH}, "sub-r001s001"),
    "pyradiomics": ({"breast{n}_image.nrrd": IMAGE, "breast{n}_label.nrrd": BOTH}, "breast1"),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_volumes_and_labels_are_paired_by_what_their_names_share(lay, read_draft, name):
    files, key = PAIRS[name]
    root = lay({path.format(n=n): voxels for n in (1, 2) for path, voxels in files.items()})
    assert inspect(root)[0][0] == "volumes"
    cases, lost = read_draft(root)
    assert (lost, len(cases)) == ({}, 2)
    assert [box for _, _, box in boxes(cases[key])] == list(WHERE.values())


ORGANS = {
    "PDDCA": ("0522c000{n}/img.nrrd", "0522c000{n}/structures/{organ}.nrrd"),
    "beside": ("P{n}/image.nii.gz", "P{n}/{organ}.nii.gz"),
}


@pytest.mark.parametrize("name", ORGANS)
def test_one_volume_per_organ_wherever_it_lies(lay, read_draft, name):
    image, mask = ORGANS[name]
    organs = {"liver": ORGAN, "spleen": LESION}
    files = {image.format(n=n): IMAGE for n in (1, 2)}
    files |= {mask.format(n=n, organ=organ): voxels for n in (1, 2) for organ, voxels in organs.items()}
    cases, lost = read_draft(lay(files))
    assert (lost, len(cases)) == ({}, 2)
    case = next(iter(cases.values()))
    assert boxes(case) == [("liver", 0, WHERE["organ"]), ("spleen", 0, WHERE["lesion"])]
    assert case.group == case.key


def test_a_single_scan_with_its_organs_and_other_volumes_beside_it(lay, read_draft):
    files = {"ct.nii.gz": IMAGE, "ct_multilabel.nii.gz": BOTH, "mr.nii.gz": IMAGE[:4], "seg_fast/liver.nii.gz": ORGAN}
    cases, lost = read_draft(lay({**files, "seg_fast/lung_upper_lobe_left.nii.gz": LESION}))
    assert {code for code, _ in lost.values()} == {"no_pattern"}
    (case,) = cases.values()
    assert [label for label, _, _ in boxes(case)] == ["liver", "left lung upper lobe"]
    assert case.images[0].files == ("ct.nii.gz",)


def test_bids_labels_of_several_values_are_all_drafted(lay, read_draft):
    stem = "sub-verse00{n}/sub-verse00{n}"
    files = {f"rawdata/{stem}_ct.nii.gz": IMAGE, f"derivatives/{stem}_seg-vert_msk.nii.gz": BOTH}
    root = lay({path.format(n=n): voxels for n in (1, 2) for path, voxels in files.items()} | {"dataset_description.json": "{}"})  # fmt: skip
    cases, lost = read_draft(root)
    assert (lost, set(cases)) == ({}, {"verse001", "verse002"})
    assert {case.group for case in cases.values()} == {"verse001", "verse002"}
    assert {label for label, _, _ in boxes(cases["verse001"])} == {"class 1", "class 2"}


def test_a_decathlon_in_the_folder_of_its_archive(lay, read_draft):
    about = {"name": "Hippocampus", "modality": {"0": "MRI"}, "labels": {"0": "background", "1": "Anterior", "2": "Posterior"},
             "training": [{"image": "./imagesTr/h_1.nii.gz", "label": "./labelsTr/h_1.nii.gz"}], "test": []}  # fmt: skip
    top = "Task04_Hippocampus"
    root = lay({f"{top}/dataset.json": json.dumps(about), f"{top}/imagesTr/h_1.nii.gz": IMAGE, f"{top}/labelsTr/h_1.nii.gz": BOTH})  # fmt: skip
    assert inspect(root)[0][1].hints["modality"] == "MRI"
    cases, lost = read_draft(root)
    assert lost == {}
    assert [label for label, _, _ in boxes(cases["h_1"])] == ["anterior hippocampus", "posterior hippocampus"]


def mask(x0=1, y0=1, x1=4, y1=4, value=255):
    out = np.zeros((6, 8), np.uint8)
    out[y0:y1, x0:x1] = value
    return out


FLAT = {
    "ISIC 2018": ({"Training_Input/ISIC_{n}.jpg": None, "Training_GroundTruth/ISIC_{n}_segmentation.png": mask()}, "ISIC_1"),
    "DRIVE": ({"training/images/2{n}_training.tif": mask(), "training/1st_manual/2{n}_manual1.gif": mask(),
               "training/mask/2{n}_training_mask.gif": mask(0, 0, 8, 5)}, "21"),
    "CHASE": ({"Image_0{n}L.jpg": None, "Image_0{n}L_1stHO.png": mask(), "Image_0{n}L_2ndHO.png": mask(0, 0, 8, 5)}, "Image_01L"),
    "CVC-ClinicDB": ({"Original/{n}.png": None, "Ground Truth/{n}.png": mask()}, "1"),
    "masks beside": ({"img{n}.png": None, "img{n}_mask.png": mask()}, "img1"),
    "VOC": ({"JPEGImages/{n}.jpg": None, "SegmentationClass/{n}.png": mask(value=1)}, "1"),
    "splits": ({"train/images/{n}.png": None, "train/masks/{n}.png": mask(), "val/images/{n}.png": None, "val/masks/{n}.png": mask()}, "val/1"),
}  # fmt: skip


@pytest.mark.parametrize("name", FLAT)
def test_pictures_and_masks_are_paired_by_what_their_names_share(lay, read_draft, name):
    files, key = FLAT[name]
    root = lay({path.format(n=n): content for n in (1, 2) for path, content in files.items()})
    assert inspect(root)[0][0] == "mask_pairs"
    cases, lost = read_draft(root)
    assert lost == {}
    assert boxes(cases[key]) == [("foreground", 0, (1, 1, 4, 4))]
    assert cases[key].split == ("val" if name == "splits" else "")


def test_a_mask_file_per_object_and_per_class(lay, read_draft):
    objects = {f"cells/{n}/images/{n}.png": None for n in "ab"}
    objects |= {f"cells/{n}/masks/{n}{k}.png": mask(2 * k, 0, 2 * k + 1, 3) for n in "ab" for k in (0, 1)}
    classes = {f"scans/images/{n}.png": None for n in "ab"}
    classes |= {f"scans/masks/{organ}/{n}.png": mask() for n in "ab" for organ in ("liver", "spleen")}
    root = lay({**objects, **classes})
    cases, lost = read_draft(root / "cells")
    assert (lost, boxes(cases["a"])) == ({}, [("foreground", 0, (0, 0, 1, 3)), ("foreground", 0, (2, 0, 3, 3))])
    cases, lost = read_draft(root / "scans")
    assert (lost, [label for label, _, _ in boxes(cases["a"])]) == ({}, ["liver", "spleen"])


def test_nnunet_with_pictures_names_its_classes(lay, read_draft):
    about = {"channel_names": {"0": "R", "1": "G", "2": "B"}, "labels": {"background": 0, "polyp": 1}, "numTraining": 2,
             "file_ending": ".png"}  # fmt: skip
    files = {f"imagesTr/img_{n}_0000.png": None for n in (1, 2)}
    files |= {f"labelsTr/img_{n}.png": mask(value=1) for n in (1, 2)}
    cases, lost = read_draft(lay({"dataset.json": json.dumps(about), **files}))
    assert (lost, boxes(cases["img_1"])) == ({}, [("polyp", 0, (1, 1, 4, 4))])


def test_masks_of_colours_are_drafted_with_every_colour(lay, read_draft):
    colours = np.zeros((6, 8, 3), np.uint8)
    colours[1:4, 1:4] = (255, 0, 0)
    colours[4:6, 5:8] = (0, 0, 255)
    root = lay({"images/a.png": None, "images/b.png": None})
    (root / "masks").mkdir()
    for name in "ab":
        Image.fromarray(colours).save(root / f"masks/{name}.png")
    cases, lost = read_draft(root)
    assert lost == {}
    assert [box for _, _, box in boxes(cases["a"])] == [(5, 4, 8, 6), (1, 1, 4, 4)]


def test_classes_of_the_same_file_names_are_no_masks(lay):
    root = lay({f"{word}/{n}.png": None for word in ("lesion", "normal", "nevus") for n in range(4)})
    assert inspect(root)[0][0] == "class_folders"


def test_what_is_left_over_is_no_pair():
    assert paired(["a.png", "b.png"], "id") == []
    assert paired(["masks/a.png", "masks/b.png"], "id") == []
    (found,) = paired(["x/img01.png", "x/img02.png", "y/label01.png"], "id")
    assert (found.images, found.labels) == (("x/img01.png",), ("y/label01.png",))
