"""Codes are those of DICOM's concept table; departments cover the anatomy."""

import re

import pytest

from schemas.taxonomy import axis, department_of, departments, labels, snomed
from schemas.taxonomy.labels import plain


def test_every_code_stands_in_the_standards_table_under_the_labels_name() -> None:
    from pydicom.sr import _concepts_dict

    meanings: dict[str, set[str]] = {}
    for codes in _concepts_dict.concepts["SCT"].values():
        for code, (meaning, _) in codes.items():
            bare = re.sub(r"\s*\([^)]*\)$", "", meaning)
            words = {plain(bare), plain(re.sub(r"^structure of | structure$", "", bare, flags=re.IGNORECASE))}
            meanings.setdefault(code, set()).update(words)
    coded = {name: snomed(name) for name in labels() if snomed(name)}
    assert len(coded) >= 100
    for name, code in coded.items():
        assert plain(name) in meanings[code], (name, code)


@pytest.mark.parametrize(
    ("name", "code"), [("liver", "10200004"), ("spleen", "78961009"), ("heart", "80891009"), ("left kidney", "")]
)
def test_snomed(name, code) -> None:
    assert snomed(name) == code


@pytest.mark.parametrize(
    ("triplet", "department"),
    [
        (("CT", "liver", "liver segmentation"), "gastroenterology and hepatology"),
        (("X-ray", "lung", "pneumonia classification"), "pulmonary medicine"),
        (("X-ray", "lung", "tuberculosis classification"), "infectious diseases"),
        (("fundus photography", "fundus", "glaucoma classification"), "ophthalmology"),
        (("microscopy", "cell", "cell segmentation"), "laboratory medicine and pathology"),
        (("microscopy", "blood", "blood cell detection"), "hematology"),
        (("histopathology", "prostate", "prostate cancer grading"), "urology"),
        (("X-ray", "knee", "knee osteoarthritis grading"), "orthopedic surgery"),
        (("mixed", "mixed", "visual question answering"), ""),
    ],
)
def test_department_of(triplet, department) -> None:
    assert department_of(*triplet) == department


def test_departments_are_eighteen_and_speak_the_taxonomy() -> None:
    assert len(departments()) == 18
    owners: dict[str, str] = {}
    for name, department in departments().items():
        assert set(department.anatomy) <= set(axis("anatomy"))
        assert set(department.modalities) <= set(axis("modality"))
        assert set(department.tasks) <= set(axis("clinical_task"))
        for word in department.anatomy:
            assert owners.setdefault(word, name) == name, word
