"""The wanted reaction to every hostile file of ../shared/data/nasty outside dicom, nifti and nifti_pairs.

One test a file.  What is checked is the reaction that EXPECTED.csv words, not only that nothing crashed.
"""

import csv
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

ELSEWHERE = ("dicom/", "nifti/", "nifti_pairs/")
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


def original(source):
    """The picture that most hostile ones were made from."""
    return show(source, "dups/a.jpg")[3][0].astype(int)


def near(pixels, other, tolerance):
    return np.abs(pixels.astype(int) - other).mean() < tolerance


# --- img: what is kept ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["img/png_16bit.png", "img/tiff_16bit.tif"])
def test_nasty_sixteen_bits_keep_their_scale(nasty, path):
    (ref,), _, _, (pixels,) = show(nasty, path)
    stored = np.asarray(Image.open(f"{nasty.root}/{path}")).astype(float)
    assert ref.view.window_width == 4095
    assert (pixels == np.floor(stored * 255 / 4095 + 0.5)).all()


def test_nasty_float_tiff_is_windowed_and_the_window_recorded(nasty):
    (ref,), _, _, (pixels,) = show(nasty, "img/tiff_float32.tif")
    stored = np.asarray(Image.open(f"{nasty.root}/img/tiff_float32.tif")).astype(float)
    assert stored.min() < 0
    low, high = np.percentile(stored, (0.5, 99.5))
    assert (ref.view.window, ref.view.window_width) == ("percentile", pytest.approx(high - low))
    order = np.argsort(stored, axis=None)
    assert (np.diff(pixels.ravel()[order].astype(int)) >= 0).all()


def test_nasty_pages_are_five_images(nasty):
    refs, codes, _, pictures = show(nasty, "img/tiff_5pages.tif")
    assert [ref.view.frame for ref in refs] == [0, 1, 2, 3, 4]
    assert "multi_page" in codes
    assert len({picture.tobytes() for picture in pictures}) == 5


def test_nasty_cmyk_has_the_right_colours(nasty):
    _, _, _, (pixels,) = show(nasty, "img/jpeg_cmyk.jpg")
    assert near(pixels, original(nasty), 4)


@pytest.mark.parametrize(
    ("path", "tolerance"),
    [("img/png_rgba.png", 3), ("img/png_palette.png", 15), ("img/bmp_24.bmp", 3), ("img/webp.webp", 4)],
)
def test_nasty_modes_and_formats_become_rgb(nasty, path, tolerance):
    _, _, (done,), (pixels,) = show(nasty, path)
    assert (done.media_type, pixels.shape) == ("image/png", (480, 640, 3))
    assert near(pixels, original(nasty), tolerance)


@pytest.mark.parametrize("path", ["img/png_la.png", "img/gif_grey.gif"])
def test_nasty_grey_ones_become_grey(nasty, path):
    _, _, _, (pixels,) = show(nasty, path)
    assert pixels.shape == (480, 640)
    luma = np.asarray(Image.open(f"{nasty.root}/dups/a.jpg").convert("L")).astype(int)
    assert near(pixels, luma, 4)


def test_nasty_one_bit_is_black_and_white(nasty):
    _, _, _, (pixels,) = show(nasty, "img/png_1bit.png")
    assert pixels.shape == (480, 640)
    assert np.unique(pixels).tolist() == [0, 255]


def test_nasty_exif_orientation_is_applied_once_and_boxes_follow(nasty):
    (ref,), _, (done,), (pixels,) = show(nasty, "img/jpeg_exif_orientation6.jpg")
    assert (done.width, done.height) == (480, 640)
    assert b"Exif" not in done.data
    assert ref.view.box_to_view((0, 0, 640, 480)) == (0, 0, 480, 640)
    # The stored corner (0, 0) comes to the upper right.
    assert ref.view.to_view(0, 0) == (480, 0)
    stored = np.asarray(Image.open(f"{nasty.root}/img/jpeg_exif_orientation6.jpg"))
    assert (pixels == np.rot90(stored, -1)).all()


# --- phi -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["phi/jpeg_exif_phi_gps.jpg", "phi/png_text_phi.png"])
def test_nasty_metadata_is_cut_out_and_said(nasty, path):
    _, codes, (done,), (pixels,) = show(nasty, path)
    assert "metadata_removed" in codes
    assert done.media_type == ("image/jpeg" if path.endswith("jpg") else "image/png")
    with Image.open(io.BytesIO(done.data)) as picture:
        assert not picture.getexif()
        assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi"}
    assert (pixels == np.asarray(Image.open(f"{nasty.root}/{path}"))).all()


def test_nasty_burned_in_text_is_left_to_the_gates(nasty):
    # Text in pixels is found by quality's privacy gate; the reader must hand it all pixels unchanged.
    _, _, (done,), (pixels,) = show(nasty, "phi/jpeg_burned_in.jpg")
    assert (pixels == np.asarray(Image.open(f"{nasty.root}/phi/jpeg_burned_in.jpg"))).all()
    assert done.maximum == 255


# --- img: what is refused or flagged -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("img/jpeg_truncated.jpg", "corrupt_image"),
        ("img/png_truncated.png", "corrupt_image"),
        ("img/png_bad_crc.png", "corrupt_image"),
        ("img/empty.png", "empty_file"),
        ("img/html_error_page.jpg", "html_instead_of_image"),
        ("img/git_lfs_pointer.png", "missing_data"),
        ("img/png_bomb_900Mpx.png", "decompression_bomb"),
    ],
)
def test_nasty_images_that_are_refused(nasty, path, code):
    assert refused(nasty, path) == code


