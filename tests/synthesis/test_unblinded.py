"""The task unblinded: what the model is told, and the rows that come of its answer."""

import json
from dataclasses import replace

import pytest

from schemas.case import Acquisition, Case, ImageRef, Label, Region, Text
from schemas.context import Context
from schemas.errors import UserError
from schemas.recipe import Choice
from schemas.spec import DatasetSpec
from schemas.view import View
from synthesis.base import Answer, Failure
from synthesis.facts import about_the_case, facts
from synthesis.pipeline import open_tasks
from synthesis.unblinded import Unblinded, UnblindedOptions

VIEW = View(source_width=90, source_height=60, width=90, height=60)
FIRST = ImageRef(("a.png",), "image/png", VIEW)
SECOND = ImageRef(("b.png",), "image/png", VIEW.resized(180, 120))
CASE = Case(
    dataset="films", key="7", group=None, split="", images=(FIRST, SECOND),
    labels=(
        Label("pleural effusion", "PE"), Label("nodule", "N", "absent"), Label("oedema", "O", "uncertain"),
        Label("rib fracture", "R", "present", 1),
    ),
    regions=(
        Region("pleural effusion", "PE", "box", 0, (0, 50, 10, 60)),
        Region("lung", "L", "box", 1, (40, 25, 50, 35)),
        Region("lung", "L", "box", 1, (62, 0, 88, 10), instance="2"),
        Region("lung", "L", "box", 1, (62, 0, 80, 9), instance="2"),
    ),
    texts=(Text("caption", " A chest film. "), Text("text", " ")),
    acquisition=Acquisition(modality="X-ray", view="PA"),
)  # fmt: skip
SPEC = DatasetSpec.model_validate(
    {
        "name": "films", "title": "Films", "license": "CC0-1.0", "access": "open", "root": "/x",
        "reader": {"type": "class_folders"}, "modality": "X-ray", "anatomy": "chest", "clinical_task": "diagnosis",
    }
)  # fmt: skip
CONTEXT = Context(SPEC, seed=1)
SAID = {"description": "Blunted angle.", "question": "What is at the base?", "answer": "An effusion."}


def answer(text):
    return Answer((text,), "d" * 32, "vlm", "r1", "{}", stored=False)


@pytest.fixture
def task():
    return Unblinded(UnblindedOptions())


@pytest.fixture
def shown(picture):
    return {FIRST: picture((9, 9, 9)), SECOND: picture((8, 8, 8))}


def test_facts_of_both_pictures():
    assert [(fact.path, fact.sentence) for fact in facts(CASE, (FIRST, SECOND))] == [
        ("acquisition.modality", "modality: X-ray."),
        ("acquisition.view", "view: PA."),
        ("labels[0]", "pleural effusion: present."),
        ("labels[1]", "nodule: absent."),
        ("labels[2]", "oedema: possible, not certain."),
        ("labels[3]", "rib fracture: present (picture 2)."),
        ("regions[1],regions[2],regions[3]", "number of lung: 2."),
        ("regions[0]", "number of pleural effusion: 1."),
        ("regions[0]", "pleural effusion in the lower left of the picture (picture 1)."),
        ("regions[1]", "lung in the centre of the picture (picture 2)."),
        ("regions[2]", "lung in the upper right of the picture (picture 2)."),
        ("regions[3]", "lung in the upper right of the picture (picture 2)."),
        ("texts[0]", "caption: A chest film."),
    ]


def test_facts_of_one_picture_leave_the_other_out():
    sentences = [fact.sentence for fact in facts(CASE, (FIRST,))]
    assert not any("lung" in sentence or "fracture" in sentence or "(picture" in sentence for sentence in sentences)


