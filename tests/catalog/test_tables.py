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
        if row["task"] == "binary":
            assert "binary" in spec.reader.options
        elif classes:
            assert len(classes) == int(row["n_classes"]) - 1


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
