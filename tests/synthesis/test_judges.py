"""Judges that ask a model about rows: image needed, agreement, consistency; what each asks and what it keeps."""

import json

import pytest

from schemas.case import Case, ImageRef, Label
from schemas.context import Context
from schemas.instruction import Instruction, Message, Provenance
from schemas.recipe import Choice
from schemas.spec import DatasetSpec
from schemas.view import View
from schemas.work import Work
from synthesis.ask_again import (
    Agreement,
    AgreementOptions,
    ImageNeeded,
    ImageNeededOptions,
    least_right,
    stem_of,
    turned,
)
from synthesis.checks.rows import CheckOptions
from synthesis.consistency import Consistency, ConsistencyOptions
from synthesis.pipeline import check_checks, open_tasks, synthesise
from tests.synthesis.test_chains import Scripted

REF = ImageRef(("a.png",), "image/png", View(source_width=40, source_height=40, width=40, height=40))
OPTIONS = ("nodule", "effusion", "fracture", "mass", "normal")
ASKED = "What is it?\n" + "\n".join(f"{letter}. {option}" for letter, option in zip("ABCDE", OPTIONS, strict=True))


def row_of(asked=ASKED, said="B. effusion", task="mcq", options=OPTIONS, answer="effusion", index=1):
    turns = (Message("user", f"<image>\n{asked}"), Message("assistant", said))
    return Instruction(
        "r", task, turns, Provenance("mcq"), (REF,), options=options, answer=answer, answer_index=index
    )  # fmt: skip


OPEN = {
    "asked": "What is it?",
    "said": "An effusion.",
    "task": "open",
    "options": (),
    "answer": "effusion",
    "index": -1,
}


def judged(judge, script, picture, row, **options):
    engine = Scripted(script)
    kind = {ImageNeeded: ImageNeededOptions, Agreement: AgreementOptions, Consistency: ConsistencyOptions}[judge]
    case = Case("films", "1", None, "", images=(REF,), labels=(Label("effusion", "e"),))
    work = Work("1", case, rows=[row], pictures={REF: picture()})
    (done,) = judge(kind(**options), engine).judge(iter([work]), ["mcq"])
    return done, engine


@pytest.mark.parametrize(
    ("tries", "options", "least"),
    [
        (5, 5, 4),  # 3 of 5 right by luck: 0.058; 4 of 5: 0.0067
        (5, 4, 4),  # 3 of 5: 0.104; 4 of 5: 0.0156
        (5, 2, 5),  # 4 of 5: 0.19; 5 of 5: 0.031
        (4, 2, 5),  # even 4 of 4 is luck with 0.0625: never
        (10, 4, 6),  # 5 of 10: 0.078; 6 of 10: 0.0197
        (5, 0, 3),  # open: more than half
    ],
)
def test_how_many_right_answers_are_no_luck(tries, options, least):
    assert least_right(tries, options, 0.05) == least


def test_the_question_is_asked_without_the_picture_in_every_order(picture):
    done, engine = judged(ImageNeeded, lambda request: {"answer": "mass"}, picture, row_of())
    assert len(engine.asked) == 5
    assert all(request.images == () for request in engine.asked)
    firsts = [request.messages[1][1].split("\nA. ")[1].split("\n")[0] for request in engine.asked]
    assert firsts == list(OPTIONS), "every option stands first once"
    assert "What is it?" in engine.asked[0].messages[1][1]
    (row,) = done.rows
    (said,) = row.provenance.verdicts
    assert (said.check, said.verdict, said.score) == ("image_needed", "needed", 0.0)


def test_what_is_answered_without_the_picture_is_dropped(picture):
    done, _ = judged(ImageNeeded, lambda request: {"answer": "effusion"}, picture, row_of())
    ((row, drop),) = done.refused
    assert (drop.reason, drop.detail) == (
        "answerable_blind", "5 of 5 tries without the picture gave the answer",
    )  # fmt: skip
    assert row.provenance.verdicts[-1].verdict == "answerable"


