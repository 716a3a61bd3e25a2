"""Slice policies and montages, with places worked out by hand."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from readers.base import open_reader
from readers.pixels.render import picture, render
from readers.slices import SliceOptions, choose
from schemas.masks import source_mask

AREAS = [0, 0, 4, 9, 9, 2, 0, 1, 0, 0]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"policy": "all"}, list(range(10))),
        # 2.5 mm apart, one every 10 mm: every fourth, from the middle of the first four.
        ({"policy": "every_mm", "mm": 10}, [2, 6]),
        ({"policy": "every_mm", "mm": 1}, list(range(10))),
        ({"policy": "middle"}, [5]),
        # Ten slices in three equal parts: middles at 10/6, 30/6, 50/6.
        ({"policy": "evenly", "count": 3}, [1, 5, 8]),
        ({"policy": "largest_region"}, [3]),
        # The lesion spans 2..7, six slices: in three parts of two the second of each.
        ({"policy": "around_region", "count": 3}, [3, 5, 7]),
        ({"policy": "around_region", "count": 20}, [2, 3, 4, 5, 6, 7]),
        ({"policy": "key"}, [4, 8]),
        ({"policy": "evenly", "montage": [2, 2]}, [1, 3, 6, 8]),
        ({"policy": "around_region", "montage": [3, 2]}, [2, 3, 4, 5, 6, 7]),
    ],
)
def test_every_policy(options, wanted):
    assert choose(SliceOptions(**options), 10, 2.5, AREAS, [8, 4, 8]) == wanted


@pytest.mark.parametrize("policy", ["largest_region", "around_region", "key"])
def test_without_regions_or_keys_the_middle_is_shown(policy):
    assert choose(SliceOptions(policy=policy), 10, 2.5) == [5]


def test_unknown_distances_count_as_a_millimetre():
    assert choose(SliceOptions(policy="every_mm", mm=4), 10, 0.0) == [2, 6]


def test_a_montage_shows_at_least_two():
    with pytest.raises(ValidationError, match="no two slices"):
        SliceOptions(montage=[1, 1])


SHAPE = (6, 4, 8)


@pytest.fixture
def task(make_nifti, make_spec, tmp_path):
    """Reads the only case of a task whose slice k is 10 * k bright; the label is voxel (1, 1) of slices 2 to 5."""

    def read(options, labels=None):
        voxels = np.zeros(SHAPE, np.int16)
        voxels += (10 * np.arange(8, dtype=np.int16))[None, None, :]
        label = np.zeros(SHAPE, np.uint8)
        label[1, 1, 2:6] = 1
        make_nifti("imagesTr/a.nii.gz", voxels, np.eye(4))
        make_nifti("labelsTr/a.nii.gz", label if labels is None else labels, np.eye(4))
        entry = {"image": "./imagesTr/a.nii.gz", "label": "./labelsTr/a.nii.gz"}
        described = {"labels": {"0": "background", "1": "liver"}, "training": [entry]}
        (tmp_path / "dataset.json").write_text(json.dumps(described))
        options = {"window": [128, 256], **options}
        reader = open_reader(make_spec("decathlon", options, labels={"liver": "liver"}, ignore_labels=["background"]))
        return reader.read(next(iter(reader.items())))

    return read


def test_tiles_stand_row_by_row_in_patient_order(task, source):
    case = task({"slices": {"policy": "around_region", "montage": [3, 2]}})
    (ref,) = case.images
    # Four labelled slices fill a row of three and one more; axial tiles are 6 wide and 4 high.
    assert [(tile.x, tile.y, tile.image.view.index) for tile in ref.tiles] == [
        (0, 0, 2),
        (6, 0, 3),
        (12, 0, 4),
        (0, 4, 5),
    ]
    assert (ref.view.width, ref.view.height, ref.view.orientation, ref.view.axis) == (18, 8, "", -1)
    pixels = picture(source, ref)
    levels = [int(pixels[1, 1]), int(pixels[1, 7]), int(pixels[1, 13]), int(pixels[5, 1])]
    alone = [int(picture(source, tile.image)[0, 0]) for tile in ref.tiles]
    assert levels == alone and levels == sorted(set(levels))
    assert (pixels[4:, 6:] == 0).all(), "the empty cells are black"


def test_regions_stand_in_every_tile(task):
    case = task({"slices": {"policy": "around_region", "montage": [3, 2]}})
    # Voxel (1, 1) lies at x = 6 - 1 - 1 = 4 and y = 4 - 1 - 1 = 2 of its tile.
    boxes = [(4, 2, 5, 3), (10, 2, 11, 3), (16, 2, 17, 3), (4, 6, 5, 7)]
    assert [region.box for region in case.regions] == boxes
    assert all(region.size == (8, 18) and region.image_index == 0 for region in case.regions)
    assert all(source_mask(region).sum() == 1 == region.area for region in case.regions)


def test_more_slices_than_a_montage_holds_fill_further_ones(task):
    case = task({"slices": {"policy": "all", "montage": [2, 2]}, "planes": ["axial", "coronal"]})
    # Eight axial slices are two montages, four coronal ones a third.
    assert [len(ref.tiles) for ref in case.images] == [4, 4, 4]
    assert [region.image_index for region in case.regions] == [0, 0, 1, 1, 2]
    assert [tile.image.view.index for tile in case.images[2].tiles] == [3, 2, 1, 0], "coronal from front to back"


def test_a_montage_is_published_as_its_picture(task, source):
    case = task({"slices": {"policy": "evenly", "montage": [2, 2]}})
    made = render(source, case.images[0])
    with Image.open(io.BytesIO(made.data)) as shown:
        assert shown.size == (12, 8) and (np.asarray(shown) == picture(source, case.images[0])).all()
    assert len(made.source_sha256) == 1


def test_a_montage_in_a_row_says_where_each_slice_stands(task, source):
    from flows.rows import columns
    from schemas.instruction import Instruction, Message, Provenance
    from schemas.spec import DatasetSpec, ReaderChoice

    case = task({"slices": {"policy": "evenly", "montage": [2, 2]}})
    row = Instruction("0" * 32, "open", (Message("user", "?"),), Provenance("x", facts=("regions[0]",)), case.images)
    spec = DatasetSpec(
        name="made", title="t", license="MIT", access="open", reader=ReaderChoice(type="decathlon"), modality="CT",
        anatomy="abdomen", clinical_task="x",
    )  # fmt: skip
    made = columns(row, case, spec, [render(source, case.images[0])])
    where = "montage[0]=0,0:axis 2 index 1 6,0:axis 2 index 3 0,4:axis 2 index 5 6,4:axis 2 index 7"
    assert made["provenance"]["facts"] == ["regions[0]", where]
    assert (made["view"][0]["width"], made["view"][0]["height"]) == (12, 8)
