"""Pascal VOC and COCO: geometry worked out by hand, and every fault named."""

import json

import numpy as np
import pytest

from schemas.masks import source_mask

LABELS = {"RBC": "red blood cell", "WBC": "white blood cell"}


def _voc(objects, size=(8, 6), filename="x.jpg"):
    things = "".join(
        f"<object><name>{name}</name><difficult>{hard}</difficult><bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin>"
        f"<xmax>{x1}</xmax><ymax>{y1}</ymax></bndbox></object>"
        for name, hard, x0, y0, x1, y1 in objects
    )
    width, height = size
    return (
        f"<annotation><filename>{filename}</filename><size><width>{width}</width><height>{height}</height></size>"
        f"{things}</annotation>"
    )


def test_voc_boxes_are_one_based_and_inclusive(put, ingest):
    root = put(
        {
            "JPEGImages/a.jpg": None,
            "JPEGImages/b.jpg": None,
            "Annotations/a.xml": _voc([("RBC", 0, 1, 1, 1, 1), ("WBC", 1, 3, 2, 8, 6)], filename="a.jpg"),
            "Annotations/b.xml": _voc([], filename="b.jpg"),
            "ImageSets/Main/train.txt": "a\n",
            "ImageSets/Main/val.txt": "b 1\n",
        }
    )
    cases, refused = ingest(root, "voc", labels=LABELS)
    assert refused == {}
    assert [region.box for region in cases["a"].regions] == [(0, 0, 1, 1), (2, 1, 8, 6)]
    assert [(label.name, label.original) for label in cases["a"].labels] == [
        ("red blood cell", "RBC"),
        ("white blood cell", "WBC"),
    ]
    assert (cases["a"].split, cases["b"].split) == ("train", "val")
    assert cases["b"].regions == ()
    assert cases["b"].complete_regions
    easy, _ = ingest(root, "voc", {"skip_difficult": True}, labels=LABELS)
    assert len(easy["a"].regions) == 1
    counted, _ = ingest(root, "voc", {"one_based": False}, labels=LABELS)
    assert counted["a"].regions[-1].box == (3, 2, 8, 6)


def test_voc_takes_the_image_of_its_own_name_and_checks_its_size(put, ingest):
    root = put(
        {
            "JPEGImages/a.jpg": None,
            "Annotations/a.xml": _voc([("RBC", 0, 1, 1, 2, 2)], filename="other.jpg"),
            "JPEGImages/b.jpg": None,
            "Annotations/b.xml": _voc([("RBC", 0, 1, 1, 2, 2)], size=(80, 60)),
            "Annotations/c.xml": _voc([("RBC", 0, 1, 1, 2, 2)]),
            "Annotations/d.xml": "<annotation><object>",
            "JPEGImages/e.jpg": None,
            "Annotations/e.xml": _voc([("Platelet", 0, 1, 1, 2, 2)], filename="e.jpg"),
        }
    )
    cases, refused = ingest(root, "voc", labels=LABELS)
    assert [finding.code for finding in cases["a"].findings] == ["filename_mismatch"]
    assert refused == {
        "b": ("size_mismatch", "quarantined"),
        "c": ("missing_image", "failed"),
        "d": ("broken_xml", "failed"),
        "e": ("label_not_in_map", "quarantined"),
    }


def _coco(annotations, images=None, categories=None):
    return json.dumps(
        {
            "images": images or [{"id": 7, "file_name": "x.jpg", "width": 8, "height": 6}],
            "categories": categories or [{"id": 1, "name": "RBC"}, {"id": 2, "name": "WBC"}],
            "annotations": annotations,
        }
    )


def _annotation(number, **fields):
    return {"id": number, "image_id": 7, "category_id": 1, "iscrowd": 0, "bbox": [0, 0, 1, 1], **fields}


def test_coco_boxes_are_corner_and_size(put, ingest):
    root = put({"train/x.jpg": None, "train/_annotations.coco.json": _coco([_annotation(1, bbox=[1.5, 2, 3, 2.5])])})
    cases, refused = ingest(root, "coco", labels=LABELS)
    assert refused == {}
    case = cases["train/x.jpg"]
    assert case.split == "train"
    (region,) = case.regions
    assert (region.box, region.kind, region.label, region.instance) == (
        (1.5, 2, 4.5, 4.5),
        "box",
        "red blood cell",
        "1",
    )


def test_coco_polygons_and_run_lengths_become_masks(put, ingest):
    square = [1, 1, 4, 1, 4, 5, 1, 5]  # columns 1..3, rows 1..4: 12 pixels
    other = [6, 0, 8, 0, 8, 1, 6, 1]  # two pixels more, the same object
    # Column-major on 6 rows: skip column 0 (6) and row 0 of column 1, then 2 pixels.
    runs = {"size": [6, 8], "counts": [7, 2, 39]}
    root = put(
        {
            "x.jpg": None,
            "a.json": _coco(
                [_annotation(1, segmentation=[square, other]), _annotation(2, segmentation=runs, category_id=2)]
            ),
        }
    )
    cases, _ = ingest(root, "coco", {"annotations": "a.json"}, labels=LABELS)
    polygon, run = cases["x.jpg"].regions
    assert (polygon.kind, polygon.area, polygon.box) == ("mask", 14, (1, 0, 8, 5))
    assert source_mask(polygon)[1:5, 1:4].all()
    assert (run.area, run.box, run.size) == (2, (1, 1, 2, 3), (6, 8))
    assert np.argwhere(source_mask(run)).tolist() == [[1, 1], [2, 1]]
    boxes, _ = ingest(root, "coco", {"annotations": "a.json", "masks": False}, labels=LABELS)
    assert {region.kind for region in boxes["x.jpg"].regions} == {"box"}