def test_nasty_bomb_is_refused_before_decoding(nasty, monkeypatch):
    monkeypatch.setattr("imagecodecs.png_decode", None)
    monkeypatch.setattr(Image, "open", None)
    assert refused(nasty, "img/png_bomb_900Mpx.png") == "decompression_bomb"


def test_nasty_jpeg_named_png_is_read_by_content_and_noted(nasty):
    (ref,), codes, (done,), _ = show(nasty, "img/jpeg_named_png.png")
    assert (ref.media_type, done.media_type) == ("image/jpeg", "image/jpeg")
    assert "name_disagrees_with_content" in codes


def test_nasty_file_without_extension_is_read_by_content(nasty):
    (ref,), codes, _, (pixels,) = show(nasty, "img/jpeg_no_extension")
    assert (ref.media_type, codes) == ("image/jpeg", [])
    assert near(pixels, original(nasty), 1)


@pytest.mark.parametrize(
    ("path", "warned"),
    [("img/png_1x1.png", {"tiny_image", "constant_image"}), ("img/png_all_black.png", {"constant_image"})],
)
def test_nasty_pictures_that_show_nothing_are_flagged(nasty, path, warned):
    assert set(show(nasty, path)[1]) == warned


# --- names ---------------------------------------------------------------------------------------------------------

NAMES = [
    "bild mit leerzeichen ü.jpg", "片子_01.jpg", "semi;colon,comma'quote.jpg", "UPPER.JPG", "UPPER.jpg",
    "a" * 180 + ".jpg",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_nasty_names_keep_their_pairing_through_csv_and_json(nasty, tmp_path, ingest, name):
    import json

    shutil.copy(f"{nasty.root}/names/{name}", tmp_path)
    for other in ("UPPER.JPG", "UPPER.jpg"):
        shutil.copy(f"{nasty.root}/names/{other}", tmp_path)
    with (tmp_path / "t.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["image", "label"], [name, "A"]])
    (tmp_path / "t.jsonl").write_text(json.dumps({"image": name, "label": "A"}))
    for table in ("t.csv", "t.jsonl"):
        cases, lost = ingest(tmp_path, "table", {"table": [table], "labels": ["label"]}, labels=AB)
        assert lost == {}
        assert [case.images[0].files for case in cases.values()] == [(name,)]
        assert list(cases) == [name]


@pytest.mark.parametrize("path", ["names/.DS_Store", "names/Thumbs.db", "names/__MACOSX/._x.jpg", "names/desktop.ini"])
def test_nasty_junk_is_skipped(nasty, path):
    assert path not in list(nasty.walk())
    assert len(list(nasty.walk("names"))) == len(NAMES)


# --- dups ----------------------------------------------------------------------------------------------------------


def test_nasty_copy_is_found_by_its_bytes(nasty):
    assert show(nasty, "dups/a_copy.jpg")[2][0].sha256 == show(nasty, "dups/a.jpg")[2][0].sha256


def test_nasty_other_codec_is_found_by_its_pixels(nasty):
    # a.png holds the pixels of img/jpeg_no_extension; a.jpg itself was encoded once more and differs by up to 6.
    one, same, near_by = (show(nasty, path)[2][0] for path in ("dups/a.png", "img/jpeg_no_extension", "dups/a.jpg"))
    assert one.sha256 != same.sha256
    assert one.pixel_digest == same.pixel_digest
    assert one.phash == near_by.phash


@pytest.mark.parametrize("path", ["dups/a_q50.jpg", "dups/a_half.jpg", "dups/a_crop.jpg"])
def test_nasty_near_duplicate_is_found_by_its_hash(nasty, path):
    one, two = show(nasty, path)[2][0], show(nasty, "dups/a.jpg")[2][0]
    assert (one.phash ^ two.phash).bit_count() <= 6
    assert one.pixel_digest != two.pixel_digest


def test_nasty_mirrored_duplicate_is_found_by_the_hash_of_its_mirror(nasty):
    from readers.pixels.encode import facts

    mirrored = np.ascontiguousarray(show(nasty, "dups/a_flip.jpg")[3][0][:, ::-1])
    assert (facts(mirrored).phash ^ show(nasty, "dups/a.jpg")[2][0].phash).bit_count() <= 6


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


# --- all -----------------------------------------------------------------------------------------------------------


def test_nasty_every_file_is_accounted_for(nasty, ingest):
    """The whole folder through the reader that takes anything: each file a case or a reason, none lost."""
    cases, lost = ingest(nasty.root, "files")
    walked = set(nasty.walk())
    assert len(cases) + len(lost) == len(walked)
    assert all(code and status in ("failed", "quarantined", "filtered") for code, status in lost.values())


def test_nasty_list_is_covered(nasty):
    """Every line of EXPECTED.csv outside the other helper's folders stands in this module."""
    from pathlib import Path

    text = Path(__file__).read_text("utf-8")
    rows = csv.DictReader(io.StringIO(nasty.read_bytes("EXPECTED.csv").decode("utf-8")))
    paths = [row["path"] for row in rows if row["path"] and not row["path"].startswith(ELSEWHERE)]
    missing = [path for path in paths if path.rpartition("/")[2] not in text and "aaaa" not in path]
    assert missing == []
