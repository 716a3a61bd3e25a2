"""Raster pictures: what passes through, what is converted and how, and the facts of the pixels."""

import hashlib
import io

import imagecodecs
import imagehash
import numpy as np
import pytest
import tifffile
from PIL import Image

from readers.images import image_refs
from readers.pixels.render import render
from readers.source import Source
from schemas.case import Mark
from schemas.errors import CaseError


def _shown(source, path, index=0):
    """The reference and the published picture with its pixels."""
    refs, _ = image_refs(source, path)
    done = render(source, refs[index])
    with Image.open(io.BytesIO(done.data)) as picture:
        assert picture.mode in ("L", "RGB")
        assert picture.size == (done.width, done.height)
        return refs[index], done, np.asarray(picture)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_plain_picture_passes_through_byte_for_byte(put, picture_bytes, kind):
    data = picture_bytes(40, 30, kind=kind)
    source = Source.open(str(put({"x": data})))
    ref, done, pixels = _shown(source, "x")
    assert done.data == data
    assert done.sha256 == done.source_sha256[0] == hashlib.sha256(data).hexdigest()
    assert (ref.view.width, ref.view.height, ref.view.window, ref.channels) == (40, 30, "none", 3)
    luma = Image.fromarray(pixels).convert("L")
    assert done.phash == int(str(imagehash.phash(luma)), 16)
    assert done.mean == pytest.approx(np.asarray(luma).mean())
    assert done.std == pytest.approx(np.asarray(luma).std())
    undecoded = render(source, ref, decode=False)
    assert (undecoded.data, undecoded.pixel_digest, undecoded.phash) == (data, "", 0)


def test_the_digest_is_of_pixels_not_of_bytes(put, picture_bytes):
    data = picture_bytes(20, 20)
    again = io.BytesIO()
    Image.open(io.BytesIO(data)).save(again, "PNG", compress_level=1)
    bmp = io.BytesIO()
    Image.open(io.BytesIO(data)).save(bmp, "BMP")
    source = Source.open(str(put({"a.png": data, "b.png": again.getvalue(), "c.bmp": bmp.getvalue()})))
    done = [_shown(source, path)[1] for path in ("a.png", "b.png", "c.bmp")]
    assert len({each.sha256 for each in done[:2]}) == 2
    assert len({each.pixel_digest for each in done}) == 1


@pytest.mark.parametrize("codec", ["png", "tiff", "jp2"])
def test_sixteen_bits_keep_their_scale_and_never_wrap(put, codec):
    ramp = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    data = {
        "png": lambda: imagecodecs.png_encode(ramp),
        "tiff": lambda: _tiff(ramp),
        "jp2": lambda: imagecodecs.jpeg2k_encode(ramp, level=0, reversible=True),
    }[codec]()
    ref, _, pixels = _shown(Source.open(str(put({"x": data}))), "x")
    # Largest value 4095, so 12 bits: 0 is black, 4095 white, and order is kept.
    assert (ref.view.window, ref.view.window_center, ref.view.window_width, ref.bit_depth) == (
        "range",
        2047.5,
        4095,
        16,
    )
    flat = pixels.ravel().astype(int)
    assert (flat[0], flat[-1], flat[2048]) == (0, 255, 128)
    assert (np.diff(flat) >= 0).all()


def test_sixteen_bit_colour_keeps_all_its_bits_until_the_end(put):
    samples = np.zeros((4, 4, 3), np.uint16)
    samples[..., 0] = 65535
    samples[..., 1] = 32768
    _, _, pixels = _shown(Source.open(str(put({"x.png": imagecodecs.png_encode(samples)}))), "x.png")
    assert pixels[0, 0].tolist() == [255, 128, 0]


def _tiff(samples, **options):
    out = io.BytesIO()
    tifffile.imwrite(out, samples, **options)
    return out.getvalue()


def test_floats_run_between_their_percentiles(put):
    samples = np.linspace(-1000, 1000, 10_000, dtype=np.float32).reshape(100, 100)
    ref, _, pixels = _shown(Source.open(str(put({"x.tif": _tiff(samples)}))), "x.tif")
    # 0.5th and 99.5th percentile of -1000..1000 are -990 and 990.
    assert ref.view.window == "percentile"
    assert ref.view.window_center == pytest.approx(0, abs=0.01)
    assert ref.view.window_width == pytest.approx(1980, abs=0.01)
    assert (pixels[0, 0], pixels[-1, -1]) == (0, 255)
    assert abs(int(pixels[50, 0]) - 128) <= 1


