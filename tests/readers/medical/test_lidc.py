"""LIDC-IDRI: four radiologists' outlines of nodules, brought to one by a stated rule."""

# ruff: noqa: E501 - XML as it is published

import numpy as np
import pytest

from readers.base import Item, open_reader
from readers.inspect import draft_spec
from schemas.masks import source_mask
from schemas.spec import load_spec

HEAD = '<?xml version="1.0"?><LidcReadMessage xmlns="http://www.nih.gov"><ResponseHeader><SeriesInstanceUid>1.2.3</SeriesInstanceUid></ResponseHeader>'  # fmt: skip


def ring(x0: int, y0: int, x1: int, y1: int) -> list[tuple[int, int]]:
    """The pixels around the box x0 y0 x1 y1 (inclusive), in order."""
    top = [(x, y0) for x in range(x0, x1)]
    right = [(x1, y) for y in range(y0, y1)]
    bottom = [(x, y1) for x in range(x1, x0, -1)]
    return [*top, *right, *bottom, *((x0, y) for y in range(y1, y0, -1))]


def roi(uid: str, pixels: list[tuple[int, int]], inclusion: str = "TRUE") -> str:
    edges = "".join(f"<edgeMap><xCoord>{x}</xCoord><yCoord>{y}</yCoord></edgeMap>" for x, y in pixels)
    return f"<roi><imageZposition>0</imageZposition><imageSOP_UID>{uid}</imageSOP_UID><inclusion>{inclusion}</inclusion>{edges}</roi>"  # fmt: skip


def xml(*sessions: list[str]) -> str:
    told = ["".join(f"<unblindedReadNodule><noduleID>{n}</noduleID>{r}</unblindedReadNodule>" for n, r in enumerate(rois))
            for rois in sessions]  # fmt: skip
    return HEAD + "".join(f"<readingSession>{each}</readingSession>" for each in told) + "</LidcReadMessage>"


@pytest.fixture
def scan(make_dicom, tmp_path):
    """Four slices of 16 x 16, and the XML of the sessions beside them."""
    for number in range(4):
        make_dicom(f"p/{number}.dcm", np.full((16, 16), 40 + number, np.int16), SOPInstanceUID=f"1.9.{number}",
                   ImagePositionPatient=[0, 0, number], InstanceNumber=number)  # fmt: skip

    def write(*sessions: list[str]) -> None:
        (tmp_path / "p/069.xml").write_text(xml(*sessions))

    return write


def read(make_spec, **options):
    labels = {"nodule": "lung nodule"}
    reader = open_reader(make_spec("lidc", {"slices": {"policy": "all"}, **options}, labels=labels))
    (item,) = [each for each in reader.items() if isinstance(each, Item)]
    return reader.read(item)


def test_the_outline_itself_is_outside_the_nodule_and_holes_are_holes(scan, make_spec) -> None:
    scan([roi("1.9.1", ring(2, 2, 8, 8)) + roi("1.9.1", ring(3, 3, 5, 5), "FALSE")])
    (region,) = read(make_spec).regions
    # Pixels 3..7 in both directions lie inside the ring, and of these the one at (4, 4) is cut out.
    assert (region.image_index, region.box, region.area) == (1, (3, 3, 8, 8), 24)
    assert not source_mask(region)[4, 4]


def test_a_majority_of_four_is_three(scan, make_spec) -> None:
    large, small = roi("1.9.1", ring(2, 2, 8, 8)), roi("1.9.1", ring(2, 2, 6, 8))
    alone = roi("1.9.2", ring(10, 10, 13, 13))
    scan([large], [large, alone], [small], [])
    case = read(make_spec)
    # Two see 5 x 5 pixels, a third 3 x 5 of them: three agree on these.  The nodule that one saw alone is none.
    assert [(region.label, region.box, region.area) for region in case.regions] == [("lung nodule", (3, 3, 6, 8), 15)]
    assert case.complete_regions
    found = {how: read(make_spec, agreement=how) for how in ("any", "all", "apart")}
    assert sorted(region.area for region in found["any"].regions) == [4, 25]
    assert found["all"].regions == ()
    assert sorted(region.area for region in found["apart"].regions) == [4, 15, 25, 25]
    assert not found["apart"].complete_regions


def test_one_nodule_over_slices_is_one_instance_and_points_are_noted(scan, make_spec) -> None:
    both = roi("1.9.1", ring(2, 2, 6, 6)) + roi("1.9.2", ring(2, 2, 6, 6))
    scan([both, roi("1.9.3", [(9, 9)]), roi("1.9.1", ring(9, 9, 13, 13))])
    case = read(make_spec)
    assert [(region.image_index, region.instance) for region in case.regions] == [(1, "1"), (1, "2"), (2, "1")]
    assert [finding.code for finding in case.findings if "nodule" in finding.code] == ["small_nodules"]


def test_recognised_and_drafted(scan, tmp_path) -> None:
    scan([roi("1.9.1", ring(2, 2, 8, 8))])
    (tmp_path / "drafted.yaml").write_text(draft_spec(tmp_path / "p"))
    spec = load_spec(tmp_path / "drafted.yaml")
    assert (spec.reader.type, spec.labels, spec.group.field) == ("lidc", {"nodule": "lung nodule"}, "PatientID")
    reader = open_reader(spec)
    cases = [reader.read(item) for item in reader.items() if isinstance(item, Item)]
    assert [(case.group, [region.area for region in case.regions]) for case in cases] == [("P1", [25])]


def test_a_reading_of_a_series_that_is_not_here_is_said(scan, make_spec, tmp_path) -> None:
    scan([])
    (tmp_path / "p/other.xml").write_text(xml([]).replace("1.2.3<", "9.9.9<"))
    lost = [item for item in open_reader(make_spec("lidc", labels={"nodule": "lung nodule"})).items() if not isinstance(item, Item)]  # fmt: skip
    assert [(item.key, item.code) for item in lost] == [("p/other.xml", "series_missing")]
