"""The wanted reaction to hostile annotations and archives of ../shared/data/nasty: masks, tables, detection, archives.

One test a file.  What is checked is the reaction that EXPECTED.csv words, not only that nothing crashed.
"""

import io
import shutil

import numpy as np
import pytest
from PIL import Image

from readers.base import Item, open_reader
from readers.images import image_refs
from readers.pixels.render import render
from readers.source import Source
from schemas.errors import CaseError, UserError
from schemas.masks import source_mask

AB = {"A": "alpha", "B": "beta", "C": "gamma"}
CELLS = {"RBC": "red blood cell"}


def show(source, path):
    """Everything that reading and rendering one file says: references, findings' codes, pictures' pixels."""
    refs, notes = image_refs(source, path)
    done = [render(source, ref) for ref in refs]
    codes = [finding.code for finding in (*notes, *(f for each in done for f in each.findings))]
    return refs, codes, done, [np.asarray(Image.open(io.BytesIO(each.data))) for each in done]


def refused(source, path):
    """The code with which one file is refused."""
    with pytest.raises(CaseError) as caught:
        show(source, path)
    return caught.value.code


# --- masks ---------------------------------------------------------------------------------------------------------

MASK = {"image_pattern": "images/{id}.png", "mask_pattern": "masks/{id}.*"}


def _pair(nasty, tmp_path, name):
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    shutil.copy(f"{nasty.root}/masks/ct_010.png", tmp_path / "images/x.png")
    shutil.copy(f"{nasty.root}/masks/{name}", tmp_path / f"masks/x.{name.rpartition('.')[2]}")
    return tmp_path


def test_nasty_lossy_mask_is_cut_at_half_and_flagged(nasty, tmp_path, ingest):
    root = _pair(nasty, tmp_path, "mask_jpeg_lossy.jpg")
    cases, _ = ingest(root, "mask_pairs", {**MASK, "binary": "A"}, labels=AB)
    stored = np.asarray(Image.open(root / "masks/x.jpg"))
    assert (source_mask(cases["x"].regions[0]) == (stored > 127)).all()
    assert "mask_not_binary" in [finding.code for finding in cases["x"].findings]


def test_nasty_mask_of_another_size_is_reported(nasty, tmp_path, ingest):
    root = _pair(nasty, tmp_path, "mask_half_size_antialiased.png")
    cases, lost = ingest(root, "mask_pairs", {**MASK, "binary": "A"}, labels=AB)
    assert (cases, lost) == ({}, {"x": ("mask_shape", "quarantined")})


def test_nasty_rgb_mask_is_mapped_by_the_palette(nasty, tmp_path, ingest, shared_data):
    root = _pair(nasty, tmp_path, "mask_rgb_colours.png")
    slices = shared_data / "seg2d_ct_slices"
    shutil.copy(slices / "classes.csv", root)
    shutil.copy(slices / "masks/ct_010_mask.png", root / "palette.png")
    options = {**MASK, "classes": "classes.csv", "palette": "palette.png"}
    words = {"label_5": "liver", "label_1": "spleen", "label_6": "stomach"}
    cases, lost = ingest(root, "mask_pairs", options, labels=words, ignore_labels=["background"])
    assert lost == {}
    indices = np.asarray(Image.open(slices / "masks/ct_010_mask.png"))
    for region, index in zip(cases["x"].regions, (1, 2, 3), strict=True):
        assert (source_mask(region) == (indices == index)).all()


def test_nasty_inverted_mask_is_flagged_by_its_foreground(nasty, tmp_path, ingest):
    root = _pair(nasty, tmp_path, "mask_inverted.png")
    cases, _ = ingest(root, "mask_pairs", {**MASK, "binary": "A"}, labels=AB)
    assert "mask_mostly_foreground" in [finding.code for finding in cases["x"].findings]


# --- tables --------------------------------------------------------------------------------------------------------


def _table(nasty, ingest, name, **options):
    fields = options.pop("fields", {})
    given = {"table": [name], "image_dir": ["images"], "image": ["image"], **options}
    return ingest(f"{nasty.root}/tables", "table", given, labels=AB, **fields)


def test_nasty_latin1_semicolons_are_detected(nasty, ingest):
    labels = {"Pneumothorax": "pneumothorax", "No Finding": "no finding"}
    options = {
        "table": ["bom_semicolon_latin1.csv"],
        "image_dir": ["images"],
        "labels": ["label"],
        "texts": {"text": "note"},
    }
    cases, lost = ingest(f"{nasty.root}/tables", "table", options, labels=labels)
    assert lost == {}
    assert cases["images/x1.jpg"].texts[0].content == "Müller"
    assert cases["images/x2.jpg"].labels[0].name == "no finding"


