"""Every task: what is asked of a case, and the row that comes of an answer."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from schemas import plugins
from schemas.case import Acquisition, Case, ImageRef, Label, Text
from schemas.context import Context
from schemas.instruction import TASKS, Instruction
from schemas.recipe import Choice
from schemas.spec import DatasetSpec
from schemas.view import View
from schemas.yaml_file import load_yaml
from synthesis import prompt_file
from synthesis.base import Answer, Failure
from synthesis.chain import About, Stages
from synthesis.checks import wording
from synthesis.checks.rows import CheckOptions, RowChecker
from synthesis.pipeline import open_tasks
from synthesis.prompt_file import PromptFile, checklist

REF = ImageRef(("a.png",), "image/png", View(source_width=9, source_height=9, width=9, height=9))
LABELS = {"n": "neutrophil", "m": "monocyte", "l": "lymphocyte", "e": "eosinophil", "b": "basophil", "p": "platelet"}
SPEC = DatasetSpec.model_validate(
    {
        "name": "smears", "title": "S", "license": "CC0-1.0", "access": "open", "root": "/x", "labels": LABELS,
        "reader": {"type": "class_folders"}, "modality": "microscopy", "anatomy": "blood", "clinical_task": "diagnosis",
        "label_kind": "multi_class",
    }
)  # fmt: skip
CONTEXT = Context(SPEC, seed=1)
CHOICE = {"question": "Which cell?", "right": "neutrophil", "wrong": ["monocyte", "platelet", "basophil"]}
PARTS = {"modality": "A smear.", "organs": "Blood", "findings": "One cell.", "texture": "Purple", "relations": "Alone."}
TURNS = [{"question": "What?", "answer": "A cell."}, {"question": "Which?", "answer": "A neutrophil."}]
SAID = {
    "blinded": {"turns": TURNS},
    "caption": PARTS,
    "dialogue": {"turns": TURNS},
    "instructions": {"question": "Which cell?", "informative": "Its nucleus is lobed.", "precise": "neutrophil"},
    "label_captions": {"captions": ["A neutrophil.", "One neutrophil in blood.", "a neutrophil."]},
    "mcq": CHOICE,
    "reasoning": {"reasoning": "The nucleus is lobed.", "answer": "neutrophil"},
    "report_qa": {"plane": CHOICE, "phase": None, "organ": CHOICE, "abnormality": None, "position": None},
    "rewrite": {"text": "A neutrophil is seen."},
    "unblinded": {"description": "A cell.", "question": "Which?", "answer": "A neutrophil."},
}
NAMES = sorted(SAID)
CHAINS = ("long_caption", "preference", "translate")
"""Tasks of several requests; see test_chains.py."""


def case(key="1", label="neutrophil"):
    texts = (Text("report", "One neutrophil."),)
    made = Acquisition(modality="microscopy")
    return Case("smears", key, None, "", images=(REF,), labels=(Label(label, "n"),), texts=texts, acquisition=made)


def answer(*texts, samples=1):
    return Answer(tuple(json.dumps(text) for text in texts), "d" * 32, "vlm", "", "{}", False, samples=samples)


def task_of(name, **options):
    (task,) = open_tasks([Choice(type=name, options=options)])
    return task


def rows_of(task, said, about=None, shown=None, samples=1):
    about = about or case()
    asked = list(task.prompt(about, shown, CONTEXT))
    texts = said if isinstance(said, list) else [said]
    return [task.parse(row_id, answer(*texts, samples=samples), about, CONTEXT) for row_id, _ in asked]


@pytest.fixture
def shown(picture):
    return {REF: picture()}


def test_every_registered_task_is_tested_here():
    assert {*NAMES, *CHAINS} == set(plugins.names("tasks"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("style", ["full", "short"])
def test_the_prompt_is_filled_and_its_digest_goes_with_the_rows(name, style, shown):
    task = task_of(name, style=style)
    asked = list(task.prompt(case(), shown, CONTEXT))
    assert asked
    assert len({row_id for row_id, _ in asked}) == len(asked)
    for _, request in asked:
        text = "\n".join(text for _, text in request.messages)
        assert "{" not in text
        assert "neutrophil" in text
        assert request.schema["required"] == list(request.schema["properties"])
        assert bool(request.images) == task.shows_image
    for row in rows_of(task, SAID[name], shown=shown):
        if isinstance(row, Instruction):
            made = row.provenance
            assert (made.converter, made.model, made.image_shown) == (name, "vlm", task.shows_image)
            assert len(made.prompt_digest) == 32
            assert row.task in TASKS
            assert row.messages[0].content.startswith("<image>\n")
            assert [message.role for message in row.messages[:2]] == ["user", "assistant"]


@pytest.mark.parametrize("path", sorted(prompt_file.FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_fixed_questions_betray_nothing(path):
    if path.stem in ("checklists", "verifier"):
        return
    if path.stem in (*CHAINS, "consistency"):
        questions = load_yaml(path, Stages).questions
    else:
        questions = [q for style in load_yaml(path, PromptFile).styles.values() for q in style.questions]
    assert [q for q in questions if list(wording.problems(q, allow_advice=False))] == []


def test_caption_joins_its_parts(shown):
    (row,) = rows_of(task_of("caption"), PARTS, shown=shown)
    assert row.messages[1].content == "A smear. Blood. One cell. Purple. Alone."
    assert row.task == "caption"


@pytest.mark.parametrize(
    ("modality", "word"),
    [("CT", "attenuation"), ("Blood microscopy", "nuclei"), ("OCT", "retina"), ("Scintigraphy", "normal")],
)
def test_the_checklist_fits_the_modality(modality, word):
    assert word in checklist(modality)


def test_captions_of_labels_are_rows_of_their_own(shown):
    rows = rows_of(task_of("label_captions", count=3), SAID["label_captions"], shown=shown)
    assert [row.code if isinstance(row, Failure) else row.answer for row in rows] == [
        "A neutrophil.", "One neutrophil in blood.", "fewer_captions",
    ], "two of the three are the same"  # fmt: skip
    assert len({row.id for row in rows[:2]}) == 2


def test_dialogue_keeps_all_turns(shown):
    (row,) = rows_of(task_of("dialogue"), {"turns": TURNS}, shown=shown)
    assert [message.content for message in row.messages] == [
        "<image>\nWhat?", "A cell.", "Which?", "A neutrophil.",
    ]  # fmt: skip
    (failure,) = rows_of(task_of("dialogue"), {"turns": TURNS[:1]}, shown=shown)
    assert failure.code == "invalid_json"


def test_blinded_needs_words_and_shows_nothing(shown):
    bare = Case("smears", "2", None, "", images=(REF,), labels=(Label("neutrophil", "n"),))
    assert list(task_of("blinded").prompt(bare, shown, CONTEXT)) == []


def test_instructions_end_with_the_precise_answer(shown):
    (row,) = rows_of(task_of("instructions"), SAID["instructions"], shown=shown)
    assert row.messages[1].content == "Its nucleus is lobed.\n\nAnswer: neutrophil"
    assert row.answer == "neutrophil"


def test_mcq_letters_are_balanced_and_the_key_is_right(shown):
    places = Counter()
    for number in range(200):
        (row,) = rows_of(task_of("mcq"), CHOICE, case(str(number)), shown)
        assert row.options[row.answer_index] == row.answer == "neutrophil"
        assert sorted(row.options) == ["basophil", "monocyte", "neutrophil", "platelet"]
        assert row.messages[1].content == f"{'ABCD'[row.answer_index]}. neutrophil"
        assert f"{'ABCD'[row.answer_index]}. neutrophil" in row.messages[0].content
        places[row.answer_index] += 1
    assert all(30 <= places[place] <= 70 for place in range(4)), "50 expected of each"


def test_mcq_refuses_equal_options(shown):
    (failure,) = rows_of(task_of("mcq"), {**CHOICE, "wrong": ["monocyte", "Neutrophil ", "basophil"]}, shown=shown)
    assert failure.code == "invalid_json"


def test_a_question_that_names_its_answer_is_refused(shown):
    said = {**CHOICE, "question": "Which of these is the neutrophil with the lobed nucleus?"}
    (failure,) = rows_of(task_of("mcq"), said, shown=shown)
    assert (failure.code, failure.status) == ("answer_in_question", "quarantined")
    five = {**SAID["report_qa"], "organ": said}
    assert [getattr(row, "code", "kept") for row in rows_of(task_of("report_qa"), five, shown=shown)] == [
        "kept", "not_in_report", "answer_in_question", "not_in_report", "not_in_report",
    ]  # fmt: skip


def test_report_qa_makes_the_questions_that_the_report_answers(shown):
    rows = rows_of(task_of("report_qa"), SAID["report_qa"], shown=shown)
    assert [row.status if isinstance(row, Failure) else row.task for row in rows] == [
        "mcq", "filtered", "mcq", "filtered", "filtered",
    ]  # fmt: skip


def test_reasoning_keeps_what_arrives_at_the_annotation(shown):
    task = task_of("reasoning", samples=4, temperature=0.8, hint=False)
    ((_, request),) = task.prompt(case(), shown, CONTEXT)
    assert (request.samples, request.temperature) == (4, 0.8)
    choices = request.schema["properties"]["answer"]["enum"]
    assert len(choices) == 5
    assert "neutrophil" in choices
    wrong = next(choice for choice in choices if choice != "neutrophil")
    said = [
        {"reasoning": "Dark.", "answer": wrong}, {"reasoning": "Lobed.", "answer": "neutrophil"},
        {"reasoning": "Granules.", "answer": "neutrophil"},
    ]  # fmt: skip
    (row,) = rows_of(task, said, shown=shown, samples=4)
    assert row.scores == (("pass_rate", 0.5),), "2 of 4; the cut sample counts as wrong"
    assert row.messages[1].content.startswith("Lobed.\n\nAnswer: ")
    assert row.options[row.answer_index] == "neutrophil"
    (failure,) = rows_of(task, said[:1], shown=shown, samples=4)
    assert (failure.code, failure.status) == ("wrong_answer", "quarantined")


def test_who_was_told_is_asked_again_untold_for_the_difficulty(shown):
    task = task_of("reasoning", samples=4)
    about = About(case(), shown, CONTEXT, RowChecker(CheckOptions(), CONTEXT))
    ((row_id, told),) = task.start(about)
    other = next(name for name in told.schema["properties"]["answer"]["enum"] if name != "neutrophil")
    right, wrong = ({"reasoning": "Lobed.", "answer": name} for name in ("neutrophil", other))
    first = answer(right, right, right, wrong, samples=4)
    untold = task.follow(row_id, [first], about)
    assert "The right answer is" in told.messages[1][1]
    assert "The right answer is" not in untold.messages[1][1]
    assert (untold.samples, untold.schema) == (4, told.schema)
    both = [first, replace(answer(wrong, right, wrong, wrong, samples=4), digest="e" * 32)]
    assert task.follow(row_id, both, about) is None
    row = task.finish(row_id, both, about)
    assert row.scores == (("told_pass_rate", 0.75), ("pass_rate", 0.25))
    assert (row.provenance.facts, row.provenance.steps) == (("labels[0]",), ("untold:" + "e" * 32,))
    never = task.follow(row_id, [answer(wrong, samples=4)], about)
    assert (never.code, never.status) == ("wrong_answer", "quarantined")
    hard = task_of("reasoning", samples=4, minimum_pass_rate=0.5).finish(row_id, both, about)
    assert hard.detail == "1 of 4 samples arrived at the annotated answer"
    (once,) = task_of("reasoning", difficulty=False).start(about)
    assert task_of("reasoning", difficulty=False).follow(once[0], [answer(right)], about) is None


def test_a_wrong_choice_is_known_to_be_wrong(shown):
    """Of a multi-label film nothing is known of the mass, and a lung nodule is a nodule."""
    named = {"e": "pleural effusion", "m": "mass", "n": "nodule", "l": "lung nodule", "p": "pneumonia"}
    films = Context(SPEC.model_copy(update={"labels": named, "label_kind": "multi_label"}), seed=1)
    said = (Label("lung nodule", "l"), Label("nodule", "n", "absent"), Label("pneumonia", "p", "absent"))
    film = Case("smears", "1", None, "", images=(REF,), labels=said)
    task = task_of("reasoning")
    assert sorted(task.choices(task.setting(film, films))) == ["lung nodule", "pneumonia"]
    alone = Case("smears", "2", None, "", images=(REF,), labels=(Label("mass", "m"),))
    assert list(task.prompt(alone, shown, films)) == []


def test_reasoning_without_hint_does_not_tell(shown):
    told, untold = (next(task_of("reasoning", hint=hint).prompt(case(), shown, CONTEXT))[1] for hint in (True, False))
    assert "The right answer is neutrophil" in told.messages[1][1]
    assert "right answer" not in untold.messages[1][1]


def test_reasoning_needs_one_true_label(shown):
    two = Case("smears", "1", None, "", images=(REF,), labels=(Label("neutrophil", "n"), Label("platelet", "p")))
    assert list(task_of("reasoning").prompt(two, shown, CONTEXT)) == []


def test_rewrite_may_leave_nothing(shown):
    (failure,) = rows_of(task_of("rewrite"), {"text": " "}, shown=shown)
    assert (failure.code, failure.status) == ("nothing_left", "filtered")


def test_arms_of_the_ablation(shown):
    arms = {arm: task_of("unblinded", arm=arm) for arm in ("unblinded", "text_only", "image_only")}
    asked = {arm: list(task.prompt(case(), shown, CONTEXT)) for arm, task in arms.items()}
    assert len({row_id for rows in asked.values() for row_id, _ in rows}) == 6
    told = {arm: "neutrophil" in str(rows[0][1].messages) for arm, rows in asked.items()}
    seen = {arm: bool(rows[0][1].images) for arm, rows in asked.items()}
    assert told == {"unblinded": True, "text_only": True, "image_only": False}
    assert seen == {"unblinded": True, "text_only": False, "image_only": True}
    row = rows_of(arms["text_only"], SAID["unblinded"], shown=shown)[0]
    assert row.provenance.image_shown is False
    row = rows_of(arms["image_only"], SAID["unblinded"], shown=shown)[0]
    assert row.provenance.facts == ()


def test_the_language_of_the_run_is_asked_for(shown):
    for language, word in (("en", "English"), ("zh", "Chinese"), ("tlh", "tlh")):
        ((_, request), *_) = task_of("unblinded").prompt(case(), shown, Context(SPEC, 1, language))
        assert f"in {word}." in request.messages[1][1]


def test_prompts_are_installed_with_the_package(root):
    assert Path(prompt_file.FOLDER) == root / "synthesis" / "prompts"
    assert {path.stem for path in prompt_file.FOLDER.glob("*.yaml")} >= set(NAMES)
