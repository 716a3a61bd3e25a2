"""TIFF files of every depth and colour model: values worked out by hand, the same as libtiff shows where it can."""

import io

import numpy as np
import pytest
import tifffile
from PIL import Image

from readers.images import image_refs
from readers.pixels.render import render
from readers.source import Source
from schemas.errors import CaseError

RGB = np.array([[[200, 100, 50], [0, 0, 255]]], np.uint8).repeat(16, 0).repeat(16, 1)


@pytest.fixture
def shown(put):
    """The view and pixels of the first picture of a TIFF of these samples."""

    def show(samples, **options):
        out = io.BytesIO()
        tifffile.imwrite(out, samples, **options)
        source = Source.open(str(put({"x.tif": out.getvalue()})))
        refs, _ = image_refs(source, "x.tif")
        return refs[0].view, np.asarray(Image.open(io.BytesIO(render(source, refs[0]).data)))

    return show


@pytest.mark.parametrize(
    ("bits", "stored", "black_is_zero"),
    [
        (1, [False, True], [0, 255]),
        (2, [0, 1, 2, 3], [0, 85, 170, 255]),
        (4, [0, 1, 8, 15], [0, 17, 136, 255]),
        (8, [0, 1, 128, 255], [0, 1, 128, 255]),
        (12, [0, 819, 2457, 4095], [0, 51, 153, 255]),  # 4095 / 5 is 819, 255 / 5 is 51
        (16, [0, 13107, 39321, 65535], [0, 51, 153, 255]),
    ],
)
def test_grey_of_any_depth_reaches_from_black_to_white(shown, bits, stored, black_is_zero):
    row = np.array(stored, bool if bits == 1 else np.uint8 if bits <= 8 else np.uint16)
    samples, depth = np.tile(row, (16, 4)), {} if bits in (1, 8, 16) else {"bitspersample": bits}
    assert shown(samples, photometric="minisblack", **depth)[1][0, : len(row)].tolist() == black_is_zero
    turned = [255 - value for value in black_is_zero]
    assert shown(samples, photometric="miniswhite", **depth)[1][0, : len(row)].tolist() == turned


def test_signed_bytes_keep_what_lies_below_zero(shown):
    view, pixels = shown(np.tile(np.array([-100, -50, 100], np.int8), (15, 5)))
    assert (view.window, view.window_center, view.window_width) == ("percentile", 0, 200)
    assert pixels[0, :3].tolist() == [0, 64, 255]  # 50 / 200 of 255 is 63.75


@pytest.mark.parametrize("top", [255, 65535])
def test_colour_maps_of_eight_and_sixteen_bits(shown, top):
    colours = np.zeros((3, 256), np.uint16)
    colours[0, 1], colours[2, 2] = top, top
    _, pixels = shown(np.tile(np.array([0, 1, 2], np.uint8), (15, 5)), photometric="palette", colormap=colours)
    assert pixels[0, :3].tolist() == [[0, 0, 0], [255, 0, 0], [0, 0, 255]]


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [("unassalpha", [100, 50, 25]), ("assocalpha", [200, 100, 50]), ("unspecified", [200, 100, 50])],
)
def test_alpha_is_laid_over_black_once(shown, kind, wanted):
    # Half of 200, 100, 50; a premultiplied colour has been halved already, and a channel of no meaning is no alpha.
    half = np.concatenate([RGB, np.full((*RGB.shape[:2], 1), 128, np.uint8)], axis=2)
    assert shown(half, photometric="rgb", extrasamples=[kind])[1][5, 5].tolist() == wanted


def test_ycbcr_is_brought_to_rgb(shown):
    # JFIF: Y = 0.299 R + 0.587 G + 0.114 B and so on: (200, 100, 50) is (124, 86, 182).
    stored = np.full((32, 32, 3), (124, 86, 182), np.uint8)
    _, pixels = shown(stored, photometric="ycbcr", compression="lzw")
    assert np.abs(pixels[5, 5].astype(int) - [200, 100, 50]).max() <= 1


def test_colours_in_planes(shown):
    assert (shown(np.moveaxis(RGB, 2, 0), photometric="rgb", planarconfig="separate")[1] == RGB).all()


def test_inks(shown):
    # Cyan takes the red away; half of black ink, 128 of 255, leaves 127.
    stored = np.tile(np.array([[255, 0, 0, 0], [0, 0, 0, 128]], np.uint8), (16, 8, 1))
    assert shown(stored, photometric="separated")[1][0, :2].tolist() == [[0, 255, 255], [127, 127, 127]]


@pytest.mark.parametrize("photometric", ["cielab", "cfa"])
def test_colour_models_that_nobody_converts_are_refused(shown, photometric):
    with pytest.raises(CaseError) as caught:
        shown(RGB if photometric == "cielab" else RGB[..., 0], photometric=photometric)
    assert caught.value.code == "unsupported_colour"


COLOURS, OTHERS = ("RGB", "L", "YCbCr", "CMYK", "LA", "RGBA"), ("P", "I;16", "1")


@pytest.mark.parametrize(
    ("compression", "mode"),
    [("jpeg", mode) for mode in COLOURS]
    + [(codec, mode) for codec in ("tiff_lzw", "tiff_adobe_deflate", "packbits") for mode in COLOURS + OTHERS],
)
def test_what_libtiff_shows_is_shown(put, mode, compression):
    plain = Image.fromarray(RGB)
    picture = (plain.convert("L") if mode in ("I;16", "1") else plain).convert(mode)
    out = io.BytesIO()
    picture.save(out, "TIFF", compression=compression)
    source = Source.open(str(put({"x.tif": out.getvalue()})))
    pixels = np.asarray(Image.open(io.BytesIO(render(source, image_refs(source, "x.tif")[0][0]).data)))
    with Image.open(io.BytesIO(out.getvalue())) as again:
        wanted = np.asarray(again.convert("RGB" if mode in ("RGB", "YCbCr", "CMYK", "RGBA", "P") else "L"))
    assert np.abs(pixels.astype(int) - wanted).max() <= 1
