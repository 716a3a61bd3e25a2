"""The task rewrite: what is asked to go, and what may not come back."""

import json

import pytest

from schemas.case import Case, ImageRef, Text
from schemas.context import Context
from schemas.errors import UserError
from schemas.instruction import Instruction
from schemas.recipe import Choice
from schemas.spec import DatasetSpec
from schemas.view import View
from synthesis.base import Answer
from synthesis.pipeline import open_tasks
from synthesis.rewrite import PRIOR

REF = ImageRef(("a.png",), "image/png", View(source_width=9, source_height=9, width=9, height=9))
SPEC = DatasetSpec.model_validate(
    {
        "name": "films", "title": "F", "license": "CC0-1.0", "access": "open", "root": "/x",
        "reader": {"type": "class_folders"}, "modality": "X-ray", "anatomy": "chest", "clinical_task": "reports",
    }
)  # fmt: skip
CONTEXT = Context(SPEC, seed=1)
REPORT = "Mr. Doe. A 12 mm nodule in the left lung, unchanged since 2019. Both lungs are otherwise clear. CT advised."
CASE = Case(
    "films", "1", None, "", images=(REF,),
    texts=(Text("findings", REPORT), Text("section", "No effusion.", title="Pleura"), Text("history", "Cough.")),
)  # fmt: skip


def asked(picture, **options):
    (task,) = open_tasks([Choice(type="rewrite", options=options)])
    ((row_id, request),) = task.prompt(CASE, {REF: picture()}, CONTEXT)
    return task, row_id, request.messages[-1][1]


def rewritten(picture, text, **options):
    task, row_id, _ = asked(picture, **options)
    said = Answer((json.dumps({"text": text}),), "d" * 32, "vlm", "", "{}", False)
    return task.parse(row_id, said, CASE, CONTEXT)


def test_the_report_is_told_under_its_titles_and_the_history_is_not(picture):
    _, _, prompt = asked(picture)
    assert f"findings: {REPORT}\nPleura: No effusion." in prompt
    assert "Cough" not in prompt


def test_options_choose_what_is_asked_for(picture):
    _, _, everything = asked(picture)
    assert "Rewrite the report in English" in everything
    assert [word in everything for word in ("- names", "- comparisons", "- what cannot be seen", "- advice")] == [
        True
    ] * 4
    _, _, one = asked(picture, form="summary", remove=["priors"])
    assert "Summarise the report in English" in one
    assert [word in one for word in ("- names", "- comparisons", "- what cannot be seen", "- advice")] == [
        False, True, False, False,
    ]  # fmt: skip


def test_a_prompt_without_the_chosen_part_is_named(picture, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("version: 1\nstyles: {full: {user: '{form} {remove} {report}', parts: {report: a, identity: b}}}")
    with pytest.raises(UserError, match="there is no part 'priors'"):
        asked(picture, prompt=str(path))
    _, _, prompt = asked(picture, prompt=str(path), remove=["identity"])
    assert prompt.startswith("a b findings:")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("A 12 mm nodule lies in the left lung.", ""),
        ("There is a nodule. Both lungs are otherwise clear. There is no effusion.", ""),
        ("A 15 mm nodule lies in the left lung.", "added_to_report"),
        ("Two nodules lie in the left lung.", "added_to_report"),
        ("A 12 mm nodule lies in the left lung, unchanged.", "prior_left"),
        ("A 12 mm nodule is again seen in the left lung.", "prior_left"),
    ],
)
def test_what_comes_back_adds_nothing_and_speaks_of_no_earlier_film(picture, text, code):
    row = rewritten(picture, text)
    assert (row.answer if isinstance(row, Instruction) else row.code) == (code or text)
    if code:
        assert (row.status, row.digest) == ("quarantined", "d" * 32)


def test_a_side_that_the_report_does_not_name_is_added(picture):
    """Where the report speaks of both sides, either may be named."""
    assert isinstance(rewritten(picture, "The right lung is clear."), Instruction)
    one_sided = Case("films", "2", None, "", images=(REF,), texts=(Text("report", "A nodule in the left lung."),))
    (task,) = open_tasks([Choice(type="rewrite")])
    ((row_id, _),) = task.prompt(one_sided, {REF: picture()}, CONTEXT)
    said = Answer(('{"text": "A nodule in the right lung."}',), "d" * 32, "vlm", "", "{}", False)
    failure = task.parse(row_id, said, one_sided, CONTEXT)
    assert (failure.code, failure.detail) == ("added_to_report", "the text names a side that the report does not")


def test_comparisons_stay_where_they_are_not_to_go(picture):
    text = "A 12 mm nodule lies in the left lung, unchanged."
    assert rewritten(picture, text, remove=["identity", "advice"]).answer == text


@pytest.mark.parametrize(
    ("text", "speaks"),
    [
        ("compared with the previous examination", True),
        ("the effusion has slightly decreased", True),
        ("no significant interval change", True),
        ("interval removal of the tube", True),
        ("the heart remains stable in size", True),
        ("previous granulomatous disease", False),
        ("evidence of prior surgery", False),
        ("unstable fracture", False),
        ("no acute change of the bones", False),
        ("new bone formation", False),
    ],
)
def test_words_that_suppose_an_earlier_film(text, speaks):
    assert bool(PRIOR.search(text)) is speaks
