"""Windows: every expected grey value is worked out by hand from the formulas of PS3.3 C.11.2."""

import numpy as np
import pytest

from readers.pixels.window import PRESETS, for_anatomy, percentile, stored_percentile, through_table, to_eight_bits
from schemas.view import View


def view(window: str, center: float = 0, width: float = 0, **more) -> View:
    return View(1, 1, 1, 1, window=window, window_center=center, window_width=width, **more)


def grey(values, shown: View) -> list[int]:
    return to_eight_bits(np.array(values, dtype=np.int16), shown).tolist()


def test_linear_has_the_half_and_the_one():
    # ((x - 39.5) / 399 + 0.5) * 255: -160 -> 0, -100 -> 38.3, 39 -> 127.2, 40 -> 127.8, 239 -> 255
    assert grey([-1000, -160, -100, 39, 40, 239, 3000], view("linear", 40, 400)) == [0, 0, 38, 127, 128, 255, 255]


def test_linear_of_width_one_is_a_threshold():
    # x <= c - 0.5 is black
    assert grey([-1, 0, 1], view("linear", 0, 1)) == [0, 255, 255]


def test_linear_exact():
    # ((x - 0) / 100 + 0.5) * 255: 0 -> 127.5, 25 -> 191.25
    assert grey([-50, 0, 25, 50], view("linear_exact", 0, 100)) == [0, 128, 191, 255]


def test_sigmoid():
    # 255 / (1 + exp(-4 x / 100)): 25 -> 255 / (1 + 1/e) = 186.4, -50 -> 255 / (1 + e^2) = 30.4
    assert grey([-50, 0, 25], view("sigmoid", 0, 100)) == [30, 128, 186]


def test_slope_and_intercept_come_first():
    # 0.5 * 80 - 20 = 20 HU; ((20 - 19.5) / 39 + 0.5) * 255 = 130.8
    assert grey([80], view("linear", 20, 40, slope=0.5, intercept=-20)) == [131]


def test_inversion_comes_last():
    assert grey([-160, 40, 239], view("linear", 40, 400, invert=True)) == [255, 127, 0]


def test_no_window_leaves_eight_bits_alone():
    assert to_eight_bits(np.arange(256, dtype=np.uint8), view("none")).tolist() == list(range(256))


def test_what_is_no_number_and_what_is_padding_is_black():
    values = np.array([np.nan, np.inf, -np.inf, 60, 60], np.float32)
    padding = np.array([False, False, False, False, True])
    assert to_eight_bits(values, view("range", 50, 100, invert=True), padding).tolist() == [0, 0, 0, 102, 0]


def test_sixteen_bits_never_wrap():
    assert grey([32767, -32768], view("linear", 0, 2000)) == [255, 0]
    assert to_eight_bits(np.array([65535], np.uint16), view("range", 500, 1000)).tolist() == [255]


def test_percentiles_look_at_positive_values_only():
    values = np.concatenate([np.zeros(5000), np.arange(1, 1002)])
    found = percentile(values)
    # Of 1..1001: the 0.5th percentile is 1 + 0.005 * 1000 = 6, the 99.5th 996.
    assert (found.center, found.width) == (501, 990)


def test_percentiles_of_a_flat_image_still_make_a_window():
    assert percentile(np.zeros(10)).width == 1
    assert percentile(np.full(10, 7.0)).width == 1
    assert percentile(np.array([np.nan])).width == 1


@pytest.mark.parametrize("kind", ["u1", "i1", "<u2", "<i2", ">u2", ">i2", "<i4", "<f4"])
@pytest.mark.parametrize(("slope", "intercept"), [(1, 0), (0.5, -20), (-2, 30), (1, -1024)])
@pytest.mark.parametrize("count", [1, 2, 7, 5001])
def test_counted_percentiles_are_those_of_sorting(kind, slope, intercept, count):
    reach = 100 if kind.endswith("1") else 30000
    low = 0 if "u" in kind else -reach
    stored = np.random.default_rng(count).integers(low, reach, count).astype(kind)
    sorted_, counted = percentile(stored * float(slope) + intercept), stored_percentile(stored, slope, intercept)
    assert (counted.center, counted.width) == (pytest.approx(sorted_.center), pytest.approx(sorted_.width))


def test_counted_percentiles_by_hand():
    # 1..1001 as above, stored with an offset of 500 and five thousand zeros.
    stored = np.concatenate([np.full(5000, 500), np.arange(501, 1502)]).astype(np.int16)
    found = stored_percentile(stored, 1, -500)
    assert (found.center, found.width) == (501, 990)


def test_a_table_maps_what_lies_below_and_above_to_its_ends():
    shown = through_table(np.array([-5, 10, 11, 12, 99]), 10, [0, 2048, 4095], 12)
    # 2048 / 4095 * 255 = 127.53
    assert shown.tolist() == [0, 0, 128, 255, 255]


def test_presets_by_anatomy():
    assert for_anatomy("brain") is PRESETS["brain"]
    assert for_anatomy("upper abdomen") is PRESETS["abdomen"]
    assert for_anatomy("") is PRESETS["soft_tissue"]
    # FIELD.md section 13: liver [-25, 230]
    liver = PRESETS["liver"]
    assert (liver.center - liver.width / 2, liver.center + liver.width / 2) == (-25, 230)


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_every_stored_type_gives_the_same_grey(kind):
    assert to_eight_bits(np.array([0, 60, 120], kind), view("linear", 60, 121)).tolist() == [1, 129, 255]