def test_who_always_says_the_first_letter_knows_nothing(picture):
    def first(request):
        return {"answer": request.messages[1][1].split("\nA. ")[1].split("\n")[0]}

    done, _ = judged(ImageNeeded, first, picture, row_of())
    assert done.rows[0].provenance.verdicts[-1].score == 0.2


def test_an_open_question_is_sampled(picture):
    said = [{"answer": text} for text in ("An effusion.", "effusions", "No effusion", "A mass", "Effusion")]
    done, engine = judged(ImageNeeded, lambda request: said, picture, row_of(**OPEN))
    assert [request.samples for request in engine.asked] == [5]
    assert done.refused[0][1].detail.startswith("3 of 5 ")
    done, _ = judged(ImageNeeded, lambda request: said[1:4], picture, row_of(**OPEN))
    assert done.rows[0].provenance.verdicts[-1].score == 0.2, "tries without an answer count as wrong"


def test_agreement_shows_the_picture_and_wants_the_answer_back(picture):
    said = [{"answer": text} for text in ("Effusion", "Effusion", "mass", "mass", "mass")]
    done, engine = judged(Agreement, lambda request: said, picture, row_of(**OPEN))
    assert len(engine.asked[0].images) == 1
    assert done.refused[0][1].reason == "no_agreement"
    done, _ = judged(Agreement, lambda request: said, picture, row_of(**OPEN), minimum=0.4)
    (said_of,) = done.rows[0].provenance.verdicts
    assert (said_of.verdict, said_of.score) == ("agrees", 0.4)


def test_long_answers_are_not_asked_again(picture):
    long = row_of(**OPEN | {"answer": "A long description of everything that can be seen in this picture here."})
    done, engine = judged(ImageNeeded, lambda request: {"answer": "x"}, picture, long)
    assert (engine.asked, done.rows) == ([], [long])


@pytest.mark.parametrize("verdict", ["yes", "no", "open"])
def test_only_yes_is_consistent(picture, verdict):
    row = row_of(**OPEN | {"said": "The angle is blunted.\n\nAnswer: effusion"})
    done, engine = judged(Consistency, lambda request: {"verdict": verdict}, picture, row)
    asked = engine.asked[0]
    assert asked.images == ()
    assert "Reasons: The angle is blunted." in asked.messages[1][1]
    assert "Short answer: effusion" in asked.messages[1][1]
    assert asked.schema["properties"]["verdict"]["enum"] == ["yes", "no", "open"]
    assert (len(done.rows), len(done.refused)) == ((1, 0) if verdict == "yes" else (0, 1))
    row = (done.rows or [done.refused[0][0]])[0]
    assert (row.provenance.verdicts[-1].check, row.provenance.verdicts[-1].verdict) == ("consistency", verdict)


def test_stem_and_turned_options():
    assert stem_of(row_of()) == "What is it?"
    assert turned(OPTIONS, 2) == ("fracture", "mass", "normal", "nodule", "effusion")


def test_judges_are_asked_of_the_writer_where_no_engine_is_named(picture):
    check_checks({"image_needed": {}, "consistency": {}, "agreement": {"tries": 3}})
    assert CheckOptions().image_needed is None
    spec = DatasetSpec.model_validate(
        {
            "name": "films", "title": "F", "license": "CC0-1.0", "access": "open", "root": "/x",
            "reader": {"type": "class_folders"}, "modality": "X-ray", "anatomy": "chest", "clinical_task": "diagnosis",
        }
    )  # fmt: skip

    def script(request):
        names = list(request.schema["properties"])
        if "wrong" in names:
            return {"question": "What is it?", "right": "effusion", "wrong": ["mass", "nodule", "fracture"]}
        return {"answer": "effusion"}

    case = Case("films", "1", None, "", images=(REF,), labels=(Label("effusion", "e"),))
    engine = Scripted(script)
    works = iter([Work("1", case, pictures={REF: picture()})])
    tasks = open_tasks([Choice(type="mcq")])
    (work,) = synthesise(works, tasks, engine, Context(spec), {"image_needed": {}})
    assert [drop.reason for _, drop in work.refused] == ["answerable_blind"]
    assert json.dumps(engine.asked[1].schema).count("effusion") == 1
