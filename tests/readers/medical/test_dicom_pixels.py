"""DICOM frames to pictures, on files made so that every pixel is known."""

import io

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, RLELossless

from readers.pixels.dicom import dicom_refs, measured, render_dicom
from readers.pixels.dicom_file import open_dicom, read_header
from readers.pixels.dicom_frames import stored_frame
from readers.pixels.dicom_view import dicom_view
from schemas.case import ImageRef
from schemas.errors import CaseError

HU = np.array([[-1000, -160, -100], [39, 40, 239]], np.int16)
WINDOWED = [[0, 0, 38], [127, 128, 255]]


@pytest.fixture
def picture(source):
    """The rendered pixels of a file, by ``window`` and ``frame``."""

    def render(name: str, frame: int = -1, window="auto") -> np.ndarray:
        view = measured(source, name, dicom_view(read_header(source, name), frame, window))
        done = render_dicom(source, ImageRef((name,), "application/dicom", view))
        with Image.open(io.BytesIO(done.data)) as image:
            return np.asarray(image)

    return render


def test_ct_rescale_and_window(make_dicom, picture):
    stored = (HU + 1024).astype(np.uint16)
    make_dicom("a", stored, RescaleSlope=1, RescaleIntercept=-1024, WindowCenter=40, WindowWidth=400)
    assert picture("a").tolist() == WINDOWED


def test_the_first_of_several_windows_is_used_and_recorded(make_dicom, source):
    make_dicom("a", HU, WindowCenter=[40, 300], WindowWidth=[400, 1500])
    view = dicom_view(read_header(source, "a"))
    assert (view.window, view.window_center, view.window_width) == ("linear", 40, 400)


def test_a_preset_goes_before_the_file(make_dicom, source):
    make_dicom("a", HU, WindowCenter=1, WindowWidth=2)
    view = dicom_view(read_header(source, "a"), window="lung")
    assert (view.window, view.window_center, view.window_width) == ("linear", -600, 1500)


def test_ct_without_a_window_gets_the_preset_of_its_anatomy(make_dicom, source):
    make_dicom("a", HU)
    assert dicom_view(read_header(source, "a"), anatomy="brain").window_width == 80


def test_other_modalities_without_a_window_get_percentiles(make_dicom, source):
    stored = np.arange(1002, dtype=np.uint16).reshape(2, 501)
    make_dicom("a", stored, Modality="MR")
    view = measured(source, "a", dicom_view(read_header(source, "a")))
    assert (view.window, view.window_center, view.window_width) == ("percentile", 501, 990)


def test_window_functions_are_read_from_the_file(make_dicom, source):
    for said, kind in (("LINEAR", "linear"), ("LINEAR_EXACT", "linear_exact"), ("SIGMOID", "sigmoid")):
        make_dicom(said, HU, WindowCenter=40, WindowWidth=400, VOILUTFunction=said)
        assert dicom_view(read_header(source, said)).window == kind


def test_monochrome1_looks_as_its_monochrome2_twin(make_dicom, picture):
    stored = (HU + 1024).astype(np.uint16)
    common = {"RescaleSlope": 1, "RescaleIntercept": -1024, "WindowWidth": 400}
    make_dicom("two", stored, WindowCenter=40, **common)
    # The twin stores 4095 - s, so a value v becomes 4095 - 1024 - (v + 1024) = 2047 - v.  The linear window is
    # symmetric about centre - 0.5: 2047 - (40 - 0.5) = 2007.5 is the twin's centre - 0.5.
    twin = (4095 - stored).astype(np.uint16)
    make_dicom("one", twin, WindowCenter=2008, PhotometricInterpretation="MONOCHROME1", **common)
    assert picture("one").tolist() == picture("two").tolist() == WINDOWED


def test_an_inverse_presentation_is_inverted_once(make_dicom, picture):
    # 255 - ((x - 39.5) / 399 + 0.5) * 255: -100 -> 216.7, 39 -> 127.8, 40 -> 127.2; a radiograph states both, and they
    # mean the same.
    common = {"WindowCenter": 40, "WindowWidth": 400, "PresentationLUTShape": "INVERSE"}
    make_dicom("one", HU, PhotometricInterpretation="MONOCHROME1", **common)
    make_dicom("two", HU, PhotometricInterpretation="MONOCHROME2", **common)
    wanted = [[255, 255, 217], [128, 127, 0]]
    assert picture("one").tolist() == picture("two").tolist() == wanted
    make_dicom("plain", HU, **{**common, "PresentationLUTShape": "IDENTITY"})
    assert picture("plain").tolist() == WINDOWED


