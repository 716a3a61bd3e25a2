"""Slices and whole volumes of one patient say the same of sides and places, in six voxel orders."""

import re
from pathlib import Path

import pytest

from converters.solids import codes, sure
from readers.base import Refusal, open_reader
from schemas import plugins
from schemas.case import Case
from schemas.context import Context
from schemas.errors import CaseError
from schemas.spec import DatasetSpec, load_spec

ROOT = Path(__file__).resolve().parents[2]
SIDES = {"liver": "right", "right kidney": "right", "spleen": "left", "left kidney": "left"}


@pytest.fixture(scope="module")
def abdomens(hospital: Path):
    """(spec, cases) cut along all three planes."""
    environment = pytest.MonkeyPatch()
    environment.setenv("MEDCURATE_DEMO", str(hospital))
    spec = load_spec(ROOT / "catalog/phantom_abdomen_msd.yaml")
    environment.undo()
    cases = []
    for planes in (["axial"], ["coronal"]):
        options = {"slices": {"policy": "around_region", "count": 5}, "planes": planes}
        chosen = spec.reader.model_copy(update={"options": options})
        reader = open_reader(spec.model_copy(update={"reader": chosen}))
        for item in reader.items():
            if not isinstance(item, Refusal):
                try:
                    cases.append(reader.read(item))
                except CaseError as error:
                    assert error.code == "truncated_volume"
    return spec, cases


def rows(case: Case, spec: DatasetSpec, name: str, **options):
    kind = plugins.load("converters", name)
    return kind(kind.Options(**options)).convert(case, Context(spec, 7))


def test_all_orders_are_there_and_sides_are_the_patients(abdomens) -> None:
    _, cases = abdomens
    assert {case.volumes[0].orientation for case in cases} == {"RAS", "LAS", "LPS", "PSR", "RSA", "LPI"}
    for case in cases:
        for region in case.volume_regions:
            if region.label in ("right kidney", "spleen", "left kidney"):
                assert region.extent.side == SIDES[region.label], (case.key, region.label)


def test_slices_and_volumes_name_the_same_side(abdomens) -> None:
    spec, cases = abdomens
    compared = 0
    for case in cases:
        solid = {region.label: region.extent for region in case.volume_regions}
        for row in rows(case, spec, "location", per_image=9, choice_share=0.0):
            side = re.search(r"patient's (left|right)", row.answer)
            letters = codes(solid[row.labels[0]])
            if side and set(letters) & set("LR"):
                assert side[1][0].upper() in letters, (case.key, row.answer, letters)
                compared += 1
            elif side:
                assert solid[row.labels[0]].side in ("", side[1])
    assert compared > 60


def test_words_of_volumes_are_where_the_organs_are(abdomens) -> None:
    spec, cases = abdomens
    said = set()
    for case in cases:
        for row in rows(case, spec, "volume_place", per_volume=9, ways=("words",), choice_share=0.0):
            side = re.search(r"patient's (left|right)", row.answer)
            if side and row.labels[0] in SIDES:
                assert side[1] == SIDES[row.labels[0]]
                said.add(row.labels[0])
        for row in rows(case, spec, "volume_segmentation", per_volume=9, place_share=1.0):
            side = re.search(r"patient's (left|right)", row.messages[0].content)
            if side and row.labels[0] in SIDES:
                assert side[1] == SIDES[row.labels[0]]
    assert "spleen" in said
    assert any(sure(region.extent) for case in cases for region in case.volume_regions)


def test_relations_on_slices_agree_with_the_centroids_in_space(abdomens) -> None:
    spec, cases = abdomens
    axes = {"left": (0, -1), "right": (0, 1), "posterior": (1, -1), "anterior": (1, 1), "inferior": (2, -1),
            "superior": (2, 1)}  # fmt: skip
    pattern = re.compile(
        rf"The ([a-z ]+?) (?:is|lies|can be)[^.]*? (?:to the patient's )?({'|'.join(axes)}) (?:of|to) the ([a-z ]+)\."
    )
    agreeing = 0
    for case in cases:
        solid = {region.label: region.extent for region in case.volume_regions}
        for row in rows(case, spec, "relation"):
            for first, word, second in pattern.findall(row.messages[-1].content):
                axis, sign = axes[word]
                one, other = solid[first], solid[second]
                # Compared where the two lie clearly apart in space as well.
                if abs(one.centre[axis] - other.centre[axis]) > 0.15:
                    assert sign * (one.centre[axis] - other.centre[axis]) > 0, (case.key, row.messages[-1].content)
                    agreeing += 1
    assert agreeing >= 10


def test_brains_have_their_tumour_on_its_side(hospital: Path, monkeypatch) -> None:
    import json

    monkeypatch.setenv("MEDCURATE_DEMO", str(hospital))
    truth = json.loads((hospital / "truth.json").read_text())["phantom_brain_msd"]
    spec = load_spec(ROOT / "catalog/phantom_brain_msd.yaml")
    reader = open_reader(spec)
    for item in reader.items():
        case = reader.read(item)
        known = truth[case.key]
        assert case.volumes[0].orientation == known["order"] and case.volumes[0].channel_names[0] == "FLAIR"
        found = {region.label: region for region in case.volume_regions}
        assert found["left hippocampus"].extent.side == "left" and found["right hippocampus"].extent.side == "right"
        tumor = found.get("enhancing brain tumor")
        assert (tumor.extent.side if tumor else "") == known["side"]
        assert (len(tumor.pieces) if tumor else 0) == known["tumours"]
        assert case.acquisition.contrast == "FLAIR" and {image.view.frame for image in case.images} == {0}
