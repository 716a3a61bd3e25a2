"""Masks, polygons and places, against values worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import masks
from schemas.case import Region
from schemas.errors import CaseError
from schemas.view import View, compose, invert

L_SHAPE = np.array([[0, 1, 0, 0], [0, 1, 0, 0], [0, 1, 1, 0]], dtype=bool)


def region(mask: np.ndarray) -> Region:
    made = masks.mask_region(mask, "lung", "Lung", 0)
    assert made is not None
    return made


def test_mask_region_has_the_tight_box_area_and_grid():
    made = region(L_SHAPE)
    assert made.box == (1, 0, 3, 3)
    assert made.area == 4
    assert made.size == (3, 4)
    assert (masks.source_mask(made) == L_SHAPE).all()


def test_coco_run_length_string_is_column_major():
    # Columns are 000 111 001 000: runs 3 zeros, 3 ones, 2 zeros, 1 one, 3 zeros; pycocotools packs the fourth and
    # later runs as differences to two runs before (1-3=-2, 3-2=1) into characters from "0" on.
    assert masks.encode(L_SHAPE) == "332N1"


def test_an_empty_mask_makes_no_region():
    assert masks.mask_region(np.zeros((3, 4), bool), "lung", "Lung", 0) is None


def test_run_lengths_that_do_not_fill_the_grid_are_refused():
    with pytest.raises(CaseError) as caught:
        masks.decode(masks.encode(L_SHAPE), (30, 40))
    assert caught.value.code == "bad_mask"


def test_mask_on_another_grid_is_refused():
    with pytest.raises(CaseError) as caught:
        masks.place(region(L_SHAPE), View(5, 3, 5, 3))
    assert caught.value.code == "mask_shape"


def test_a_square_covers_the_pixels_whose_centres_it_holds():
    mask = masks.polygon_mask([(1, 1, 3, 1, 3, 2, 1, 2)], (4, 5))
    assert np.argwhere(mask).tolist() == [[1, 1], [1, 2]]


def test_a_polygon_inside_another_is_a_hole():
    outer, inner = (0, 0, 5, 0, 5, 5, 0, 5), (1, 1, 4, 1, 4, 4, 1, 4)
    mask = masks.polygon_mask([outer, inner], (5, 5))
    assert mask.sum() == 25 - 9
    assert not mask[2, 2]


def test_a_polygon_that_leaves_the_grid_fills_what_is_inside():
    assert masks.polygon_mask([(-9, -9, 2, -9, 2, 2, -9, 2)], (4, 4)).sum() == 4


def test_place_of_a_mask_flipped_left_right():
    view = View(4, 3, 4, 3, matrix=(-1, 0, 4, 0, 1, 0))
    found = masks.place(region(L_SHAPE), view)
    assert found is not None
    assert found.box == (1 / 4, 0, 3 / 4, 1)
    assert (masks.decode(found.rle, found.size) == L_SHAPE[:, ::-1]).all()


def test_place_of_a_mask_transposed():
    view = View(4, 3, 3, 4, matrix=(0, 1, 0, 1, 0, 0))
    found = masks.place(region(L_SHAPE), view)
    assert found is not None
    assert found.size == (4, 3)
    assert (masks.decode(found.rle, found.size) == L_SHAPE.T).all()
    assert found.box == (0, 1 / 4, 1, 3 / 4)


def test_place_of_a_mask_scaled_by_two_keeps_its_edges():
    found = masks.place(region(L_SHAPE), View(4, 3, 4, 3).resized(8, 6))
    assert found is not None
    assert (masks.decode(found.rle, found.size) == L_SHAPE.repeat(2, 0).repeat(2, 1)).all()


def test_a_region_outside_the_crop_has_no_place():
    crop = View(4, 3, 4, 3).cropped((3, 0, 4, 3))
    assert masks.place(region(L_SHAPE), crop) is None
    box = Region("lung", "Lung", "box", 0, (0, 0, 2, 2))
    assert masks.place(box, crop) is None
    assert masks.place(Region("lung", "Lung", "point", 0, (1, 1, 1, 1), points=(1, 1)), crop) is None


def test_a_box_is_cut_at_the_crop():
    crop = View(10, 10, 10, 10).cropped((4, 4, 8, 8))
    found = masks.place(Region("lung", "Lung", "box", 0, (2, 5, 6, 7)), crop)
    assert found is not None
    assert found.box == (0, 0.25, 0.5, 0.75)


def test_a_contour_is_cut_at_the_crop():
    crop = View(10, 10, 10, 10).cropped((0, 0, 4, 4))
    points = (2.0, 1.0, 6.0, 1.0, 6.0, 3.0, 2.0, 3.0)
    found = masks.place(Region("lung", "Lung", "contour", 0, (2, 1, 6, 3), points=points), crop)
    assert found is not None
    assert found.box == (0.5, 0.25, 1.0, 0.75)
    assert sorted(zip(found.points[::2], found.points[1::2], strict=True)) == [
        (0.5, 0.25), (0.5, 0.75), (1.0, 0.25), (1.0, 0.75),
    ]  # fmt: skip


scales = st.floats(0.1, 8) | st.floats(-8, -0.1)
matrices = st.one_of(
    st.tuples(scales, st.just(0.0), st.floats(-500, 500), st.just(0.0), scales, st.floats(-500, 500)),
    st.tuples(st.just(0.0), scales, st.floats(-500, 500), scales, st.just(0.0), st.floats(-500, 500)),
    st.tuples(scales, st.floats(-0.05, 0.05), st.floats(-500, 500), st.floats(-0.05, 0.05), scales, st.just(3.0)),
)


@given(matrices, st.floats(0, 2000), st.floats(0, 2000))
def test_view_to_source_to_view_is_the_identity(matrix, x, y):
    view = View(512, 512, 300, 200, matrix=matrix)
    back = view.to_view(*view.to_source(x, y))
    assert abs(back[0] - x) < 0.5 and abs(back[1] - y) < 0.5


@given(matrices, matrices)
def test_composing_a_matrix_with_its_inverse_gives_the_identity(one, two):
    both = compose(compose(one, two), compose(invert(two), invert(one)))
    assert both == pytest.approx((1, 0, 0, 0, 1, 0), abs=1e-3)


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32 - 1), st.sampled_from(range(8)))
def test_masks_survive_every_turn_of_the_plane(height, width, seed, turn):
    mask = np.random.default_rng(seed).random((height, width)) < 0.4
    made = masks.mask_region(mask, "a", "a", 0)
    if made is None:
        return
    sx, sy = 1 - 2 * (turn & 1), 1 - (turn & 2)
    flipped = mask[::sy, ::sx]
    if turn & 4:
        matrix = (0, sy, height if sy < 0 else 0, sx, 0, width if sx < 0 else 0)
        view, wanted = View(width, height, height, width, matrix=matrix), flipped.T
    else:
        matrix = (sx, 0, width if sx < 0 else 0, 0, sy, height if sy < 0 else 0)
        view, wanted = View(width, height, width, height, matrix=matrix), flipped
    assert (masks.view_mask(made, view) == wanted).all()
    found = masks.place(made, view)
    assert found is not None and found.box == pytest.approx(view.normalised(view.box_to_view(made.box)))


def test_a_contour_through_pixel_centres_keeps_its_rim():
    # From the centre of pixel (1, 1) to that of (3, 4): 3 columns and 4 rows, with the rim.
    rim = [(1.5, 1.5, 3.5, 1.5, 3.5, 4.5, 1.5, 4.5)]
    both = masks.polygon_mask(rim, (6, 6)) | masks.edge_mask(rim, (6, 6))
    assert np.argwhere(both).tolist() == [[row, column] for row in range(1, 5) for column in range(1, 4)]
    # A slope of one in two meets a centre at every second column only.
    slope = masks.edge_mask([(0.5, 0.5, 4.5, 2.5)], (4, 6))
    assert np.argwhere(slope).tolist() == [[0, 0], [1, 2], [2, 4]]


@pytest.mark.parametrize("corner", [float("nan"), float("inf"), -1e200, 2**31 + 1])
def test_corners_that_are_nowhere_are_refused(corner):
    with pytest.raises(CaseError, match="farther out than 2,147,483,648 pixels"):
        masks.polygon_mask([[0, 0, 4, 0, corner, 4]], (4, 4))


@pytest.mark.parametrize("far", [10, 1e4, 2**31])
def test_only_the_part_of_a_far_polygon_that_is_in_the_picture_is_walked(far):
    # The diagonal of a square from the picture's corner: its edge runs through the centres of the pixels on it.
    points = [0.5, 0.5, far, far, 0.5, far]
    assert np.argwhere(masks.edge_mask([points], (4, 4))).tolist() == [
        [0, 0],
        [1, 0],
        [1, 1],
        [2, 0],
        [2, 2],
        [3, 0],
        [3, 3],
    ]
    assert np.argwhere(masks.polygon_mask([points], (4, 4)))[:, 0].max() == 3