def test_not_a_number_becomes_black_and_is_said(put):
    samples = np.ones((20, 20), np.float32)
    samples[0, :5] = [np.nan, np.inf, -np.inf, 2, 3]
    _, done, pixels = _shown(Source.open(str(put({"x.tif": _tiff(samples)}))), "x.tif")
    assert "not_finite" in [finding.code for finding in done.findings]
    assert pixels[0, :3].tolist() == [0, 255, 0]


def test_white_is_zero_tiffs_are_turned_round(put):
    samples = np.array([[0, 255]], np.uint8).repeat(4, 0).repeat(2, 1)
    _, _, pixels = _shown(Source.open(str(put({"x.tif": _tiff(samples, photometric="miniswhite")}))), "x.tif")
    assert pixels[0].tolist() == [255, 255, 0, 0]


def test_every_page_is_an_image(put):
    pages = np.arange(5, dtype=np.uint8)[:, None, None].repeat(8, 1).repeat(9, 2) * 50
    source = Source.open(str(put({"x.tif": _tiff(pages)})))
    refs, findings = image_refs(source, "x.tif")
    assert [ref.view.frame for ref in refs] == [0, 1, 2, 3, 4]
    assert "multi_page" in [finding.code for finding in findings]
    assert [_shown(source, "x.tif", i)[2][0, 0] for i in range(5)] == [0, 50, 100, 150, 200]


def test_a_broken_directory_says_nothing_by_itself(put, caplog):
    data = bytearray(_tiff(np.zeros((5, 8, 9), np.uint8)))
    # The first directory starts at the place that bytes 4 to 8 state, with the number of its entries of 12 bytes.
    start = int.from_bytes(data[4:8], "little")
    count = int.from_bytes(data[start : start + 2], "little")
    for entry in range(6, count):
        data[start + 2 + entry * 12 + 2] = 99  # no type of values
    with pytest.raises(CaseError):
        _shown(Source.open(str(put({"x.tif": bytes(data)}))), "x.tif")
    assert caplog.records == []