def test_the_dataset_says_what_the_case_does_not():
    known = facts(replace(CASE, acquisition=Acquisition(view="PA")), (FIRST,), SPEC)
    assert [(fact.path, fact.sentence) for fact in known[:3]] == [
        ("spec.modality", "modality: X-ray."), ("spec.anatomy", "anatomy: chest."), ("acquisition.view", "view: PA."),
    ]  # fmt: skip
    bare = replace(CASE, acquisition=Acquisition(), labels=(), regions=(), texts=())
    assert not about_the_case(facts(bare, (FIRST,), SPEC)), "what holds of every case is nothing to write about"
    assert about_the_case(facts(CASE, (FIRST,), SPEC))


def test_sides_of_the_patient_and_millimetres_where_the_header_tells():
    """A film seen from the front: the picture's right is the patient's left; 90 x 60 pixels of 0.5 x 2 mm."""
    ref = replace(FIRST, view=replace(VIEW, orientation="LF", spacing=(0.5, 2.0)))
    regions = (
        Region("nodule", "N", "box", 0, (0, 0, 9, 6)), Region("nodule", "N", "point", 0, (80, 50, 80, 50)),
    )  # fmt: skip
    known = facts(replace(CASE, images=(ref,), labels=(), regions=regions, texts=(), complete_regions=False), (ref,))
    assert [(fact.path, fact.sentence) for fact in known[2:]] == [
        ("images[0].view.orientation", "the left of the picture is the patient's right."),
        ("regions[0]", "nodule in the upper left of the picture, 4.5 x 12 mm."),
        ("regions[1]", "nodule in the lower right of the picture."),
    ]
    turned = replace(ref, view=replace(ref.view, orientation="RF"))
    known = facts(replace(CASE, images=(turned,), labels=(), regions=(), texts=()), (turned,))
    assert known[-1].sentence == "the left of the picture is the patient's left."
    upright = replace(ref, view=replace(ref.view, orientation="PF"))
    known = facts(replace(CASE, images=(upright,), labels=(), regions=(), texts=()), (upright,))
    assert [fact.path for fact in known] == ["acquisition.modality", "acquisition.view"], (
        "left to right is front to back"
    )


def test_no_finding_is_said_in_words():
    found = (Label("no finding", "No Finding"), Label("nodule", "N", "absent"))
    assert facts(replace(CASE, labels=found, regions=(), texts=()), (FIRST,))[2].sentence == "no abnormal finding."
    found = (Label("no finding", "No Finding", "absent"), Label("nodule", "N"))
    assert [fact.sentence for fact in facts(replace(CASE, labels=found, regions=(), texts=()), (FIRST,))[2:]] == [
        "nodule: present."
    ]


def test_no_count_where_not_everything_is_annotated():
    assert not any("number of" in fact.sentence for fact in facts(replace(CASE, complete_regions=False), (FIRST,)))


def test_both_rows_ask_the_same_request(task, shown):
    (first_id, first), (second_id, second) = task.prompt(CASE, shown, CONTEXT)
    assert first == second
    assert first_id != second_id
    assert [image.sha256 for image in first.images] == [shown[FIRST].sha256, shown[SECOND].sha256]
    assert list(first.schema["properties"]) == ["description", "question", "answer"]
    assert first.schema["properties"]["description"]["maxLength"] == 2000
    roles = [role for role, _ in first.messages]
    prompt = first.messages[1][1]
    assert roles == ["system", "user"]
    reference = prompt.split("<reference>")[1].split("</reference>")[0]
    assert "pleural effusion: present." in reference
    assert "{" not in prompt


def test_the_same_case_is_asked_the_same_way_and_another_seed_in_another(task, shown):
    prompts = [[request.messages for _, request in task.prompt(CASE, shown, Context(SPEC, seed))] for seed in range(12)]
    again = [request.messages for _, request in task.prompt(CASE, shown, Context(SPEC, 0))]
    assert prompts[0] == again
    assert len({str(prompt) for prompt in prompts}) > 4


def test_a_case_without_pictures_or_facts_is_not_asked_about(task, shown):
    bare = Case("films", "8", None, "", images=(FIRST,))
    assert list(task.prompt(bare, shown, CONTEXT)) == []
    assert list(task.prompt(CASE, {}, CONTEXT)) == []


