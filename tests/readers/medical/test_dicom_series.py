"""DICOM series: order, oddities, orientation, slices, segmentations."""

import json
from collections import Counter

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from readers.base import Item, Refusal, open_reader
from readers.pixels.dicom import render_dicom
from readers.source import Source
from schemas.errors import CaseError, UserError
from schemas.masks import place

SHAPE = (8, 10)
AXIAL = (1, 0, 0, 0, 1, 0)


@pytest.fixture
def make_series(make_dicom):
    """Writes axial slices at the given heights, file names against geometry; grey value = 100 + position."""

    def make(heights, folder: str = "s", **attributes) -> None:
        for number, z in enumerate(heights):
            pixels = np.full(SHAPE, 100 + int(z), np.int16)
            values = {"ImagePositionPatient": [0, 0, z], "InstanceNumber": 99 - number, **attributes}
            make_dicom(f"{folder}/{len(heights) - number:03}.dcm", pixels, **values)

    return make


@pytest.fixture
def read(make_spec):
    """The only case of the test's folder, with refusals beside it."""

    def go(options=None, **fields):
        reader = open_reader(make_spec("dicom_series", options or {"slices": {"policy": "all"}}, **fields))
        found = list(reader.items())
        (item,) = [entry for entry in found if isinstance(entry, Item)]
        item = Item(item.key, json.loads(json.dumps(item.data)))
        return reader.read(item), [entry for entry in found if isinstance(entry, Refusal)]

    return go


def codes(case) -> list[str]:
    return [finding.code for finding in case.findings]


def heights(case, source) -> list[int]:
    from readers.pixels.dicom_file import read_header

    return [int(read_header(source, ref.files[0]).ImagePositionPatient[2]) for ref in case.images]


def test_slices_are_in_order_of_place_and_not_of_name(make_series, read, source):
    make_series([30, 0, 10, 20])
    case, refusals = read()
    assert heights(case, source) == [0, 10, 20, 30]
    assert (codes(case), refusals, case.key, case.group) == ([], [], "1.2.3", None)
    assert case.acquisition.plane == "axial" and case.acquisition.modality == "CT"


def test_the_group_is_the_patient_where_the_spec_says_so(make_series, read):
    make_series([0, 10])
    case, _ = read(group={"by": "field", "field": "PatientID"})
    assert case.group == "P1"
    with pytest.raises(UserError, match="PatientID"):
        read(group={"by": "field", "field": "PatientId"})


def test_keys_are_hashed_where_access_is_not_open(make_series, read):
    make_series([0])
    case, _ = read(access="restricted")
    assert "1.2.3" not in case.key and len(case.key) == 32


def test_a_missing_slice_is_named(make_series, read):
    make_series([0, 2, 4, 8, 10])
    assert codes(read()[0]) == ["missing_slices"]


def test_uneven_spacing_is_named(make_series, read):
    make_series([0, 2, 4, 5, 7, 9])
    assert codes(read()[0]) == ["uneven_spacing"]


def test_a_repeated_instance_is_left_out_once(make_series, make_dicom, read, source):
    make_series([0, 2, 4])
    make_dicom("copy.dcm", np.zeros(SHAPE, np.int16), SOPInstanceUID="1.9", ImagePositionPatient=[0, 0, 6])
    make_dicom("more/copy.dcm", np.zeros(SHAPE, np.int16), SOPInstanceUID="1.9", ImagePositionPatient=[0, 0, 6])
    case, _ = read()
    assert codes(case) == ["duplicate_slice"] and heights(case, source) == [0, 2, 4, 6]


def test_two_times_of_one_stack_are_two_volumes(make_series, read, source):
    make_series([0, 2, 4], "a", TemporalPositionIdentifier=1)
    make_series([0, 2, 4], "b", TemporalPositionIdentifier=2)
    case, _ = read()
    assert codes(case) == ["several_volumes"] and heights(case, source) == [0, 2, 4]
    assert {ref.files[0][0] for ref in case.images} == {"a"}


