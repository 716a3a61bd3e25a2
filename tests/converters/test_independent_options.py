"""What options and episodes make, checked apart from `converters`: boxes, marks, texts, rows over several cases."""

import random
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from schemas.case import Acquisition, Case, Label, QuestionAnswer, Text
from schemas.context import Context
from schemas.episode import Lent
from schemas.plugins import load, names

from . import test_independent_checker as plain
from .source_checks import described, picture

FORMS = {
    "fraction": (1.0, 1.0, 5.1e-4), "pixels": (None, None, 0.51), "per_mille": (999.0, 999.0, 0.51),
    "ref": (999.0, 999.0, 0.51),
}  # fmt: skip
"""How a fraction becomes what is written: factors across and down (the view's sides for None), and the rounding."""


def cases():
    draw = random.Random(77)
    made = [
        make(number, draw) for number in range(12) for make in (plain.organ_case, plain.cell_case, plain.label_case)
    ]
    return [(case, spec, number) for number, (case, spec) in enumerate(made)]


def asked(name, options, pool=None):
    kind = load("converters", name)
    return [
        (row, case, spec)
        for case, spec, seed in pool or cases()
        for row in kind(kind.Options(**options)).convert(case, Context(spec, seed))
    ]


def true_boxes(row, case, form):
    image = plain.image_of(row, case)
    view = case.images[image].view
    across, down, _ = FORMS[form]
    across, down = across or view.width, down or view.height
    for region in plain.on(case, image):
        x0, y0, x1, y1 = plain.fractions(region, view)
        yield region.label, (x0 * across, y0 * down, x1 * across, y1 * down)


def boxes_in(text):
    return [tuple(map(float, found)) for found in re.findall(r"\[([\d.]+), ([\d.]+), ([\d.]+), ([\d.]+)\]", text)]


@pytest.mark.parametrize("form", FORMS)
def test_boxes_in_four_notations(form):
    rows = asked("text_to_region", {"box": form, "per_image": 3})
    assert len(rows) > 40
    for row, case, spec in rows:
        question, answer = row.messages[0].content, row.messages[1].content
        (label,) = plain.named(question.split("Boxes are")[0], spec)
        told = boxes_in(answer)
        true = [box for name, box in true_boxes(row, case, form) if name == label]
        assert len(told) == len(true)
        for box in told:
            assert any(np.abs(np.subtract(box, one)).max() <= FORMS[form][2] for one in true), (form, box, true)
        if form == "ref" and true:
            assert re.fullmatch(rf"<ref>{label}</ref><box>\[.*\]</box>", row.answer)


@pytest.mark.parametrize("form", ["fraction", "pixels", "per_mille"])
@pytest.mark.parametrize("name", ["region_to_text", "zoom"])
def test_boxes_that_are_asked_about(name, form):
    rows = asked(name, {"box": form})
    assert len(rows) > 30
    for row, case, _ in rows:
        text = " ".join(turn.content for turn in row.messages)
        (told,) = boxes_in(text)
        (label,) = row.labels
        if name == "region_to_text":
            assert any(
                one == label and np.abs(np.subtract(told, box)).max() <= FORMS[form][2]
                for one, box in true_boxes(row, case, form)
            )
        else:  # the crop holds its region, with room around it
            assert any(
                one == label
                and all(np.add(told[:2], -FORMS[form][2]) <= box[:2])
                and all(np.add(told[2:], FORMS[form][2]) >= box[2:])
                for one, box in true_boxes(row, case, form)
            )  # fmt: skip


def test_negated_questions_are_answered_the_other_way_round():
    rows = asked("yes_no", {"negated": 1.0, "per_scene": 2})
    assert len(rows) > 40
    seen = Counter()
    for row, case, spec in rows:
        true, false, uncertain = plain.present(case, spec, plain.image_of(row, case))
        (label,) = plain.named(plain.turns(row)[0].replace("this radiograph of the chest", ""), spec)[:1]
        assert (
            label not in uncertain
            and (row.answer == "Yes") == (label in false)
            and (row.answer == "No") == (label in true)
        )
        seen[row.answer] += 1
    assert min(seen["Yes"], seen["No"]) > 10