def test_two_rows_with_complete_provenance(task, shown):
    ids = [row_id for row_id, _ in task.prompt(CASE, shown, CONTEXT)]
    caption, question = [task.parse(row_id, answer(json.dumps(SAID)), CASE, CONTEXT) for row_id in ids]
    assert (caption.task, caption.answer, caption.images) == ("caption", "Blunted angle.", (FIRST, SECOND))
    assert caption.messages[0].content.startswith("<image>\n<image>\n")
    assert caption.messages[1].content == "Blunted angle."
    assert question.task == "open"
    assert question.messages[0].content == "<image>\n<image>\nWhat is at the base?"
    assert question.messages[1].content == question.answer == "An effusion."
    for row in (caption, question):
        made = row.provenance
        assert (made.converter, made.model, made.revision, made.sampling) == ("unblinded", "vlm", "r1", "{}")
        assert (made.image_shown, made.request_digest, len(made.prompt_digest)) == (True, "d" * 32, 32)
        assert made.template.startswith("unblinded.")
        assert made.facts == (
            "acquisition.modality", "spec.anatomy", "acquisition.view",
            "labels[0]", "labels[1]", "labels[2]", "labels[3]",
            "regions[1]", "regions[2]", "regions[3]", "regions[0]", "texts[0]",
        )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        '{"description": "a", "question": "b"}',
        '{"description": "a", "question": "b", "answer": ""}',
        '{"description": "a", "question": "b", "answer": " "}',
        '{"description": "a", "question": "b", "answer": "c", "more": 1}',
        '{"description": "a", "question": "b", "answer": 3}',
        json.dumps({**SAID, "question": "x" * 401}),
    ],
)
def test_what_does_not_follow_the_schema_is_a_failure(task, shown, text):
    row_id = next(task.prompt(CASE, shown, CONTEXT))[0]
    failure = task.parse(row_id, answer(text), CASE, CONTEXT)
    assert isinstance(failure, Failure)
    assert failure.code == "invalid_json"


def test_the_short_style_is_short_and_has_another_digest(task, shown):
    short = Unblinded(UnblindedOptions(style="short"))
    row_id, request = next(short.prompt(CASE, shown, CONTEXT))
    assert len(request.messages) == 1
    assert len(request.messages[0][1].split()) < 100
    row = short.parse(row_id, answer(json.dumps(SAID)), CASE, CONTEXT)
    other = task.parse(row_id, answer(json.dumps(SAID)), CASE, CONTEXT)
    assert row.provenance.prompt_digest != other.provenance.prompt_digest


def test_a_prompt_of_ones_own(tmp_path, shown):
    path = tmp_path / "mine.yaml"
    path.write_text("version: 3\nstyles: {full: {user: 'Know: {facts} End', questions: ['What?']}}")
    (task,) = open_tasks([Choice(type="unblinded", options={"prompt": str(path), "rows": ["question"]})])
    ((_, request),) = task.prompt(CASE, shown, CONTEXT)
    assert request.messages[0][1].startswith("Know: modality: X-ray.")
    path = tmp_path / "wrong.yaml"
    path.write_text("version: 3\nstyles: {full: {user: 'Know: {fact}', questions: ['What?']}}")
    (task,) = open_tasks([Choice(type="unblinded", options={"prompt": str(path)})])
    with pytest.raises(UserError, match=r"\{fact\} cannot be filled in; there are facts, language, scene"):
        list(task.prompt(CASE, shown, CONTEXT))


def test_an_unknown_style_or_option_is_named():
    with pytest.raises(UserError, match="there is no style 'ful'; did you mean 'full'"):
        open_tasks([Choice(type="unblinded", options={"style": "ful"})])
    with pytest.raises(UserError, match="unknown key 'stile'; did you mean 'style'"):
        open_tasks([Choice(type="unblinded", options={"stile": "short"})])
