"""Questions about whole volumes, each answer worked out by hand."""

import re
from dataclasses import replace

import pytest

from converters.solids import codes, contradicting, sure, united
from converters.volume_question import acquired_plane
from schemas.case import Acquisition, Case, Extent, Region3D, VolumeRef

SHAPE, SPACING = (100, 80, 40), (2.0, 2.0, 5.0)
VOLUME = VolumeRef(("ct.nii.gz",), "application/x-nifti", SHAPE, SPACING, "RAS")
NAMES = ["liver", "spleen", "left kidney", "right kidney", "liver tumor", "stomach"]


def extent(box, voxels):
    """In a RAS volume; box in voxels."""
    place = tuple(edge / SHAPE[at % 3] for at, edge in enumerate(box))
    centre = tuple((place[axis] + place[axis + 3]) / 2 for axis in range(3))
    size = tuple((box[axis + 3] - box[axis]) * SPACING[axis] for axis in range(3))
    return Extent(tuple(float(edge) for edge in box), place, centre, voxels, size, voxels * 20 / 1000)


def solid(label, box, voxels, value, pieces=()):
    return Region3D(label, label, 0, extent(box, voxels), (0, 0, 0), ("labels.nii.gz",), (value,), False, pieces)


LIVER = solid("liver", (50, 30, 10, 90, 70, 34), 20_000, 1)
SPLEEN = solid("spleen", (10, 10, 28, 26, 26, 36), 1_500, 2)
KIDNEY = solid("left kidney", (20, 16, 4, 32, 28, 12), 1_000, 3)
TUMOR = solid(
    "liver tumor", (80, 60, 12, 92, 66, 20), 100, 5,
    (extent((80, 60, 12, 84, 64, 14), 30), extent((88, 62, 18, 92, 66, 20), 70)),
)  # fmt: skip


@pytest.fixture
def abdomen(make):
    case = Case("ds", "c", None, "", volumes=(VOLUME,), volume_regions=(LIVER, SPLEEN, KIDNEY, TUMOR))
    return case, make.spec(NAMES, modality="CT", anatomy="abdomen")


def test_places_are_thirds_of_the_volume_in_the_patients_frame():
    # Spleen: centre x 18/100 (left), y 18/80 (posterior), z 32/40 (superior).
    assert codes(SPLEEN.extent) == "SPL" and sure(SPLEEN.extent)
    # Left kidney: x 26/100 (left), y 22/80 = 0.275 (posterior), z 8/40 = 0.2 (inferior).
    assert codes(KIDNEY.extent) == "IPL"
    # The liver spans 24/40 = 0.6 of the height, so it is not asked about; x 0.7 (right), y 50/80 = 0.625 (middle).
    assert codes(LIVER.extent) == "R" and not sure(LIVER.extent)
    assert not sure(extent((46, 38, 18, 54, 42, 22), 10)), "what lies in the middle has no side to tell"


def test_wrong_places_contradict_the_right_one():
    wrong = contradicting("PL")
    assert all("A" in one or "R" in one for one in wrong) and "PL" not in wrong and "L" not in wrong
    assert len(wrong) == 27 - 3 * 2 * 2


def test_words(make, abdomen):
    rows = make.ask("volume_place", *abdomen, per_volume=9, ways=("words",), choice_share=0.0)
    said = {row.labels[0]: row.answer for row in rows}
    assert said == {
        "spleen": "in the superior posterior part of the field of view, on the patient's left",
        "left kidney": "in the inferior posterior part of the field of view, on the patient's left",
    }, "two tumours lie at no one place, and the liver spans the volume"
    assert all(row.volumes == (VOLUME,) and not row.images for row in rows)


def test_boxes_are_fractions_from_left_posterior_inferior(make, abdomen):
    rows = make.ask("volume_place", *abdomen, per_volume=9, ways=("box",))
    told = {row.labels[0]: row.answer for row in rows}
    assert told["spleen"] == "[0.100, 0.125, 0.700, 0.260, 0.325, 0.900]"
    # The liver is whole with its tumour, which sticks out to 92 of 100.
    assert told["liver"] == "[0.500, 0.375, 0.250, 0.920, 0.875, 0.850]"
    assert all("x from the patient's left (0) to right (1)" in row.messages[0].content for row in rows)
    liver = next(row for row in rows if row.labels == ("liver",))
    assert liver.provenance.facts == ("volume_regions[0]", "volume_regions[3]")


