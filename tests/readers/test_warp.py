"""Pixels brought to the view."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readers.pixels.warp import warp
from schemas.masks import sample_nearest
from schemas.view import View

PLANE = np.arange(12, dtype=np.uint8).reshape(3, 4)


def test_flips_transposes_and_crops_copy_pixels():
    assert (warp(PLANE, View(4, 3, 4, 3, matrix=(-1, 0, 4, 0, 1, 0))) == PLANE[:, ::-1]).all()
    assert (warp(PLANE, View(4, 3, 3, 4, matrix=(0, 1, 0, 1, 0, 0))) == PLANE.T).all()
    assert (warp(PLANE, View(4, 3, 4, 3).cropped((1, 1, 3, 3))) == PLANE[1:3, 1:3]).all()


def test_a_crop_that_leaves_the_source_is_black_there():
    assert warp(PLANE, View(4, 3, 4, 3).cropped((3, 2, 5, 4))).tolist() == [[11, 0], [0, 0]]


@given(
    sides=st.tuples(st.integers(1, 8), st.integers(1, 8)), shown=st.tuples(st.integers(1, 8), st.integers(1, 8)),
    shift=st.tuples(st.integers(-12, 12), st.integers(-12, 12)), signs=st.tuples(st.sampled_from((-1, 1)),
    st.sampled_from((-1, 1))), turned=st.booleans(),
)  # fmt: skip
def test_copies_show_what_sampling_their_pixel_centres_shows(sides, shown, shift, signs, turned):
    plane = np.arange(1, sides[0] * sides[1] + 1, dtype=np.uint8).reshape(sides)
    (a, e), (c, f) = signs, shift
    matrix = (0, a, c, e, 0, f) if turned else (a, 0, c, 0, e, f)
    view = View(sides[1], sides[0], *shown, matrix=tuple(float(value) for value in matrix))
    assert (warp(plane, view) == sample_nearest(plane, view)).all()


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(("sx", "sy"), [(1, 1), (-1, 1), (1, -1), (-1, -1)])
def test_scaling_keeps_a_bright_quarter_where_the_view_says(transposed, sx, sy):
    plane = np.zeros((40, 60), np.uint8)
    plane[:20, :30] = 200
    if transposed:
        matrix = (0, 2 * sx, 80 if sx < 0 else 0, 0.5 * sy, 0, 30 if sy < 0 else 0)
        view = View(60, 40, 80, 30, matrix=matrix)
    else:
        view = View(60, 40, 120, 20, matrix=(2 * sx, 0, 120 if sx < 0 else 0, 0, 0.5 * sy, 20 if sy < 0 else 0))
    picture = warp(plane, view)
    assert picture.shape == (view.height, view.width)
    inside, outside = view.to_view(15, 10), view.to_view(45, 30)
    assert picture[int(inside[1]), int(inside[0])] == 200
    assert picture[int(outside[1]), int(outside[0])] == 0
    assert abs(int((picture > 100).sum()) - picture.size // 4) <= 120


def test_a_scaled_crop_shows_the_cropped_part_in_colour():
    plane = np.zeros((40, 60, 3), np.uint8)
    plane[10:20, 30:40] = (10, 20, 30)
    picture = warp(plane, View(60, 40, 60, 40).cropped((30, 10, 40, 20)).resized(25, 25))
    assert picture.shape == (25, 25, 3)
    assert (picture == (10, 20, 30)).all()


def test_a_turned_view_finds_the_same_place():
    plane = np.zeros((50, 50), np.uint8)
    plane[10:14, 30:34] = 255
    view = View(50, 50, 80, 80, matrix=(0.8, -0.6, 30, 0.6, 0.8, 0))
    x, y = view.to_view(32, 12)
    assert warp(plane, view)[int(y), int(x)] == 255