def test_one_slice_twice_at_a_place_is_left_out(make_series, make_dicom, read):
    make_series([0, 2, 4])
    make_dicom("z.dcm", np.zeros(SHAPE, np.int16), ImagePositionPatient=[0, 0, 2])
    assert codes(read()[0]) == ["duplicate_position"]


def test_a_localiser_among_the_slices_is_left_out(make_series, make_dicom, read, source):
    make_series([0, 2, 4])
    make_dicom("scout", np.zeros(SHAPE, np.int16), ImageOrientationPatient=[1, 0, 0, 0, 0, -1])
    make_dicom("large", np.zeros((20, 20), np.int16), ImagePositionPatient=[0, 0, 9])
    case, _ = read()
    assert codes(case) == ["mixed_size", "mixed_orientation"] and heights(case, source) == [0, 2, 4]


def test_gantry_tilt_is_named(make_dicom, read):
    for number in range(4):
        make_dicom(f"{number}", np.zeros(SHAPE, np.int16), ImagePositionPatient=[0, number, 5 * number])
    case, _ = read()
    # atan(1 / 5) = 11.3 degrees
    assert codes(case) == ["gantry_tilt"] and "11.3" in case.findings[0].detail


def test_slices_without_a_position_are_ordered_by_number(make_dicom, read):
    for name, number in (("a", 3), ("b", 1), ("c", 2)):
        make_dicom(name, np.zeros(SHAPE, np.int16), ImagePositionPatient=None, InstanceNumber=number)
    case, _ = read()
    assert [ref.files[0] for ref in case.images] == ["b", "c", "a"] and codes(case) == ["no_geometry"]
    assert case.images[0].view.orientation == ""


def test_nonsense_geometry_is_no_geometry(make_dicom, read):
    make_dicom("a", np.zeros(SHAPE, np.int16), ImageOrientationPatient=[1, 0, 0, 1, 0, 0])
    make_dicom("b", np.zeros(SHAPE, np.int16), ImageOrientationPatient=[0, 0, 0, 0, 0, 0])
    assert codes(read()[0]) == ["no_geometry"]


def test_what_is_no_series_is_refused_by_name(make_series, make_dicom, read, tmp_path):
    make_series([0])
    (tmp_path / "LICENSE").write_text("MIT")
    make_dicom("sr.dcm", np.zeros(SHAPE, np.int16), Rows=None, Columns=None, PixelData=None, Modality="SR")
    (tmp_path / "broken.dcm").write_bytes(b"no dicom at all")
    _, refusals = read()
    assert [(r.key, r.code, r.status) for r in refusals] == [
        ("LICENSE", "not_dicom", "filtered"),
        ("broken.dcm", "not_dicom", "failed"),
        ("sr.dcm", "not_an_image", "filtered"),
    ]


@pytest.mark.parametrize(
    ("slices", "wanted"),
    [
        ({"policy": "middle"}, [6]),
        # Ten slices in five parts of two: the middles are 1, 3, 5, 7, 9.
        ({"policy": "evenly", "count": 5}, [2, 6, 10, 14, 18]),
        ({"policy": "evenly", "count": 99}, list(range(0, 20, 2))),
        # Every 8 mm is every fourth slice, from the middle of the first four.
        ({"policy": "every_mm", "mm": 8}, [4, 12]),
        ({"policy": "largest_region"}, [10]),
    ],
)
def test_slice_policies(make_series, read, source, slices, wanted):
    make_series(list(range(0, 20, 2)))
    if slices == {"policy": "middle"}:
        wanted = [10]
    assert heights(read({"slices": slices})[0], source) == wanted


def test_unknown_options_are_refused(make_spec):
    with pytest.raises(UserError, match="lungs"):
        open_reader(make_spec("dicom_series", {"window": "lungs"}))
    with pytest.raises(UserError, match="polcy"):
        open_reader(make_spec("dicom_series", {"slices": {"polcy": "all"}}))


