"""The hospital is the same on every run, and its left and right are where anatomy puts them."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flows.phantoms import build_hospital
from flows.phantoms.chest import MIDLINE, Finding, film


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def truth(hospital: Path) -> dict:
    return json.loads((hospital / "truth.json").read_text())


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(hospital: Path, tmp_path: Path) -> None:
    again = digests(build_in(tmp_path / "again", 0))
    assert digests(hospital) == again
    other = digests(build_in(tmp_path / "other", 1))
    assert len(other) == len(again)
    picture = "phantom_cxr_folders/normal/cxr001_1.jpg"
    assert other[picture] != again[picture]


def build_in(folder: Path, seed: int) -> Path:
    build_hospital(folder, seed)
    return folder


@pytest.mark.parametrize("key", ["a", "b", "c", "d"])
def test_the_heart_points_to_the_pictures_right_and_more_so_when_enlarged(key: str) -> None:
    plain, enlarged = film(5, key), film(5, key, (Finding("cardiomegaly"),))
    assert plain.truth["apex"][0] > MIDLINE + 35
    assert plain.truth["cardiothoracic_ratio"] < 0.5 < enlarged.truth["cardiothoracic_ratio"]
    # Between the hila and the domes the heart's bulk is on the right half of the picture.
    band = plain.pixels[165:185].astype(float)
    assert (band[:, 128:188] > 130).sum() > 1.6 * (band[:, 68:128] > 130).sum()


@pytest.mark.parametrize("name", ["pneumonia", "pleural effusion", "nodule"])
@pytest.mark.parametrize(("side", "sign"), [("left", 1), ("right", -1)])
def test_a_finding_lies_on_its_side_and_brightens_the_lung(name, side, sign) -> None:
    plain, ill = film(7, "p"), film(7, "p", (Finding(name, side),))
    x, y = ill.truth[name]["centre"]
    assert sign * (x - MIDLINE) > 25
    difference = ill.pixels.astype(int) - plain.pixels.astype(int)
    assert difference[int(y) - 2 : int(y) + 3, int(x) - 2 : int(x) + 3].mean() > 50
    mirrored = int(256 - x)
    assert abs(difference[int(y) - 2 : int(y) + 3, mirrored - 2 : mirrored + 3].mean()) < 15


def test_ct_slices_show_the_liver_left_and_the_spleen_right(hospital: Path, truth: dict) -> None:
    folder = hospital / "phantom_ct_slices"
    names = (folder / "classes.csv").read_text().split()
    assert names[1:] == [
        "0,background",
        "1,liver",
        "2,spleen",
        "3,right",
        "kidney",
        "4,left",
        "kidney",
        "5,liver",
        "tumor",
    ]
    seen = set()
    for path in sorted((folder / "masks").glob("*_mask.png")):
        mask = np.asarray(Image.open(path))
        picture = np.asarray(Image.open(folder / "images" / path.name.replace("_mask", ""))).astype(float)
        if mask.shape != picture.shape:
            assert path.name == "abd06_s6_mask.png"
            continue
        columns = np.arange(256) + 0.5
        for value, left_half in ((1, True), (2, False), (3, True), (4, False), (5, True)):
            if (mask == value).any():
                seen.add(value)
                centre = (mask == value).sum(axis=0) @ columns / (mask == value).sum()
                assert (centre < 128) == left_half, (path.name, value)
                # Window 40/400 shows h HU as (h + 160) / 400 * 255: liver 108 -> 171, spleen 122 -> 180,
                # kidney 172 -> 212, tumour 62 -> 142.
                expected = {1: 171, 2: 180, 3: 212, 4: 212, 5: 142}[value]
                assert picture[mask == value].mean() == pytest.approx(expected, abs=5)
    assert seen == {1, 2, 3, 4, 5}


def test_every_voxel_order_leads_to_the_same_patient_frame(hospital: Path, truth: dict) -> None:
    import nibabel

    folder = hospital / "phantom_abdomen_msd"
    listed = json.loads((folder / "dataset.json").read_text())["training"]
    orders = set()
    for entry in listed[:-1]:
        key = Path(entry["image"]).name.removesuffix(".nii.gz")
        image, label = nibabel.load(folder / entry["image"]), nibabel.load(folder / entry["label"])
        order = "".join(nibabel.aff2axcodes(image.affine))
        assert order == truth["phantom_abdomen_msd"][key]["order"]
        orders.add(order)
        assert np.array_equal(image.affine, label.affine)
        values, labels = np.asarray(image.dataobj), np.asarray(label.dataobj)
        world = {}
        for value, name in ((1, "liver"), (2, "spleen"), (3, "right kidney"), (4, "left kidney")):
            centre = np.argwhere(labels == value).mean(axis=0)
            world[name] = nibabel.affines.apply_affine(label.affine, centre)
            assert world[name] == pytest.approx(truth["phantom_abdomen_msd"][key]["organs"][name]["centre"], abs=0.02)
        assert world["liver"][0] > 30 > -30 > world["spleen"][0]
        assert world["right kidney"][0] > 40 and world["left kidney"][0] < -40
        assert world["right kidney"][2] < world["left kidney"][2] < world["liver"][2]
        assert values[labels == 1].mean() == pytest.approx(108, abs=1)
    assert orders == {"RAS", "LAS", "LPS", "PSR", "RSA", "LPI"}


def test_the_nodule_shows_in_the_lung_window_only(hospital: Path, truth: dict) -> None:
    import pydicom

    for patient, known in truth["phantom_ct_dicom"].items():
        if not known["nodule"]:
            continue
        x, y, z = known["centre"]
        assert (x > 0) == (known["nodule"] == "right")
        files = [pydicom.dcmread(path) for path in sorted((hospital / "phantom_ct_dicom" / patient).glob("[0-9]*"))]
        heights = [float(file.ImagePositionPatient[2]) for file in files]
        assert heights != sorted(heights)
        nearest = files[int(np.argmin([abs(height - z) for height in heights]))]
        hounsfield = nearest.pixel_array.astype(float) * nearest.RescaleSlope + nearest.RescaleIntercept
        # The DICOM patient frame is LPS: x and y change sign.
        column, row = (
            round((-at - float(start)) / float(step))
            for at, start, step in zip((x, y), nearest.ImagePositionPatient, nearest.PixelSpacing[::-1], strict=False)
        )
        # Radiological display: the patient's right is in the left half.
        assert (column < 72) == (known["nodule"] == "right")
        spot = hounsfield[row - 1 : row + 2, column - 1 : column + 2]
        assert spot.mean() == pytest.approx(-560, abs=20)

        def shown(value, centre, width):
            return float(np.clip((value - (centre - width / 2)) / width, 0, 1) * 255)

        assert shown(-560, -600, 1500) - shown(-840, -600, 1500) > 45
        assert shown(-560, 40, 400) == shown(-840, 40, 400) == 0


def test_the_segmentation_says_where_the_nodule_is(hospital: Path, truth: dict) -> None:
    import pydicom

    for patient, known in truth["phantom_ct_dicom"].items():
        data = pydicom.dcmread(hospital / "phantom_ct_dicom" / patient / "seg.dcm")
        names = {item.SegmentNumber: item.SegmentLabel for item in data.SegmentSequence}
        assert names == {1: "right lung", 2: "left lung", 3: "heart", 4: "lung nodule"}
        frames = data.pixel_array
        centres: dict[str, list[np.ndarray]] = {}
        for mask, group in zip(frames, data.PerFrameFunctionalGroupsSequence, strict=True):
            corner = group.PlanePositionSequence[0].ImagePositionPatient
            rows, columns = np.nonzero(mask)
            place = [-(corner[0] + 2.6 * columns.mean()), -(corner[1] + 2.6 * rows.mean()), corner[2]]
            name = names[group.SegmentIdentificationSequence[0].ReferencedSegmentNumber]
            centres.setdefault(name, []).append(np.array([float(value) for value in place]))
        sides = {name: np.mean(found, axis=0)[0] for name, found in centres.items()}
        assert sides["right lung"] > 50 and sides["left lung"] < -50 and sides["heart"] < -15
        assert ("lung nodule" in sides) == bool(known["nodule"])
        if known["nodule"]:
            assert sides["lung nodule"] == pytest.approx(known["centre"][0], abs=2)


def test_monochrome1_holds_the_same_picture_inverted(hospital: Path, truth: dict) -> None:
    import pydicom

    kinds = set()
    for patient, known in truth["phantom_dx_dicom"].items():
        data = pydicom.dcmread(hospital / "phantom_dx_dicom" / f"{patient}.dcm")
        kinds.add(data.PhotometricInterpretation)
        assert (data.PhotometricInterpretation == "MONOCHROME1") == known["monochrome1"]
        air = data.pixel_array[2:8, 2:8].mean()
        assert (air > 3000) == known["monochrome1"]
    assert kinds == {"MONOCHROME1", "MONOCHROME2"}


def test_boxes_enclose_stained_cells(hospital: Path, truth: dict) -> None:
    folder = hospital / "phantom_blood_coco"
    coco = json.loads((folder / "annotations/instances.json").read_text())
    names = {image["id"]: image["file_name"] for image in coco["images"]}
    for note in coco["annotations"]:
        name = names[note["image_id"]]
        if name in ("smear_015.jpg", "smear_016.jpg"):
            continue
        picture = np.asarray(Image.open(folder / "images" / name)).astype(float)
        x, y, w, h = note["bbox"]
        assert x >= 0 and y >= 0 and x + w <= 320 and y + h <= 240
        green = picture[round(y + h / 4) : round(y + h * 3 / 4) + 1, round(x + w / 4) : round(x + w * 3 / 4) + 1, 1]
        assert green.mean() < 190
    assert not (folder / "images/smear_016.jpg").exists()


def test_each_deliberate_fault_is_there(hospital: Path) -> None:
    folders = hospital / "phantom_cxr_folders"
    with pytest.raises(OSError, match="truncated"):
        Image.open(folders / "normal/cxr031_1.jpg").load()
    assert (folders / "normal/cxr002_1.jpg").read_bytes() == (folders / "normal/cxr002_2.jpg").read_bytes()
    assert np.asarray(Image.open(hospital / "phantom_cxr_table/images/00012_021.png")).max() == 0
    table = (hospital / "phantom_cxr_table/labels.csv").read_text()
    assert "00010_019.png" in table and not (hospital / "phantom_cxr_table/images/00010_019.png").exists()
    assert ",-1" in (hospital / "phantom_cxr_onehot/train.csv").read_text()
    assert len(list((hospital / "phantom_ct_dicom/PHCT003").glob("[0-9]*.dcm"))) == 11


def test_the_real_dicom_files_come_from_the_installed_package(hospital: Path) -> None:
    import pydicom

    copied = hospital / "pydicom_files/CT_small.dcm"
    shipped = Path(pydicom.__file__).parent / "data/test_files/CT_small.dcm"
    assert copied.read_bytes() == shipped.read_bytes()
    assert len(list((hospital / "pydicom_files").rglob("*"))) > 100
