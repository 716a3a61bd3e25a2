"""The wanted reaction to the hostile files of ../shared/data/nasty outside dicom, nifti and nifti_pairs.

One test a file; those of the other folders stand in medical/.  What is checked is the reaction that EXPECTED.csv
words, not only that nothing crashed.
"""

import ast
import csv
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from readers.images import image_refs
from readers.pixels.render import render
from schemas.errors import CaseError

MODULES = (
    "test_nasty_files.py", "test_nasty_annotations.py", "medical/test_nasty_medical.py", "medical/test_volumes.py",
    "medical/test_dicom_real.py", "medical/test_dicom_series.py",
)  # fmt: skip
AB = {"A": "alpha", "B": "beta", "C": "gamma"}


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
    # Text in pixels is found by quality's gate (test_nasty_medical.py); the reader must hand it all pixels unchanged.
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


# --- all -----------------------------------------------------------------------------------------------------------


def test_nasty_every_file_is_accounted_for(nasty, ingest):
    """The whole folder through the reader that takes anything: each file a case or a reason, none lost."""
    cases, lost = ingest(nasty.root, "files")
    walked = set(nasty.walk())
    assert len(cases) + len(lost) == len(walked)
    assert all(code and status in ("failed", "quarantined", "filtered") for code, status in lost.values())


def test_nasty_list_is_covered(nasty):
    """Each of the 91 lines of EXPECTED.csv is named by a test with ``nasty`` in its name."""
    here = Path(__file__).parent
    named = "".join(source for module in MODULES for source in _nasty_tests((here / module).read_text("utf-8")))
    rows = csv.DictReader(io.StringIO(nasty.read_bytes("EXPECTED.csv").decode("utf-8")))
    paths = [row["path"] for row in rows]
    assert len(paths) == 91
    # Pairs are named without their extension; NAMES are all awkward file names.
    known = {path: path.rpartition("/")[2].removesuffix(".nii.gz").removesuffix(".nii") for path in paths}
    assert [path for path, name in known.items() if name not in named and name not in NAMES] == []


def _nasty_tests(text: str) -> list[str]:
    """The source of each nasty test, its parameters with it."""
    tests = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and "nasty" in node.name]
    return [ast.unparse(node) for node in tests if node.name != "test_nasty_list_is_covered"]
