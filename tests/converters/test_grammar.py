"""English around medical words."""

import pytest

from converters.speech import english as en
from converters.speech import speech
from schemas.errors import UserError


@pytest.mark.parametrize(
    ("label", "phrase"),
    [
        ("platelet", "a platelet"),
        ("eosinophil", "an eosinophil"),
        ("liver", "the liver"),
        ("left kidney", "the left kidney"),
        ("liver tumor", "a liver tumor"),
        ("edema", "edema"),
        ("pneumonia", "pneumonia"),
        ("COVID-19", "COVID-19"),
        ("drusen", "drusen"),
        ("cyst of kidney", "a cyst of kidney"),
        ("anterior hippocampus", "the anterior hippocampus"),
        ("ulcer", "an ulcer"),
        ("melanoma", "a melanoma"),
        ("osteomyelitis", "osteomyelitis"),
        ("thoracic vertebrae 3 (t3)", "the thoracic vertebra 3 (T3)"),
        ("mole", "a mole"),
        ("unilateral opacity", "a unilateral opacity"),
        ("MR artifact", "MR artifact"),
    ],
)
def test_phrase(label, phrase):
    assert en.phrase(label) == phrase


@pytest.mark.parametrize(
    ("number", "label", "text"),
    [
        (1, "platelet", "1 platelet"),
        (2, "platelet", "2 platelets"),
        (0, "platelet", "no platelets"),
        (3, "metastasis", "3 metastases"),
        (2, "opacity", "2 opacities"),
        (2, "mass", "2 masses"),
        (2, "nucleus", "2 nuclei"),
        (1, "edema", "1 area of edema"),
        (2, "edema", "2 areas of edema"),
        (2, "cyst of kidney", "2 cysts of kidney"),
        (4, "red blood cell", "4 red blood cells"),
        (2, "RBC", "2 RBCs"),
        (2, "pneumothorax", "2 pneumothoraces"),
    ],
)
def test_counted(number, label, text):
    assert en.counted(number, label) == text


@pytest.mark.parametrize(
    ("word", "article"),
    [("MR image", "an"), ("CT slice", "a"), ("X-ray", "an"), ("ultrasound image", "an"), ("OCT image", "an"),
     ("PET image", "a"), ("uniform area", "a"), ("axial CT slice", "an"), ("fundus photograph", "a"), ("US image", "a"),
     ("8-bit image", "an"), ("uninfected cell", "an"), ("AP radiograph", "an"), ("PA radiograph", "a")],
)  # fmt: skip
def test_article(word, article):
    assert en.article(word) == article


def test_state_words():
    assert {en.kind(word) for word in ("benign", "moderate", "no diabetic retinopathy")} == {"state"}
    assert {en.kind(word) for word in ("normal", "no finding", "Unremarkable")} == {"clear"}
    assert en.kind("normal cell") == "countable"
    assert en.phrase("no finding") == "no abnormal findings"


def test_lists():
    assert en.listed(["a"]) == "a"
    assert en.listed(["a", "b"]) == "a and b"
    assert en.listed(["a", "b", "c"]) == "a, b and c"


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        (("CT", "abdomen", "axial", "", True), "axial CT slice of the abdomen"),
        (("X-ray", "chest", "", "PA"), "PA radiograph of the chest"),
        (("microscopy", "blood"), "microscopy image of blood"),
        (("", ""), "medical image"),
        (("MRI", "hippocampus", "sagittal", "", True), "sagittal MR slice of the hippocampus"),
        (("thermography", ""), "thermography image"),
        (("mixed", "mixed"), "medical image"),
    ],
)
def test_picture(facts, name):
    assert en.picture(*facts) == name


def test_an_unknown_language_is_named():
    with pytest.raises(UserError, match="'tlh'"):
        speech("tlh")