# A bright pixel at a known place of the patient: 2 mm to the left, 1 mm anterior, 3 mm superior of the middle.
# Every plane shows it where a radiologist expects it, whatever way the rows and columns were stored.
STORED = [
    ((1, 0, 0), (0, 1, 0)), ((-1, 0, 0), (0, 1, 0)), ((1, 0, 0), (0, -1, 0)), ((-1, 0, 0), (0, -1, 0)),
    ((0, 1, 0), (1, 0, 0)), ((0, -1, 0), (1, 0, 0)),
    ((1, 0, 0), (0, 0, -1)), ((1, 0, 0), (0, 0, 1)), ((0, 0, 1), (-1, 0, 0)),
    ((0, 1, 0), (0, 0, -1)), ((0, -1, 0), (0, 0, 1)), ((0, 0, -1), (0, 1, 0)),
]  # fmt: skip
MARKER = np.array([2.0, -1.0, 3.0])
SHOWN = {"LP": (2, -1), "LI": (2, -3), "PI": (-1, -3)}


@pytest.mark.parametrize(("u", "v"), STORED)
def test_the_marker_is_shown_at_its_place(make_dicom, read, source, u, v):
    pixels = np.zeros((21, 31), np.uint8)
    column, row = 15 + int(np.dot(MARKER, u)), 10 + int(np.dot(MARKER, v))
    pixels[row, column] = 255
    corner = -15 * np.array(u) - 10 * np.array(v)
    make_dicom(
        "a", pixels, Modality="US", ImageOrientationPatient=[*map(float, u), *map(float, v)],
        ImagePositionPatient=[float(value) for value in corner],
    )  # fmt: skip
    (ref,) = read()[0].images
    right, down = SHOWN[ref.view.orientation]
    middle = ref.view.width // 2, ref.view.height // 2
    x, y = ref.view.to_view(column + 0.5, row + 0.5)
    assert (x, y) == (middle[0] + right + 0.5, middle[1] + down + 0.5)
    picture = decoded(render_dicom(source, ref))
    assert np.argwhere(picture == 255).tolist() == [[int(y), int(x)]]


def decoded(rendered) -> np.ndarray:
    import io

    from PIL import Image

    with Image.open(io.BytesIO(rendered.data)) as image:
        return np.asarray(image)


def test_pixels_that_are_not_square_are_made_square(make_dicom, read):
    make_dicom("a", np.zeros((10, 20), np.uint8), PixelSpacing=[3, 1])
    (ref,) = read()[0].images
    assert (ref.view.width, ref.view.height, ref.view.spacing) == (20, 30, (1, 1))


@pytest.mark.parametrize(
    ("said", "letters", "matrix"),
    [
        (["L", "F"], "LI", (1, 0, 0, 0, 1, 0)),
        (["R", "F"], "LI", (-1, 0, 10, 0, 1, 0)),
        (["L", "H"], "LI", (1, 0, 0, 0, -1, 8)),
        (["A", "F"], "AI", (1, 0, 0, 0, 1, 0)),
        ("L", "", (1, 0, 0, 0, 1, 0)),
    ],
)
def test_radiographs_hang_by_their_patient_orientation(make_dicom, read, said, letters, matrix):
    make_dicom(
        "a", np.zeros(SHAPE, np.uint8), Modality="DX", ImageOrientationPatient=None, ImagePositionPatient=None,
        PatientOrientation=said,
    )  # fmt: skip
    (ref,) = read()[0].images
    assert (ref.view.orientation, ref.view.matrix) == (letters, matrix)


