"""Words in pixels, read by the real reader when pictures are rendered: refused, flagged or painted over."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from flows.counted import counted
from flows.screening import fill, grown, outside_of, screen_pictures
from flows.steps import render_pictures, run_steps
from quality.costs import Cost
from quality.row_gates import open_gates
from readers.images import image_refs as raster_images
from readers.pixels.dicom import dicom_refs
from readers.pixels.dicom_words import calibrated, words_prior
from readers.source import Source
from schemas.case import Case, ImageRef, Mark
from schemas.instruction import Instruction, Message, Place, Provenance
from schemas.view import View
from schemas.work import Work

NAME = (8, 6, "KAUFMAN SCOTT")


def pixels(*words: tuple[int, int, str], size: tuple[int, int] = (320, 240)) -> np.ndarray:
    """A soft grey film with these words in it."""
    rng = np.random.default_rng(5)
    wide, high = size
    y, x = np.mgrid[0:high, 0:wide]
    grey = 60 + 80 * np.exp(-(((x - 160) / 90) ** 2 + ((y - 120) / 70) ** 2)) + rng.normal(0, 4, (high, wide))
    picture = Image.fromarray(grey.clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for left, top, text in words:
        draw.text((left, top), text, fill=235, font=ImageFont.load_default(18))
    return np.asarray(picture)


def dicom(path: Path, stored: np.ndarray, **header: Any) -> None:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = pydicom.uid.UltrasoundImageStorage
    meta.MediaStorageSOPInstanceUID = "1.2.3"
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID, data.Modality = meta.MediaStorageSOPClassUID, "1.2.3", "US"
    data.Rows, data.Columns = stored.shape
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.WindowCenter, data.WindowWidth = 128, 256
    data.PixelData = stored.tobytes()
    for key, value in header.items():
        setattr(data, key, value)
    data.save_as(path, enforce_file_format=True)


def screened(
    folder: Path, refs: tuple[ImageRef, ...], shown: tuple[ImageRef, ...] = (), cost: Cost | None = None, **options: Any
) -> Work:
    rows = [
        Instruction(id=f"{n:032}", task="open", provenance=Provenance("t"), images=(ref,),
                    messages=(Message("user", "<image>\nWhat?"), Message("assistant", "it")),
                    regions=(Place("name", "box", (0.0, 0.0, 0.5, 0.1)), Place("low", "box", (0.5, 0.5, 0.9, 0.9))))
        for n, ref in enumerate(shown or refs)
    ]  # fmt: skip
    source = Source.open(str(folder))
    work = Work("c1", Case("d", "c1", None, "", images=refs), rows=rows)
    gates = open_gates({"burned_in": options})
    steps = [
        render_pictures(source, True, False), counted(screen_pictures(gates, source), cost or Cost(), "burned_in"),
    ]  # fmt: skip
    [done] = run_steps(iter([work]), steps)
    return done


def shown(work: Work, ref: ImageRef) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(work.pictures[ref].data)))


@pytest.fixture
def film(tmp_path: Path) -> tuple[Path, ImageRef]:
    Image.fromarray(pixels(NAME)).save(tmp_path / "a.png")
    [ref] = raster_images(Source.open(str(tmp_path)), "a.png")[0]
    return tmp_path, ref


def test_refused_or_flagged_before_anybody_is_asked(film: tuple[Path, ImageRef]) -> None:
    folder, ref = film
    cost = Cost()
    done = screened(folder, (ref,), cost=cost)
    assert (cost.rows, cost.refused, cost.flagged) == (1, 1, 0) and cost.seconds > 0
    assert (done.rows, [drop.reason for _, drop in done.refused], done.pictures) == ([], ["burned_in_text"], {})
    done = screened(folder, (ref,), cost=cost, action="flag")
    assert (cost.rows, cost.refused, cost.flagged) == (1, 1, 1)  # the row that stays is looked at by the judge
    assert [found.code for found in done.pictures[ref].findings] == ["burned_in_text", "burned_in_read"]
    done = screened(folder, (ref,), action="accept", reason="a phantom, whose name is that of its maker")
    assert [found.code for found in done.pictures[ref].findings] == []


def test_masked_words_are_black_and_all_else_is_as_it_was(film: tuple[Path, ImageRef]) -> None:
    folder, ref = film
    source = pixels(NAME)
    cost = Cost()
    done = screened(folder, (ref,), cost=cost, action="mask")
    assert (cost.refused, cost.flagged) == (0, 1)
    picture = shown(done, ref)
    assert picture.shape == source.shape
    words = np.asarray(pixels(NAME) != pixels())
    assert (picture[words] == 0).all()
    assert (picture[40:] == source[40:]).all()
    assert (picture[:, 200:] == source[:, 200:]).all()
    # The first region lies on the name, the second does not touch it.
    assert done.rows[0].flags == ("burned_in_masked", "burned_in_mask_on_region")
    assert done.pictures[ref].source_sha256 and done.pictures[ref].media_type == "image/png"


def test_a_crop_and_a_marked_picture_are_painted_too(film: tuple[Path, ImageRef]) -> None:
    folder, ref = film
    # The crop holds only the second half of the name, enlarged twice.
    crop = replace(ref, view=ref.view.cropped((90, 0, 250, 60)).resized(320, 120))
    marked = replace(ref, marks=(Mark("box", (200, 100, 260, 160)),))
    below = replace(ref, view=ref.view.cropped((0, 100, 320, 240)))
    done = screened(folder, (ref,), (crop, marked, below), action="mask")
    words = np.asarray(Image.fromarray(np.asarray(pixels(NAME) != pixels())).crop((90, 0, 250, 60)).resize((320, 120)))
    assert (shown(done, crop)[words] == 0).all()
    picture = shown(done, marked)
    assert (picture[np.asarray(pixels(NAME) != pixels())] == 0).all()
    assert tuple(picture[100, 230]) == (255, 0, 0)
    assert [row.flags[:1] for row in done.rows] == [("burned_in_masked",), ("burned_in_masked",), ()]


def test_an_ultrasound_keeps_only_its_regions(tmp_path: Path) -> None:
    region = pydicom.Dataset()
    region.RegionLocationMinX0, region.RegionLocationMinY0 = 40, 60
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = 279, 219
    # Two letters would be passed over by the reader of words; outside the region they go all the same.
    stored = pixels(NAME, (290, 100, "JQ"))
    dicom(tmp_path / "a.dcm", stored, SequenceOfUltrasoundRegions=Sequence([region]))
    (ref,), _ = dicom_refs(Source.open(str(tmp_path)), "a.dcm")
    assert (ref.calibrated, ref.words) == (((40, 60, 280, 220),), "likely")
    picture = shown(screened(tmp_path, (ref,), action="mask"), ref)
    assert (picture[60:220, 40:280] == stored[60:220, 40:280]).all()
    inside = np.zeros_like(picture, bool)
    inside[60:220, 40:280] = True
    assert (picture[~inside] == 0).all()


def test_inverted_films_are_read_as_they_are_shown(tmp_path: Path) -> None:
    dicom(tmp_path / "a.dcm", 255 - pixels(NAME), PhotometricInterpretation="MONOCHROME1", Modality="CR")
    (ref,), _ = dicom_refs(Source.open(str(tmp_path)), "a.dcm")
    done = screened(tmp_path, (ref,), action="mask")
    words = np.asarray(pixels(NAME) != pixels())
    assert (shown(done, ref)[words] == 0).all()


def test_words_that_a_header_declares_and_nobody_can_read_refuse(tmp_path: Path) -> None:
    dicom(tmp_path / "a.dcm", pixels(), BurnedInAnnotation="YES")
    (ref,), _ = dicom_refs(Source.open(str(tmp_path)), "a.dcm")
    for action in ("refuse", "mask"):
        done = screened(tmp_path, (ref,), action=action)
        assert [drop.reason for _, drop in done.refused] == ["burned_in_declared"]
    assert len(screened(tmp_path, (ref,), action="flag").rows) == 1


def test_suspects_are_what_header_and_kind_make_likely(tmp_path: Path) -> None:
    slices = {"Modality": "CT", "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"]}
    for changes, prior in (
        ({}, "likely"), ({"BurnedInAnnotation": "NO"}, "likely"), ({"BurnedInAnnotation": "YES"}, "declared"),
        (slices, "unlikely"), ({"Modality": "CT", "ImageType": ["DERIVED", "SECONDARY"]}, "likely"),
        ({"Modality": "CR"}, ""), (slices | {"BurnedInAnnotation": "YES"}, "declared"),
        (slices | {"SOPClassUID": pydicom.uid.SecondaryCaptureImageStorage}, "likely"),
    ):  # fmt: skip
        dicom(tmp_path / "a.dcm", pixels(NAME), **changes)
        header = pydicom.dcmread(tmp_path / "a.dcm")
        assert (words_prior(header), calibrated(header)) == (prior, ()), changes
    dicom(tmp_path / "a.dcm", pixels(NAME), **slices)
    (ref,), _ = dicom_refs(Source.open(str(tmp_path)), "a.dcm")
    assert len(screened(tmp_path, (ref,), where="suspects").rows) == 1
    assert len(screened(tmp_path, (ref,), where="all").rows) == 0


def test_boxes_by_hand() -> None:
    assert grown((10, 20, 50, 30)) == (6.0, 16.0, 55.0, 35.0)
    assert fill((10, 20, 50, 30)).points == (10, 20, 49, 20, 49, 29, 10, 29)
    view = View(100, 80, 100, 80)
    assert outside_of([], view) == []
    left = outside_of([(10, 0, 100, 80)], view)
    assert left == [(0.0, 0.0, 10.0, 80.0)]
    area = sum((c - a) * (d - b) for a, b, c, d in outside_of([(10, 10, 40, 40), (30, 30, 90, 70)], view))
    assert area == 100 * 80 - (30 * 30 + 60 * 40 - 10 * 10)