def test_a_box_is_never_offered_what_holds_it(make, abdomen):
    rows = make.ask("volume_place", *abdomen, per_volume=9, ways=("which",), choices=6)
    for row in rows:
        if row.answer in ("liver", "liver tumor"):
            assert not {"liver", "liver tumor"} <= set(row.options)
    assert {row.answer for row in rows} == {"liver", "spleen", "left kidney"}


def test_sizes(make, abdomen):
    rows = make.ask("volume_size", *abdomen, per_volume=9, counts=False, largest=False)
    said = {(row.labels[0], "ml" in row.answer): row.answer for row in rows}
    # 16 x 16 x 8 voxels of 2 x 2 x 5 mm; 1,500 voxels of 0.02 ml.
    where = "about 32 mm from left to right, 32 mm from front to back and 40 mm from bottom to top"
    assert said["spleen", False] == where and said["spleen", True] == "about 30 ml"
    # 20,000 + 100 voxels.
    assert said["liver", True] == "about 402 ml" and ("liver tumor", True) not in said


def test_no_size_without_spacing_or_at_the_edge(make, abdomen):
    _case, described = abdomen
    unknown = VolumeRef(("ct.nii.gz",), "application/x-nifti", SHAPE, (0.0, 0.0, 0.0), "RAS")
    bare = Case("ds", "c", None, "", volumes=(unknown,), volume_regions=(SPLEEN,))
    assert make.ask("volume_size", bare, described, counts=False) == []
    edge = solid("spleen", (0, 10, 28, 16, 26, 36), 1500, 2)
    cut = Case("ds", "c", None, "", volumes=(VOLUME,), volume_regions=(edge,))
    assert make.ask("volume_size", cut, described, counts=False) == []


def test_counts_and_largest(make, abdomen):
    rows = make.ask("volume_size", *abdomen, per_volume=0, zero_share=0.0)
    count, largest = rows
    assert (count.task, count.answer, count.provenance.facts) == ("count", "2", ("volume_regions[3]",))
    assert "2 liver tumors" in count.messages[-1].content
    assert largest.answer == "liver" and "liver tumor" not in largest.options


def test_pieces_too_small_to_be_seen_are_not_counted(make, abdomen):
    _case, described = abdomen
    specks = solid("liver tumor", (80, 60, 12, 92, 66, 20), 31, 5, (extent((80, 60, 12, 84, 64, 14), 30),
                   extent((91, 65, 19, 92, 66, 20), 1)))  # fmt: skip
    speckled = Case("ds", "c", None, "", volumes=(VOLUME,), volume_regions=(LIVER, specks))
    assert make.ask("volume_size", speckled, described, per_volume=0, largest=False, zero_share=0.0) == []


def test_presence_is_asked_of_what_is_known_to_be_absent(make, abdomen):
    rows = make.ask("volume_presence", *abdomen, per_volume=9, which=9)
    answers = {}
    for row in rows:
        if row.task == "yes_no":
            (label,) = [name for name in sorted(NAMES, key=len, reverse=True) if name in row.messages[0].content][:1]
            answers[label] = row.answer
        else:
            assert set(row.options) - {row.answer} <= {"right kidney", "stomach"}
    assert answers and all((said == "No") == (label in ("right kidney", "stomach")) for label, said in answers.items())


def test_presence_without_complete_labels_is_not_asked(make, abdomen):
    _case, described = abdomen
    partial = Case("ds", "c", None, "", volumes=(VOLUME,), volume_regions=(SPLEEN,), complete_regions=False)
    assert make.ask("volume_presence", partial, described) == []


