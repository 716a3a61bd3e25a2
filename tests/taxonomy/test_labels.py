"""Canonical labels: sides, wholes and parts, spellings, scales; SAT's vocabulary is in it."""

import json
from collections import defaultdict
from pathlib import Path

import pytest

from schemas.taxonomy import (
    ancestors,
    axis,
    canonical_label,
    labels,
    mirrored,
    parts,
    propose,
    related,
    scale_of,
    scales,
)
from schemas.taxonomy.labels import plain


def test_wider_labels_exist_regions_are_anatomy_and_nothing_holds_itself() -> None:
    for name, concept in labels().items():
        assert set(concept.of) <= set(labels()), name
        assert not concept.region or concept.region in axis("anatomy"), name
        assert name not in ancestors(name)
        assert not concept.opposite or concept.opposite in labels()


def test_no_spelling_means_two_labels() -> None:
    owners = defaultdict(set)
    for name, concept in labels().items():
        for spelling in (name, *concept.synonyms):
            owners[plain(spelling)].add(name)
    assert {spelling: names for spelling, names in owners.items() if len(names) > 1} == {}


def test_a_kidney_is_whole_only_with_its_sides_and_lesions() -> None:
    assert set(parts("kidney")) >= {"left kidney", "right kidney", "kidney tumor", "kidney cyst", "left kidney cyst"}
    assert "liver" not in parts("kidney")
    assert set(parts("brain tumor")) >= {"enhancing brain tumor", "necrotic brain tumor core"}
    assert ancestors("left rib 3") == {"rib 3", "left rib", "rib", "bone"}
    assert ancestors("right lung upper lobe") == {"right lung", "lung upper lobe", "lung"}


@pytest.mark.parametrize(
    ("one", "other", "kin"),
    [
        ("kidney", "left kidney", True),
        ("left kidney", "right kidney", False),
        ("liver", "liver tumor", True),
        ("tumor", "liver tumor", True),
        ("pneumonia", "COVID-19", True),
        ("liver", "spleen", False),
    ],
)
def test_related(one, other, kin) -> None:
    assert related(one, other) == related(other, one) == kin


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("Liver", "liver"),
        ("kidney_right", "right kidney"),
        ("Left Kidney", "left kidney"),
        ("lung-nodule", "lung nodule"),
        ("RBC", "red blood cell"),
        ("T3", "thoracic vertebrae 3 (t3)"),
        ("vertebrae_L5", "lumbar vertebrae 5 (l5)"),
        ("tumour", "tumor"),
        ("Pleural_Effusion", "pleural effusion"),
        ("Lt Lung", "left lung"),
        ("Edema", "edema"),
        ("nodule", ""),
        ("NV", "nevus"),
        ("quux", ""),
    ],
)
def test_canonical_label(word, name) -> None:
    assert canonical_label(word) == name


def test_an_unknown_word_is_answered_with_the_nearest() -> None:
    assert propose("livr")[0] == "liver"
    assert propose("plural effusion")[0] == "pleural effusion"
    assert propose("spleen") == ["spleen"]
    assert propose("zzzz") == []


@pytest.mark.parametrize(
    ("word", "region", "name"),
    [
        ("Mass", "lung", "lung mass"),
        ("Mass", "breast", "breast mass"),
        ("nodule", "thyroid", "thyroid nodule"),
        ("edema", "brain", "brain edema"),
        ("edema", "lung", "edema of lung"),
        # Of the lung or of the heart: both lie in the chest, so nobody guesses.
        ("edema", "chest", "edema"),
        ("mass", "knee", ""),
        ("liver", "knee", "liver"),
    ],
)
def test_what_a_word_means_in_one_region_only_is_never_guessed_without_it(word, region, name) -> None:
    assert canonical_label(word, region) == name


def test_proposals_name_what_a_word_may_mean_and_say_nothing_to_numbers_and_letters() -> None:
    assert set(propose("nodule")[:2]) == {"thyroid nodule", "lung nodule"}
    assert propose("2") == propose("A") == propose("10") == []


def test_mirrored() -> None:
    assert mirrored("left kidney") == "right kidney"
    assert mirrored("head of right femur") == "head of left femur"
    assert mirrored("right lung middle lobe") == ""
    assert mirrored("liver") == ""
    for name, concept in labels().items():
        twin = mirrored(name)
        if twin:
            assert mirrored(twin) == name and labels()[twin].side != concept.side


def test_sides_follow_the_names() -> None:
    for name, concept in labels().items():
        words = name.split()
        if concept.side:
            assert concept.side in words, name
        # The liver's lobes are named left and right but are one organ's parts in the middle of the body.
        elif ("left" in words or "right" in words) and "liver" not in words:
            raise AssertionError(name)


def test_lesions_and_findings_are_abnormal_and_structures_are_not() -> None:
    for name, concept in labels().items():
        if concept.kind in ("lesion", "finding"):
            assert concept.abnormal, name
        if concept.kind == "structure":
            assert not concept.abnormal, name


def test_scales_rise_from_the_mildest() -> None:
    assert scale_of("moderate osteoarthritis") == "knee osteoarthritis (Kellgren-Lawrence)"
    assert scale_of("liver") == ""
    retinopathy = scales()["diabetic retinopathy (ICDR)"].grades
    assert retinopathy[0] == "no diabetic retinopathy" and retinopathy[-1].startswith("proliferative")
    for scale in scales().values():
        assert len(set(scale.grades)) == len(scale.grades)
        assert set(scale.grades) <= set(labels())


def test_every_name_of_sat_is_known_and_its_abnormal_ones_are_abnormal(root: Path) -> None:
    file = root.parent / "shared" / "reference" / "satds_terms.json"
    if not file.is_file():
        pytest.skip("../shared/reference is not here")
    data = json.loads(file.read_text())
    names = {name.partition("_")[2] for group in data["modality_based"].values() for name in group}
    assert len(names) == 451
    assert [name for name in names if not canonical_label(name)] == []
    assert len(names - set(labels())) <= 2  # "thyroid" and "rib cartilage" are other words for two that SAT also has
    for name in data["abnormal"]:
        assert labels()[name.partition("_")[2]].abnormal, name


def test_labels_load_quickly_and_once() -> None:
    assert labels() is labels()
    assert len(labels()) > 600


def test_bare_edema_is_of_no_organ() -> None:
    """A table of chest films says ``Edema``: calling that an edema of the brain would be wrong in every row."""
    assert canonical_label("Edema") == "edema"
    assert "edema" in ancestors("brain edema") and "edema" in ancestors("edema of lung")
