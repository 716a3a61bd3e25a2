"""Options of choices: hard ones, "none of the above", one kind, pools, and letters that tell nothing."""

from collections import Counter

import pytest

from converters.choosing import Choices, alike, nearest, of_one_kind
from converters.kinship import nearness
from schemas.case import Acquisition, Demographics
from schemas.context import Context
from schemas.plugins import load

CELLS = ["red blood cell", "white blood cell", "platelet", "blast cell"]


def organs(make, number):
    shown = make.view(200, 200, orientation="LP", axis=2, index=1)
    places = [(10, 10, 60, 60), (120, 20, 160, 60), (20, 120, 50, 160), (120, 120, 190, 190)]
    names = ["liver", "spleen", "pancreas", "kidney cyst"]
    regions = tuple(make.mask(name, (200, 200), edges) for name, edges in zip(names, places, strict=True))
    return make.case(f"c{number}", [make.ref(shown)], regions=regions), make.spec(
        [*names, "liver tumor"], modality="CT"
    )


def test_options_of_a_region_are_of_one_kind(make):
    """The answer is an organ or a lesion, and all that stand beside it are the same; never liver with liver tumor."""
    for number in range(60):
        for row in make.ask("marked_region", *organs(make, number), choice_share=1, per_image=4):
            kinds = {"lesion" if name in ("kidney cyst", "liver tumor") else "organ" for name in row.options}
            assert len(kinds) == 1
            assert not {"liver", "liver tumor"} <= set(row.options)


def test_the_pool_adds_labels_of_other_datasets(make):
    row = make.ask(
        "marked_region", *organs(make, 1), choice_share=1, per_image=4, choices=10, pool=["stomach", "left kidney"]
    )
    organ = next(one for one in row if one.answer == "spleen")
    assert set(organ.options) == {"liver", "spleen", "pancreas", "stomach", "left kidney"}
    cyst = next(one for one in row if one.answer == "kidney cyst")
    assert set(cyst.options) == {"kidney cyst", "liver tumor"}


def test_hard_is_nearest_by_the_taxonomy_and_by_statistics():
    others = ["pneumonia", "liver tumor", "right kidney", "left lung"]
    options = Choices(distractors="hard", choices=2)
    assert nearest("left kidney", others, options, alike) == ["right kidney"]
    told = options.model_copy(update={"confusions": {"left kidney": ["left lung"]}})
    assert nearest("left kidney", others, told, alike) == ["left lung"]
    # Both lie in the kidney and are structures; of a lung it shares only that it is a structure.
    assert nearness("left kidney", "right kidney") == 1.0
    assert 0 < nearness("left kidney", "left lung") < 1.0
    assert of_one_kind("liver tumor", ["spleen", "kidney cyst"]) == ["kidney cyst"]


def test_hard_places_are_the_neighbours(make):
    one, described = organs(make, 3)
    for row in make.ask("location", one, described, choice_share=1, per_image=4, distractors="hard"):
        assert row.answer in row.options and len(row.options) == 4
    # The liver lies in the anterior right corner; its neighbours on the grid of thirds share a word with it.
    liver = next(r for r in make.ask("location", one, described, choice_share=1, per_image=4, distractors="hard")
                 if r.labels == ("liver",))  # fmt: skip
    assert sum("anterior" in option or "right" in option for option in liver.options) == 3


@pytest.mark.parametrize("name", ["marked_region", "region_to_text", "location", "acquisition", "multiple_choice"])
def test_none_of_the_above_is_everywhere(make, name):
    options = {"none_share": 1} | (
        {"choice_share": 1} if name in ("marked_region", "region_to_text", "location") else {}
    )
    rows = [row for number in range(40) for row in make.ask(name, *organs(make, number), **options)]
    assert all(row.options[-1] == "none of the above" for row in rows)
    right = [row for row in rows if row.answer == "none of the above"]
    assert right and len(right) < len(rows)


@pytest.mark.parametrize("name", ["marked_region", "region_to_text", "location", "acquisition", "multiple_choice"])
def test_letters_tell_nothing(make, name):
    """Chi-square over the rows of a release, for each number of options, at 0.1 %."""
    limits = {2: 10.83, 3: 13.82, 4: 16.27}
    kind = load("converters", name)
    given = {"choice_share": 1} if "choice_share" in kind.Options.model_fields else {}
    converter = kind(kind.Options(**given))
    letters = Counter()
    for number in range(500):
        one, described = organs(make, number)
        for row in converter.convert(one, Context(described)):
            if row.options:
                letters[len(row.options), row.messages[-1].content] += 1
    for size, limit in limits.items():
        counts = [letters[size, letter] for letter in "ABCD"[:size]]
        if sum(counts) >= 100:
            mean = sum(counts) / size
            assert sum((count - mean) ** 2 / mean for count in counts) < limit, (size, counts)


def test_quality_is_asked_about_in_its_own_words(make):
    described = make.spec(
        ["good quality", "bad quality"], "multi_class", modality="fundus photography", anatomy="eye",
        clinical_task="retinal image quality grading",
    )  # fmt: skip
    one = make.case(labels=(make.label("bad quality"),))
    (choice,) = make.ask("image_quality", one, described, choice_share=1)
    assert choice.answer == "bad quality" and set(choice.options) == {"good quality", "bad quality"}
    (closed,) = make.ask("image_quality", one, described, choice_share=0)
    assert (closed.answer == "Yes") == ('"bad quality"' in closed.messages[0].content)
    assert make.ask("multiple_choice", one, described)[0].provenance.template.startswith("image_quality.which-")
    elsewhere = described.model_copy(update={"clinical_task": "cervix type classification"})
    assert make.ask("image_quality", one, elsewhere) == []


@pytest.mark.parametrize(
    ("age", "answer"), [(5.0, "child"), (12.9, "child"), (13.0, ""), (19.0, ""), (19.5, "adult"), (70.0, "adult")]
)
def test_age_is_asked_of_hands_only_and_where_growth_plates_show_it(make, age, answer):
    hand = make.spec([], modality="X-ray", anatomy="hand")
    one = make.case(demographics=Demographics(age_years=age))
    assert [row.answer for row in make.ask("demographics", one, hand)] == ([answer] if answer else [])
    assert make.ask("demographics", one, make.spec([], modality="X-ray", anatomy="chest")) == []


@pytest.mark.parametrize(
    ("organ", "sex", "asked"),
    [("prostate", "male", True), ("uterus", "female", True), ("prostate", "female", False), ("liver", "male", False),
     ("prostate", "", False)],
)  # fmt: skip
def test_sex_is_asked_where_an_organ_shows_it(make, organ, sex, asked):
    one = make.case(
        regions=(make.mask(organ, (480, 640), (100, 100, 200, 200)),), demographics=Demographics(sex=sex),
        acquisition=Acquisition("MRI", "pelvis"),
    )  # fmt: skip
    rows = make.ask("demographics", one, make.spec([organ], modality="MRI", anatomy="pelvis"))
    assert [row.answer for row in rows] == ([sex] if asked else [])


def test_a_text_is_asked_for_in_its_own_language(make):
    from schemas.case import Text

    one = make.case(
        texts=(Text("impression", "心影增大，双肺未见异常，未见胸腔积液，肋骨完整，请结合临床。", language="zh"),)
    )
    (row,) = make.ask("report", one, make.spec([], modality="X-ray", anatomy="chest"))
    assert row.provenance.language == "zh" and row.provenance.template.endswith(".zh")
