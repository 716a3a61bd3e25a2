"""Rows about whole volumes, judged from the label files by a checker that shares no code with readers or converters.

It loads the shipped files with nibabel, turns them to RAS+ by nibabel, and recomputes every side, box, size, count and
mask with numpy.
"""

import gzip
import io
import json
import random
import re
from collections import Counter
from dataclasses import replace
from itertools import permutations, product

import nibabel as nib
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, inv_ornt_aff, ornt_transform
from scipy import ndimage

from readers.base import open_reader
from readers.source import Source
from readers.volume_bytes import volume_bytes
from schemas.context import Context
from schemas.plugins import load
from schemas.spec import DatasetSpec, ReaderChoice

NAMES = ["liver", "spleen", "left kidney", "right kidney", "stomach", "pancreas", "liver tumor"]
ORDERS = ["".join(codes) for axes in permutations(("RL", "AP", "SI")) for codes in product(*axes)]
CONVERTERS = (
    "volume_presence",
    "volume_place",
    "volume_size",
    "volume_segmentation",
    "volume_question",
    "slice_series",
)
SIDES = {
    "left": (0, 0),
    "right": (0, 1),
    "posterior": (1, 0),
    "anterior": (1, 1),
    "inferior": (2, 0),
    "superior": (2, 1),
}


def ellipsoid(draw, shape):
    centre = [draw.uniform(0.15, 0.85) * n for n in shape]
    radii = [draw.uniform(0.06, 0.2) * n + 0.6 for n in shape]
    grid = np.ogrid[tuple(slice(n) for n in shape)]
    return sum(((axis + 0.5 - c) / r) ** 2 for axis, c, r in zip(grid, centre, radii, strict=True)) <= 1


def write(folder, number, draw):
    """One volume and its labels in a random voxel order; the labels in another one every third time."""
    shape = [draw.randint(16, 36) for _ in range(3)]
    voxels = np.zeros(shape, np.uint8)
    for value in draw.sample(range(1, 7), draw.randint(3, 5)):
        voxels[ellipsoid(draw, shape)] = value
    for _ in range(draw.randint(0, 3)):
        voxels[ellipsoid(draw, shape) & (voxels == 1)] = 7
    affine = np.diag([draw.choice([0.8, 1.5, 2.0]), draw.choice([0.8, 1.5, 2.0]), draw.choice([1.0, 4.0, 5.0]), 1.0])
    order = draw.choice(ORDERS)
    for kind, codes in (("imagesTr", order), ("labelsTr", draw.choice(ORDERS) if number % 3 == 0 else order)):
        way = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(codes))
        stored = nib.apply_orientation(voxels.astype(np.int16) * 100 if kind == "imagesTr" else voxels, way)
        image = nib.Nifti1Image(stored, affine @ inv_ornt_aff(way, shape))
        image.to_filename(folder / kind / f"v{number:02d}.nii.gz")


