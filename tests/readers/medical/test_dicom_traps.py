"""Headers that say something other than usual, or than the pixel data: values worked out by hand, bombs refused."""

import io
import time

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSLossless

from readers.base import open_reader
from readers.images import image_refs
from readers.pixels.dicom_codestream import stated_size
from readers.pixels.render import picture
from schemas.errors import CaseError

SIGNED = np.array([[-2048, -1000, 0, 1000, 2047]], np.int16)
# ((x + 0.5) / 4095 + 0.5) * 255: 0, 65.3, 127.5, 189.8, 255.
WHOLE = {"WindowCenter": 0, "WindowWidth": 4096}
SHOWN = [0, 65, 128, 190, 255]


@pytest.fixture
def shown(make_dicom, source):
    """The pixels of the first picture of a file."""

    def show(pixels, **attributes):
        make_dicom("a", pixels, **attributes)
        return picture(source, image_refs(source, "a")[0][0])

    return show


@pytest.fixture
def refused(shown):
    """The code with which a file is refused, at once."""

    def refuse(*args, **attributes):
        begin = time.process_time()
        with pytest.raises(CaseError) as caught:
            shown(*args, **attributes)
        assert time.process_time() - begin < 1  # not after decoding, which takes from seconds to minutes
        return caught.value.code

    return refuse


@pytest.mark.parametrize(("high", "lifted"), [(11, 0), (13, 2), (15, 4)])
def test_samples_lie_where_the_high_bit_says(shown, high, lifted):
    stored = (SIGNED.view(np.uint16) & 0x0FFF) << lifted
    assert shown(stored, BitsStored=12, HighBit=high, PixelRepresentation=1, **WHOLE)[0].tolist() == SHOWN


def test_a_high_bit_that_the_samples_contradict_is_not_believed(shown):
    # 2047 is 0x7ff: its lower four bits would be outside a sample that begins at bit 4.
    stored = SIGNED.view(np.uint16) & 0x0FFF
    assert shown(stored, BitsStored=12, HighBit=15, PixelRepresentation=1, **WHOLE)[0].tolist() == SHOWN


def _table(first, kind):
    item = Dataset()
    item.add_new("LUTDescriptor", kind, [1001, first, 12])
    item.add_new("LUTData", "OW", np.array([0] * 1000 + [4095], "<u2").tobytes())
    return [item]


@pytest.mark.parametrize(("first", "kind"), [(-1000, "SS"), (65536 - 1000, "US")])
def test_a_voi_table_that_begins_below_zero(shown, first, kind):
    # Stored 999, 1000 and 4000 are -1, 0 and 3000 HU; entry 1000 stands for 0 HU.
    stored = np.array([[0, 999, 1000, 4000]], np.uint16)
    table = {"RescaleSlope": 1, "RescaleIntercept": -1000, "VOILUTSequence": _table(first, kind)}
    assert shown(stored, **table)[0].tolist() == [0, 0, 255, 255]


@pytest.mark.parametrize("keyword", ["RescaleSlope", "RescaleIntercept"])
def test_a_rescale_that_cannot_be_read_is_not_guessed(make_dicom, source, tmp_path, keyword):
    make_dicom("a", SIGNED, **{"RescaleSlope": 1, "RescaleIntercept": 0, keyword: "-1024.5"})
    data = (tmp_path / "a").read_bytes()
    assert data.count(b"-1024.5 ") == 1
    (tmp_path / "b").write_bytes(data.replace(b"-1024.5 ", b"-1024,5 "))
    with pytest.raises(CaseError) as caught:
        image_refs(source, "b")
    assert caught.value.code == "bad_rescale"


@pytest.mark.parametrize("colours", ["HSV", "ARGB", "CMYK", "YBR_PARTIAL_422"])
def test_retired_colour_models_are_not_shown_as_rgb(refused, colours):
    assert refused(np.zeros((4, 4, 3), np.uint8), PhotometricInterpretation=colours) == "unsupported_colour"


def test_every_frame_has_its_own_slope(make_dicom, source):
    frames = []
    for slope in (1, 2):
        values, frame = Dataset(), Dataset()
        values.RescaleSlope, values.RescaleIntercept = slope, -10
        frame.PixelValueTransformationSequence = [values]
        frames.append(frame)
    stored = np.array([[[10, 60, 110]], [[10, 60, 110]]], np.uint8)
    make_dicom(
        "a", stored[0], NumberOfFrames=2, PerFrameFunctionalGroupsSequence=frames, PixelData=stored.tobytes(),
        WindowCenter=50, WindowWidth=101, ImagePositionPatient=None,
    )  # fmt: skip
    refs, _ = image_refs(source, "a")
    # (x - 49.5) / 100 + 0.5 of 0, 50 and 100 at slope 1, and of 10, 110 and 210 at slope 2, of 255.
    assert [picture(source, ref)[0].tolist() for ref in refs] == [[1, 129, 255], [27, 255, 255]]