def test_nasty_byte_order_mark_and_crlf_are_detected(nasty, ingest):
    cases, lost = _table(nasty, ingest, "utf8_bom_crlf.csv", labels=["label"])
    assert lost == {}
    assert {key: case.labels[0].original for key, case in cases.items()} == {"images/x1.jpg": "A", "images/x2.jpg": "B"}


def test_nasty_conflicts_are_reported_each(nasty, spec_of):
    options = {"table": ["conflicts.csv"], "image_dir": ["images"], "labels": ["label"]}
    reader = open_reader(spec_of(f"{nasty.root}/tables", "table", options, labels=AB))
    said = [(item.key, "item" if isinstance(item, Item) else item.code) for item in reader.items()]
    assert said == [
        ("conflicts.csv:2", "conflicting_records"),  # x1.jpg: A
        ("conflicts.csv:3", "conflicting_records"),  # x1.jpg: B
        ("images/x2.jpg", "item"),
        ("conflicts.csv:5", "repeated_record"),
        ("missing.jpg", "item"),
        ("conflicts.csv:7", "missing_key"),
        ("conflicts.csv:8", "conflicting_records"),  # x1, which is x1.jpg
    ]
    missing = [item for item in reader.items() if isinstance(item, Item) and item.key == "missing.jpg"]
    with pytest.raises(CaseError) as caught:
        reader.read(missing[0])
    assert caught.value.code == "missing_image"


def test_nasty_quoted_newlines_are_one_record(nasty, ingest):
    cases, lost = _table(nasty, ingest, "quoted_newline.csv", texts={"report": "report"})
    assert lost == {}
    assert cases["images/x1.jpg"].texts[0].content == 'FINDINGS: none.\nIMPRESSION: "normal", stable.'
    assert cases["images/x2.jpg"].texts[0].content == "a, b"


def test_nasty_broken_line_is_reported_and_the_rest_kept(nasty, ingest):
    cases, lost = _table(nasty, ingest, "one_broken_line.jsonl", texts={"caption": "caption"})
    assert lost == {"one_broken_line.jsonl:2": ("broken_row", "failed")}
    assert cases["images/x1.jpg"].texts[0].content == "ok"
    assert cases["images/x2.jpg"].texts == ()  # NaN is no caption


def test_nasty_patient_in_two_splits_is_handed_on_as_one_group(nasty, ingest):
    # That one group stands in two splits is reported by quality.resolve, over all partitions.
    cases, _ = _table(
        nasty, ingest, "patient_leak.csv", split="split", fields={"group": {"by": "field", "field": "patient"}}
    )
    assert {(case.group, case.split) for case in cases.values()} == {("P1", "train"), ("P1", "test")}


def test_nasty_questions_are_normalised_and_reported(nasty, ingest):
    options = {"table": ["vqa_mixed.json"], "image_dir": ["images"]}
    cases, lost = ingest(f"{nasty.root}/tables", "vqa_json", options)
    assert [(q.question, q.answer) for q in cases["images/x1.jpg"].questions] == [
        ("How many lesions?", "3"),
        ("Is it normal?", "yes"),
    ]
    assert lost == {"images/x2.jpg": ("missing_answer", "quarantined"), "gone.jpg": ("missing_image", "failed")}


# --- detection -----------------------------------------------------------------------------------------------------


def test_nasty_coco_faults_are_reported_each_by_id(nasty, tmp_path, spec_of):
    for name in ("x1.jpg", "x2.jpg"):
        shutil.copy(f"{nasty.root}/tables/images/{name}", tmp_path)
    shutil.copy(f"{nasty.root}/detection/coco_bad.json", tmp_path)
    options = {"annotations": "coco_bad.json"}
    reader = open_reader(spec_of(tmp_path, "coco", options, labels={"Tumor": "tumor"}))
    items = list(reader.items())
    said = {(item.key.partition("#")[2], item.code) for item in items if not isinstance(item, Item)}
    assert said == {
        ("image 1 x1.jpg", "doubled_image_id"),
        ("image 1 x2.jpg", "doubled_image_id"),
        ("annotation 1", "doubled_annotation_id"),
        ("annotation 1", "unknown_category"),
        ("annotation 2", "unknown_image"),
        ("annotation 1", "category_name_twice"),
        ("annotation 3", "category_name_twice"),
        ("annotation 4", "category_name_twice"),
    }
    (gone,) = [item for item in items if isinstance(item, Item)]
    with pytest.raises(CaseError) as caught:
        reader.read(gone)
    assert caught.value.code == "missing_image"


