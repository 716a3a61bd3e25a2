"""Left is the patient's left: regions whose side is known by construction, through flipped and transposed views."""

import pytest

from converters.geometry_words import plane_of, spot, where
from converters.speech.english import location

SIZE = (100, 100)


def words(region, shown):
    place = where(spot(region, shown), shown)
    return location(place.codes, place.patient, place.wide)


@pytest.mark.parametrize(
    ("orientation", "edges", "expected"),
    [
        # Radiological axial view: +x is the patient's left, +y the patient's back.
        ("LP", (80, 10, 95, 25), "in the anterior part of the field of view, on the patient's left"),
        ("LP", (5, 80, 20, 95), "in the posterior part of the field of view, on the patient's right"),
        ("LP", (5, 45, 20, 55), "on the patient's right side of the field of view"),
        # Neurological display: image right is the patient's right.
        ("RP", (80, 10, 95, 25), "in the anterior part of the field of view, on the patient's right"),
        # Frontal chest film: image right is the patient's left, down is inferior.
        ("LI", (70, 70, 90, 90), "in the inferior part of the field of view, on the patient's left"),
        ("LI", (40, 5, 60, 20), "in the superior part of the field of view"),
        # Sagittal view facing the image's left: no side can be told.
        ("PI", (5, 5, 20, 20), "in the superior anterior part of the field of view"),
        # No orientation: the image's own frame.
        ("", (5, 5, 20, 20), "in the upper left part of the image"),
        ("", (80, 45, 95, 55), "in the right part of the image"),
        ("", (45, 45, 55, 55), "in the central part of the image"),
        ("", (2, 2, 98, 98), "across most of the image"),
        # Spanning one axis: only the other is named.
        ("LP", (80, 5, 95, 95), "on the patient's left side of the field of view"),
    ],
)
def test_words_of_places(make, orientation, edges, expected):
    shown = make.view(*SIZE, orientation=orientation)
    assert words(make.box("x", edges), shown) == expected
    assert words(make.mask("x", SIZE, edges), shown) == expected


def test_a_mirrored_view_of_the_same_source_names_the_same_side(make):
    region = make.mask("spleen", SIZE, (80, 70, 95, 90))
    radiological = make.view(*SIZE, orientation="LP")
    mirrored = make.view(*SIZE, orientation="RP", matrix=(-1.0, 0.0, 100.0, 0.0, 1.0, 0.0))
    assert spot(region, mirrored).place.box == pytest.approx((0.05, 0.7, 0.2, 0.9))
    assert words(region, radiological) == words(region, mirrored)
    assert "patient's left" in words(region, mirrored)


def test_a_nifti_slice_transposed_into_the_usual_view_keeps_its_side(make):
    # Voxel axes R, A: u grows to the patient's right, v to the front.  Shown as LP both are reversed.
    shown = make.view(100, 100, orientation="LP", axis=2, index=7, matrix=(-1.0, 0.0, 100.0, 0.0, -1.0, 100.0))
    liver = make.mask("liver", SIZE, (70, 60, 95, 90))
    assert spot(liver, shown).place.box == pytest.approx((0.05, 0.1, 0.3, 0.4))
    assert words(liver, shown) == "in the anterior part of the field of view, on the patient's right"


def test_the_centroid_of_a_mask_decides_not_its_box(make):
    import numpy as np

    from schemas.masks import mask_region

    grid = np.zeros(SIZE, bool)
    grid[40:60, 70:95] = True
    grid[50, 45:70] = True
    region = mask_region(grid, "x", "x", 0)
    # 500 pixels around column 82.5 and 25 around 57.5: the centroid lies at column 81.3, the box's middle at 70.
    found = spot(region, make.view(*SIZE))
    assert found.centre[0] == pytest.approx((500 * 82.5 + 25 * 57.5) / 525 / 100)
    assert found.share == pytest.approx(525 / 10000)


def test_a_crop_speaks_of_what_it_shows(make):
    shown = make.view(*SIZE, orientation="LP").cropped((50, 0, 100, 100))
    # In the crop the region's centre lies at 5/50: on the right third of the patient's side of what is shown.
    assert words(make.box("x", (50, 45, 60, 55)), shown) == "on the patient's right side of the field of view"
    assert spot(make.box("x", (0, 0, 40, 40)), shown) is None


@pytest.mark.parametrize(
    ("orientation", "plane"), [("LP", "axial"), ("LI", "coronal"), ("PI", "sagittal"), ("", ""), ("AI", "sagittal")]
)
def test_plane(make, orientation, plane):
    assert plane_of(make.view(orientation=orientation, axis=1, index=3)) == plane
    assert plane_of(make.view(orientation=orientation)) == ""