class Truth:
    """What the label file says, in RAS+."""

    def __init__(self, folder, key):
        image = nib.as_closest_canonical(nib.load(folder / "labelsTr" / f"{key}.nii.gz"))
        self.voxels, self.zooms = np.asarray(image.dataobj), image.header.get_zooms()
        self.image = nib.load(folder / "imagesTr" / f"{key}.nii.gz")

    def mask(self, label):
        value = NAMES.index(label) + 1
        return np.isin(self.voxels, [1, 7]) if label == "liver" else self.voxels == value

    def box(self, label):
        places = np.argwhere(self.mask(label))
        return np.concatenate([places.min(axis=0) / self.voxels.shape, (places.max(axis=0) + 1) / self.voxels.shape])


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Every row over 40 random volumes, with its truth."""
    folder, draw = tmp_path_factory.mktemp("task"), random.Random(11)
    for kind in ("imagesTr", "labelsTr"):
        (folder / kind).mkdir()
    for number in range(40):
        write(folder, number, draw)
    listed = [{"image": f"./imagesTr/v{n:02d}.nii.gz", "label": f"./labelsTr/v{n:02d}.nii.gz"} for n in range(40)]
    labels = {str(value): name for value, name in enumerate(["background", *NAMES])}
    (folder / "dataset.json").write_text(json.dumps({"labels": labels, "training": listed}))
    spec = DatasetSpec(
        name="ds", title="t", license="MIT", access="open", root=str(folder), modality="CT", anatomy="abdomen",
        clinical_task="segmentation", labels={name: name for name in NAMES}, ignore_labels=["background"],
        reader=ReaderChoice(type="decathlon", options={"slices": {"policy": "around_region", "count": 4}}),
    )  # fmt: skip
    reader, found = open_reader(spec), []
    for item in reader.items():
        case, truth = reader.read(item), Truth(folder, item.key)
        for name in CONVERTERS:
            kind = load("converters", name)
            options = kind.Options() if name == "slice_series" else kind.Options(per_volume=6)
            found += [(row, truth) for row in kind(options).convert(case, Context(spec, 3))]
    return found, Source.open(str(folder))


# ---- one check for each kind of row ---------------------------------------------------------------------------------


def named(text):
    """Labels that a text names, longest first."""
    found, rest = [], text.casefold()
    for label in sorted(NAMES, key=len, reverse=True):
        for form in (f"{label}s", label):
            if re.search(rf"\b{form}\b", rest):
                found.append(label)
                rest = re.sub(rf"\b{form}\b", " ", rest)
    return list(dict.fromkeys(found))


def subject(row):
    (label,) = named(row.messages[0].content.split("\nA:")[0])
    return label


def check_words(row, truth):
    mask = truth.mask(subject(row))
    centre = (np.argwhere(mask).mean(axis=0) + 0.5) / mask.shape
    box = truth.box(subject(row))
    expected = set()
    for axis in range(3):
        if box[axis + 3] - box[axis] <= 0.6 and not 1 / 3 <= centre[axis] <= 2 / 3:
            expected.add((axis, int(centre[axis] > 0.5)))
    said = {SIDES[word] for word in re.findall("|".join(SIDES), row.answer)}
    assert said == expected, (row.answer, centre)
    for option in row.options:
        if option != row.answer:
            other = {SIDES[word] for word in re.findall("|".join(SIDES), option)}
            assert any((axis, 1 - end) in expected for axis, end in other), "a wrong option is not wrong"


def numbers(text):
    return [float(value) for value in re.search(r"\[([\d., ]+)\]", text)[1].split(",")]


def check_box(row, truth):
    assert np.allclose(numbers(row.messages[-1].content), truth.box(subject(row)), atol=5.1e-4)


def check_which_box(row, truth):
    told = numbers(row.messages[0].content)
    fits = [
        label for label in row.options if truth.mask(label).any() and np.allclose(told, truth.box(label), atol=6e-4)
    ]
    assert fits == [row.answer] == [row.options[row.answer_index]]


def close(told, true):
    assert abs(float(told) - true) <= (0.5 if true >= 10 else 0.05 if true >= 0.1 else 0.005) + 1e-6, (told, true)


def check_millimetres(row, truth):
    box, shape = truth.box(subject(row)), np.array(truth.voxels.shape)
    sides = (box[3:] - box[:3]) * shape * truth.zooms
    told = re.search(r"about ([\d.]+) mm from left to right, ([\d.]+) mm from front .* and ([\d.]+) mm", row.answer)
    for value, true in zip(told.groups(), sides, strict=True):
        close(value, true)


def check_millilitres(row, truth):
    true = truth.mask(subject(row)).sum() * np.prod(truth.zooms) / 1000
    close(re.search(r"about ([\d.]+) ml", row.messages[-1].content)[1], true)


def check_count(row, truth):
    (label,) = named(row.messages[0].content)
    _, amount = ndimage.label(truth.mask(label), np.ones((3, 3, 3)))
    told = re.search(r"\b(\d+|no) (?:liver tumor)", row.messages[-1].content.lower())[1]
    assert row.answer == str(amount) and told == ("no" if amount == 0 else str(amount))


def check_largest(row, truth):
    assert max(row.options, key=lambda label: truth.mask(label).sum()) == row.answer


def check_yes_no(row, truth):
    assert (row.answer == "Yes") == bool(truth.mask(subject(row)).any())


def check_which_present(row, truth):
    assert [label for label in row.options if truth.mask(label).any()] == [row.answer]


def check_plane(row, truth):
    thick = [plane for plane, zoom in zip(("sagittal", "coronal", "axial"), truth.zooms, strict=True)
             if zoom >= 1.5 * sorted(truth.zooms)[1]]  # fmt: skip
    assert thick == [row.answer]


def check_slices(row, truth):
    views = [image.view for image in row.images]
    codes = "".join(nib.aff2axcodes(truth.image.affine))
    label = subject_of_slices(row)
    stored = nib.apply_orientation(truth.voxels, ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(codes)))
    # A slice of a label is what the dataset marks by that label, without the lesions in it.
    marked = stored == NAMES.index(label) + 1
    areas = [int(np.take(marked, view.index, view.axis).sum()) for view in views]
    told = [int(number) - 1 for number in re.findall(r"\d+", row.messages[1].content)]
    if set_of(row) == "slice_series.which":
        assert (
            told
            == [at for at, area in enumerate(areas) if area]
            == [int(n) - 1 for n in re.findall(r"\d+", row.answer)]
        )
    else:
        assert told == [int(np.argmax(areas))]
    step = truth.image.header.get_zooms()[views[0].axis]
    places = [abs(view.index - views[0].index) * step for view in views]
    apart = re.search(r"([\d.]+) mm apart|at ([\d., and]+) mm", row.messages[0].content)
    if apart[1]:
        assert np.allclose(np.diff(places), float(apart[1]), atol=0.06)
    else:
        assert np.allclose([float(value) for value in re.findall(r"[\d.]+", apart[2])], places, atol=0.06)
    towards = codes[views[0].axis]
    assert "from inferior to superior" in row.messages[0].content and towards in "SI"
    assert [view.index for view in views] == sorted((view.index for view in views), reverse=towards == "I")


def subject_of_slices(row):
    (label,) = named(row.messages[0].content.replace("<image>", "").split(" mm")[-1])
    return label


def check_fact(row, truth):
    assert row.answer in ("computed tomography", "abdomen")


CHECKS = {
    "volume_place.words": check_words,
    "volume_place.box": check_box,
    "volume_place.which": check_which_box,
    "volume_size.millimetres": check_millimetres,
    "volume_size.millilitres": check_millilitres,
    "volume_size.count": check_count,
    "volume_size.largest": check_largest,
    "volume_presence.visible": check_yes_no,
    "volume_presence.which": check_which_present,
    "volume_question.plane": check_plane,
    "slice_series.which": check_slices,
    "slice_series.largest": check_slices,
    "volume_question.modality": check_fact,
    "volume_question.anatomy": check_fact,
}


def set_of(row):
    return row.provenance.template.split("-")[0]


def test_no_disagreement(rows):
    found, _ = rows
    done, wrong = Counter(), []
    for row, truth in found:
        kind = set_of(row)
        if kind.startswith("volume_segmentation"):
            continue
        try:
            CHECKS[kind](row, truth)
        except (AssertionError, ValueError, TypeError, KeyError, IndexError) as error:
            wrong.append(f"{row.provenance.template} {[turn.content for turn in row.messages]}: {error!r}")
        done[kind] += 1
    assert not wrong, "\n".join(wrong[:20])
    assert set(done) == set(CHECKS) and min(done.values()) >= 5 and sum(done.values()) >= 500, done


def opened(carried):
    return nib.Nifti1Image.from_stream(io.BytesIO(gzip.decompress(carried.data)))


def test_published_masks_are_the_label_on_the_grid_of_the_image(rows):
    found, source = rows
    masks = [(row, truth) for row, truth in found if set_of(row).startswith("volume_segmentation")][:60]
    assert len(masks) == 60
    for row, truth in masks:
        mask = opened(volume_bytes(source, row.volumes[1]))
        assert mask.shape == truth.image.shape and np.allclose(mask.affine, truth.image.affine)
        turned = np.asarray(nib.as_closest_canonical(mask).dataobj)
        assert (turned == truth.mask(row.labels[0])).all(), row.labels


SWAPS = [("left", "right"), ("superior", "inferior"), ("anterior", "posterior"), ("Yes", "No"), ("1", "4"), ("2", "3")]


def tampered(row):
    text = row.messages[-1].content
    for one, other in SWAPS:
        for before, after in ((one, other), (other, one)):
            if before in row.answer and not row.options:
                turn = replace(row.messages[-1], content=text.replace(before, after))
                return replace(row, messages=(row.messages[0], turn), answer=row.answer.replace(before, after))
    return None


def test_the_checker_finds_planted_mistakes(rows):
    planted = found = 0
    for row, truth in rows[0]:
        wrong = tampered(row)
        if wrong is None or not row.provenance.template.startswith(("volume_place", "volume_size", "volume_presence")):
            continue
        planted += 1
        try:
            CHECKS[set_of(row)](wrong, truth)
        except (AssertionError, ValueError, TypeError, KeyError, AttributeError):
            found += 1
    assert planted > 200 and found >= 0.95 * planted, (planted, found)
