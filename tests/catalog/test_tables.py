"""The catalog holds every dataset of the tables in ../shared/reference, with the facts that they state."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from readers.base import open_reader
from schemas.spec import load_spec
from schemas.taxonomy import canonical

ROOT = Path(__file__).resolve().parents[2]


def rows(name: str) -> list[dict[str, str]]:
    file = ROOT.parent / "shared" / "reference" / f"{name}.csv"
    if not file.is_file():
        pytest.skip("../shared/reference is not here")
    with file.open() as lines:
        return list(csv.DictReader(lines))


def test_medsegbench_has_its_35_with_their_licences() -> None:
    spdx = {
        "CC BY 4.0": "CC-BY-4.0", "CC BY-NC 4.0": "CC-BY-NC-4.0", "CC0": "CC0-1.0", "BSD-3": "BSD-3-Clause",
        "CC BY-SA 4.0": "CC-BY-SA-4.0", "GPL 2": "GPL-2.0-only", "CC BY-NC-SA 4.0": "CC-BY-NC-SA-4.0",
    }  # fmt: skip
    table = rows("medsegbench_datasets")
    assert len(table) == 35
    for row in table:
        name = "medsegbench_" + row["name"].replace("-", "_")
        spec = load_spec(ROOT / "catalog/medsegbench" / f"{name}.yaml")
        assert spec.license == spdx.get(row["license"], spec.license)
        assert (spec.access == "open") == (not spec.license.startswith("LicenseRef"))
        classes = spec.reader.options.get("classes")
        if row["name"] == "idrib":
            # Called binary, and has one array of masks for each of four classes (MedSegBench's info.py).
            assert classes is not None and sorted(classes) == [1, 2, 3, 4]
        elif row["task"] == "binary":
            assert "binary" in spec.reader.options
        else:
            assert len(classes or ()) == int(row["n_classes"]) - 1


def test_sat_has_its_72() -> None:
    table = [row for row in rows("satds_datasets") if row["in_72"] == "yes"]
    assert len(table) == 72
    for row in table:
        name = "sat_" + re.sub(r"[^a-z0-9]+", "_", row["name"].lower()).strip("_")
        spec = load_spec(ROOT / "catalog/sat" / f"{name}.yaml")
        assert spec.homepage == row["url"]
        if "The SAT table" not in spec.notes:
            assert spec.modality == canonical("modality", row["modality"])


def test_med_mat_keeps_names_and_axes_unless_it_says_why() -> None:
    for row in rows("medmat_datasets"):
        found = list((ROOT / "catalog/medmat").glob(f"medmat_{int(row['id']):03d}_*.yaml"))
        spec = load_spec(found[0])
        assert spec.title == row["name"] or row["id"] == "46"
        assert spec.homepage in (row["url"], "")
        assert spec.homepage or "The table " in spec.notes


def test_acdc_frames_of_one_patient_are_one_group() -> None:
    """SAT names frames as patients; a split by that field would part them (FIELD.md section 12)."""
    rule = load_spec(ROOT / "catalog/sat/sat_acdc.yaml").group
    keys = ["patient007/01", "patient007/12", "patient008/01"]
    assert [re.search(rule.pattern, key)[1] for key in keys] == ["patient007", "patient007", "patient008"]


def test_a_medsegbench_spec_reads_a_file_laid_out_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mask = np.zeros((2, 64, 64), np.uint8)
    mask[0, 16:32, 8:24] = 1
    arrays = {}
    for split in ("train", "val", "test"):
        arrays[f"{split}_images"] = np.full((2, 64, 64), 90, np.uint8)
        arrays[f"{split}_label"] = mask
    (tmp_path / "medsegbench").mkdir()
    np.savez(tmp_path / "medsegbench/busi_256.npz", **arrays)
    monkeypatch.setenv("MEDCURATE_SOURCES", str(tmp_path))
    reader = open_reader(load_spec(ROOT / "catalog/medsegbench/medsegbench_busi.yaml"))
    cases = [reader.read(item) for item in reader.items()]
    assert sorted(case.split for case in cases) == ["test", "test", "train", "train", "val", "val"]
    marked = [case for case in cases if case.regions]
    assert len(marked) == 3
    assert marked[0].regions[0].label == "breast mass"
    assert marked[0].regions[0].box == (8, 16, 24, 32)


def write_volume(path: Path, values: np.ndarray) -> None:
    import nibabel

    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(values, np.diag([-2.0, -2.0, 3.0, 1.0])), path)


def test_a_brats_spec_reads_a_folder_laid_out_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.zeros((32, 32, 6), np.uint8)
    labels[4:12, 4:12, 2:4] = 2
    labels[6:10, 6:10, 2:4] = 3
    case = "BraTS-GLI-00005-001"
    for channel in ("t1n", "t1c", "t2w", "t2f"):
        image = np.random.default_rng(1).integers(1, 200, labels.shape).astype(np.int16)
        write_volume(tmp_path / f"sat_brats2023_gli/{case}/{case}-{channel}.nii.gz", image)
    write_volume(tmp_path / f"sat_brats2023_gli/{case}/{case}-seg.nii.gz", labels)
    monkeypatch.setenv("MEDCURATE_SOURCES", str(tmp_path))
    reader = open_reader(load_spec(ROOT / "catalog/sat/sat_brats2023_gli.yaml"))
    cases = [reader.read(item) for item in reader.items()]
    assert [(case.key, case.group) for case in cases] == [("BraTS-GLI-00005-001", "BraTS-GLI-00005")]
    assert {region.label for region in cases[0].regions} == {"brain edema", "enhancing brain tumor"}


def test_a_chexpert_spec_reads_a_table_laid_out_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    root = tmp_path / "medmat_077_chexpert_small"
    path = "CheXpert-v1.0-small/train/patient00007/study1/view1_frontal.jpg"
    (root / path).parent.mkdir(parents=True)
    Image.fromarray(np.random.default_rng(2).integers(0, 255, (64, 64)).astype(np.uint8)).save(root / path)
    spec = load_spec(ROOT / "catalog/medmat/medmat_077_chexpert_small.yaml")
    findings = list(spec.labels)
    values = dict.fromkeys(findings, "") | {"Cardiomegaly": "1.0", "Edema": "-1.0", "Pneumonia": "0.0"}
    header = ["Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", *findings]
    row = [path, "Female", "68", "Frontal", "AP", *(values[name] for name in findings)]
    (root / "CheXpert-v1.0-small/train.csv").write_text(",".join(header) + "\n" + ",".join(row) + "\n")
    monkeypatch.setenv("MEDCURATE_SOURCES", str(tmp_path))
    reader = open_reader(load_spec(ROOT / "catalog/medmat/medmat_077_chexpert_small.yaml"))
    (case,) = [reader.read(item) for item in reader.items()]
    assert {(label.name, label.polarity) for label in case.labels} == {
        ("cardiomegaly", "present"), ("edema of lung", "uncertain"), ("pneumonia", "absent"),
    }  # fmt: skip
    assert case.group == "patient00007"
    assert (case.demographics.sex, case.demographics.age_years) == ("female", 68)


def test_a_siim_spec_reads_run_lengths_laid_out_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    root = tmp_path / "medmat_106_siim_acr_pneumothorax"
    root.mkdir()
    for name in ("a", "b"):
        noise = np.random.default_rng(len(name)).integers(0, 255, (32, 32)).astype(np.uint8)
        Image.fromarray(noise).save(root / f"{name}.png")
    # Column-major, each start relative to the end of the run before: 3 pixels from row 4 of column 2, then row 4 of 3.
    (root / "train-rle.csv").write_text("ImageId,EncodedPixels\na,68 3 29 3\nb,-1\n")
    monkeypatch.setenv("MEDCURATE_SOURCES", str(tmp_path))
    reader = open_reader(load_spec(ROOT / "catalog/medmat/medmat_106_siim_acr_pneumothorax.yaml"))
    cases = {case.key[0]: case for case in (reader.read(item) for item in reader.items())}
    (region,) = cases["a"].regions
    assert (region.label, region.box, region.area) == ("pneumothorax", (2, 4, 4, 7), 6)
    assert cases["b"].regions == ()
