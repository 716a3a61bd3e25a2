"""The task unblinded: what the model is told, and the rows that come of its answer."""

import json

import pytest

from schemas.case import Acquisition, Case, ImageRef, Label, Region, Text
from schemas.context import Context
from schemas.errors import UserError
from schemas.recipe import Choice
from schemas.spec import DatasetSpec
from schemas.view import View
from synthesis.base import Answer, Failure
from synthesis.facts import facts
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


def test_no_count_where_not_everything_is_annotated():
    from dataclasses import replace

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
            "acquisition.modality", "acquisition.view", "labels[0]", "labels[1]", "labels[2]", "labels[3]",
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
