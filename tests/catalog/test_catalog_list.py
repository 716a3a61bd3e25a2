"""`list_catalog` finds datasets by canonical words, however they are spelled, and by terms of use."""

import pytest

from flows.catalog_list import Wanted, list_catalog, list_words
from schemas.errors import UserError


def names(**wanted) -> set[str]:
    return {line["name"] for line in list_catalog(Wanted(**wanted))}


def test_all_are_listed_once_by_name() -> None:
    lines = list_catalog()
    assert len(lines) >= 235
    assert [line["name"] for line in lines] == sorted({line["name"] for line in lines})


def test_a_region_holds_its_organs_and_a_modality_its_kinds() -> None:
    assert {"sat_kits23", "sat_msd_liver", "phantom_ct_slices"} <= names(
        modality="ct", anatomy="ABD", task="segmentation"
    )
    assert "sat_luna16" not in names(anatomy="abdomen")
    assert {"medmat_058_mias", "medmat_060_pediatric_pneumonia"} <= names(modality="X-Ray")
    assert "medmat_060_pediatric_pneumonia" not in names(modality="mammogram")


def test_labels_are_found_through_parts_and_synonyms() -> None:
    found = names(label="Kidney")
    assert {"phantom_ct_slices", "sat_kits23", "sat_flare22"} <= found
    assert "sat_msd_spleen" not in found
    assert "det_voc_bccd" in names(label="RBC")


def test_terms_of_use() -> None:
    free = names(access="open", license="CC0")
    assert {"vqa_rad", "medsegbench_busi", "det_coco_rbc"} <= free
    assert "medmat_048_busi" not in free
    assert {"medmat_086_vindr_spinexr"} <= names(access="credentialed")


def test_text_and_reader() -> None:
    assert names(text="brats gli") == {"sat_brats2023_gli"}
    assert "phantom_abdomen_msd" in names(reader="decathlon")


def test_a_word_that_nobody_knows_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match="no modality is called 'CTT'; did you mean 'CT'"):
        list_catalog(Wanted(modality="CTT"))
    with pytest.raises(UserError, match="no label is called 'livver'; did you mean 'liver'"):
        list_catalog(Wanted(label="livver"))
    with pytest.raises(UserError, match="open, credentialed or restricted"):
        list_catalog(Wanted(access="free"))


def test_words_of_all_axes_are_listed_with_what_holds_them() -> None:
    lines = {(line["axis"], line["word"]): line for line in list_words()}
    assert lines["modality", "mammography"]["of"] == "X-ray"
    assert "hepatic" in lines["anatomy", "liver"]["also spelled"]
    assert ("clinical_task", "pneumonia classification") in lines
