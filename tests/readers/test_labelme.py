"""LabelMe: areas worked out by hand, images beside and inside the JSON, every fault named."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from schemas.masks import source_mask

LABELS = {"nodule": "nodule", "cyst": "cyst", "tip": "catheter tip"}


def shape(label, kind, points, group=None, **more):
    return {"label": label, "points": points, "group_id": group, "shape_type": kind, "flags": {}, **more}


def sheet(*shapes, image="a.png", size=(8, 6), flags=None, data=None):
    width, height = size
    return json.dumps(
        {
            "version": "5.5.0", "flags": flags or {}, "shapes": list(shapes), "imagePath": image, "imageData": data,
            "imageHeight": height, "imageWidth": width,
        }
    )  # fmt: skip


def png(mask):
    out = io.BytesIO()
    Image.fromarray(np.array(mask, dtype=np.uint8)).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def read(put, ingest, *shapes, labels=LABELS, **more):
    cases, lost = ingest(put({"a.png": None, "a.json": sheet(*shapes, **more)}), "labelme", labels=labels)
    assert lost == {}
    return cases["a"]


def test_a_polygon_holds_the_pixels_whose_centres_it_holds(put, ingest):
    """Corners (1, 1), (5, 1), (5, 3), (1, 3): columns 1 to 4, rows 1 and 2."""
    case = read(put, ingest, shape("nodule", "polygon", [[1, 1], [5, 1], [5, 3], [1, 3]]))
    (region,) = case.regions
    expected = np.zeros((6, 8), bool)
    expected[1:3, 1:5] = True
    assert np.array_equal(source_mask(region), expected)
    assert (region.box, region.area, region.label) == ((1, 1, 5, 3), 8, "nodule")
    assert [label.name for label in case.labels] == ["nodule"] and case.complete_regions


def test_a_rectangle_may_be_drawn_from_any_corner(put, ingest):
    (region,) = read(put, ingest, shape("cyst", "rectangle", [[6.5, 4.25], [2, 1]])).regions
    assert (region.kind, region.box) == ("box", (2, 1, 6.5, 4.25))


def test_a_circle_is_its_centre_and_a_point_of_its_rim(put, ingest):
    """Radius 1 about (3, 3): the four pixels around that corner have their centres 0.71 away, the next ones 1.58."""
    (region,) = read(put, ingest, shape("cyst", "circle", [[3, 3], [4, 3]])).regions
    expected = np.zeros((6, 8), bool)
    expected[2:4, 2:4] = True
    assert np.array_equal(source_mask(region), expected)


def test_a_turned_rectangle_is_its_four_corners(put, ingest):
    """A diamond about (3, 3): in row 1 it spans x 2.5 to 3.5, in row 2 1.5 to 4.5, and of two centres on opposite
    edges one belongs to it."""
    (region,) = read(put, ingest, shape("cyst", "oriented_rectangle", [[3, 1], [5, 3], [3, 5], [1, 3]])).regions
    assert source_mask(region)[1:5].sum(axis=1).tolist() == [1, 3, 3, 1]


def test_a_mask_is_cut_to_the_pixels_that_its_points_name(put, ingest):
    """Two by three pixels from column 4, row 2 to column 5, row 4, both counted in."""
    drawn = shape("nodule", "mask", [[4, 2], [5, 4]], mask=png([[255, 0], [255, 255], [0, 255]]))
    (region,) = read(put, ingest, drawn).regions
    assert sorted(zip(*np.nonzero(source_mask(region)), strict=True)) == [(2, 4), (3, 4), (3, 5), (4, 5)]


def test_points_and_what_marks_no_area(put, ingest):
    case = read(put, ingest, shape("tip", "point", [[2.5, 3.5]]), shape("nodule", "linestrip", [[0, 0], [3, 3]]))
    (region,) = case.regions
    assert (region.kind, region.points) == ("point", (2.5, 3.5))
    assert [finding.code for finding in case.findings] == ["shape_left_out"]
    assert not case.complete_regions, "the nodule that the line measures has no region"


def test_shapes_of_a_group_are_one_object_and_others_are_not(put, ingest):
    square = [[0, 0], [2, 0], [2, 2], [0, 2]]
    far = [[4, 0], [6, 0], [6, 2], [4, 2]]
    shapes = [shape("cyst", "polygon", square, 7), shape("cyst", "polygon", far, 7), shape("nodule", "polygon", far, 7)]
    case = read(put, ingest, *shapes, shape("nodule", "polygon", square))
    assert [(region.label, region.area, region.box) for region in case.regions] == [
        ("cyst", 8, (0, 0, 6, 2)), ("nodule", 4, (4, 0, 6, 2)), ("nodule", 4, (0, 0, 2, 2)),
    ]  # fmt: skip


def test_ticked_flags_are_labels_and_others_say_nothing(put, ingest):
    case = read(put, ingest, flags={"nodule": True, "cyst": False})
    assert [(label.name, label.polarity) for label in case.labels] == [("nodule", "present")]


def test_an_image_that_lies_nowhere_is_taken_from_the_json(put, ingest, picture_bytes):
    data = base64.b64encode(picture_bytes(8, 6)).decode()
    drawn = shape("cyst", "rectangle", [[1, 1], [3, 3]])
    root = put({"one/a.json": sheet(drawn, image="..\\gone\\a.png", data=data), "one/b.json": sheet(image="b.png")})
    cases, lost = ingest(root, "labelme", labels=LABELS)
    assert (cases["one/a"].images[0].view.width, cases["one/a"].images[0].files) == (8, ("one/a.json!/imageData",))
    assert {key: code for key, (code, *_) in lost.items()} == {"one/b": "missing_image"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"shapes": [1], "imagePath": "a.png"}', "broken_json"),
        ('{"version": "5"}', "not_labelme"),
        ("{", "broken_json"),
        (sheet(shape("cyst", "polygon", [[1], [2]])), "bad_points"),
        (sheet(shape("cyst", "polygon", [[float("nan"), 1], [2, 2], [3, 3]])), "bad_points"),
        (sheet(shape("cyst", "mask", [[0, 0], [1, 1]], mask="!!")), "bad_mask"),
        (sheet(shape("cyst", "mask", [[0, 0], [3, 3]], mask=png([[255]]))), "mask_shape"),
        (sheet(size=(80, 60)), None),
        (sheet(shape("cyst", "rectangle", [[1, 1], [3, 3]]), size=(80, 60)), "size_mismatch"),
        (sheet(shape("cist", "rectangle", [[1, 1], [3, 3]])), "label_not_in_map"),
    ],
)
def test_every_fault_is_named(put, ingest, text, code):
    cases, lost = ingest(put({"a.png": None, "a.json": text}), "labelme", labels=LABELS)
    assert ({key: said[0] for key, said in lost.items()}, list(cases)) == (
        ({}, ["a"]) if code is None else ({"a": code}, [])
    )


def test_its_shapes_lie_on_the_upright_picture(put, ingest, tmp_path):
    """LabelMe turns pictures upright by EXIF: stored 8 wide and 6 high, seen 6 wide and 8 high (orientation 6).

    The stored pixel (u, v) is seen at (6 - v, u): the box seen at x 1..2, y 3..5 is stored at u 3..5, v 4..5.
    """
    exif = Image.Exif()
    exif[274] = 6
    Image.new("RGB", (8, 6)).save(tmp_path / "a.jpg", exif=exif)
    text = sheet(shape("cyst", "rectangle", [[1, 3], [2, 5]]), image="a.jpg", size=(6, 8))
    cases, _ = ingest(put({"a.json": text}), "labelme", labels=LABELS)
    assert cases["a"].regions[0].box == (3, 4, 5, 5)


def test_the_draft_reads_it_as_it_is(put, ingest):
    from readers.inspect import draft_spec, inspect
    from schemas.spec import load_spec

    drawn = shape("Cyst", "rectangle", [[1, 1], [3, 3]])
    root = put(
        {f"train/{n}.png": None for n in "ab"} | {f"train/{n}.json": sheet(drawn, image=f"{n}.png") for n in "ab"}
    )
    assert inspect(root)[0][0] == "labelme"
    path = root / "spec.yaml"
    path.write_text(draft_spec(root))
    spec = load_spec(path)
    assert (spec.labels, spec.split.policy) == ({"Cyst": "cyst"}, "shipped")
    cases, lost = ingest(root, "labelme", spec.reader.options, **spec.model_dump(exclude={"reader", "root"}))
    assert lost == {} and [case.split for case in cases.values()] == ["train", "train"]