def test_segmented_palettes_are_unrolled(make_dicom, picture):
    # Discrete: op 0, two entries 0 and 255 (of 8 bits in words); linear: op 1, three more down to 0: 170, 85, 0.
    segments = np.array([0, 2, 0, 255, 1, 3, 0], np.uint16).tobytes()
    names = ("Red", "Green", "Blue")
    make_dicom(
        "a", np.array([[0, 1, 2, 3, 4]], np.uint8), PhotometricInterpretation="PALETTE COLOR",
        **{f"{name}PaletteColorLookupTableDescriptor": [5, 0, 16] for name in names},
        **{f"Segmented{name}PaletteColorLookupTableData": segments for name in names},
    )  # fmt: skip
    assert picture("a")[..., 0].tolist() == [[0, 255, 170, 85, 0]]


def test_unused_bits_are_cut_off(make_dicom, picture):
    stored = (HU + 1024).astype(np.uint16) & 0x0FFF
    dirty = stored | 0xA000
    common = {"RescaleSlope": 1, "RescaleIntercept": -1024, "WindowCenter": 40, "WindowWidth": 400}
    make_dicom("a", dirty, BitsStored=12, HighBit=11, **common)
    assert picture("a").tolist() == WINDOWED


def test_signed_twelve_bits_in_sixteen(make_dicom, picture):
    stored = HU.astype(np.int16).view(np.uint16) & 0x0FFF
    make_dicom(
        "a", stored, PixelRepresentation=1, BitsStored=12, HighBit=11, WindowCenter=40, WindowWidth=400
    )  # fmt: skip
    assert picture("a").tolist() == WINDOWED


def test_padding_is_black_even_where_the_grey_scale_is_reversed(make_dicom, picture):
    stored = np.array([[-2000, 0, 100]], np.int16)
    common = {"PhotometricInterpretation": "MONOCHROME1", "WindowCenter": 50, "WindowWidth": 101}
    # ((x - 49.5) / 100 + 0.5) * 255 of 0 and 100: 1.3 and 256.3, reversed 253.7 and 0
    make_dicom("a", stored, PixelPaddingValue=-2000, **common)
    assert picture("a").tolist() == [[0, 254, 0]]
    make_dicom("b", stored, **common)
    assert picture("b").tolist() == [[255, 254, 0]]


def test_palette_of_sixteen_bits(make_dicom, picture):
    ramp = (np.arange(4, dtype=np.uint16) * 0x4000).tobytes()
    zero = np.zeros(4, np.uint16).tobytes()
    descriptor = [4, 10, 16]
    make_dicom(
        "a", np.array([[9, 10, 11], [12, 13, 200]], np.uint8), PhotometricInterpretation="PALETTE COLOR",
        RedPaletteColorLookupTableDescriptor=descriptor, GreenPaletteColorLookupTableDescriptor=descriptor,
        BluePaletteColorLookupTableDescriptor=descriptor, RedPaletteColorLookupTableData=ramp,
        GreenPaletteColorLookupTableData=zero, BluePaletteColorLookupTableData=ramp,
    )  # fmt: skip
    shown = picture("a")
    assert shown[..., 0].tolist() == [[0, 0, 64], [128, 192, 192]]
    assert (shown[..., 1] == 0).all() and (shown[..., 2] == shown[..., 0]).all()


def test_planar_and_interleaved_colour_are_one(make_dicom, picture):
    rgb = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    make_dicom("inter", rgb)
    make_dicom("planar", rgb, PlanarConfiguration=1, PixelData=np.moveaxis(rgb, -1, 0).tobytes())
    assert (picture("inter") == rgb).all() and (picture("planar") == rgb).all()


def test_ybr_is_brought_to_rgb(make_dicom, picture):
    # R = Y + 1.402 (Cr - 128), G = Y - 0.344 (Cb - 128) - 0.714 (Cr - 128), B = Y + 1.772 (Cb - 128)
    ybr = np.array([[[76, 85, 255], [150, 44, 21]]], np.uint8)
    make_dicom("a", ybr, PhotometricInterpretation="YBR_FULL")
    assert np.abs(picture("a").astype(int) - [[[254, 0, 0], [0, 255, 1]]]).max() <= 1


def test_modality_table(make_dicom, picture):
    table = Dataset()
    table.LUTDescriptor = [3, 5, 16]
    table.LUTData = np.array([0, 100, 1000], np.uint16).tobytes()
    table["LUTData"].VR = "OW"
    make_dicom(
        "a", np.array([[4, 5, 6, 7, 8]], np.uint16), ModalityLUTSequence=Sequence([table]), Modality="CR",
        WindowCenter=500, WindowWidth=1000, VOILUTFunction="LINEAR_EXACT",
    )  # fmt: skip
    # Values 0 0 100 1000 1000 in the window 0..1000
    assert picture("a").tolist() == [[0, 0, 26, 255, 255]]


def test_voi_table(make_dicom, picture):
    table = Dataset()
    table.LUTDescriptor = [3, 5, 8]
    table.LUTData = np.array([0, 100, 255], np.uint16).tobytes()
    table["LUTData"].VR = "OW"
    make_dicom(
        "a", np.array([[0, 5, 6, 7, 8]], np.uint16), VOILUTSequence=Sequence([table]), Modality="CR",
        WindowCenter=1, WindowWidth=2,
    )  # fmt: skip
    assert picture("a").tolist() == [[0, 0, 100, 255, 255]]


