"""Raster files that say one thing and hold another: bombs, doubled headers, odd orientations, colour profiles."""

import io
import struct
import time
import zlib
from dataclasses import replace

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from readers.images import image_refs
from readers.pixels.layout import MAX_PIXELS
from readers.pixels.render import picture, render
from readers.source import Source
from schemas.errors import CaseError

LEFT, RIGHT = (200, 100, 50), (0, 0, 255)
RGB = np.array([[LEFT, RIGHT]], np.uint8).repeat(32, 0).repeat(16, 1)


def encoded(pixels, kind="JPEG", **options):
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **({"quality": 100, "subsampling": 0} if kind == "JPEG" else {}), **options)
    return out.getvalue()


def pixels_of(put, data, name="x"):
    source = Source.open(str(put({name: data})))
    refs, _ = image_refs(source, name)
    return picture(source, refs[0]).copy(), refs[0]


def refused(put, data):
    begin = time.process_time()
    with pytest.raises(CaseError) as caught:
        pixels_of(put, data)
    assert time.process_time() - begin < 1  # refused, not tried: decoding these takes from seconds to minutes
    return caught.value


def exif(order, kind, orientation):
    """An EXIF segment with an orientation of type 3 (SHORT) or 4 (LONG)."""
    sign = "<" if order == b"II" else ">"
    value = struct.pack(sign + ("H" if kind == 3 else "I"), orientation).ljust(4, b"\0")
    body = b"Exif\0\0" + order + struct.pack(sign + "HIHHHI", 42, 8, 1, 0x0112, kind, 1) + value + bytes(4)
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def header(side, depth=8):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, depth, 0, 0, 0, 0))


SIGNATURE, END = b"\x89PNG\r\n\x1a\n", chunk(b"IEND", b"")


@pytest.mark.parametrize("order", [b"II", b"MM"])
@pytest.mark.parametrize("kind", [3, 4])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_in_every_spelling_and_its_boxes(put, order, kind, orientation):
    stored = np.zeros((24, 40), np.uint8)
    stored[4:8, 30:38] = 255
    plain = encoded(stored)
    data = plain[:2] + exif(order, kind, orientation) + plain[2:]
    shown, ref = pixels_of(put, data)
    with Image.open(io.BytesIO(data)) as opened:
        assert (shown == np.asarray(ImageOps.exif_transpose(opened))).all()
    x0, y0, x1, y1 = (round(edge) for edge in ref.view.box_to_view((30, 4, 38, 8)))
    assert shown[y0:y1, x0:x1].min() > 200
    shown[y0:y1, x0:x1] = 0
    assert shown.max() < 60


def test_a_second_jpeg_header_does_not_hide_a_bomb(put):
    small = encoded(np.zeros((16, 16), np.uint8))
    at = small.index(b"\xff\xc0")
    frame = small[at : at + 2 + int.from_bytes(small[at + 2 : at + 4], "big")]
    large = small.replace(frame, frame[:5] + b"\xea\x60\xea\x60" + frame[9:])  # 60,000 x 60,000
    hidden = large[:2] + exif(b"II", 3, 6) + large[2:-2] + frame + b"\xff\xd9"
    assert refused(put, hidden).code == "corrupt_image"


def test_a_second_png_header_does_not_hide_a_bomb(put):
    hidden = SIGNATURE + header(30_000, 16) + chunk(b"IDAT", zlib.compress(bytes(100))) + header(16, 16) + END
    assert refused(put, hidden).code == "corrupt_image"


def test_more_pixels_than_the_header_has_room_for_are_not_unpacked(put):
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1 << 24)) for _ in range(8)) + packer.flush()
    assert "room for" in refused(put, SIGNATURE + header(16) + chunk(b"IDAT", packed) + END).detail


def test_a_jpeg_of_endless_scans_is_refused(put):
    progressive = encoded(np.zeros((64, 64), np.uint8), progressive=True)
    first, second, *_ = (at for at in range(len(progressive)) if progressive.startswith(b"\xff\xda", at))
    one = progressive[first:second]
    assert "scans" in refused(put, progressive[:first] + one * 100 + progressive[first:]).detail


def test_the_largest_picture_is_just_allowed(put):
    side = int(MAX_PIXELS**0.5) + 1
    assert refused(put, SIGNATURE + header(side, 1) + chunk(b"IDAT", b"x") + END).code == "decompression_bomb"


def test_jpegls_of_twelve_bits(put):
    # Behind 0xff JPEG-LS stuffs a bit, so that values such as 0xff7f stand in its data and are no markers.
    ramp = np.random.default_rng(0).integers(0, 4096, (64, 64), dtype=np.uint16)
    ramp[0, 0] = 4095
    data = imagecodecs.jpegls_encode(ramp)
    assert any(data[at] == 0xFF and 0 < data[at + 1] < 0x80 for at in range(40, len(data) - 2))
    assert (pixels_of(put, data)[0] == np.floor(ramp * (255 / 4095) + 0.5)).all()


def swapped():
    """A colour profile under which red and blue change places."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace("sRGB".encode("utf-16-be"), "XRGB".encode("utf-16-be")).replace(b"sRGB", b"XRGB")
    return profile.replace(b"rXYZ", b"tXYZ").replace(b"bXYZ", b"rXYZ").replace(b"tXYZ", b"bXYZ")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_a_colour_profile_is_kept_or_applied(put, kind):
    more = {"lossless": True} if kind == "WEBP" else {}
    source = Source.open(str(put({"x": encoded(RGB, kind, icc_profile=swapped(), **more)})))
    (ref,), _ = image_refs(source, "x")
    with Image.open(io.BytesIO(render(source, ref).data)) as whole:
        kept = "icc_profile" in whole.info
        assert kept == (kind in ("PNG", "JPEG"))
        wanted = LEFT if kept else LEFT[::-1]
        assert np.abs(np.asarray(whole)[4, 4].astype(int) - wanted).max() <= 2
    # A part that is cut out is a picture of its own, without a profile: its colours are sRGB.
    cut = picture(source, replace(ref, view=ref.view.cropped((2, 2, 30, 30))))
    assert np.abs(cut[4, 4].astype(int) - LEFT[::-1]).max() <= 2
    assert np.abs(cut[4, 24].astype(int) - RIGHT[::-1]).max() <= 2