def test_nasty_coco_geometry_is_reported_once_its_ids_are_mended(nasty, tmp_path, ingest):
    import json

    shutil.copy(f"{nasty.root}/tables/images/x1.jpg", tmp_path)
    document = json.loads((nasty.read_bytes("detection/coco_bad.json")).decode())
    document["images"] = document["images"][:1]
    (tmp_path / "mended.json").write_text(json.dumps(document))
    cases, lost = ingest(tmp_path, "coco", {"annotations": "mended.json"}, labels={"Tumor": "tumor"})
    assert {key.partition("#")[2]: code for key, (code, _) in lost.items()} == {"annotation 2": "unknown_image"}
    case = cases["x1.jpg"]
    assert {finding.code: finding.detail.split(":")[0].split(" has")[0] for finding in case.findings} == {
        "doubled_annotation_id": "the id of annotation 1 stands twice",
        "unknown_category": "annotation 1",
        "category_name_twice": "annotation 4",
        "box_clipped": "annotation 1",
        "crowd_region": "annotation 3 marks a crowd and is left out",
        "polygon_too_short": "annotation 4",
    }
    # The first box, clipped: -5..15 on both axes; the short polygon falls back to its box.
    assert [region.box for region in case.regions] == [(0, 0, 15, 15), (1, 1, 5, 5)]
    assert not case.complete_regions


def _voc(nasty, tmp_path, name, image="x1.jpg"):
    (tmp_path / "JPEGImages").mkdir()
    (tmp_path / "Annotations").mkdir()
    stem = name.removesuffix(".xml")
    shutil.copy(f"{nasty.root}/tables/images/{image}", tmp_path / f"JPEGImages/{stem}.jpg")
    shutil.copy(f"{nasty.root}/detection/{name}", tmp_path / "Annotations")
    return tmp_path, stem


@pytest.mark.parametrize(
    ("name", "boxes", "code"),
    [
        ("voc_inverted.xml", [], "box_inverted"),
        ("voc_outside.xml", [(49, 29, 64, 48)], "box_clipped"),
        ("voc_filename_mismatch.xml", [(0, 0, 5, 5)], "filename_mismatch"),
    ],
)
def test_nasty_voc_is_reported(nasty, tmp_path, ingest, name, boxes, code):
    root, stem = _voc(nasty, tmp_path, name)
    cases, lost = ingest(root, "voc", labels=CELLS)
    assert lost == {}
    assert [region.box for region in cases[stem].regions] == boxes
    assert code in [finding.code for finding in cases[stem].findings]


def test_nasty_entities_are_refused(nasty, tmp_path, ingest):
    root, stem = _voc(nasty, tmp_path, "voc_entity_bomb.xml")
    assert ingest(root, "voc", labels=CELLS) == ({}, {stem: ("xml_entities_refused", "quarantined")})


def test_nasty_yolo_lines_are_reported(nasty, tmp_path, ingest):
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    shutil.copy(f"{nasty.root}/tables/images/x1.jpg", tmp_path / "images/yolo_bad.jpg")
    shutil.copy(f"{nasty.root}/detection/yolo_bad.txt", tmp_path / "labels")
    cases, lost = ingest(tmp_path, "yolo", {"names": ["A", "B"]}, labels=AB)
    assert lost == {}
    case = cases["labels/yolo_bad"]
    # 64x48 pixels: centre 32, 24, size 12.8, 9.6.
    assert [region.box for region in case.regions] == [pytest.approx((25.6, 19.2, 38.4, 28.8))]
    assert [(finding.code, finding.detail.split(":")[0].split(" is")[0]) for finding in case.findings] == [
        ("box_outside", "line 2"),
        ("broken_row", "line 3"),
        ("broken_row", "line 4"),
    ]


# --- archives ------------------------------------------------------------------------------------------------------


def _tried(path):
    source = Source.open(str(path))
    said = {}
    for name in source.walk():
        try:
            said[name] = len(source.read_bytes(name))
        except CaseError as error:
            said[name] = error.code
    return said


def test_nasty_zip_slip_writes_nothing_outside(nasty, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    said = _tried(f"{nasty.root}/archives/zip_slip.zip")
    assert said == {"../evil.txt": "unsafe_path", "/abs/evil.txt": "unsafe_path", "ok/x1.jpg": 20662}
    assert list(tmp_path.iterdir()) == []


def test_nasty_archive_in_an_archive_is_reported(nasty, ingest):
    cases, lost = ingest(f"{nasty.root}/archives/nested.zip", "files")
    assert (cases, lost) == ({}, {"inner.zip": ("nested_archive", "failed")})


def test_nasty_link_out_of_a_tar_is_refused(nasty):
    assert _tried(f"{nasty.root}/archives/symlink.tar") == {"link.jpg": "link_leaves_root", "ok.txt": 2}


def test_nasty_cut_zip_is_reported(nasty):
    with pytest.raises(UserError, match="fetch it again"):
        Source.open(f"{nasty.root}/archives/truncated.zip")
