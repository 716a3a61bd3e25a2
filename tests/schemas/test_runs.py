"""Masks as runs, against values worked out by hand, and against the pixels themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import masks
from schemas.case import Region
from schemas.runs import encode_cut, runs
from schemas.view import View

L_SHAPE = np.array([[0, 1, 0, 0], [0, 1, 0, 0], [0, 1, 1, 0]], dtype=bool)


def made(mask: np.ndarray) -> Region:
    region = masks.mask_region(mask, "lung", "Lung", 0)
    assert region is not None
    return region


def test_runs_stand_in_columns_and_know_their_box_and_centre():
    found = runs("332N1", (3, 4))
    assert (found.columns.tolist(), found.tops.tolist(), found.bottoms.tolist()) == ([1, 2], [0, 2], [3, 3])
    assert (found.edges, found.pixels) == ((1, 0, 3, 3), 4)
    # Columns 1, 1, 1, 2 and rows 0, 1, 2, 2; a pixel's centre is half a pixel behind its edge.
    assert found.centre == (5 / 4 + 0.5, 5 / 4 + 0.5)
    assert found.cut().tolist() == [[True, False], [True, False], [True, True]]


def test_a_run_that_goes_on_in_the_next_column_is_one_of_each():
    # Columns are 01 and 11: one pixel outside, three inside.
    found = runs(masks.encode(np.array([[0, 1], [1, 1]], bool)), (2, 2))
    assert (found.columns.tolist(), found.tops.tolist(), found.bottoms.tolist()) == ([0, 1], [1, 0], [2, 2])
    assert found.edges == (0, 0, 2, 2)


@pytest.mark.parametrize("shape", [L_SHAPE, np.ones((3, 4), bool), np.array([[0, 1], [1, 1]], bool)])
def test_a_part_is_written_as_the_whole_is(shape):
    left, top, right, bottom = (int(edge) for edge in made(shape).box)
    assert encode_cut(shape[top:bottom, left:right], left, top, shape.shape) == masks.encode(shape)


@given(st.data())
def test_a_turned_or_cut_mask_is_the_one_that_sampling_gives(data):
    width, height = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 5))
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=width * height, max_size=width * height)))
    mask = mask.reshape(height, width)
    region = masks.mask_region(mask, "lung", "Lung", 0)
    along, down = data.draw(st.sampled_from([(1.0, 1.0), (-1.0, 1.0), (1.0, -1.0), (-1.0, -1.0)]))
    x, y = data.draw(st.integers(-3, 6)), data.draw(st.integers(-3, 6))
    upright = data.draw(st.booleans())
    matrix = (along, 0.0, float(x), 0.0, down, float(y)) if upright else (0.0, along, float(x), down, 0.0, float(y))
    view = View(width, height, data.draw(st.integers(1, 6)), data.draw(st.integers(1, 6)), matrix)
    if region is not None:
        sampled = masks.sample_nearest(mask, view)
        found = masks.place(region, view)
        assert (found is None) == (not sampled.any())
        if found is not None:
            assert found.rle == masks.encode(sampled)
            box = masks.tight_box(sampled)
            assert box is not None and found.box == view.normalised(box)