def test_frames_of_a_file_are_told_apart(make_dicom, picture, source):
    frames = np.stack([np.full((2, 3), level, np.uint8) for level in (10, 20, 30)])
    make_dicom("a", frames[0], NumberOfFrames=3, PixelData=frames.tobytes(), Modality="US")
    assert [int(picture("a", frame)[0, 0]) for frame in range(3)] == [10, 20, 30]
    with pytest.raises(CaseError) as caught:
        stored_frame(open_dicom(source, "a"), 3)
    assert caught.value.code == "missing_frame"
    refs, _ = dicom_refs(source, "a", 2)
    assert [ref.view.frame for ref in refs] == [0, 2]


@pytest.mark.parametrize("syntax", [ExplicitVRBigEndian, ImplicitVRLittleEndian, RLELossless])
def test_every_encoding_gives_the_same_pixels(make_dicom, picture, tmp_path, syntax):
    dataset = make_dicom("a", HU, WindowCenter=40, WindowWidth=400)
    if syntax == RLELossless:
        dataset.compress(RLELossless)
        dataset.save_as(tmp_path / "b", enforce_file_format=True)
    else:
        dataset.file_meta.TransferSyntaxUID = syntax
        if syntax == ExplicitVRBigEndian:
            dataset.PixelData = HU.byteswap().tobytes()
        dataset.save_as(tmp_path / "b", enforce_file_format=True)
    assert picture("b").tolist() == WINDOWED


def test_a_file_without_preamble_is_read(make_dicom, picture, tmp_path):
    dataset = make_dicom("a", HU, WindowCenter=40, WindowWidth=400)
    dataset.file_meta = FileMetaDataset()
    dataset.save_as(tmp_path / "bare", implicit_vr=True, little_endian=True, enforce_file_format=False)
    assert (tmp_path / "bare").read_bytes()[128:132] != b"DICM"
    assert picture("bare").tolist() == WINDOWED


def refused(source, name: str) -> str:
    with pytest.raises(CaseError) as caught:
        stored_frame(open_dicom(source, name))
    return caught.value.code


def test_broken_files_are_refused_with_their_reason(make_dicom, source, tmp_path):
    make_dicom("short", HU, PixelData=HU.tobytes()[:8])
    make_dicom("none", HU, PixelData=None)
    make_dicom("empty", HU, PixelData=b"")
    make_dicom("huge", HU, Rows=60000, Columns=60000)
    strange = make_dicom("strange", HU)
    strange.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.100"
    strange.PixelData = (
        b"\xfe\xff\x00\xe0\x00\x00\x00\x00\xfe\xff\x00\xe0\x04\x00\x00\x00abcd\xfe\xff\xdd\xe0\x00\x00\x00\x00"
    )
    strange["PixelData"].is_undefined_length = True
    strange.save_as(tmp_path / "strange", enforce_file_format=True)
    (tmp_path / "x.dcm").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 200)
    (tmp_path / "cut").write_bytes((tmp_path / "short").read_bytes()[:150])
    found = {name: refused(source, name) for name in ("short", "none", "empty", "huge", "strange", "x.dcm")}
    assert found == {
        "short": "truncated_pixels", "none": "missing_pixels", "empty": "missing_pixels", "huge": "image_too_large",
        "strange": "undecodable_syntax", "x.dcm": "not_dicom",
    }  # fmt: skip
    assert refused(source, "cut") in ("corrupt_dicom", "missing_pixels")


def test_an_object_without_pixels_is_no_image(make_dicom, source):
    make_dicom("a", HU, Rows=None, Columns=None, PixelData=None, Modality="SR")
    with pytest.raises(CaseError) as caught:
        dicom_view(read_header(source, "a"))
    assert caught.value.code == "not_an_image"


def test_bytes_and_facts_are_the_same_every_time(make_dicom, source):
    make_dicom("a", HU, WindowCenter=40, WindowWidth=400)
    (ref,), _ = dicom_refs(source, "a")
    assert render_dicom(source, ref) == render_dicom(source, ref)


def test_a_deflated_file_that_would_fill_the_memory_is_refused(make_dicom, source, tmp_path, monkeypatch):
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    dataset = make_dicom("a", np.zeros((400, 500), np.uint8))
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(tmp_path / "flat", enforce_file_format=True)
    assert (tmp_path / "flat").stat().st_size < 3000
    assert stored_frame(open_dicom(source, "flat")).shape == (400, 500)
    monkeypatch.setattr("readers.pixels.dicom_file.MOST_INFLATED", 100_000)
    with pytest.raises(CaseError) as caught:
        read_header(source, "flat")
    assert caught.value.code == "file_too_large"