@pytest.mark.parametrize(
    ("fields", "code", "kept"),
    [
        ({"bbox": [6, 4, 9, 9]}, "box_clipped", 1),
        ({"bbox": [20, 20, 2, 2]}, "box_outside", 0),
        ({"bbox": [1, 1, 0, 3]}, "box_empty", 0),
        ({"bbox": [5, 5, -3, 2]}, "box_inverted", 0),
        ({"bbox": [float("nan"), 0, 1, 1]}, "box_not_finite", 0),
        ({"bbox": "none"}, "bad_box", 0),
        ({"segmentation": [[1, 1, 2, 2]]}, "polygon_too_short", 1),
        ({"segmentation": {"size": [99999, 99999], "counts": [9999800001]}}, "mask_shape", 1),
        ({"segmentation": {"size": [6, 8], "counts": [1, 2]}}, "bad_mask", 1),
        ({"segmentation": {"size": [6, 8], "counts": "~~~"}}, "bad_mask", 1),
        ({"segmentation": [[1, 1, float("inf"), 2, 3, 3]]}, "polygon_too_short", 1),
        ({"iscrowd": 1}, "crowd_region", 0),
        ({"category_id": 9}, "unknown_category", 0),
    ],
)
def test_a_faulty_annotation_is_named_and_the_rest_kept(put, ingest, fields, code, kept):
    root = put({"x.jpg": None, "a.json": _coco([_annotation(1, **fields), _annotation(2)])})
    cases, refused = ingest(root, "coco", {"annotations": "a.json"}, labels=LABELS)
    assert refused == {}
    case = cases["x.jpg"]
    assert len(case.regions) == kept + 1
    assert code in [finding.code for finding in case.findings]
    assert all(0 <= r.box[0] < r.box[2] <= 8 and 0 <= r.box[1] < r.box[3] <= 6 for r in case.regions)
    assert case.complete_regions == (code != "crowd_region")


def test_boxes_on_a_turned_picture_follow_the_size_that_they_were_drawn_on(put, ingest):
    import io

    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    Image.new("RGB", (8, 6)).save(out, "JPEG", exif=exif)
    stored = [{"id": 7, "file_name": "x.jpg", "width": 8, "height": 6}]
    upright = [{"id": 7, "file_name": "x.jpg", "width": 6, "height": 8}]
    # Upright (x, y) = (6 - v, u): the box 1..3, 4..7 upright is u 4..7, v 3..5 as stored.
    for images, expected in ((stored, (1, 4, 3, 6)), (upright, (4, 3, 7, 5))):
        box = [1, 4, 2, 2] if images is stored else [1, 4, 2, 3]
        root = put({"x.jpg": out.getvalue(), "a.json": _coco([_annotation(1, bbox=box)], images)})
        cases, refused = ingest(root, "coco", {"annotations": "a.json"}, labels=LABELS)
        assert refused == {}
        assert cases["x.jpg"].regions[0].box == expected


def test_images_that_cannot_be_told_apart_are_refused_by_id(put, ingest):
    images = [{"id": 7, "file_name": name, "width": 8, "height": 6} for name in ("x.jpg", "y.jpg")]
    images.append({"id": 8, "file_name": "z.jpg", "width": 8, "height": 6})
    orphan = {"id": 5, "image_id": 99, "category_id": 1, "bbox": [0, 0, 1, 1]}
    root = put({"x.jpg": None, "y.jpg": None, "z.jpg": None, "a.json": _coco([_annotation(1), orphan], images)})
    cases, refused = ingest(root, "coco", {"annotations": "a.json"}, labels=LABELS)
    assert list(cases) == ["z.jpg"]
    assert {key.split("#")[1]: code for key, (code, _) in refused.items()} == {
        "image 7 x.jpg": "doubled_image_id",
        "image 7 y.jpg": "doubled_image_id",
        "annotation 5": "unknown_image",
    }


def test_the_real_ones_have_the_boxes_that_their_files_say(shared_data, ingest):
    labels = {"RBC": "r", "WBC": "w", "Platelets": "p"}
    cases, refused = ingest(shared_data / "det_voc_bccd", "voc", labels=labels)
    assert (len(cases), refused) == (60, {})
    # xmin 158, ymin 156, xmax 244, ymax 254 in the file
    assert cases["BloodImage_00234"].regions[0].box == (157, 155, 244, 254)
    cases, refused = ingest(shared_data / "det_coco_rbc", "coco", labels={"rbc": "r", "wbc": "w"})
    assert (len(cases), refused) == (60, {})
    assert {case.split for case in cases.values()} == {"train", "val", "test"}


def test_coco_as_it_is_published_has_a_folder_of_images_for_each_split(put, tmp_path):
    from readers.base import Item, open_reader
    from readers.inspect import draft_spec
    from schemas.spec import load_spec

    files: dict = {"train2017/1.jpg": None, "val2017/1.jpg": None}
    for split in ("train", "val"):
        files[f"annotations/instances_{split}2017.json"] = json.dumps(
            {
                "images": [{"id": 1, "file_name": "1.jpg", "width": 8, "height": 6}],
                "categories": [{"id": 1, "name": "polyp"}],
                "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 2]}],
            }
        )
    root = put(files)
    (tmp_path / "spec.yaml").write_text(draft_spec(root))
    reader = open_reader(load_spec(tmp_path / "spec.yaml"))
    cases = [reader.read(item) for item in reader.items() if isinstance(item, Item)]
    # The same file name stands in both splits; each JSON means its own folder.
    assert [(case.key, case.split) for case in cases] == [("train2017/1.jpg", "train"), ("val2017/1.jpg", "val")]
    assert [case.regions[0].box for case in cases] == [(1, 2, 4, 4)] * 2
