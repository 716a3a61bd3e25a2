"""The errors of the Med-MAT table (FIELD.md section 1) do not reach the catalog."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from schemas.spec import DatasetSpec, load_spec

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "catalog" / "medmat"


@pytest.fixture(scope="module")
def specs() -> dict[int, DatasetSpec]:
    return {int(path.stem.split("_")[1]): load_spec(path) for path in sorted(FOLDER.glob("*.yaml"))}


def test_all_109_rows_are_there_the_blank_number_too(specs) -> None:
    assert sorted(specs) == list(range(1, 110))


@pytest.mark.parametrize(
    ("row", "key", "value"),
    [
        (46, "modality", "OCT"),
        (46, "homepage", ""),
        (50, "homepage", ""),
        (50, "anatomy", "bone"),
        (54, "clinical_task", "tuberculosis classification"),
        (63, "modality", "mixed"),
        (103, "clinical_task", "abdominal organ segmentation"),
        (103, "anatomy", "gastrointestinal tract"),
        (32, "homepage", ""),
        (101, "clinical_task", "chest finding detection"),
    ],
)
def test_a_row_that_the_table_has_wrong_is_right_here_and_says_so(specs, row, key, value) -> None:
    assert getattr(specs[row], key) == value
    assert "The table " in specs[row].notes


def test_no_link_is_used_for_two_sets_of_different_kind(specs) -> None:
    """Copy errors show as one address under two modalities or organs."""
    kinds: dict[str, set[tuple[str, str]]] = {}
    for spec in specs.values():
        if spec.homepage:
            kinds.setdefault(spec.homepage.split("?")[0], set()).add((spec.modality, spec.anatomy))
    assert {link: found for link, found in kinds.items() if len(found) > 1} == {}


def test_the_table_itself_would_fail_that_gate() -> None:
    table = ROOT.parent / "shared" / "reference" / "medmat_datasets.csv"
    if not table.is_file():
        pytest.skip("../shared/reference is not here")
    kinds: dict[str, set[tuple[str, str]]] = {}
    with table.open() as lines:
        for row in csv.DictReader(lines):
            kinds.setdefault(row["url"].split("?")[0], set()).add((row["modality"], row["area"]))
    wrong = [link for link, found in kinds.items() if len(found) > 1]
    assert any("malignant-lymphoma" in link for link in wrong)
    assert any("brian-tumor" in link for link in wrong)


def test_nothing_of_unknown_licence_is_open(specs) -> None:
    for spec in specs.values():
        if spec.license == "LicenseRef-unknown":
            assert spec.access == "restricted", spec.name
    assert {specs[row].access for row in (86, 87, 100, 101)} == {"credentialed"}


def test_datasets_with_equal_triplets_merge_as_in_med_mat(specs) -> None:
    triplets = Counter((spec.modality, spec.anatomy, spec.clinical_task) for spec in specs.values())
    assert triplets["CT", "lung", "COVID-19 classification"] == 3
    assert triplets["X-ray", "lung", "tuberculosis classification"] == 3
    assert triplets["dermoscopy", "skin", "skin lesion segmentation"] == 4
    assert 35 <= len(triplets) <= 75