@pytest.mark.parametrize("options", [{"none_share": 1.0}, {"distractors": "hard"}, {"choices": 2}])
def test_choices_hold_one_truth(options):
    rows = asked("multiple_choice", options)
    assert len(rows) > 20
    nones = 0
    for row, case, spec in rows:
        true, false, _ = plain.present(case, spec, plain.image_of(row, case))
        offered = set(row.options) - {"none of the above"}
        if row.answer == "none of the above":
            nones += 1
            assert offered <= false
        else:
            assert row.answer in true and offered - {row.answer} <= false
        assert row.messages[1].content == "ABCD"[row.answer_index] and row.options[row.answer_index] == row.answer
    assert (nones > 3) == ("none_share" in options)


@pytest.mark.parametrize("style", ["box", "contour", "point", "mask"])
def test_marks_lie_on_what_is_asked_about_and_the_clean_picture_is_kept(style):
    rows = asked("marked_region", {"styles": [style], "keep_clean": True})
    assert len(rows) > (20 if style == "box" else 10)
    for row, case, _ in rows:
        clean, marked = row.images
        assert (
            clean in case.images and clean.marks == () and marked.view == clean.view and row.regions[0].image_index == 1
        )
        image = case.images.index(clean)
        inside = False
        for region in plain.on(case, image):
            xs, ys, (x0, y0, x1, y1) = plain.on_view(region, clean.view)
            across = [value for mark in marked.marks for value in mark.points[::2]]
            down = [value for mark in marked.marks for value in mark.points[1::2]]
            within = (
                x0 - 1e-6 <= min(across)
                and max(across) <= x1 + 1e-6
                and y0 - 1e-6 <= min(down)
                and max(down) <= y1 + 1e-6
            )
            if style == "point" and region.rle:  # on a pixel of the mask, not only in its box
                within = within and np.hypot(xs - across[0], ys - down[0]).min() <= 0.71
            inside = inside or (within and region.label == row.labels[0] == row.answer)
        assert inside


# ---- texts ----------------------------------------------------------------------------------------------------------

TEXTS = (Text("text", "Aspirin relieved the headache of patient 7."), Text("text", "The headache was relieved."))
ASKED = (
    QuestionAnswer("drug", "Aspirin", key="a"), QuestionAnswer("disease", "headache", key="b"),
    QuestionAnswer("gene", "NULL", key="c"),
)  # fmt: skip
WANTED = {
    "classification": {"entailment"}, "nli": {"entailment"}, "summary": {"The headache was relieved."},
    "qa": {"Aspirin", "headache"}, "mentions": {"Aspirin", "headache"}, "relations": {"Aspirin", "headache"},
}  # fmt: skip


@pytest.mark.parametrize("task", WANTED)
def test_all_six_text_tasks_say_what_the_corpus_says(task):
    labels = ["entailment", "neutral", "contradiction"]
    case = Case("ds", "t", None, "", texts=TEXTS, labels=(Label("entailment", "e"),), questions=ASKED)
    rows = asked("text_task", {"task": task}, [(case, described(labels, "multi_class", "mixed", "mixed", "text"), 3)])
    assert {row.answer for row, _, _ in rows} == WANTED[task]
    for row, _, _ in rows:
        question = row.messages[0].content
        assert TEXTS[0].content in question and row.messages[1].content == row.answer and row.images == ()
        assert (TEXTS[1].content in question) == (task == "nli")
        assert all(label in question for label in labels) == (task in ("classification", "nli"))
        if task in ("qa", "mentions", "relations"):
            (pair,) = [pair for pair in ASKED if pair.answer == row.answer]
            assert pair.question in question


# ---- several cases --------------------------------------------------------------------------------------------------

SPEC = described(["pneumonia", "edema", "fracture", "no finding"], "multi_class", "X-ray", "chest", "diagnosis")


def films():
    """24 films of 12 patients, two visits each, PA and lateral, with one label each."""
    draw = random.Random(4)
    for number in range(24):
        label = draw.choice(SPEC.canonical())
        yield Case(
            "ds", f"p{number // 2}_visit{number % 2}", f"g{number // 2}", "", picture(f"f{number}"),
            labels=(Label(label, label),), acquisition=Acquisition("X-ray", "chest", "PA" if number % 2 else "lateral"),
        )  # fmt: skip


def pool():
    kinds = [load("converters", name) for name in ("caption", "multiple_choice", "yes_no", "open_question")]
    for case in films():
        rows = tuple(row for kind in kinds for row in kind(kind.Options()).convert(case, Context(SPEC)))
        yield Lent(case, rows, case.images)


