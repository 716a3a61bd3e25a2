"""The three axes are closed, consistent vocabularies, and a word that is not in them is answered with the nearest."""

import csv
from pathlib import Path

import pytest

from schemas.spec import DatasetSpec
from schemas.taxonomy import axis, canonical, modality_of_dicom, triplet_problems

AXES = ("modality", "anatomy", "clinical_task")


@pytest.mark.parametrize("name", AXES)
def test_parents_exist_and_no_word_is_its_own_ancestor(name) -> None:
    words = axis(name)
    for word in words:
        seen, here = {word}, words[word].parent
        while here:
            assert here in words, (word, here)
            assert here not in seen, word
            seen.add(here)
            here = words[here].parent


@pytest.mark.parametrize("name", AXES)
def test_no_spelling_means_two_words(name) -> None:
    owner: dict[str, str] = {}
    for word, concept in axis(name).items():
        for spelling in {word.lower(), *(synonym.lower() for synonym in concept.synonyms)}:
            assert owner.setdefault(spelling, word) == word, spelling


def test_dicom_codes_are_those_of_the_standard_and_belong_to_one_modality() -> None:
    from pydicom.sr import _cid_dict, _concepts_dict

    names = set(_cid_dict.cid_concepts[29]["DCM"])
    standard = {code for name in names for code in _concepts_dict.concepts["DCM"][name]} | {"OT"}
    codes = [code for concept in axis("modality").values() for code in concept.dicom]
    assert set(codes) <= standard
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize(
    ("code", "word"), [("CT", "CT"), ("MR", "MRI"), ("DX", "X-ray"), ("CR", "X-ray"), ("MG", "mammography"), ("??", "")]
)
def test_modality_of_dicom(code, word) -> None:
    assert modality_of_dicom(code) == word


@pytest.mark.parametrize(
    ("name", "spelling", "word"),
    [
        ("modality", "X-Ray", "X-ray"),
        ("modality", "us", "ultrasound"),
        ("modality", "Ultrasound", "ultrasound"),
        ("modality", " fp ", "fundus photography"),
        ("anatomy", "Thorax", "chest"),
        ("anatomy", "Bones", "bone"),
        ("clinical_task", "Blindness Level", "diabetic retinopathy grading"),
        ("clinical_task", "PolyP Det/Seg", "polyp segmentation"),
        ("clinical_task", "astrology", ""),
    ],
)
def test_canonical(name, spelling, word) -> None:
    assert canonical(name, spelling) == word


def spec(**words: str) -> DatasetSpec:
    triplet = {"modality": "CT", "anatomy": "liver", "clinical_task": "liver segmentation"} | words
    return DatasetSpec.model_validate(
        {"name": "x", "title": "x", "license": "CC0-1.0", "access": "open", "reader": {"type": "coco"}} | triplet
    )


def test_a_word_outside_the_taxonomy_is_named_with_the_right_one() -> None:
    assert triplet_problems(spec()) == []
    assert triplet_problems(spec(modality="MR")) == ["x: modality 'MR' is not in the taxonomy; write 'MRI'"]
    assert triplet_problems(spec(anatomy="livr")) == ["x: anatomy 'livr' is not in the taxonomy; did you mean 'liver'?"]
    assert len(triplet_problems(spec(modality="?", anatomy="?", clinical_task="?"))) == 3


def test_every_modality_and_area_of_the_med_mat_tables_is_known(root: Path) -> None:
    folder = root.parent / "shared" / "reference"
    if not folder.is_dir():
        pytest.skip("../shared/reference is not here")
    tables = [folder / "medmat_subsets.csv", folder / "medmat_datasets.csv"]
    for row in [row for table in tables for row in csv.DictReader(table.open())]:
        assert canonical("anatomy", row["area"]), row
        assert canonical("modality", row["modality"]), row
