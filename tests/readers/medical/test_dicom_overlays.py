"""Overlay planes of DICOM files, drawn where the standard puts them; every pixel worked out by hand."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.uid import ExplicitVRBigEndian, RLELossless

from flows.rows import columns
from readers.base import Item, open_reader
from readers.pixels.render import render
from schemas.errors import CaseError
from schemas.instruction import Instruction, Message, Provenance

GREY = 64
NEVER = {"WindowCenter": 128, "WindowWidth": 256}
"""Eight-bit values as they are: ((x - 127.5) / 255 + 0.5) * 255 = x."""


def add_overlay(dataset, group, size, data, origin=(1, 1), **more) -> None:
    """A plane of packed bits, the least significant first; ``more`` by element number as ``e0015=(kind, value)``."""
    for element, kind, value in (
        (0x0010, "US", size[0]), (0x0011, "US", size[1]), (0x0040, "CS", "G"), (0x0050, "SS", list(origin)),
        (0x0100, "US", 1), (0x0102, "US", 0), (0x3000, "OW", data),
    ):  # fmt: skip
        dataset.add_new((group, element), kind, value)
    for name, (kind, value) in more.items():
        dataset.add_new((group, int(name[1:], 16)), kind, value)


@pytest.fixture
def show(make_spec, source):
    """The case of the test's only file, and its pictures, with the overlays drawn or not."""

    def go(overlays="draw", **options):
        chosen = {"slices": {"policy": "all"}, "overlays": overlays, **options}
        reader = open_reader(make_spec("dicom_series", chosen))
        (item,) = [entry for entry in reader.items() if isinstance(entry, Item)]
        case = reader.read(item)
        return case, [np.asarray(Image.open(io.BytesIO(render(source, ref).data))) for ref in case.images]

    return go


def grey(rows=4, columns=5, frames=1):
    return np.full((rows, columns) if frames == 1 else (frames, rows, columns), GREY, np.uint8)


def codes(case):
    return [finding.code for finding in case.findings]


def two_overlays(make_dicom, tmp_path, pixels, **attributes) -> None:
    dataset = make_dicom("a", pixels, **NEVER, **attributes)
    # 2 x 3, bits 1 0 1 / 0 1 0 from the lowest: 0b010101 = 0x15, its first pixel on row 2, column 3 of the picture.
    add_overlay(dataset, 0x6000, (2, 3), b"\x15\x00", (2, 3))
    # 2 x 2, all set, begun one row and one column outside: only its last pixel is on the picture, at its corner.
    add_overlay(dataset, 0x6002, (2, 2), b"\x0f\x00", (0, 0))
    dataset.save_as(tmp_path / "a", enforce_file_format=True)


WANTED = [
    [255, 64, 64, 64, 64],
    [64, 64, 255, 64, 255],
    [64, 64, 64, 255, 64],
    [64, 64, 64, 64, 64],
]


def test_two_planes_are_drawn_at_their_origins_when_asked_for(make_dicom, tmp_path, show):
    two_overlays(make_dicom, tmp_path, grey())
    case, (shown,) = show()
    assert shown.tolist() == WANTED
    assert codes(case) == ["overlay_drawn"] and case.images[0].view.overlays
    case, (shown,) = show("leave_out")
    assert (shown == GREY).all()
    assert codes(case) == ["overlay_left_out"] and not case.images[0].view.overlays


@pytest.mark.parametrize(("overlays", "facts"), [("draw", ["overlays[0]=drawn"]), ("leave_out", [])])
def test_rows_say_that_overlays_are_drawn(make_dicom, tmp_path, show, source, make_spec, overlays, facts):
    two_overlays(make_dicom, tmp_path, grey())
    case, _ = show(overlays)
    row = Instruction("0" * 32, "open", (Message("user", "?"),), Provenance("x"), case.images)
    made = columns(row, case, make_spec("dicom_series"), [render(source, case.images[0])])
    assert made["provenance"]["facts"] == facts


def test_overlays_turn_with_the_picture(make_dicom, tmp_path, show):
    # Columns run to the patient's right: the picture is mirrored for display, and the overlay with it.
    two_overlays(make_dicom, tmp_path, grey(), ImageOrientationPatient=[-1, 0, 0, 0, 1, 0])
    _, (shown,) = show()
    assert shown.tolist() == [row[::-1] for row in WANTED]


def test_overlays_are_white_on_colour(make_dicom, tmp_path, show):
    dataset = make_dicom("a", np.zeros((2, 3, 3), np.uint8), Modality="US")
    add_overlay(dataset, 0x6000, (1, 1), b"\x01\x00", (2, 2))
    dataset.save_as(tmp_path / "a", enforce_file_format=True)
    _, (shown,) = show()
    assert shown[1, 1].tolist() == [255, 255, 255] and shown.sum() == 3 * 255


def test_planes_of_several_frames_lie_on_their_frames(make_dicom, tmp_path, show):
    frames = grey(1, 3, frames=3)
    dataset = make_dicom("a", frames[0], NumberOfFrames=3, PixelData=frames.tobytes(), Modality="US", **NEVER)
    # Two frames of 1 x 3 bits, one after the other: 1 0 0, 0 1 0; the first lies on the picture's second frame.
    add_overlay(dataset, 0x6000, (1, 3), b"\x11\x00", e0015=("IS", 2), e0051=("US", 2))
    # A plane that names no frames lies on all: 0 0 1.
    add_overlay(dataset, 0x6004, (1, 3), b"\x04\x00")
    dataset.save_as(tmp_path / "a", enforce_file_format=True)
    _, shown = show()
    assert [frame.tolist() for frame in shown] == [[[64, 64, 255]], [[255, 64, 255]], [[64, 255, 255]]]


