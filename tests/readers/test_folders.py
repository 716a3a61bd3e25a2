"""Folders named after classes, and the rules that group cases."""

import pytest

from schemas.errors import UserError

AB = {"A": "alpha", "B": "beta"}


def _labels(case):
    return [(label.name, label.polarity) for label in case.labels]


def test_class_folders_with_splits_and_masks_mixed_in(put, ingest):
    files = {"train/A/i (1).png": None, "train/A/i (1)_mask.png": None, "train/A/i (1)_mask_1.png": None}
    files |= {"test/B/j.png": None, "test/C/k.png": None, "readme.png": None, "train/A/notes.txt": "x"}
    cases, refused = ingest(
        put(files),
        "class_folders",
        labels=AB,
        ignore_labels=["C"],
        group={"by": "pattern", "pattern": r"(\w) ?\(?\d*\)?\.png"},
    )
    assert {key: (case.split, _labels(case), case.group) for key, case in cases.items()} == {
        "train/A/i (1).png": ("train", [("alpha", "present")], "i"),
        "test/B/j.png": ("test", [("beta", "present")], "j"),
    }
    assert refused == {"test/C/k.png": ("label_ignored", "filtered")}


def test_group_rules(put, ingest):
    root = put({"A/p1_1.png": None, "B/p2_1.png": None})
    for rule, groups in (
        ({"by": "none"}, {None}),
        ({"by": "case"}, {"A/p1_1.png", "B/p2_1.png"}),
        ({"by": "pattern", "pattern": r"(p\d)_"}, {"p1", "p2"}),
        ({"by": "field", "field": "folder"}, {"A", "B"}),
    ):
        cases, _ = ingest(root, "class_folders", labels=AB, group=rule)
        assert {case.group for case in cases.values()} == groups
    _, refused = ingest(root, "class_folders", labels=AB, group={"by": "pattern", "pattern": "(p1)_"})
    assert refused == {"B/p2_1.png": ("group_unknown", "quarantined")}
    with pytest.raises(UserError, match="no field of this dataset; did you mean 'folder'"):
        ingest(root, "class_folders", labels=AB, group={"by": "field", "field": "folders"})
