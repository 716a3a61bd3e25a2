"""Every preset of a CT volume by anatomy, percentiles for the rest: what is recorded, and what is black and white."""

import json
import math

import numpy as np
import pytest

from readers.base import open_reader
from readers.pixels.render import picture

# (anatomy, black at or below, white at or above), in HU.  Centre and width of PS3.3's linear window reach from
# centre - width / 2 to centre + width / 2 - 1; ranges from edge to edge.
BY_ANATOMY = [
    ("lung", -1350, 149), ("chest", -160, 239), ("brain", 0, 79), ("head and neck", -160, 239), ("heart", -160, 239),
    ("ear", -500, 1299), ("bone", -500, 1299), ("spine", -500, 1299),
    ("abdomen", -150, 250), ("pelvis", -55, 200), ("liver", -25, 230), ("colon", -68, 187),
    ("pancreas", -100, 200), ("whole body", -160, 239),
]  # fmt: skip
BY_NAME = [
    ("lung_wide", -1000, 1000), ("mediastinum", -160, 239), ("soft_tissue", -160, 239), ("subdural", -32.5, 181.5),
    ("stroke", 20, 59), ("angio", 0, 599),
]  # fmt: skip


@pytest.fixture
def shown(make_nifti, make_spec, tmp_path, source):
    """The view and picture of a slice whose columns hold the given values."""

    def make(values, options=None, **fields):
        voxels = np.zeros((len(values), 2, 1), np.int16)
        voxels[:] = np.array(values, np.int16)[:, None, None]
        make_nifti("imagesTr/a.nii.gz", voxels, np.diag([-1.0, -1.0, 1.0, 1.0]))
        (tmp_path / "dataset.json").write_text(
            json.dumps({"labels": {"0": "background"}, "training": [{"image": "./imagesTr/a.nii.gz"}]})
        )
        options = {"keep_unlabelled": True, "slices": {"policy": "middle"}, **(options or {})}
        reader = open_reader(make_spec("decathlon", options, ignore_labels=["background"], **fields))
        (ref,) = reader.read(next(iter(reader.items()))).images
        return ref.view, picture(source, ref)[0].tolist()

    return make


def check(view, row, values, low, high):
    """Grey rises in a straight line from black at ``low`` to white at ``high``."""
    expected = [min(max((value - low) / (high - low), 0), 1) * 255 for value in values]
    assert row == pytest.approx(expected, abs=0.501) and row[:2] == [0, 0] and row[-2:] == [255, 255]
    assert view.window_width > 0 and view.window in ("linear", "range")


def ladder(low, high):
    step = max(round((high - low) / 255) + 1, 2)
    first, last = math.floor(low), math.ceil(high)
    return [first - 1, first, first + step, (first + last) // 2, last - step, last, last + 1]


@pytest.mark.parametrize(("anatomy", "low", "high"), BY_ANATOMY)
def test_ct_is_shown_by_anatomy(shown, anatomy, low, high):
    values = ladder(low, high)
    check(*shown(values, anatomy=anatomy), values, low, high)


@pytest.mark.parametrize(("name", "low", "high"), BY_NAME)
def test_presets_can_be_named(shown, name, low, high):
    values = ladder(low, high)
    check(*shown(values, {"window": name}), values, low, high)


@pytest.mark.parametrize("modality", ["MRI", "PET", "ultrasound"])
def test_everything_else_is_shown_by_percentiles_of_what_is_positive(shown, modality):
    values = list(range(-50, 201))
    view, row = shown(values, modality=modality, anatomy="liver")
    # Positive are 1..200: 1 + 0.005 * 199 = 1.995 and 1 + 0.995 * 199 = 199.005.
    assert view.window == "percentile"
    low, high = view.window_center - view.window_width / 2, view.window_center + view.window_width / 2
    assert (low, high) == pytest.approx((1.995, 199.005), abs=0.01)
    assert row[0] == 0 == row[50] and row[-1] == 255
