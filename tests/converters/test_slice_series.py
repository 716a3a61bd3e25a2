"""Slices of one volume shown together: order, millimetres, and what is on which, worked out by hand."""

import re

import numpy as np
import pytest

from converters.slice_stack import stacks
from readers.pixels.montage import montage_ref, montage_regions
from schemas.case import Case, ImageRef, VolumeRef
from schemas.masks import mask_region
from schemas.view import View

VOLUME = VolumeRef(("ct.nii",), "application/x-nifti", (60, 40, 30), (1.0, 1.0, 4.0), "RAS")


def shown(index, letters="LP", axis=2):
    """A slice turned as radiologists see it: both voxel axes of the plane reversed."""
    view = View(60, 40, 60, 40, (-1.0, 0.0, 60.0, 0.0, -1.0, 40.0), axis=axis, index=index, orientation=letters)
    return ImageRef(("ct.nii",), "application/x-nifti", view)


def square(side, image):
    grid = np.zeros((40, 60), bool)
    grid[10 : 10 + side, 20 : 20 + side] = True
    return mask_region(grid, "liver", "liver", image, "1")


@pytest.fixture
def abdomen(make):
    """Slices 3, 7, 11 and 15; the liver stands on the middle two, 10 x 10 and 15 x 15 pixels."""
    images = tuple(shown(index) for index in (3, 7, 11, 15))
    case = Case("ds", "c", None, "", images, (VOLUME,), regions=(square(10, 1), square(15, 2)))
    return case, make.spec(["liver", "spleen"], modality="CT", anatomy="abdomen")


def as_montage(case):
    ref = montage_ref(case.images, 2)
    regions = tuple(montage_regions(case.regions, ref, 0, 0))
    return Case("ds", "c", None, "", (ref,), case.volumes, regions=regions)


def test_several_pictures_of_one_volume(make, abdomen):
    rows = {row.provenance.template.split("-")[0]: row for row in make.ask("slice_series", *abdomen)}
    which, largest = rows["slice_series.which"], rows["slice_series.largest"]
    assert (which.answer, largest.answer) == ("slices 2, 3", "slice 3")
    assert which.messages[1].content.replace("and", ",").count("2") == 1 and len(which.images) == 4
    said = "Images 1 to 4 are axial slices of one volume, numbered from inferior to superior, 16.0 mm apart."
    assert said in which.messages[0].content
    assert which.provenance.facts == ("regions[0]", "regions[1]")


def test_a_montage_of_the_same_slices_says_the_same(make, abdomen):
    case, described = abdomen
    rows = {row.provenance.template.split("-")[0]: row for row in make.ask("slice_series", as_montage(case), described)}
    assert rows["slice_series.which"].answer == "slices 2, 3" and rows["slice_series.largest"].answer == "slice 3"
    said = (
        "The picture shows 4 axial slices of one volume, numbered row by row from inferior to superior, 16.0 mm apart."
    )
    assert said in rows["slice_series.which"].messages[0].content
    assert all(len(row.images) == 1 for row in rows.values())


def test_uneven_distances_are_told_one_by_one(make, abdomen):
    case, described = abdomen
    uneven = Case("ds", "c", None, "", (shown(3), shown(7), shown(13)), (VOLUME,), regions=(square(10, 1),))
    (row,) = make.ask("slice_series", uneven, described)
    assert "at 0.0, 16.0 and 40.0 mm." in row.messages[0].content and case.key == "c"


def test_without_spacing_no_millimetres_are_told(make, abdomen):
    _, described = abdomen
    bare = Case("ds", "c", None, "", (shown(3), shown(7)), regions=(square(10, 1),))
    (row,) = make.ask("slice_series", bare, described)
    assert " mm" not in row.messages[0].content and row.answer == "slice 2"


def test_slices_of_two_planes_or_volumes_are_not_mixed():
    other = ImageRef(("pet.nii",), "application/x-nifti", shown(3).view)
    coronal = shown(5, "LI", 1)
    case = Case("ds", "c", None, "", (shown(3), coronal, shown(7), other))
    assert [(stack.images, stack.plane) for stack in stacks(case, 8)] == [((0, 2), "axial")]


def test_nothing_is_the_spleen_on_a_montage(make, abdomen):
    case, described = abdomen
    whole = as_montage(case)
    for name in ("location", "size", "relation", "largest", "contact", "text_to_region"):
        assert make.ask(name, whole, described) == [], name


def test_a_montage_is_called_one(make, abdomen):
    case, described = abdomen
    said = {
        row.messages[0].content for seed in range(12) for row in make.ask("yes_no", as_montage(case), described, seed)
    }
    named = [text for text in said if "montage of 4 axial CT slices of the abdomen" in text]
    assert named and not any(re.search(r"this axial CT slice", text) for text in said)


def test_chinese(make, abdomen):
    rows = make.ask("slice_series", *abdomen, language="zh")
    assert all(
        "图像1至4是同一体数据的轴位层面，从下到上编号，间隔16.0毫米。" in row.messages[0].content for row in rows
    )