COLOURS = np.array([[[200, 100, 50]] * 8 + [[0, 0, 255]] * 8] * 16, np.uint8)


def _ycbcr(rgb):
    return np.asarray(Image.fromarray(rgb).convert("YCbCr"))


def _halved(ybr):
    """Y Y Cb Cr for every two pixels."""
    return np.stack([ybr[:, ::2, 0], ybr[:, 1::2, 0], ybr[:, ::2, 1], ybr[:, ::2, 2]], axis=-1)


def _jpeg(rgb, **options):
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "JPEG", quality=100, subsampling=0, **options)
    return out.getvalue()


STREAMS = {
    "YBR_FULL": lambda: {"PixelData": _ycbcr(COLOURS).tobytes()},
    "YBR_FULL in planes": lambda: {
        "PixelData": np.moveaxis(_ycbcr(COLOURS), 2, 0).tobytes(), "PlanarConfiguration": 1,
    },
    "YBR_FULL_422": lambda: {"PixelData": _halved(_ycbcr(COLOURS)).tobytes()},
    "YBR_FULL_422 JPEG": lambda: _packed(JPEGBaseline8Bit, _jpeg(COLOURS)),
    "RGB JPEG": lambda: _packed(JPEGBaseline8Bit, _jpeg(COLOURS, keep_rgb=True)),
    "RGB JPEG that is YBR": lambda: _packed(JPEGBaseline8Bit, _jpeg(COLOURS)),
    "YBR_RCT": lambda: _packed(JPEG2000Lossless, imagecodecs.jpeg2k_encode(COLOURS, codecformat="j2k", mct=True)),
    "RGB JPEG 2000": lambda: _packed(JPEG2000Lossless, imagecodecs.jpeg2k_encode(COLOURS, codecformat="j2k")),
    "RGB JPEG-LS": lambda: _packed(JPEGLSLossless, imagecodecs.jpegls_encode(COLOURS)),
}  # fmt: skip


def _packed(syntax, *streams):
    return {"syntax": syntax, "PixelData": encapsulate(list(streams))}


@pytest.mark.filterwarnings("ignore:The .0028,0004. 'Photometric Interpretation'")
@pytest.mark.parametrize("kind", STREAMS)
def test_colours_come_out_right(make_dicom, tmp_path, source, kind):
    given = STREAMS[kind]()
    syntax = given.pop("syntax", None)
    made = make_dicom("a", COLOURS, PhotometricInterpretation=kind.split()[0], **given)
    if syntax is not None:
        made.file_meta.TransferSyntaxUID = syntax
        made["PixelData"].VR, made["PixelData"].is_undefined_length = "OB", True
        made.save_as(tmp_path / "a", enforce_file_format=True)
    shown = picture(source, image_refs(source, "a")[0][0]).astype(int)
    assert np.abs(shown - COLOURS).max() <= 1


def _claiming(stream, width, height):
    """The same JPEG 2000 codestream, which states another size."""
    at = stream.index(b"\xff\x51")
    sides = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return stream[: at + 6] + sides + stream[at + 14 : at + 22] + sides + stream[at + 30 :]


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSLossless])
def test_a_codestream_larger_than_its_header_says_is_not_decoded(make_dicom, tmp_path, source, syntax):
    small = np.zeros((16, 16), np.uint8)
    jpeg = _jpeg(small)
    streams = {
        JPEG2000Lossless: _claiming(imagecodecs.jpeg2k_encode(small, codecformat="j2k"), 60_000, 50_000),
        JPEGBaseline8Bit: jpeg.replace(b"\x08\x00\x10\x00\x10", b"\x08\xc3\x50\xea\x60"),
        JPEGLSLossless: imagecodecs.jpegls_encode(small).replace(b"\x08\x00\x10\x00\x10", b"\x08\xc3\x50\xea\x60"),
    }
    assert stated_size(streams[syntax]) == (60_000, 50_000)
    made = make_dicom("a", small, PixelData=encapsulate([streams[syntax]]))
    made.file_meta.TransferSyntaxUID = syntax
    made["PixelData"].VR, made["PixelData"].is_undefined_length = "OB", True
    made.save_as(tmp_path / "a", enforce_file_format=True)
    begin = time.process_time()
    with pytest.raises(CaseError, match="claims 60000x50000 pixels, its header 16x16"):
        picture(source, image_refs(source, "a")[0][0])
    assert time.process_time() - begin < 1


def test_pixels_of_several_sizes_in_one_series_are_named(make_dicom, make_spec):
    for place, size in enumerate((0.5, 0.5, 0.7)):
        make_dicom(f"{place}.dcm", SIGNED, ImagePositionPatient=[0, 0, 2 * place], PixelSpacing=[size, size])
    reader = open_reader(make_spec("dicom_series"))
    case = reader.read(next(iter(reader.items())))
    assert [finding.detail for finding in case.findings if finding.code == "mixed_spacing"] == [
        "the pixels are 0.5 to 0.7 mm wide over the series"
    ]
