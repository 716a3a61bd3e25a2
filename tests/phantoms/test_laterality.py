"""From file to sentence: regions lie on the anatomy that the phantoms drew, and left and right are the patient's.

Every phantom with masks is read by its real reader, rendered, and asked about by the real converters.  Grey values
are worked out by hand from the phantoms' densities and the windows that the readers choose.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from readers.base import Refusal, open_reader
from readers.pixels.render import render
from readers.source import Source
from schemas import plugins
from schemas.case import Case
from schemas.context import Context
from schemas.errors import CaseError
from schemas.instruction import Instruction
from schemas.masks import decode, place
from schemas.spec import DatasetSpec, load_spec

ROOT = Path(__file__).resolve().parents[2]
RIGHT = {"liver", "right kidney", "right lung", "liver tumor"}
LEFT = {"spleen", "left kidney", "left lung", "heart"}


def shown(hounsfield: float, centre: float, width: float) -> float:
    return min(max((hounsfield - (centre - width / 2)) / width, 0), 1) * 255


HOUNSFIELD = {
    "liver": 108, "spleen": 122, "right kidney": 172, "left kidney": 172, "liver tumor": 62,
    "right lung": -840, "left lung": -840, "heart": 55, "lung nodule": -560,
}  # fmt: skip
VOLUMETRIC = ("phantom_ct_slices", "phantom_abdomen_msd", "phantom_ct_dicom")


@pytest.fixture
def spec_of(hospital: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MEDCURATE_DEMO", str(hospital))
    return lambda name: load_spec(ROOT / "catalog" / f"{name}.yaml")


def cases(spec: DatasetSpec) -> Iterator[Case]:
    reader = open_reader(spec)
    for item in reader.items():
        if not isinstance(item, Refusal):
            try:
                yield reader.read(item)
            except CaseError:
                continue


@pytest.mark.parametrize("name", VOLUMETRIC)
def test_a_region_drawn_on_the_view_lies_on_its_organ(name: str, spec_of) -> None:
    spec = spec_of(name)
    source = Source.open(spec.root)
    checked: dict[str, int] = {}
    for case in cases(spec):
        pictures = {}
        for region in case.regions:
            ref = case.images[region.image_index]
            assert ref.view.orientation == "LP"
            if ref not in pictures:
                try:
                    pictures[ref] = np.asarray(Image.open(io.BytesIO(render(source, ref).data)).convert("L"), float)
                except CaseError as error:
                    assert error.code == "truncated_pixels" or "PHCT006" in str(ref.files), error
                    continue
            drawn = place(region, ref.view)
            assert drawn is not None
            mask = decode(drawn.rle, drawn.size)
            assert mask.shape == pictures[ref].shape
            if mask.sum() < 30:
                continue
            lung = name == "phantom_ct_dicom"
            window = (-600, 1500) if lung else (40, 400) if name == "phantom_ct_slices" else None
            inside = pictures[ref][mask].mean()
            if window is None:
                centre = ref.view.window_center, ref.view.window_width
                assert centre == (50, 400)
                window = centre
            # Noise of the phantoms and the mixed pixels at edges stay within a few grey values.
            assert inside == pytest.approx(shown(HOUNSFIELD[region.label], *window), abs=6), (case.key, region.label)
            x = (drawn.box[0] + drawn.box[2]) / 2
            if region.label in RIGHT:
                assert x < 0.5, (case.key, region.label)
            if region.label in LEFT:
                assert x > 0.5, (case.key, region.label)
            checked[region.label] = checked.get(region.label, 0) + 1
    expected = {"phantom_ct_dicom": {"right lung", "left lung", "heart", "lung nodule"}}
    assert set(checked) == expected.get(name, {"liver", "spleen", "right kidney", "left kidney", "liver tumor"})


def test_boxes_of_the_smear_lie_on_cells_of_their_kind(spec_of) -> None:
    spec = spec_of("phantom_blood_coco")
    source = Source.open(spec.root)
    # Stains as the phantom mixes them: nucleus and platelet are blue, red cells are not.
    for case in list(cases(spec))[:14]:
        picture = np.asarray(Image.open(io.BytesIO(render(source, case.images[0]).data)).convert("RGB"), float)
        for region in case.regions:
            x0, y0, x1, y1 = (round(edge) for edge in case.images[0].view.box_to_view(region.box))
            red, _, blue = picture[y0:y1, x0:x1].reshape(-1, 3)[:, :3].min(axis=0)
            middle = picture[(y0 + y1) // 2, (x0 + x1) // 2]
            if region.label == "red blood cell":
                assert middle[0] > middle[2] + 20 and red > 150
            else:
                assert blue > red


def test_the_nodule_is_seen_because_the_headers_window_is_used(spec_of) -> None:
    spec = spec_of("phantom_ct_dicom")
    source = Source.open(spec.root)
    seen = 0
    for case in cases(spec):
        for region in (region for region in case.regions if region.label == "lung nodule"):
            ref = case.images[region.image_index]
            assert (ref.view.window_center, ref.view.window_width) == (-600, 1500)
            picture = np.asarray(Image.open(io.BytesIO(render(source, ref).data)).convert("L"), float)
            x, y = (
                round((low + high) / 2)
                for low, high in zip(
                    ref.view.box_to_view(region.box)[:2], ref.view.box_to_view(region.box)[2:], strict=True
                )
            )
            # Nodule and lung: (-560 + 1350) / 1500 * 255 = 134 against (-840 + 1350) / 1500 * 255 = 87.
            assert picture[y - 2 : y + 3, x - 2 : x + 3].mean() == pytest.approx(134, abs=5)
            seen += 1
    assert seen >= 2


def test_both_grey_scales_of_a_radiograph_show_bright_bone(spec_of) -> None:
    spec = spec_of("phantom_dx_dicom")
    source = Source.open(spec.root)
    inverted = 0
    for case in cases(spec):
        ref = case.images[0]
        picture = np.asarray(Image.open(io.BytesIO(render(source, ref).data)).convert("L"), float)
        assert picture[2:8, 2:8].mean() < 30 < 130 < picture[230:250, 124:132].mean()
        inverted += ref.view.invert
        # The heart is on the right half of the picture.
        assert picture[165:185, 140:165].mean() > picture[165:185, 91:116].mean() + 25
    assert inverted == 2


def rows(case: Case, spec: DatasetSpec, *names: str) -> Iterator[Instruction]:
    for name in names:
        kind = plugins.load("converters", name)
        yield from kind(kind.Options()).convert(case, Context(spec, 7))


SENTENCE = re.compile(r"[Tt]he ([a-z ]+?) (?:is|can|lies|are)\b[^.;]*?patient's (left|right)")


@pytest.mark.parametrize("name", VOLUMETRIC)
def test_words_of_side_are_the_patients(name: str, spec_of) -> None:
    spec, said = spec_of(name), set()
    for case in cases(spec):
        for row in rows(case, spec, "caption", "text_to_region", "location"):
            if row.options:
                continue
            for organ, side in SENTENCE.findall(row.messages[-1].content):
                if organ in RIGHT | LEFT:
                    said.add((organ, side))
    assert said, "no sentence states a side"
    for organ, side in said:
        assert side == ("right" if organ in RIGHT else "left"), (organ, side)
    assert {side for _, side in said} == {"left", "right"}


RELATION = re.compile(r"The ([a-z ]+?) (?:is|lies|can be)[^.]*? to the patient's (left|right) of the ([a-z ]+)\.")


def test_relations_between_organs_are_the_patients(spec_of, hospital: Path) -> None:
    spec, found = spec_of("phantom_abdomen_msd"), 0
    for case in cases(spec):
        for row in rows(case, spec, "relation"):
            for first, side, second in RELATION.findall(row.messages[-1].content):
                if (first in RIGHT) != (second in RIGHT):
                    assert side == ("right" if first in RIGHT else "left"), (first, side, second)
                    found += 1
    assert found >= 3