def test_an_animation_is_its_frames(put):
    frames = [Image.new("L", (10, 10), value) for value in (0, 120, 240)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    source = Source.open(str(put({"x.gif": out.getvalue()})))
    assert [_shown(source, "x.gif", i)[2][0, 0] for i in range(3)] == [0, 120, 240]


def _png(picture, **options):
    out = io.BytesIO()
    picture.save(out, "PNG", **options)
    return out.getvalue()


def test_modes_are_brought_to_grey_or_rgb(put):
    grey = np.tile(np.arange(0, 200, 10, dtype=np.uint8), (20, 1))
    palette = Image.fromarray(grey // 10).convert("P")
    palette.putpalette([value for i in range(256) for value in (i, 0, 255 - i)])
    half = Image.merge("LA", [Image.new("L", (20, 20), 200), Image.new("L", (20, 20), 128)])
    clear = Image.merge("RGBA", [Image.new("L", (20, 20), value) for value in (10, 20, 30, 255)])
    source = Source.open(
        str(
            put(
                {
                    "p.png": _png(palette),
                    "la.png": _png(half),
                    "rgba.png": _png(clear),
                    "1.png": _png(Image.fromarray(grey > 90)),
                }
            )
        )
    )
    assert _shown(source, "p.png")[2][0, 3].tolist() == [3, 0, 252]
    assert _shown(source, "la.png")[2][0, 0] == 100  # 200 at half opacity over black
    assert _shown(source, "rgba.png")[2][0, 0].tolist() == [10, 20, 30]
    assert np.unique(_shown(source, "1.png")[2]).tolist() == [0, 255]


def test_cmyk_has_the_right_colours(put):
    # Cyan only, no black: what is left is green and blue.
    picture = Image.merge("CMYK", [Image.new("L", (16, 16), value) for value in (255, 0, 0, 0)])
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=95)
    _, _, pixels = _shown(Source.open(str(put({"x.jpg": out.getvalue()}))), "x.jpg")
    assert np.abs(pixels[8, 8].astype(int) - [0, 255, 255]).max() <= 3


def test_exif_orientation_turns_the_picture_and_its_boxes_follow(put):
    stored = np.zeros((40, 60, 3), np.uint8)
    stored[5:10, 50:58] = (255, 0, 0)
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    Image.fromarray(stored).save(out, "JPEG", quality=100, subsampling=0, exif=exif)
    ref, done, pixels = _shown(Source.open(str(put({"x.jpg": out.getvalue()}))), "x.jpg")
    assert (done.width, done.height, done.media_type) == (40, 60, "image/png")
    # Turned by 90 degrees clockwise, (u, v) goes to (40 - v, u).
    assert ref.view.box_to_view((50, 5, 58, 10)) == (30, 50, 35, 58)
    assert pixels[54, 32].tolist() == pytest.approx([255, 0, 0], abs=5)
    assert pixels[2, 2].max() <= 5
    assert ref.view.box_to_source((30, 50, 35, 58)) == (50, 5, 58, 10)


def test_crops_resizes_and_marks_are_drawn(put):
    from dataclasses import replace

    picture = np.zeros((40, 60), np.uint8)
    picture[10:20, 30:50] = 200
    source = Source.open(str(put({"x.png": picture})))
    (ref,), _ = image_refs(source, "x.png")
    cut = replace(ref, view=ref.view.cropped((30, 10, 50, 20)))
    done = render(source, cut)
    assert (done.width, done.height, done.minimum) == (20, 10, 200)
    small = render(source, replace(ref, view=ref.view.resized(30, 20)))
    assert (small.width, small.height) == (30, 20)
    marked = render(source, replace(ref, marks=(Mark("box", (30, 10, 50, 20), (255, 0, 0)),)))
    pixels = np.asarray(Image.open(io.BytesIO(marked.data)))
    assert pixels[10, 40].tolist() == [255, 0, 0]
    assert pixels[15, 40].tolist() == [200, 200, 200]
    assert pixels[10, 29].tolist() == [0, 0, 0]
    assert pixels[19, 49].tolist() == [255, 0, 0]


def test_a_changed_file_is_noticed(put, picture_bytes):
    root = put({"x.png": picture_bytes(20, 10)})
    source = Source.open(str(root))
    (ref,), _ = image_refs(source, "x.png")
    put({"x.png": picture_bytes(21, 10)})
    with pytest.raises(CaseError) as caught:
        render(source, ref)
    assert caught.value.code == "file_changed"


def test_pictures_inside_a_zip_are_the_same(put, picture_bytes, tmp_path):
    import zipfile

    data = picture_bytes(20, 10)
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a/x.png", data)
    assert _shown(Source.open(str(tmp_path / "x.zip")), "a/x.png")[1].data == data


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "html_instead_of_image"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "missing_data"),
        (b"just words", "not_an_image"),
        (b"\x80\x04\x95pickle", "pickle_refused"),
        (b"PK\x03\x04" + bytes(40), "nested_archive"),
        (b"\xff\xd8\xff\xe0", "corrupt_image"),
        (b"II*\0\xff\xff\xff\xff", "corrupt_image"),
        (b"BM" + bytes(12) + (40).to_bytes(4, "little") + b"\xff" * 60, "corrupt_image"),
    ],
)
def test_what_is_no_picture_is_told_by_content(put, content, code):
    source = Source.open(str(put({"x.jpg": content})))
    with pytest.raises(CaseError) as caught:
        _shown(source, "x.jpg")
    assert caught.value.code == code


def test_every_pass_through_picture_of_the_shared_data_decodes_as_pillow_does(shared_data):
    from readers.pixels.decode import decode, read_layout

    paths = [
        *sorted(shared_data.glob("vqa_rad/*/*.jpg"))[:25],
        *sorted(shared_data.glob("cls_csv_hannover_cxr/png/*"))[:3],
    ]
    for path in paths:
        data = path.read_bytes()
        layout = read_layout(data)
        assert layout.passes, path.name
        assert (decode(data, layout) == np.asarray(Image.open(path))).all(), path.name
