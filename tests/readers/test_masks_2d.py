"""Images with masks: palette, values, colours, one file an object; and the faults of pairs."""

import numpy as np
import pytest
from PIL import Image

from schemas.errors import UserError
from schemas.masks import source_mask

AB = {"A": "alpha", "B": "beta"}
PAIR = {"image_pattern": "images/{id}.png", "mask_pattern": "masks/{id}_mask.png"}
CLASSES = "index,name\n0,background\n1,A\n2,B\n"
SPEC = {"labels": AB, "ignore_labels": ["background"]}


def _values():
    """6 rows, 8 columns: class 1 in 2x3 pixels, class 2 in one."""
    mask = np.zeros((6, 8), np.uint8)
    mask[1:3, 2:5] = 1
    mask[5, 7] = 2
    return mask


def _found(case):
    return {region.original: (region.box, region.area) for region in case.regions}


EXPECTED = {"A": ((2, 1, 5, 3), 6), "B": ((7, 5, 8, 6), 1)}


def _palette(path, values):
    picture = Image.fromarray(values).convert("P")
    picture.putpalette([0, 0, 0, 230, 25, 75, 60, 180, 75] + [0] * 759)
    picture.save(path)


@pytest.mark.parametrize("kind", ["values", "palette", "sixteen", "colours", "near_colours", "palette_colours"])
def test_classes_come_out_whatever_the_file_stores(put, ingest, tmp_path, kind):
    values = _values()
    colours = np.array([(0, 0, 0), (230, 25, 75), (60, 180, 75)], np.uint8)[values]
    options = dict(PAIR)
    if kind in ("values", "palette", "sixteen"):
        options["classes"] = "classes.csv"
    elif kind == "palette_colours":
        options |= {"classes": "classes.csv", "palette": "p.png"}
    else:
        options["colours"] = {"230,25,75": "A", "#3cb44b": "B"}
    put({"images/x.png": None, "classes.csv": CLASSES, "masks/x_mask.png": values})
    _palette(tmp_path / "p.png", values)
    if kind == "palette":
        _palette(tmp_path / "masks/x_mask.png", values)
    elif kind == "sixteen":
        put({"masks/x_mask.png": values.astype(np.uint16)})
    elif "colours" in kind:
        put({"masks/x_mask.png": colours + (3 if kind == "near_colours" else 0) * (colours > 0).astype(np.uint8)})
    cases, refused = ingest(tmp_path, "mask_pairs", options, **SPEC)
    assert refused == {}
    assert _found(cases["x"]) == EXPECTED
    assert (source_mask(cases["x"].regions[0]) == (values == 1)).all()
    codes = [finding.code for finding in cases["x"].findings]
    assert codes == (["mask_colours_inexact"] if kind == "near_colours" else [])


def test_binary_masks_and_one_file_an_object(put, ingest):
    whole = (_values() > 0).astype(np.uint8) * 255
    one, two = (_values() == 1).astype(np.uint8) * 255, (_values() == 2).astype(np.uint8)
    root = put({"images/x.png": None, "masks/x_mask.png": whole, "o/x/A_1.png": one, "o/x/B_1.png": two})
    cases, _ = ingest(root, "mask_pairs", {**PAIR, "binary": "A"}, **SPEC)
    assert _found(cases["x"]) == {"A": ((2, 1, 8, 6), 7)}
    options = {**PAIR, "mask_pattern": "o/{id}/{class}_{object}.png"}
    cases, _ = ingest(root, "mask_pairs", options, **SPEC)
    assert _found(cases["x"]) == EXPECTED
    assert {region.instance for region in cases["x"].regions} == {"1"}


def test_several_observers(put, ingest):
    one, two = (_values() == 1) * np.uint8(255), (_values() > 0) * np.uint8(255)
    root = put({"images/x.png": None, "masks/x_r1.png": one, "masks/x_r2.png": two})
    options = {**PAIR, "mask_pattern": "masks/{id}_{observer}.png", "binary": "A"}
    cases, _ = ingest(root, "mask_pairs", options, **SPEC)
    assert [(region.instance, region.area) for region in cases["x"].regions] == [("r1", 6), ("r2", 7)]
    cases, _ = ingest(root, "mask_pairs", {**options, "observer": "r2"}, **SPEC)
    assert [region.area for region in cases["x"].regions] == [7]


def test_faulty_pairs_are_named(put, ingest):
    odd = _values()
    odd[0, 0] = 9
    root = put(
        {
            "classes.csv": CLASSES,
            "images/size.png": None, "masks/size_mask.png": np.zeros((3, 4), np.uint8),
            "images/value.png": None, "masks/value_mask.png": odd,
            "images/alone.png": None,
            "masks/orphan_mask.png": _values(),
            "images/empty.png": None, "masks/empty_mask.png": _values() * 0,
        }
    )  # fmt: skip
    cases, refused = ingest(root, "mask_pairs", {**PAIR, "classes": "classes.csv"}, **SPEC)
    assert refused == {
        "alone": ("missing_mask", "quarantined"),
        "masks/orphan_mask.png": ("orphan_mask", "quarantined"),
        "size": ("mask_shape", "quarantined"),
        "value": ("mask_value_unknown", "quarantined"),
    }
    assert [finding.code for finding in cases["empty"].findings] == ["empty_mask"]
    cases, _ = ingest(root, "mask_pairs", {**PAIR, "classes": "classes.csv", "mask_optional": True}, **SPEC)
    assert cases["alone"].regions == ()


def test_splits_and_masks_beside_the_images(put, ingest):
    values = _values()
    root = put({f"{split}/x{end}.png": values for split in ("train", "test") for end in ("", "_mask")})
    options = {
        "image_pattern": "{split}/{id}.png",
        "mask_pattern": "{split}/{id}_mask.png",
        "classes": {1: "A", 2: "B"},
    }
    cases, refused = ingest(root, "mask_pairs", options, **SPEC)
    assert {key: case.split for key, case in cases.items()} == {"train/x": "train", "test/x": "test"}
    assert refused == {}
    assert _found(cases["test/x"]) == EXPECTED


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"image_pattern": "images/*.png"}, "needs {id}"),
        ({}, "one of the options classes, colours or binary"),
        ({"colours": {"red": "A"}}, "no colour"),
        ({"classes": "bad.csv"}, "needs a name and an index"),
    ],
)
def test_wrong_options(put, ingest, options, sentence):
    root = put({"images/x.png": None, "bad.csv": "foo,bar\n1,2\n"})
    with pytest.raises(UserError, match=sentence):
        ingest(root, "mask_pairs", {**PAIR, **options}, **SPEC)


def test_palette_masks_of_the_real_slices(shared_data, ingest):
    labels = {"label_5": "liver", "label_1": "spleen", "label_6": "stomach"}
    cases, refused = ingest(
        shared_data / "seg2d_ct_slices", "mask_pairs", {**PAIR, "classes": "classes.csv"},
        labels=labels, ignore_labels=["background"],
    )  # fmt: skip
    assert (len(cases), refused) == (12, {})
    for key, case in cases.items():
        stored = np.asarray(Image.open(shared_data / f"seg2d_ct_slices/masks/{key}_mask.png"))
        for region in case.regions:
            index = {"label_5": 1, "label_1": 2, "label_6": 3}[region.original]
            assert region.area == (stored == index).sum()
            assert (source_mask(region) == (stored == index)).all()