def segmentation(make_dicom, masks, positions, labels=("liver", "spleen"), **attributes) -> None:
    """One frame per (segment, mask) at a position."""
    frames = []
    for (segment, _), position in zip(masks, positions, strict=True):
        frame, plane, named = Dataset(), Dataset(), Dataset()
        plane.ImagePositionPatient = position
        named.ReferencedSegmentNumber = segment
        frame.PlanePositionSequence, frame.SegmentIdentificationSequence = Sequence([plane]), Sequence([named])
        frames.append(frame)
    shared, turned, measures, series = Dataset(), Dataset(), Dataset(), Dataset()
    turned.ImageOrientationPatient = list(AXIAL)
    measures.PixelSpacing = [1, 1]
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = Sequence([turned]), Sequence([measures])
    series.SeriesInstanceUID = "1.2.3"
    segments = []
    for number, label in enumerate(labels, 1):
        segment = Dataset()
        segment.SegmentNumber, segment.SegmentLabel = number, label
        segments.append(segment)
    stacked = np.stack([mask for _, mask in masks]).astype(np.uint8)
    values = {
        "Modality": "SEG", "SegmentationType": "FRACTIONAL", "MaximumFractionalValue": 1, "SeriesInstanceUID": "1.5",
        "NumberOfFrames": len(frames), "PixelData": stacked.tobytes(), "ImagePositionPatient": None,
        "ImageOrientationPatient": None, "PixelSpacing": None, "SegmentSequence": Sequence(segments),
        "PerFrameFunctionalGroupsSequence": Sequence(frames), "SharedFunctionalGroupsSequence": Sequence([shared]),
        "ReferencedSeriesSequence": Sequence([series]),
    }  # fmt: skip
    make_dicom("seg.dcm", stacked[0], **{**values, **attributes})


OPTIONS = {"labels": "seg", "slices": {"policy": "all"}}
LABELS = {"liver": "liver", "spleen": "spleen"}


def test_segments_lie_on_the_slices_of_their_place(make_series, make_dicom, read):
    make_series([0, 2, 4])
    liver, spleen = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    liver[1:3, 2:5] = True
    spleen[6, 9] = True
    segmentation(make_dicom, [(1, liver), (2, spleen), (1, spleen)], [[0, 0, 4], [0, 0, 4], [0, 0, 0]])
    case, _ = read(OPTIONS, labels=LABELS)
    found = [(r.label, r.image_index, r.box, r.area, r.instance) for r in case.regions]
    assert found == [
        ("liver", 0, (9, 6, 10, 7), 1, "1"),
        ("liver", 2, (2, 1, 5, 3), 6, "1"),
        ("spleen", 2, (9, 6, 10, 7), 1, "2"),
    ]


def test_fractions_count_from_half_on(make_series, make_dicom, read):
    make_series([0])
    mask = np.zeros(SHAPE, np.uint8)
    mask[0, :4] = (10, 99, 100, 200)
    segmentation(make_dicom, [(1, mask)], [[0, 0, 0]], MaximumFractionalValue=200)
    case, _ = read(OPTIONS, labels=LABELS)
    assert [r.area for r in case.regions] == [2]


@pytest.mark.parametrize(
    ("positions", "attributes", "code"),
    [
        ([[0, 0, 50]], {}, "seg_elsewhere"),
        ([[3, 0, 0]], {}, "seg_elsewhere"),
        ([[0, 0, 0]], {"Rows": SHAPE[1], "Columns": SHAPE[0]}, "mask_shape"),
    ],
)
def test_a_segmentation_of_another_place_or_grid_is_refused(make_series, make_dicom, read, positions, attributes, code):
    make_series([0, 2])
    segmentation(make_dicom, [(1, np.ones(SHAPE, bool))], positions, **attributes)
    with pytest.raises(CaseError) as caught:
        read(OPTIONS, labels=LABELS)
    assert caught.value.code == code


def test_a_segment_that_the_spec_does_not_know_is_an_error(make_series, make_dicom, read):
    make_series([0])
    segmentation(make_dicom, [(1, np.ones(SHAPE, bool))], [[0, 0, 0]])
    with pytest.raises(CaseError) as caught:
        read(OPTIONS, labels={"livre": "liver"})
    assert caught.value.code == "label_not_in_map" and "livre" in caught.value.detail


