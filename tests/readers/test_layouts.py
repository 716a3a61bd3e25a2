"""Layouts whose pictures must come out byte by byte: placed masks, Parquet, WebDataset, archives, YOLO.

The published layouts, by spec and by draft, are in ``published``.
"""

# ruff: noqa: E501 - lines of tables and JSON as they are published

import io
import json
import tarfile

import numpy as np
import pytest
from PIL import Image

from readers.pixels.render import render
from readers.source import Source
from schemas.masks import source_mask

XY = {"x": "x_min", "y": "y_min", "x2": "x_max", "y2": "y_max", "label": "class_name"}


def _texts(case):
    return {text.kind: text.content for text in case.texts}


def _labels(case):
    return {label.original: label.polarity for label in case.labels}


def test_cropped_masks_placed_by_a_table(shared_data, ingest):
    folder = shared_data / "seg2d_cxr_cropped_masks"
    masks = {"mask": "Mask", "label": "Class", "left": "Left", "top": "Top", "width": "Width", "height": "Height"}
    options = {"table": ["structure.csv"], "image": ["Filename"], "image_dir": ["images"], "join": True, "masks": masks}
    words = set()
    with (folder / "structure.csv").open() as file:
        import csv

        rows = list(csv.DictReader(file))
        words = {row["Class"] for row in rows}
    cases, lost = ingest(folder, "table", options, labels={word: word.lower() for word in words})
    assert (len(cases), lost) == (3, {})
    row = rows[0]
    case = cases[f"images/{row['Filename']}"]
    region = next(region for region in case.regions if region.instance == row["Mask"].rpartition("/")[2][:-4])
    left, top = int(row["Left"]), int(row["Top"])
    stored = np.asarray(Image.open(folder / row["Mask"]))[..., :3].max(axis=2) > 0
    mask = source_mask(region)
    assert (mask[top : top + stored.shape[0], left : left + stored.shape[1]] == stored).all()
    assert mask.sum() == stored.sum()


def _shown(root, case):
    return [render(Source.open(str(root)), image).data for image in case.images]


def test_hugging_face_parquet(tmp_path, ingest, picture_bytes):
    import datasets

    data = [picture_bytes(seed=i) for i in range(3)]
    features = datasets.Features(
        {"image": datasets.Image(), "label": datasets.ClassLabel(names=["A", "B"]), "question": datasets.Value("string"),
         "answer": datasets.Value("string")}
    )  # fmt: skip
    rows = {
        "image": [{"bytes": each, "path": None} for each in data],
        "label": [0, 1, 1],
        "question": ["q?"] * 3,
        "answer": ["a"] * 3,
    }
    made = datasets.Dataset.from_dict(rows, features=features)
    made.to_parquet(tmp_path / "train-00000-of-00001.parquet")
    options = {"table": ["*.parquet"], "labels": ["label"], "questions": {}, "split_from_path": True}
    cases, lost = ingest(tmp_path, "table", options, labels={"A": "alpha", "B": "beta"})
    assert lost == {}
    assert [_shown(tmp_path, case) for case in cases.values()] == [[each] for each in data]
    assert [case.labels[0].name for case in cases.values()] == ["alpha", "beta", "beta"]
    assert {case.split for case in cases.values()} == {"train"}
    made.save_to_disk(tmp_path / "disk")
    cases, _ = ingest(
        tmp_path / "disk", "table", {"table": ["*.arrow"], "labels": ["label"]}, labels={"A": "alpha", "B": "beta"}
    )
    assert [_shown(tmp_path / "disk", case) for case in cases.values()] == [[each] for each in data]


def test_webdataset(tmp_path, ingest, picture_bytes):
    data = {name: picture_bytes(seed=i) for i, name in enumerate("ab")}
    with tarfile.open(tmp_path / "train-000000.tar", "w") as shard:
        for name, picture in data.items():
            for member, content in ((f"{name}.png", picture), (f"{name}.json", json.dumps({"caption": name}).encode())):
                info = tarfile.TarInfo(member)
                info.size = len(content)
                shard.addfile(info, io.BytesIO(content))
    options = {"table": ["*.tar"], "image": ["jpg", "png"], "key": "__key__", "texts": {"caption": "caption"}}
    cases, lost = ingest(tmp_path, "table", options)
    assert lost == {}
    assert {key: (_shown(tmp_path, case), _texts(case)) for key, case in cases.items()} == {
        name: ([data[name]], {"caption": name}) for name in "ab"
    }


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_layout_inside_an_archive_is_read_in_place(put, ingest, tmp_path, kind):
    import shutil

    root = put({"d/train/A/x.png": None, "d/test/B/y.png": None})
    packed = shutil.make_archive(str(tmp_path / "packed"), kind, root / "d")
    cases, lost = ingest(packed, "class_folders", labels={"A": "alpha", "B": "beta"})
    assert lost == {}
    assert set(cases) == {"train/A/x.png", "test/B/y.png"}
    assert _shown(packed, cases["train/A/x.png"]) == [(root / "d/train/A/x.png").read_bytes()]


def test_yolo_with_boxes_and_polygons(put, ingest):
    root = put(
        {
            "data.yaml": "names: [A, B]\n", "train/images/x.png": None, "valid/images/y.png": None,
            "train/labels/x.txt": "0 0.5 0.5 0.25 0.5\n1 0 0 1 0 1 0.5 0 0.5\n", "valid/labels/y.txt": "",
        }
    )  # fmt: skip
    cases, lost = ingest(root, "yolo", labels={"A": "alpha", "B": "beta"})
    assert lost == {}
    case = cases["train/labels/x"]
    # 8x6 pixels: centre 4, 3, size 2, 3; the polygon is the upper half.
    assert [(region.kind, region.box, region.area) for region in case.regions] == [
        ("box", (3, 1.5, 5, 4.5), 0),
        ("mask", (0, 0, 8, 3), 24),
    ]
    assert (case.split, cases["valid/labels/y"].split, cases["valid/labels/y"].regions) == ("train", "val", ())