def test_segmentation_carries_image_and_mask(make, abdomen):
    rows = make.ask("volume_segmentation", *abdomen, per_volume=9, place_share=1.0)
    by_label = {row.labels[0]: row for row in rows}
    image, mask = by_label["spleen"].volumes
    assert image == VOLUME and (mask.mask, mask.files, mask.grid) == (True, ("labels.nii.gz",), "ct.nii.gz")
    assert mask.mask_of == (2,) and "on the patient's left" in by_label["spleen"].messages[0].content
    assert by_label["liver"].volumes[1].mask_of == (1, 5), "a liver is segmented with its tumour"
    assert by_label["liver tumor"].volumes[1].mask_of == (5,)
    assert all("[SEG]" in row.messages[1].content for row in rows)


def test_two_disjoint_extents_make_one():
    both = united(VOLUME, SPLEEN.extent, KIDNEY.extent)
    assert both.box == (10, 10, 4, 32, 28, 36) and both.voxels == 2500
    assert both.size_mm == (44, 36, 160) and both.millilitres == pytest.approx(50)
    assert both.centre[0] == pytest.approx((0.18 * 1500 + 0.26 * 1000) / 2500)


@pytest.mark.parametrize(
    ("spacing", "orientation", "tilt", "plane"),
    [
        ((1.0, 1.0, 5.0), "RAS", 0, "axial"),
        ((1.0, 1.0, 5.0), "PSR", 0, "sagittal"),
        ((4.0, 1.0, 1.0), "AIL", 0, "coronal"),
        ((1.0, 1.0, 1.2), "RAS", 0, ""),
        ((1.0, 3.0, 3.0), "RAS", 0, ""),
        ((1.0, 1.0, 5.0), "", 0, ""),
        ((1.0, 1.0, 5.0), "RAS", 40, ""),
        ((0.0, 0.0, 0.0), "RAS", 0, ""),
    ],
)
def test_the_plane_is_that_of_thick_slices(spacing, orientation, tilt, plane):
    assert acquired_plane(VolumeRef(("a",), "x", SHAPE, spacing, orientation, tilt)) == plane


@pytest.mark.parametrize(
    ("modality", "contrast", "fact", "answer"),
    [
        ("CT", "portal venous", "phase", "portal venous"), ("CT", "native", "phase", "non-contrast"),
        ("MRI", "t1gd", "sequence", "contrast-enhanced T1-weighted"), ("MRI", "FLAIR", "sequence", "FLAIR"),
        ("MRI", "portal venous", "phase", None), ("CT", "contrast", "phase", None),
    ],
)  # fmt: skip
def test_phase_and_sequence(make, modality, contrast, fact, answer):
    case = Case("ds", "c", None, "", volumes=(VOLUME,), acquisition=Acquisition(contrast=contrast))
    rows = make.ask("volume_question", case, make.spec(NAMES, modality=modality, anatomy="liver"), facts=(fact,))
    assert [row.answer for row in rows] == ([answer] if answer else [])


def test_a_volume_is_not_offered_techniques_that_make_none(make, abdomen):
    for seed in range(8):
        (row,) = make.ask("volume_question", *abdomen, seed=seed, facts=("modality",))
        assert not {"dermoscopy", "endoscopy", "mammography", "radiography"} & set(row.options)


def test_channels_are_told(make, abdomen):
    case, described = abdomen
    four = replace(VOLUME, channels=2, channel_names=("FLAIR", "t1gd"))
    several = replace(case, volumes=(four,))
    for name in ("volume_presence", "volume_place", "volume_size", "volume_segmentation"):
        for row in make.ask(name, several, described):
            assert row.messages[0].content.startswith("The volume has 2 channels: FLAIR and t1gd. ")
    unnamed = replace(case, volumes=(replace(VOLUME, channels=2),))
    row = make.ask("volume_segmentation", unnamed, described)[0]
    assert row.messages[0].content.startswith("The volume has 2 channels. ") and row.volumes[1].channels == 1


CHINESE = re.compile(r"[一-鿿]")


@pytest.mark.parametrize(
    "name", ["volume_question", "volume_presence", "volume_place", "volume_size", "volume_segmentation"]
)
def test_chinese(make, abdomen, name):
    rows = make.ask(name, *abdomen, language="zh")
    assert rows
    for row in rows:
        assert CHINESE.search(row.messages[0].content) and " the " not in row.messages[0].content
