"""Modality, anatomy and task of every spec equal its table's row, or refine it, or the notes say why they differ."""

import csv
import re
from pathlib import Path

import pytest

from schemas.spec import DatasetSpec, load_spec
from schemas.taxonomy import axis, canonical, within

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT.parent / "shared" / "reference"
KINDS = {
    "classification": {"classification", "multi-label"},
    "multi_label_classification": {"multi-label", "detection"},
    "ordinal_classification": {"grading"},
    "quality_or_type_classification": {"quality", "classification"},
    "segmentation": {"segmentation", "detection"},
    "detection": {"detection"},
}
"""The table's kind of task -> kinds of the taxonomy; sets with boxes and labels may be either."""
FINER = {"Cell": "histopathology", "Bones": "X-ray", "Intestine": "endoscopy"}
"""Areas of the table that say what a picture is of only roughly -> modality in which the spec says which organ."""


def rows(name: str) -> list[dict[str, str]]:
    if not (REFERENCE / f"{name}.csv").is_file():
        return []
    with (REFERENCE / f"{name}.csv").open() as lines:
        return list(csv.DictReader(lines))


def med_mat(row: dict[str, str]) -> DatasetSpec:
    return load_spec(next((ROOT / "catalog/medmat").glob(f"medmat_{int(row['id']):03d}_*.yaml")))


def alike(name, one: str, other: str) -> bool:
    """Whether one word is the other or holds it."""
    return bool(one and other) and (within(name, one, other) or within(name, other, one))


@pytest.mark.parametrize("row", rows("medmat_datasets"), ids=lambda row: row["id"])
def test_a_med_mat_row(row: dict[str, str]) -> None:
    spec = med_mat(row)
    if "The table " in spec.notes:
        return
    photograph = row["modality"] == "Der" and spec.modality == "digital photography"
    assert photograph or alike("modality", spec.modality, canonical("modality", row["modality"]))
    finer = FINER.get(row["area"]) == spec.modality
    assert finer or alike("anatomy", spec.anatomy, canonical("anatomy", row["area"]))
    assert axis("clinical_task")[spec.clinical_task].kind in KINDS[row["label_type"]]
    assert (spec.label_kind == "multi_label") <= (row["label_type"] in ("multi_label_classification", "classification"))


@pytest.mark.parametrize(
    "row", [row for row in rows("satds_datasets") if row["in_72"] == "yes"], ids=lambda row: row["name"]
)
def test_a_sat_row(row: dict[str, str]) -> None:
    name = "sat_" + re.sub(r"[^a-z0-9]+", "_", row["name"].lower()).strip("_")
    spec = load_spec(ROOT / "catalog/sat" / f"{name}.yaml")
    assert axis("clinical_task")[spec.clinical_task].kind == "segmentation"
    if "The SAT table" not in spec.notes:
        assert spec.modality == canonical("modality", row["modality"])
        assert alike("anatomy", spec.anatomy, canonical("anatomy", row["region"]))


@pytest.mark.parametrize("row", rows("medsegbench_datasets"), ids=lambda row: row["name"])
def test_a_medsegbench_row(row: dict[str, str]) -> None:
    spec = load_spec(ROOT / "catalog/medsegbench" / f"medsegbench_{row['name'].replace('-', '_')}.yaml")
    assert axis("clinical_task")[spec.clinical_task].kind == "segmentation"
    assert spec.reader.type == "npz"
    assert spec.split.policy == "shipped"
    assert ("binary" in spec.reader.options) == (row["task"] == "binary" and row["name"] != "idrib")
