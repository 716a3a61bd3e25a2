"""Supplemental palettes: grey below their first value, colours from it on; every pixel worked out by hand."""

import io

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset

from readers.base import open_reader
from readers.pixels.dicom import dicom_refs, render_dicom
from readers.pixels.render import render
from schemas.errors import CaseError

STORED = np.array([[0, 50, 100], [1000, 1001, 1002]], np.uint16)
PALETTE = {"Red": [255, 0, 10], "Green": [0, 255, 20], "Blue": [0, 0, 30]}


def palette(first=1000, wide=16, values=PALETTE):
    """The attributes of a palette of three entries."""
    kind = np.uint16 if wide == 16 else np.uint8
    scale = 256 if wide == 16 else 1
    made = {"PixelPresentation": "COLOR"}
    for name, entries in values.items():
        data = (np.array(entries) * scale).astype(kind).tobytes()
        made[f"{name}PaletteColorLookupTableDescriptor"] = [3, first, wide]
        made[f"{name}PaletteColorLookupTableData"] = data + b"\0" * (len(data) % 2)
    return made


@pytest.fixture
def show(source):
    def go(name="a"):
        refs, _ = dicom_refs(source, name)
        return [np.asarray(Image.open(io.BytesIO(render_dicom(source, ref).data))) for ref in refs]

    return go


WANTED = [
    [[0, 0, 0], [128, 128, 128], [255, 255, 255]],
    [[255, 0, 0], [0, 255, 0], [10, 20, 30]],
]
WINDOW = {"WindowCenter": 50, "WindowWidth": 100, "VOILUTFunction": "LINEAR_EXACT"}


@pytest.mark.parametrize("wide", [8, 16])
def test_grey_goes_through_the_window_and_colours_through_the_palette(make_dicom, show, wide):
    # 0..100 is the window: 50 is 127.5, which is 128.
    make_dicom("a", STORED, Modality="MR", **WINDOW, **palette(wide=wide))
    assert show()[0].tolist() == WANTED


def test_rescale_changes_the_grey_values_alone(make_dicom, show):
    # Twice the value less 100: 0, 50, 100 become -100, 0, 100; the palette maps what is stored.
    make_dicom(
        "a", STORED, Modality="MR", RescaleSlope=2, RescaleIntercept=-100, WindowCenter=0, WindowWidth=200,
        VOILUTFunction="LINEAR_EXACT", **palette(),
    )  # fmt: skip
    assert show()[0].tolist() == WANTED


def test_values_below_zero_are_mapped_from_a_signed_start(make_dicom, show):
    # Everything from -2 on is colour, the last entry for all above.
    make_dicom("a", np.array([[-3, -2, -1, 0, 9]], np.int16), Modality="MR", **WINDOW, **palette(first=-2))
    assert show()[0].tolist() == [[[0, 0, 0], [255, 0, 0], [0, 255, 0], [10, 20, 30], [10, 20, 30]]]


def test_colours_do_not_move_the_percentiles(make_dicom, source):
    stored = np.arange(1002, dtype=np.uint16).reshape(2, 501)
    stored[0, 0] = 5000
    # Zero is replaced by a colour: of 1..1001 the percentiles 0.5 and 99.5 are 6 and 996, as without the colour.
    make_dicom("a", stored, Modality="MR", **palette(first=5000))
    (ref,), _ = dicom_refs(source, "a")
    assert (ref.view.window, ref.view.window_center, ref.view.window_width) == ("percentile", 501, 990)


def test_grey_and_coloured_slices_stand_in_one_montage(make_dicom, make_spec, source):
    for z, said in enumerate(("MONOCHROME", "COLOR")):
        place = {"ImagePositionPatient": [0, 0, z], "InstanceNumber": z}
        make_dicom(str(z), STORED, Modality="MR", **place, **WINDOW, **{**palette(), "PixelPresentation": said})
    options = {"slices": {"policy": "all", "montage": [2, 1]}}
    reader = open_reader(make_spec("dicom_series", options))
    (item,) = reader.items()
    shown = np.asarray(Image.open(io.BytesIO(render(source, reader.read(item).images[0]).data)))
    assert shown[:, 3:].tolist() == WANTED
    assert shown[:, :3].tolist() == [[[0] * 3, [128] * 3, [255] * 3], [[255] * 3] * 3]


def test_without_presentation_in_colour_the_picture_stays_grey(make_dicom, show):
    make_dicom("a", STORED, Modality="MR", **WINDOW, **{**palette(), "PixelPresentation": "MONOCHROME"})
    assert show()[0].tolist() == [[0, 128, 255], [255, 255, 255]]


def test_frames_say_for_themselves_whether_they_are_coloured(make_dicom, show):
    def frame(kind):
        group, said = Dataset(), Dataset()
        said.PixelPresentation = kind
        group.MRImageFrameTypeSequence = [said]
        return group

    frames = np.stack([STORED, STORED])
    make_dicom(
        "a", STORED, Modality="MR", NumberOfFrames=2, PixelData=frames.tobytes(), **WINDOW,
        **{**palette(), "PixelPresentation": "MIXED"}, ImagePositionPatient=None,
        PerFrameFunctionalGroupsSequence=[frame("MONOCHROME"), frame("COLOR")],
    )  # fmt: skip
    shown = show()
    assert shown[0].tolist() == [[0, 128, 255], [255, 255, 255]]
    assert shown[1].tolist() == WANTED


def test_what_no_supplemental_palette_can_show_is_refused(make_dicom, show):
    make_dicom("one", STORED, Modality="MR", PhotometricInterpretation="MONOCHROME1", **WINDOW, **palette())
    make_dicom("two", STORED, Modality="MR", EnhancedPaletteColorLookupTableSequence=[Dataset()], **WINDOW)
    broken = {**palette(), "GreenPaletteColorLookupTableData": b"\0\0"}
    make_dicom("three", STORED, Modality="MR", **WINDOW, **broken)
    for name, code, words in (
        ("one", "unsupported_palette", "belongs to MONOCHROME2"),
        ("two", "unsupported_palette", "enhanced palette"),
        ("three", "bad_palette", "fewer than 3 entries"),
    ):
        with pytest.raises(CaseError, match=words) as caught:
            show(name)
        assert caught.value.code == code