def test_planes_in_spare_bits_of_the_pixels_are_drawn(make_dicom, tmp_path, show):
    # Retired form: bit 12 of each word; the picture's own twelve bits stay what they are.
    stored = np.array([[0x1000 | 0, 2048], [0x1000 | 4095, 4095]], np.uint16)
    dataset = make_dicom("a", stored, BitsStored=12, HighBit=11, WindowCenter=2048, WindowWidth=4096, Modality="MR")
    add_overlay(dataset, 0x6000, (2, 2), b"", e0100=("US", 16), e0102=("US", 12))
    del dataset[0x6000, 0x3000]
    dataset.save_as(tmp_path / "a", enforce_file_format=True)
    # 2048 of 0..4095 is 127.5 of 255, which is 128.
    assert show("leave_out")[1][0].tolist() == [[0, 128], [255, 255]]
    assert show()[1][0].tolist() == [[255, 128], [255, 255]]


def test_planes_that_cannot_be_drawn_refuse_the_picture(make_dicom, tmp_path, show):
    dataset = make_dicom("a", grey(), **NEVER)
    add_overlay(dataset, 0x6000, (40, 40), b"\x01\x00")
    dataset.save_as(tmp_path / "a", enforce_file_format=True)
    with pytest.raises(CaseError, match=r"overlay plane 6000 of a cannot be drawn.*overlays: leave_out") as caught:
        show()
    assert caught.value.code == "bad_overlay"
    assert (show("leave_out")[1][0] == GREY).all()


def test_planes_beside_compressed_pixels_are_drawn(make_dicom, tmp_path, show):
    two_overlays(make_dicom, tmp_path, grey())
    dataset = dcmread(tmp_path / "a")
    dataset.compress(RLELossless)
    dataset.save_as(tmp_path / "a", enforce_file_format=True)
    assert show()[1][0].tolist() == WANTED


def test_big_endian_planes_are_refused(make_dicom, tmp_path, show):
    dataset = make_dicom("a", grey(), **NEVER)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    add_overlay(dataset, 0x6000, (2, 3), b"\x00\x15")
    dataset.save_as(tmp_path / "a", enforce_file_format=True)
    with pytest.raises(CaseError, match="overlay plane 6000"):
        show()


def test_words_of_a_drawn_plane_are_found_by_the_gate_of_burned_in_words(make_dicom, tmp_path, show, source):
    pytest.importorskip("rapidocr")
    from PIL import ImageDraw, ImageFont

    from quality.burned_in import BurnedIn, BurnedInOptions

    plane = Image.new("L", (400, 120))
    ImageDraw.Draw(plane).text((20, 30), "Mueller Hans", font=ImageFont.load_default(48), fill=255)
    bits = np.packbits(np.asarray(plane) > 127, axis=None, bitorder="little").tobytes()
    dataset = make_dicom("a", np.zeros((120, 400), np.uint8), ImageType=["ORIGINAL", "PRIMARY"], **NEVER)
    add_overlay(dataset, 0x6000, (120, 400), bits)
    dataset.save_as(tmp_path / "a", enforce_file_format=True)
    # An original cross section is not read where only suspects are: with an overlay drawn it is a suspect.
    gate = BurnedIn(BurnedInOptions(where="suspects"))
    (bare,), (drawn,) = show("leave_out")[0].images, show()[0].images
    assert (bare.words, gate.wants(bare)) == ("unlikely", False)
    assert (drawn.words, gate.wants(drawn)) == ("likely", True)
    found = list(gate.judged(gate.lines(render(source, drawn)), drawn, "picture 0"))
    assert [finding.code for finding in found] == ["burned_in_text"]


def test_the_overlay_of_a_real_file_is_drawn(shared_data, tmp_path, show):
    shutil.copy(shared_data / "dicom_pydicom/test_files/examples_overlay.dcm", tmp_path)
    bare, drawn = show("leave_out")[1][0].astype(int), show()[1][0].astype(int)
    planes = with_planes(tmp_path / "examples_overlay.dcm")
    assert planes.any() and (drawn[planes] == 255).all()
    assert (drawn[~planes] == bare[~planes]).all()


def with_planes(path):
    """Where any overlay of a file is set, as pydicom unpacks it; all as large as the picture, all at its origin."""
    dataset = dcmread(path)
    groups = [group for group in range(0x6000, 0x6020, 2) if (group, 0x3000) in dataset]
    assert all(list(dataset[group, 0x0050].value) == [1, 1] for group in groups)
    return np.any([dataset.overlay_array(group) for group in groups], axis=0)


def test_a_montage_is_as_suspect_as_its_most_suspect_slice(make_dicom, tmp_path, show):
    for z in (0, 1):
        dataset = make_dicom(
            str(z), grey(), ImageType=["ORIGINAL", "PRIMARY"], ImagePositionPatient=[0, 0, z], InstanceNumber=z, **NEVER
        )
        if z:
            add_overlay(dataset, 0x6000, (1, 1), b"\x01\x00")
            dataset.save_as(tmp_path / str(z), enforce_file_format=True)
    case, (shown,) = show(slices={"policy": "all", "montage": [2, 1]})
    assert (case.images[0].words, case.images[0].view.overlays) == ("likely", True)
    assert (shown == 255).sum() == 1 and shown[0, 5] == 255
