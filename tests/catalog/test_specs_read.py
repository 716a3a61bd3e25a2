"""Catalog specs read datasets that are laid out as they say: made here, or the real ones at hand."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.data import get_testdata_file

from readers.base import Item, open_reader
from schemas.case import Case
from schemas.spec import load_spec

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Read everything by a spec of the catalog whose root is ``<tmp>/<its name>``."""
    monkeypatch.setenv("MEDCURATE_SOURCES", str(tmp_path))

    def run(name: str) -> dict[str, Case]:
        reader = open_reader(load_spec(next((ROOT / "catalog").rglob(f"{name}.yaml"))))
        items = list(reader.items())
        assert all(isinstance(item, Item) for item in items), items
        return {item.key: reader.read(item) for item in items if isinstance(item, Item)}

    return run


def picture(path: Path, pixels: np.ndarray | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = np.random.default_rng(3).integers(0, 255, (16, 16)).astype(np.uint8) if pixels is None else pixels
    Image.fromarray(made).save(path)


@pytest.mark.parametrize(
    ("name", "stem"), [("medmat_054_shenzhen_cxr", "CHNCXR"), ("medmat_079_montgomery_cxr", "MCUCXR")]
)
def test_tuberculosis_films_by_name(read, tmp_path, name, stem) -> None:
    for number, label in (("0001", 0), ("0327", 1)):
        picture(tmp_path / name / f"CXR_png/{stem}_{number}_{label}.png")
    note = tmp_path / name / f"ClinicalReadings/{stem}_0327_1.txt"
    note.parent.mkdir()
    note.write_text("female 33yrs\nPTB in the right upper field\n")
    cases = read(name)
    ill = cases[f"CXR_png/{stem}_0327_1.png"]
    assert [case.present() for case in cases.values()] == [["normal"], ["tuberculosis"]]
    assert (ill.group, ill.demographics.age_years, ill.texts[0].content) == (
        f"{stem}_0327",
        33,
        "PTB in the right upper field",
    )


def test_acrima_by_name(read, tmp_path) -> None:
    for name in ("Im001_ACRIMA", "Im310_g_ACRIMA"):
        picture(tmp_path / f"medmat_021_acrima/Database/Images/{name}.jpg")
    cases = read("medmat_021_acrima")
    assert {key.rpartition("/")[2]: case.present() for key, case in cases.items()} == {
        "Im001_ACRIMA.jpg": ["normal"], "Im310_g_ACRIMA.jpg": ["glaucoma"],
    }  # fmt: skip


def slice_file(path: Path, number: int) -> None:
    data = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")))
    data.Rows = data.Columns = 16
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number}"
    data.PixelData = np.full((16, 16), 40, np.int16).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path)


def test_chaos_ct_and_mr(read, tmp_path) -> None:
    mask = np.zeros((16, 16), np.uint8)
    mask[2:6, 3:9] = 255
    for number in range(2):
        slice_file(tmp_path / f"sat_chaos_ct/Train_Sets/CT/8/DICOM_anon/i000{number},0000b.dcm", number)
        picture(tmp_path / f"sat_chaos_ct/Train_Sets/CT/8/Ground/liver_GT_00{number}.png", mask)
        for phase in ("InPhase/", "OutPhase/"):
            slice_file(tmp_path / f"sat_chaos_mri/MR/1/T1DUAL/DICOM_anon/{phase}IMG-0004-0000{number}.dcm", number)
        picture(tmp_path / f"sat_chaos_mri/MR/1/T1DUAL/Ground/IMG-0004-0000{number}.png", mask // 255 * 126)
    found = read("sat_chaos_ct")
    assert {(case.group, *case.present(), case.regions[0].box) for case in found.values()} == {
        ("8", "liver", (3, 2, 9, 6))
    }
    found = read("sat_chaos_mri")
    assert len(found) == 4
    assert {(case.group, *case.present(), case.regions[0].box) for case in found.values()} == {
        ("1", "right kidney", (3, 2, 9, 6))
    }


def test_han_seg(read, tmp_path) -> None:
    import SimpleITK as sitk

    folder = tmp_path / "sat_han_seg/set_1/case_01"
    folder.mkdir(parents=True)
    organ = np.zeros((8, 10, 12), np.uint8)
    organ[3, 2:7, 1:6] = 1
    sitk.WriteImage(sitk.GetImageFromArray(organ.astype(np.int16) * 40), str(folder / "case_01_IMG_CT.nrrd"))
    for name in ("Parotid_L", "Eye_PR"):
        sitk.WriteImage(sitk.GetImageFromArray(organ), str(folder / f"case_01_OAR_{name}.seg.nrrd"))
    (case,) = read("sat_han_seg").values()
    assert {region.label for region in case.volume_regions} == {"left parotid gland", "right posterior eyeball"}
    assert case.group == "case_01"


def test_the_real_hippocampus_by_the_spec_of_sat(read, tmp_path) -> None:
    real = ROOT.parent / "shared/data/seg3d_hippocampus_msd"
    if not real.is_dir():
        pytest.skip("../shared/data is not here")
    (tmp_path / "sat_msd_hippocampus").symlink_to(real)
    reader = open_reader(load_spec(ROOT / "catalog/sat/sat_msd_hippocampus.yaml"))
    items = [item for item in reader.items() if isinstance(item, Item)]
    case = reader.read(items[0])
    assert {region.label for region in case.regions} <= {"anterior hippocampus", "posterior hippocampus"}
    assert case.regions