OPTIONS = {
    "visits": {"visit": r"visit(\d)", "per_case": 4},
    "which_case": {"rounds": 4},
    "in_context": {"same_answer": "last"},
}


def episodes(name):
    cases_ = list(pool())
    kind = load("episodes", name)
    return cases_, list(kind(kind.Options(**OPTIONS.get(name, {}))).convert_many(cases_, Context(SPEC, 9)))


def label_of(lent):
    return lent.case.labels[0].name


def check_which_case(cases_, one):
    (label,) = plain.named(one.row.messages[0].content.split("\nA:")[0], SPEC)
    shown = [label_of(cases_[number]) == label for number in one.lenders]
    odd = ".odd-" in one.row.provenance.template
    assert [place for place, true in enumerate(shown) if true != odd] == [one.row.answer_index]
    assert len({cases_[number].case.group for number in one.lenders}) == len(one.lenders)


def check_visits(cases_, one):
    before, after = (cases_[number] for number in one.lenders)
    assert before.case.group == after.case.group and before.case.key.endswith("0") and after.case.key.endswith("1")
    (label,) = plain.named(one.row.messages[0].content.split("\nA:")[0], SPEC)
    table = {(0, 0): "absent both times", (0, 1): "new", (1, 0): "resolved", (1, 1): "present both times"}
    assert one.row.answer == table[label_of(before) == label, label_of(after) == label]


def check_two_views(cases_, one):
    word = "lateral" if "lateral" in one.row.messages[0].content else "PA"
    views = [cases_[number].case.acquisition.view for number in one.lenders]
    assert sorted(views) == ["PA", "lateral"] and views[one.row.answer_index] == word
    assert len({cases_[number].case.group for number in one.lenders}) == 1


def check_interleaved(cases_, one):
    parts = re.split(r"\n\n", one.row.messages[0].content)[1:]
    told = [part.split("\n", 1)[1] for part in parts[:-1]] + [one.row.messages[1].content]
    assert [part.split("\n")[0] for part in parts] == ["<image>"] * len(one.lenders)
    for number, caption in zip(one.lenders, told, strict=True):
        said = plain.named(caption, SPEC)
        label = label_of(cases_[number])
        assert said == [label] or (label == "no finding" and "no abnormal findings" in caption)
    assert len({cases_[number].case.group for number in one.lenders}) == len(one.lenders)


def check_in_context(cases_, one):
    """The last question is the owner's own, every example an own question of its lender with its own answer."""
    query = cases_[one.owner]
    (row,) = [row for row in query.rows if row.messages[0].content in one.row.messages[0].content]
    assert one.row.messages[1] == row.messages[1] and one.row.messages[0].content.endswith(row.messages[0].content)
    examples = re.findall(r"Example \d+:\n(.*?)\nAnswer: (.*?)\n\n", one.row.messages[0].content, re.S)
    assert len(examples) == len(one.lenders) - 1
    for number, (question, answer) in zip(one.lenders, examples, strict=False):
        shown = cases_[number]
        assert any(row.messages[0].content == question and row.messages[1].content == answer for row in shown.rows)
        assert shown.case.group != query.case.group
    assert dict(one.row.scores)["same_answer_place"] == len(examples) - 1


EPISODES = {
    "which_case": check_which_case, "visits": check_visits, "two_views": check_two_views,
    "interleaved": check_interleaved, "in_context": check_in_context,
}  # fmt: skip


def test_every_episode_is_checked():
    assert set(EPISODES) == set(names("episodes"))


@pytest.mark.parametrize("name", EPISODES)
def test_episodes_say_what_their_cases_say(name):
    cases_, found = episodes(name)
    assert len(found) >= 3
    for one in found:
        EPISODES[name](cases_, one)
        assert tuple(one.row.images) == tuple(cases_[number].case.images[0] for number in one.lenders)


@pytest.mark.parametrize("name", ["which_case", "visits", "two_views"])
def test_the_check_of_episodes_finds_swapped_answers(name):
    cases_, found = episodes(name)
    wrong = 0
    for one in found:
        if name == "visits":
            turned = replace(one.row, answer="resolved" if one.row.answer == "new" else "new")
        else:
            turned = replace(one.row, answer_index=(one.row.answer_index + 1) % len(one.lenders))
        with pytest.raises(AssertionError):
            EPISODES[name](cases_, replace(one, row=turned))
        wrong += 1
    assert wrong == len(found)
