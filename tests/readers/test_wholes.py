"""A whole organ is the union of its parts and lesions, voxel by voxel."""

import numpy as np
import pytest

from schemas.errors import UserError
from schemas.masks import source_mask


def put_masks(put, **marked):
    """An image of 8 x 6 with one mask file a class; each is filled in the box x0 y0 x1 y1."""
    files = {"images/x.png": None}
    for word, (x0, y0, x1, y1) in marked.items():
        mask = np.zeros((6, 8), np.uint8)
        mask[y0:y1, x0:x1] = 255
        files[f"masks/x_{word}.png"] = mask
    return put(files)


OPTIONS = {"image_pattern": "images/{id}.png", "mask_pattern": "masks/{id}_{class}.png"}
LABELS = {
    "left": "left kidney",
    "right": "right kidney",
    "tumour": "kidney tumor",
    "kidney": "kidney",
    "liver": "liver",
}


def test_a_kidney_is_its_sides_and_its_tumour(put, ingest):
    root = put_masks(put, left=(5, 0, 7, 4), right=(0, 0, 2, 4), tumour=(1, 3, 4, 6), liver=(3, 0, 4, 1))
    cases, lost = ingest(root, "mask_pairs", OPTIONS, labels=LABELS, wholes=["kidney"])
    assert lost == {}
    regions = {region.label: region for region in cases["x"].regions}
    assert set(regions) == {"left kidney", "right kidney", "kidney tumor", "liver", "kidney"}
    # 8 of each side and 9 of the tumour, one pixel of which, (1, 3), lies in the right kidney.
    assert (regions["kidney"].area, regions["kidney"].box) == (8 + 8 + 9 - 1, (0, 0, 7, 6))
    parts = [source_mask(regions[name]) for name in ("left kidney", "right kidney", "kidney tumor")]
    assert (source_mask(regions["kidney"]) == np.logical_or.reduce(parts)).all()
    assert cases["x"].present()[-1] == "kidney"


def test_a_whole_that_leaves_out_its_lesion_is_completed(put, ingest):
    root = put_masks(put, kidney=(0, 0, 2, 2), tumour=(2, 0, 3, 1))
    cases, _ = ingest(root, "mask_pairs", OPTIONS, labels=LABELS, wholes=["kidney"])
    areas = {region.label: region.area for region in cases["x"].regions}
    assert areas == {"kidney": 5, "kidney tumor": 1}


def test_what_has_no_part_has_no_whole(put, ingest):
    root = put_masks(put, liver=(0, 0, 2, 2))
    cases, _ = ingest(root, "mask_pairs", OPTIONS, labels=LABELS, wholes=["kidney"])
    assert cases["x"].present() == ["liver"]


def test_labels_without_masks_have_wholes_too(put, ingest):
    root = put({"x.png": None, "t.csv": "image,l,r,k\nx.png,1,0,0\n"})
    labels = {"l": "left kidney", "r": "right kidney", "k": "kidney"}
    cases, _ = ingest(root, "table", {"one_hot": ["l", "r", "k"]}, labels=labels, wholes=["kidney"])
    assert {label.name: label.polarity for label in cases["x.png"].labels} == {
        "left kidney": "present", "right kidney": "absent", "kidney": "present",
    }  # fmt: skip


@pytest.mark.parametrize(("name", "sentence"), [("kidny", "write 'kidney'"), ("kidney stone", "knows no parts")])
def test_a_whole_that_is_none_is_said(put, ingest, name, sentence):
    with pytest.raises(UserError, match=sentence):
        ingest(put_masks(put, liver=(0, 0, 1, 1)), "mask_pairs", OPTIONS, labels=LABELS, wholes=[name])
