"""Structured reports: measurements, drawn regions, key slices."""

import shutil

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from readers.base import Item, Refusal, open_reader

SHAPE = (20, 30)


def coded(meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "1", "99TEST", meaning
    return code


def content(kind: str, concept: str = "", inner=(), **attributes) -> Dataset:
    item = Dataset()
    item.ValueType = kind
    if concept:
        item.ConceptNameCodeSequence = Sequence([coded(concept)])
    if inner:
        item.ContentSequence = Sequence(inner)
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return item


def code(concept: str, meaning: str) -> Dataset:
    return content("CODE", concept, ConceptCodeSequence=Sequence([coded(meaning)]))


def num(concept: str, value: float, unit: str, inner=()) -> Dataset:
    measured, units = Dataset(), coded(unit)
    units.CodeValue = unit
    measured.NumericValue = value
    measured.MeasurementUnitsCodeSequence = Sequence([units])
    return content("NUM", concept, inner, MeasuredValueSequence=Sequence([measured]))


def image(uid: str) -> Dataset:
    referred = Dataset()
    referred.ReferencedSOPInstanceUID = uid
    return content("IMAGE", ReferencedSOPSequence=Sequence([referred]))


@pytest.fixture
def make_report(make_dicom):
    def make(name: str, items, modality: str = "SR", series: str = "1.2.3") -> None:
        referred, study = Dataset(), Dataset()
        referred.SeriesInstanceUID = series
        study.ReferencedSeriesSequence = Sequence([referred])
        make_dicom(
            name, np.zeros(SHAPE, np.uint8), Modality=modality, Rows=None, Columns=None, PixelData=None,
            ImagePositionPatient=None, ImageOrientationPatient=None, PixelSpacing=None, SeriesInstanceUID="1.8",
            ContentSequence=Sequence(items), CurrentRequestedProcedureEvidenceSequence=Sequence([study]),
        )  # fmt: skip

    return make


@pytest.fixture
def slices(make_dicom):
    for number in range(5):
        pixels = np.zeros(SHAPE, np.int16)
        make_dicom(f"{number}.dcm", pixels, ImagePositionPatient=[0, 0, 3 * number], SOPInstanceUID=f"1.2.3.{number}")


@pytest.fixture
def read(make_spec):
    def go(policy="key", **fields):
        spec = make_spec("dicom_series", {"reports": True, "slices": {"policy": policy}}, **fields)
        reader = open_reader(spec)
        found = list(reader.items())
        cases = [reader.read(entry) for entry in found if isinstance(entry, Item)]
        return cases[0], [entry for entry in found if isinstance(entry, Refusal)]

    return go


def group(*inner: Dataset) -> Dataset:
    return content("CONTAINER", "Imaging Measurements", [content("CONTAINER", "Measurement Group", inner)])


def test_measurements_are_sentences_with_units(slices, make_report, read):
    mean = num("Attenuation", 45.5, "[hnsf'U]", [code("Derivation", "Mean")])
    person = content("PNAME", "Person Observer Name", PersonName="DOE^JANE")
    note = content("TEXT", "Comment", TextValue="seen by Dr Doe")
    make_report(
        "sr",
        [person, group(code("Finding", "Cyst"), code("Finding Site", "Liver"), num("Volume", 2.25, "ml"), mean, note)],
    )
    case, refusals = read("middle")
    assert [text.content for text in case.texts] == ["Cyst, Liver: Volume 2.25 ml; Attenuation mean 45.5 [hnsf'U]."]
    assert "Doe" not in repr(case) and "DOE" not in repr(case) and refusals == []


def test_the_slices_that_a_report_points_at_are_the_key_slices(slices, make_report, read):
    library = content("CONTAINER", "Image Library", [image("1.2.3.0"), image("1.2.3.4")])
    make_report("sr", [library, image("1.2.3.3")])
    make_report("ko", [image("1.2.3.1"), image("9.9.9")], modality="KO")
    case, _ = read()
    assert [ref.files[0] for ref in case.images] == ["1.dcm", "3.dcm"]


def test_without_a_report_the_middle_is_shown(slices, read):
    case, _ = read()
    assert [ref.files[0] for ref in case.images] == ["2.dcm"]


def test_drawn_regions_are_contours_and_points(slices, make_report, read):
    line = content("SCOORD", "Image Region", [image("1.2.3.1")], GraphicType="POLYLINE",
                   GraphicData=[2.0, 3.0, 8.0, 3.0, 8.0, 7.0, 2.0, 7.0, 2.0, 3.0])  # fmt: skip
    point = content("SCOORD", "Landmark", [image("1.2.3.1")], GraphicType="POINT", GraphicData=[4.5, 5.5])
    circle = content(
        "SCOORD", "Image Region", [image("1.2.3.3")], GraphicType="CIRCLE", GraphicData=[10.0, 10.0, 14.0, 10.0]
    )
    make_report("sr", [group(code("Finding", "Cyst"), line, point, circle)])
    case, _ = read(labels={"Cyst": "cyst"})
    box, spot, disc = case.regions
    assert (box.kind, box.image_index, box.box, box.area) == ("contour", 0, (2, 3, 8, 7), 24)
    assert (spot.kind, spot.points) == ("point", (4.5, 5.5))
    assert (
        disc.image_index == 1 and disc.box == pytest.approx((6, 6, 14, 14)) and disc.area == pytest.approx(50, abs=0.4)
    )
    assert case.complete_regions is False


def test_a_report_about_another_series_is_refused_by_name(slices, make_report, read):
    make_report("sr", [image("1.2.3.1")], series="7.7")
    assert [(r.key, r.code) for r in read("middle")[1]] == [("sr", "series_missing")]


def test_reports_are_left_alone_unless_asked_for(slices, make_report, make_spec):
    make_report("sr", [image("1.2.3.1")])
    found = list(open_reader(make_spec("dicom_series")).items())
    assert [(r.key, r.code) for r in found if isinstance(r, Refusal)] == [("sr", "not_an_image")]


def test_the_report_of_highdicom(shared_data, tmp_path, make_spec):
    for name in ("ct_image.dcm", "sr_document.dcm"):
        shutil.copy(shared_data / "dicom_highdicom" / name, tmp_path / name)
    spec = make_spec(
        "dicom_series", {"reports": True, "slices": {"policy": "key"}}, labels={"Spinal cord": "spinal cord"}
    )
    reader = open_reader(spec)
    (item,) = [entry for entry in reader.items() if isinstance(entry, Item)]
    case = reader.read(item)
    assert [text.content for text in case.texts] == [
        "Spinal cord, Cervico-thoracic spine: Area of defined region 1.7 cm2."
    ]
    assert [(r.label, r.kind) for r in case.regions] == [("spinal cord", "contour")]
    assert "Foo" not in repr(case)
