"""Structure sets: contours to masks."""

import json
from collections import Counter

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from readers.base import Item, Refusal, open_reader

SHAPE = (12, 14)
OPTIONS = {"labels": "rtstruct", "slices": {"policy": "all"}}


def structure_set(make_dicom, contours, series="1.2.3", kind="CLOSED_PLANAR") -> None:
    """``contours``: (roi name, points in mm)."""
    names = list(dict.fromkeys(name for name, _ in contours))
    rois, drawn = [], []
    for number, name in enumerate(names, 1):
        roi, content = Dataset(), Dataset()
        roi.ROINumber, roi.ROIName = number, name
        content.ReferencedROINumber = number
        lines = []
        for owner, points in contours:
            if owner == name:
                line = Dataset()
                line.ContourGeometricType = kind
                line.NumberOfContourPoints = len(points) // 3
                line.ContourData = [float(value) for value in points]
                lines.append(line)
        content.ContourSequence = Sequence(lines)
        rois.append(roi)
        drawn.append(content)
    frame, study, referred = Dataset(), Dataset(), Dataset()
    referred.SeriesInstanceUID = series
    study.RTReferencedSeriesSequence = Sequence([referred] if series else [])
    frame.RTReferencedStudySequence = Sequence([study])
    make_dicom(
        "rt.dcm", np.zeros(SHAPE, np.uint8), Modality="RTSTRUCT", Rows=None, Columns=None, PixelData=None,
        ImagePositionPatient=None, ImageOrientationPatient=None, PixelSpacing=None, SeriesInstanceUID="1.7",
        StructureSetROISequence=Sequence(rois), ROIContourSequence=Sequence(drawn),
        ReferencedFrameOfReferenceSequence=Sequence([frame]),
    )  # fmt: skip


def square(x0, y0, x1, y1, z):
    return [x0, y0, z, x1, y0, z, x1, y1, z, x0, y1, z]


@pytest.fixture
def slices(make_dicom):
    """Slices at 0, 3 and 6 mm; pixels of 2 x 2 mm, the first one's centre at (-10, -20)."""
    for z in (0, 3, 6):
        make_dicom(
            f"ct/{z}", np.zeros(SHAPE, np.int16), ImagePositionPatient=[-10, -20, z], PixelSpacing=[2, 2]
        )  # fmt: skip


@pytest.fixture
def read(make_spec):
    def go(**fields):
        reader = open_reader(make_spec("dicom_series", OPTIONS, **{"labels": {"Liver": "liver"}, **fields}))
        found = list(reader.items())
        cases = [reader.read(entry) for entry in found if isinstance(entry, Item)]
        return cases[0], [entry for entry in found if isinstance(entry, Refusal)]

    return go


def test_a_contour_covers_the_pixels_whose_centres_it_holds(slices, make_dicom, read):
    # Edges halfway between centres: x from -7 to -1 holds the centres -6, -4, -2, which are columns 2, 3, 4;
    # y from -19 to -15 holds -18, -16: rows 1, 2.
    structure_set(make_dicom, [("Liver", square(-7, -19, -1, -15, 3))])
    case, refusals = read()
    assert [(r.label, r.image_index, r.box, r.area) for r in case.regions] == [("liver", 1, (2, 1, 5, 3), 6)]
    assert case.findings == () and refusals == []


def test_a_contour_inside_another_is_a_hole(slices, make_dicom, read):
    outer, inner = square(-11, -21, 9, -1, 0), square(-5, -15, 1, -9, 0)
    structure_set(make_dicom, [("Liver", outer), ("Liver", inner)])
    case, _ = read()
    # 10 x 10 pixels less 3 x 3.
    assert [r.area for r in case.regions] == [91]


def test_contours_off_the_slices_are_named(slices, make_dicom, read):
    structure_set(make_dicom, [("Liver", square(-7, -19, -1, -15, 3)), ("Liver", square(-7, -19, -1, -15, 40))])
    case, _ = read()
    assert [f.code for f in case.findings] == ["contours_elsewhere"] and len(case.regions) == 1


def test_open_contours_are_named(slices, make_dicom, read):
    structure_set(make_dicom, [("Liver", square(-7, -19, -1, -15, 3))], kind="OPEN_PLANAR")
    case, _ = read()
    assert [f.code for f in case.findings] == ["open_contours"] and case.regions == ()


def test_a_contour_that_reaches_out_of_the_world_is_left_out_alone(slices, make_dicom, read):
    far = [-7, -19, 3, 1e12, -19, 3, 1e12, 1e12, 3]
    structure_set(make_dicom, [("Liver", square(-7, -19, -1, -15, 3)), ("Liver", far)])
    case, _ = read()
    assert [f.code for f in case.findings] == ["open_contours"] and len(case.regions) == 1


def test_outlines_of_the_newer_kind_are_outlines(slices, make_dicom, read):
    structure_set(make_dicom, [("Liver", square(-7, -19, -1, -15, 3))], kind="CLOSEDPLANAR_XOR")
    case, _ = read()
    assert case.findings == () and len(case.regions) == 1


@pytest.mark.parametrize(("series", "code"), [("9.9", "series_missing"), ("", "no_reference")])
def test_a_structure_set_of_nothing_here_is_refused_by_name(slices, make_dicom, read, series, code):
    structure_set(make_dicom, [("Liver", square(-7, -19, -1, -15, 3))], series=series)
    case, refusals = read()
    assert case.regions == () and [(r.key, r.code) for r in refusals] == [("rt.dcm", code)]


def test_contours_equal_the_truth_to_the_voxel(shared_data, make_spec):
    root = shared_data / "dicom_ct_series_seg_rtstruct"
    labels = {"label_5": "liver", "label_1": "spleen", "label_6": "stomach"}
    reader = open_reader(make_spec("dicom_series", OPTIONS, root=str(root), labels=labels))
    (item,) = [entry for entry in reader.items() if isinstance(entry, Item)]
    areas: Counter[str] = Counter()
    for region in reader.read(item).regions:
        areas[region.original] += int(region.area)
    truth = json.loads((root / "truth.json").read_text())["labels"]
    # Half a percent is asked for; with holes and rims right it is the very same number.
    assert areas == {f"label_{value}": entry["voxels"] for value, entry in truth.items()}


def test_a_structure_set_with_one_of_its_slices_left(shared_data, make_spec):
    root = shared_data / "dicom_rtstruct" / "dicompyler"
    names = ["BODY", "Borders", "Breast", "Heart", "Lt Lung", "Nodes", "Scar", "Tumor Bed", "Tumor Bed Block", "Areola"]
    spec = make_spec("dicom_series", OPTIONS, root=str(root), labels={name: name.lower() for name in names})
    reader = open_reader(spec)
    (item,) = [entry for entry in reader.items() if isinstance(entry, Item)]
    case = reader.read(item)
    assert [f.code for f in case.findings] == ["contours_elsewhere"]
    assert "body" in {region.label for region in case.regions}
