"""JPEG and PNG containers: metadata goes, pixel data stays byte for byte."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo
from pydicom.data import get_testdata_file

from quality.carriers import carried
from readers.pixels import jpeg, png
from readers.pixels.decode import decode, read_layout
from readers.pixels.icc import wordless
from readers.pixels.layout import exif_orientation, oriented
from schemas.errors import CaseError
from schemas.view import View

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _segment(marker, body):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body


def _with_metadata(data):
    """A JPEG with every kind of metadata put in after its start, and something after its end."""
    extra = [
        _segment(0xE1, b"Exif\0\0" + Image.Exif().tobytes()[6:]),
        _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x>Jane Doe</x>"),
        _segment(0xED, b"Photoshop 3.0\0Jane Doe"),
        _segment(0xFE, b"Jane Doe"),
        _segment(0xE2, b"ICC_PROFILE\0\1\1" + SRGB),
        _segment(0xEA, b"AROT Jane Doe"),
    ]
    return data[:2] + b"".join(extra) + data[2:] + b"Jane Doe"


@pytest.mark.parametrize(
    "save", [{}, {"progressive": True}, {"optimize": True}, {"subsampling": 0}, {"restart_marker_rows": 1}]
)
def test_a_jpeg_keeps_its_pixel_data_and_loses_its_metadata(save, picture_bytes):
    bare = picture_bytes(64, 48, kind="JPEG", **save)
    layout = jpeg.layout(_with_metadata(bare))
    assert layout.clean == bare
    assert b"Jane" not in layout.clean
    assert set(layout.removed) == {
        "EXIF", "XMP", "IPTC", "comment", "colour profile", "application segment", "trailing data",
    }  # fmt: skip
    assert (layout.width, layout.height, layout.channels, layout.bit_depth, layout.passes) == (64, 48, 3, 8, True)


@pytest.mark.parametrize("marker", [0xDC, 0xDD])
def test_a_segment_of_two_bytes_holds_no_more(marker, picture_bytes):
    bare = picture_bytes(kind="JPEG")
    at = bare.index(b"\xff\xda")
    full = bare[:at] + _segment(marker, b"\0\0Jane Doe") + bare[at:]
    assert jpeg.layout(full).clean == bare
    assert carried(full) == "privacy_jpeg_segment"
    assert carried(bare) == ""


def test_a_jpeg_without_metadata_is_the_very_same_object(picture_bytes):
    data = picture_bytes(kind="JPEG")
    assert jpeg.layout(data).clean is data


def test_a_jpeg_keeps_a_profile_that_changes_its_colours(picture_bytes):
    profile = SRGB.replace(b"s\0R\0G\0B", b"A\0d\0o\0b").replace(b"sRGB", b"Adob")
    bare = picture_bytes(kind="JPEG")
    data = bare[:2] + _segment(0xE2, b"ICC_PROFILE\0\1\1" + profile) + bare[2:]
    layout = jpeg.layout(data)
    kept = Image.open(io.BytesIO(layout.clean)).info["icc_profile"]
    assert layout.icc == kept == wordless(kept) != b""
    assert b"Adob" not in kept and b"A\0d\0o\0b" not in kept
    assert read_layout(layout.clean).clean is layout.clean


PROFILE = Path(str(get_testdata_file("crayons.icc"))).read_bytes()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_profile_loses_its_words_and_dates_and_changes_no_colour(kind, picture_bytes):
    """A real profile, named anew, with a maker, a date and a tag of our own."""
    named = PROFILE.replace(b"chrm", b"Jane")
    named = named[:24] + b"\x07\xdc\0\3\0\x09" + named[30:48] + b"DOE!" + named[52:]
    out = io.BytesIO()
    picture = Image.open(io.BytesIO(picture_bytes()))
    picture.save(out, kind, icc_profile=named)
    layout = read_layout(out.getvalue())
    kept = Image.open(io.BytesIO(layout.clean)).info["icc_profile"]
    assert kept == layout.icc and len(kept) < len(named)
    assert not any(word in kept for word in (b"Jane", b"DOE!", b"\x07\xdc", b"N\0i\0k\0o\0n"))
    assert "colour profile" in layout.removed
    again = read_layout(layout.clean)
    assert again.clean == layout.clean and again.icc == kept
    to = ImageCms.createProfile("sRGB")
    shown = [
        np.asarray(ImageCms.profileToProfile(picture, ImageCms.getOpenProfile(io.BytesIO(one)), to))
        for one in (PROFILE, kept)
    ]
    assert (shown[0] == shown[1]).all() and (shown[0] != np.asarray(picture)).any()


def test_profiles_that_cannot_be_read_go():
    for broken in (b"", PROFILE[:100], PROFILE.replace(b"acsp", b"Jane"), PROFILE.replace(b"mntr", b"Jane"), SRGB):
        assert wordless(broken) == b""
    assert wordless(PROFILE[:132]) == b""
    old = bytearray(PROFILE)
    old[8] = 2
    assert b"desc\0\0\0\0\0\0\0\x08colours\0" in wordless(bytes(old))
    assert ImageCms.getProfileDescription(ImageCms.getOpenProfile(io.BytesIO(wordless(bytes(old))))) == "colours\n"


def test_a_palette_that_only_suggests_colours_goes(picture_bytes):
    bare = picture_bytes(64, 48)
    full = bare[:33] + _chunk(b"PLTE", b"Jane Doe!") + _chunk(b"gAMA", b"Jane Doe") + bare[33:]
    assert png.layout(full).clean == bare
    listed = io.BytesIO()
    Image.open(io.BytesIO(bare)).convert("P").save(listed, "PNG")
    assert b"PLTE" in png.layout(listed.getvalue()).clean


def test_the_jfif_thumbnail_goes(picture_bytes):
    bare = picture_bytes(kind="JPEG")
    at = bare.index(b"JFIF\0")
    thumbnail = bytes(3)
    body = bare[at : at + 12] + b"\1\1" + thumbnail
    fat = bare[: at - 4] + _segment(0xE0, body) + bare[at + 14 :]
    assert jpeg.layout(fat).clean == bare
    assert jpeg.layout(fat).removed == ("thumbnail",)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.3, 0.6, 0.95])
def test_a_cut_file_is_corrupt(share, picture_bytes):
    for kind in ("JPEG", "PNG"):
        data = picture_bytes(64, 48, kind=kind)
        with pytest.raises(CaseError) as caught:
            read_layout(data[: max(int(len(data) * share), 12)])
        assert caught.value.code == "corrupt_image"


def _chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def test_a_png_keeps_its_pixel_data_and_loses_its_text(picture_bytes):
    bare = picture_bytes(64, 48)
    info = PngInfo()
    info.add_text("Patient", "Jane Doe")
    info.add_itxt("Comment", "Jane Doe")
    picture = Image.open(io.BytesIO(bare))
    out = io.BytesIO()
    picture.save(out, "PNG", pnginfo=info, dpi=(72, 72), exif=Image.Exif().tobytes() + b"")
    full = out.getvalue()
    end = full.index(b"IEND") - 4
    full = full[:end] + _chunk(b"tIME", bytes(7)) + _chunk(b"prIv", b"Jane Doe") + full[end:] + b"Jane Doe"
    layout = png.layout(full)
    assert b"Jane" not in layout.clean
    assert {"text", "time", "trailing data", "other chunk"} <= set(layout.removed)
    idat = [data[data.index(b"IDAT") : data.index(b"IEND")] for data in (layout.clean, bare)]
    assert idat[0] == idat[1]
    assert (np.asarray(Image.open(io.BytesIO(layout.clean))) == np.asarray(picture)).all()
    assert png.layout(bare).clean is bare


def test_a_png_whose_checksum_is_wrong_is_corrupt(picture_bytes):
    data = bytearray(picture_bytes())
    data[data.index(b"IDAT") + 10] ^= 1
    with pytest.raises(CaseError, match="checksum"):
        png.layout(bytes(data))


def test_a_png_that_claims_too_many_pixels_is_refused_before_decoding():
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    data = png.SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", b"") + _chunk(b"IEND", b"")
    with pytest.raises(CaseError) as caught:
        png.layout(data)
    assert caught.value.code == "decompression_bomb"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_matrix_does_what_exif_says(orientation, picture_bytes):
    from PIL import ImageOps

    from readers.pixels.warp import warp

    exif = Image.Exif()
    exif[0x0112] = orientation
    data = picture_bytes(9, 5, kind="PNG", exif=exif.tobytes())
    layout = read_layout(data)
    assert layout.orientation == orientation
    matrix, width, height = oriented(orientation, 9, 5)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    assert upright.shape[:2] == (height, width)
    shown = warp(np.ascontiguousarray(decode(data, layout)), View(9, 5, width, height, matrix))
    assert (shown == upright).all()
    jpg = picture_bytes(16, 8, kind="JPEG", exif=exif.tobytes())
    assert jpeg.layout(jpg).orientation == orientation


@pytest.mark.parametrize("broken", [b"", b"II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff", bytes(40)])
def test_a_broken_exif_block_is_upright(broken):
    assert exif_orientation(broken) == 1
