"""Annotations that contradict each other: what is settled, and that no converter decides it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converters.contract import check_row
from schemas.context import Context
from schemas.plugins import names
from schemas.settled import CODE, _doubted, settle

WORDS = [
    "platelet",
    "red blood cell",
    "RBC",
    "kidney",
    "left kidney",
    "edema",
    "normal",
    "lung opacity",
    "consolidation",
]
P, A, U = "present", "absent", "uncertain"
CONTRADICTIONS = [
    # labels as (name, polarity, image), pictures, the polarities that hold
    ([("platelet", A, 0), ("platelet", U, -1)], 1, [U, U]),
    ([("platelet", P, 0), ("platelet", U, -1)], 1, [U, U]),
    ([("platelet", P, 0), ("platelet", U, -1)], 2, [U, U]),
    ([("platelet", P, 0), ("platelet", A, 0)], 1, [U, U]),
    ([("platelet", P, 1), ("platelet", A, -1)], 2, [U, U]),
    ([("RBC", P, 0), ("red blood cell", A, 0)], 1, [U, U]),
    ([("red blood cell", P, -1), ("red blood cell", A, 0), ("red blood cell", A, 1)], 2, [U, U, U]),
    ([("left kidney", P, -1), ("kidney", A, -1)], 1, [U, U]),
    ([("left kidney", U, -1), ("kidney", A, -1)], 1, [U, U]),
    ([("consolidation", U, -1), ("lung opacity", A, 0)], 1, [U, U]),
    ([("normal", P, -1), ("edema", P, -1)], 1, [U, P]),
    ([("normal", P, -1), ("edema", U, -1)], 1, [U, U]),
    # the doubt about the left kidney goes on to the kidney, and from there to nothing else
    ([("left kidney", P, -1), ("left kidney", A, -1), ("kidney", A, -1), ("platelet", A, -1)], 1, [U, U, U, A]),
]
CONSISTENT = [
    # the case shows it, one of its pictures does not
    ([("platelet", P, -1), ("platelet", A, 0)], 2),
    ([("platelet", P, 0), ("platelet", A, 1)], 2),
    ([("platelet", U, 0), ("platelet", P, 1)], 2),
    # one side may be absent or present while something else of the organ is uncertain
    ([("left kidney", A, -1), ("kidney", U, -1)], 1),
    ([("left kidney", A, -1), ("kidney", P, -1)], 1),
    ([("consolidation", P, -1), ("lung opacity", U, -1)], 1),
    ([("normal", P, -1), ("edema", A, -1)], 1),
    ([("no fracture", P, -1), ("fracture", A, -1)], 1),
]


def case_of(make, said, pictures, **more):
    images = [make.ref(name=f"{number}.png") for number in range(pictures)]
    return make.case(images=images, labels=tuple(make.label(*one) for one in said), **more)


@pytest.mark.parametrize(("said", "pictures", "holds"), CONTRADICTIONS)
def test_what_is_contradicted_is_uncertain_and_counted(make, said, pictures, holds):
    settled = settle(case_of(make, said, pictures))
    assert [label.polarity for label in settled.labels] == holds
    (found,) = settled.findings
    changed = sum(one[1] != now for one, now in zip(said, holds, strict=True))
    assert found.code == CODE
    assert found.detail.startswith(f"{changed} of {len(said)} labels")
    assert settle(settled) is settled


@pytest.mark.parametrize(("said", "pictures"), CONSISTENT)
def test_what_is_consistent_stays(make, said, pictures):
    case = case_of(make, said, pictures)
    assert settle(case) is case


def test_a_region_shows_what_a_label_denies(make):
    regions = (make.box("platelet", (10, 10, 60, 60)),)
    case = case_of(make, [("platelet", A, -1), ("red blood cell", A, -1)], 1, regions=regions)
    assert [label.polarity for label in settle(case).labels] == [U, A]


@pytest.mark.parametrize("kind", ["none", "multi_class", "multi_label"])
@pytest.mark.parametrize(("said", "pictures", "holds"), CONTRADICTIONS)
def test_no_converter_decides_what_is_contradicted(make, said, pictures, holds, kind):
    case, described = case_of(make, said, pictures), make.spec(WORDS, kind)
    doubted = {one[0] for one, now in zip(said, holds, strict=True) if now == U}
    for name in names("converters"):
        for row in make.ask(name, case, described, **OPTIONS.get(name, {})):
            assert check_row(row, case, Context(described), name) == []
            assert not doubted & set(row.labels)
            assert row.answer not in doubted
            if row.task == "yes_no":
                facts = {int(fact[7:-1]) for fact in row.provenance.facts}
                assert not facts & {n for n, now in enumerate(holds) if now == U}


OPTIONS = {"yes_no": {"one_sided": True, "per_scene": 9, "negated": 0.5}, "multi_label": {"choices": 9}}


def test_a_picture_without_labels_of_its_own_lacks_what_the_case_lacks(make):
    """Image 0 has its own labels; what the whole case lacks it lacks too, what the case has may be on image 1."""
    said = [("platelet", A, -1), ("kidney", P, -1), ("edema", P, 0)]
    described = make.spec(["platelet", "kidney", "edema", "normal"], "multi_label")
    rows = make.ask("multi_label", case_of(make, said, 2), described, form="list", choices=4)
    (about,) = [row for row in rows if len(row.images) == 1]
    assert set(about.messages[1].content.split("\n")) == {
        "platelet: No", "kidney: Uncertain", "edema: Yes", "normal: Not mentioned",
    }  # fmt: skip


def test_labels_of_the_case_and_of_its_only_picture_are_one_scene(make):
    said = [("platelet", P, -1), ("kidney", A, 0)]
    rows = make.ask("multi_label", case_of(make, said, 1), make.spec(["platelet", "kidney", "edema"], "multi_label"),
                    form="list", choices=3)  # fmt: skip
    (row,) = rows
    assert set(row.messages[1].content.split("\n")) == {"platelet: Yes", "kidney: No", "edema: Not mentioned"}


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from([P, A, U]), st.integers(-1, 1)), max_size=6))
def test_the_quick_look_misses_nothing(make, said):
    case = case_of(make, said, 2)
    assert (settle(case) is case) == (_doubted(case.labels, frozenset(), 2) == frozenset())