# Real files


def real(make_spec, root, **options):
    labels = {"label_5": "liver", "label_1": "spleen", "label_6": "stomach"}
    reader = open_reader(make_spec("dicom_series", options, root=str(root), labels=labels))
    return reader, list(reader.items())


def test_segmentation_counts_equal_the_truth(shared_data, make_spec):
    root = shared_data / "dicom_ct_series_seg_rtstruct"
    reader, found = real(make_spec, root, labels="seg", slices={"policy": "all"})
    (item,) = [entry for entry in found if isinstance(entry, Item)]
    case = reader.read(item)
    areas: Counter[str] = Counter()
    for region in case.regions:
        areas[region.instance] += int(region.area)
    truth = json.loads((root / "truth.json").read_text())["labels"].values()
    assert areas == {str(entry["segment_number"]): entry["voxels"] for entry in truth}
    assert (len(case.images), codes(case)) == (20, [])


def test_segmentation_lies_on_the_anatomy(shared_data, make_spec):
    root = shared_data / "dicom_ct_series_seg_rtstruct"
    reader, found = real(make_spec, root, labels="seg", slices={"policy": "middle"})
    (item,) = [entry for entry in found if isinstance(entry, Item)]
    case = reader.read(item)
    (view,) = [ref.view for ref in case.images]
    boxes = {region.label: place(region, view).box for region in case.regions}
    assert view.orientation == "LP"
    # The liver is on the patient's right, which is on the left of the picture; the spleen is on the other side.
    assert boxes["liver"][0] < 0.35 and boxes["spleen"][0] > 0.5


@pytest.mark.parametrize(
    ("folder", "wanted", "images"),
    [("series_missing_slice", "missing_slices", 5), ("series_duplicate_uid", "duplicate_slice", 3)],
)
def test_nasty_series(shared_data, make_spec, folder, wanted, images):
    reader, found = real(make_spec, shared_data / "nasty" / "dicom" / folder, slices={"policy": "all"})
    (item,) = [entry for entry in found if isinstance(entry, Item)]
    case = reader.read(item)
    assert (codes(case), len(case.images)) == ([wanted], images)


def test_functional_mr_is_two_and_more_volumes(shared_data, make_spec):
    reader, found = real(make_spec, shared_data / "dicom_series_mr_nih")
    cases = [reader.read(item) for item in found if isinstance(item, Item)]
    assert all(case.acquisition.modality == "MRI" for case in cases)


def test_recognised_by_content(shared_data):
    from readers.dicom_series import DicomSeries

    found = DicomSeries.recognise(Source.open(str(shared_data / "dicom_ct_series_seg_rtstruct")))
    assert found is not None and found.hints["modality"] == "CT"
    assert found.options["labels"] == "seg" and found.labels == ("label_5", "label_1", "label_6")
    assert DicomSeries.recognise(Source.open(str(shared_data / "cls_csv_hannover_cxr"))) is None


def test_slices_can_stand_in_one_montage(make_series, read, source):
    from readers.pixels.render import picture, render

    make_series([30, 0, 10, 20])
    case, _ = read({"slices": {"policy": "evenly", "montage": [3, 2]}, "window": [115, 100]})
    (ref,) = case.images
    # Slices of 10 x 8 pixels from bottom to top, three in a row and one below.
    assert [(tile.x, tile.y) for tile in ref.tiles] == [(0, 0), (10, 0), (20, 0), (0, 8)]
    shown = picture(source, ref).copy()
    assert shown.shape == (16, 30)
    levels = [int(shown[2, 2]), int(shown[2, 12]), int(shown[2, 22]), int(shown[10, 2])]
    assert levels == sorted(set(levels)) and (shown[8:, 10:] == 0).all()
    assert len(ref.files) == 4 == len(render(source, ref).source_sha256)
