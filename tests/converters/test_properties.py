"""What must hold for any annotation."""

import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converters.contract import check_row
from schemas.case import Text, VolumeRef
from schemas.context import Context
from schemas.plugins import load, names

WORDS = ["red blood cell", "platelet", "liver", "edema", "left kidney", "kidney", "normal", "liver tumor", "RBC"]
CONVERTERS = names("converters")
UNFILLED = re.compile(r"\{|\}|\bNone\b|\bnan\b|  ")


@st.composite
def cases(draw, make):
    number = draw(st.integers(1, 3))
    orientation = draw(st.sampled_from(["", "LP", "LI", "PI"]))
    axis = draw(st.sampled_from([-1, 2]))
    shown = [make.view(64, 48, orientation=orientation, axis=axis, index=i if axis > 0 else -1) for i in range(number)]
    images = [make.ref(each, f"{i}.png") for i, each in enumerate(shown)]
    labels = draw(st.lists(st.builds(
        make.label, st.sampled_from(WORDS), st.sampled_from(["present", "absent", "uncertain"]),
        st.integers(-1, number - 1),
    ), max_size=5))  # fmt: skip
    regions = []
    for _ in range(draw(st.integers(0, 6))):
        u, v = draw(st.integers(0, 60)), draw(st.integers(0, 44))
        edges = (u, v, draw(st.integers(u + 1, 64)), draw(st.integers(v + 1, 48)))
        name, image = draw(st.sampled_from(WORDS)), draw(st.integers(0, number - 1))
        if draw(st.booleans()):
            regions.append(make.box(name, edges, image))
        else:
            regions.append(make.mask(name, (48, 64), edges, image, draw(st.sampled_from(["", "1", "2"]))))
    kind = draw(st.sampled_from(["none", "multi_class", "multi_label", "ordinal"]))
    questions = tuple(
        make.qa("What is it?", answer) for answer in draw(st.lists(st.sampled_from(["yes", "x", "NULL"])))
    )
    texts = draw(st.lists(st.builds(
        Text, st.sampled_from(["caption", "findings", "impression", "report", "section"]),
        st.sampled_from(["The heart is large. It has grown since the prior film.", "NULL", "A mass lies in the lung."]),
        title=st.sampled_from(["", "BONES", "History"]),
    ), max_size=3))  # fmt: skip
    volumes = (VolumeRef(("v.nii.gz",), "application/x-nifti", (64, 48, 9), (1.0, 1.0, 3.0), "RAS"),) * draw(
        st.integers(0, 1)
    )
    one = make.case(
        draw(st.text(min_size=1, max_size=5)), images, labels=tuple(labels), regions=tuple(regions),
        questions=questions, complete_regions=draw(st.booleans()), texts=tuple(texts), volumes=volumes,
    )  # fmt: skip
    return one, make.spec(WORDS, kind)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_every_row_is_whole(make, data):
    one, described = data.draw(cases(make))
    for name in CONVERTERS:
        rows = make.ask(name, one, described)
        assert rows == make.ask(name, one, described)
        assert len({row.id for row in rows}) == len(rows)
        for row in rows:
            check(row, one, described)


def check(row, one, described):
    assert check_row(row, one, Context(described), row.provenance.converter) == []
    assert row.images or row.volumes or row.task == "text"
    for turn in row.messages:
        assert not UNFILLED.search(turn.content)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_nothing_true_or_uncertain_is_offered_as_wrong(make, data):
    one, described = data.draw(cases(make))
    for row in make.ask("multiple_choice", one, described):
        wrong = set(row.options) - {row.answer}
        indices = {one.images.index(image) for image in row.images}
        about = {-1} | indices
        assert set(row.options) <= set(described.canonical())
        for label in one.labels:
            fits = label.image_index in about and row.provenance.facts[0].startswith("labels")
            same = (
                label.image_index == int(one.labels[int(row.provenance.facts[0][7:-1])].image_index) if fits else False
            )
            assert not (same and label.polarity != "absent" and label.name in wrong)
        if row.provenance.facts[0].startswith("regions"):
            assert not wrong & {region.label for region in one.regions if region.image_index in indices}


@pytest.fixture(scope="module")
def many(make):
    """4,000 rows of choices and of yes and no over a dataset with four classes."""
    described = make.spec(["lymphocyte", "monocyte", "neutrophil", "eosinophil"], "multi_class")
    context = Context(described)
    rows = {}
    for name in ("multiple_choice", "yes_no"):
        kind = load("converters", name)
        converter = kind(kind.Options())
        rows[name] = [
            row
            for number in range(4000)
            for row in converter.convert(
                make.case(f"case{number}", labels=(make.label(described.canonical()[number % 7 % 4]),)), context
            )
        ]
    return rows


def test_letters_are_uniform(many):
    counts = Counter(row.messages[1].content for row in many["multiple_choice"])
    assert set(counts) == set("ABCD")
    statistic = sum((counts[letter] - 1000) ** 2 / 1000 for letter in "ABCD")
    assert statistic < 11.34  # chi-square, three degrees of freedom, 1 %


def test_yes_and_no_are_balanced(many):
    yes = sum(row.answer == "Yes" for row in many["yes_no"])
    assert len(many["yes_no"]) == 4000
    assert abs(yes - 2000) < 2.58 * (4000 * 0.25) ** 0.5  # 1 %, two-sided


def test_wordings_are_all_used(many):
    used = Counter(row.provenance.template for row in many["multiple_choice"])
    assert len(used) == 38
    assert min(used.values()) > 4000 / 38 / 2


def test_two_uses_of_one_converter_have_different_ids(make, blood):
    plain, other = make.ask("caption", *blood), make.ask("caption", *blood, variant="second")
    assert {row.id for row in plain}.isdisjoint(row.id for row in other)


def test_the_seed_changes_choices_but_not_ids(make, chest):
    rows = [make.ask("multiple_choice", *chest, seed=seed)[0] for seed in range(10)]
    assert len({row.id for row in rows}) == 1
    assert len({row.options for row in rows}) > 1
