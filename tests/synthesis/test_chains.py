"""Tasks of several requests: what each stage is asked, what the row says of them, and how many cases keep going."""

import json
from concurrent.futures import Future
from dataclasses import replace
from hashlib import sha256

import pytest

from schemas.case import Acquisition, Case, ImageRef, Label, Region
from schemas.context import Context
from schemas.errors import UserError
from schemas.instruction import Instruction, Message, Provenance
from schemas.recipe import Choice
from schemas.spec import DatasetSpec
from schemas.view import View
from schemas.work import Work
from synthesis.base import Answer, Failure
from synthesis.knowledge import KnowledgeOptions, open_knowledge
from synthesis.pipeline import open_tasks, synthesise
from synthesis.translate import pieces

REF = ImageRef(("a.png",), "image/png", View(source_width=40, source_height=40, width=40, height=40))
SPEC = DatasetSpec.model_validate(
    {
        "name": "films", "title": "F", "license": "CC0-1.0", "access": "open", "root": "/x",
        "labels": {"e": "pleural effusion", "n": "nodule"}, "label_kind": "multi_class",
        "reader": {"type": "class_folders"}, "modality": "X-ray", "anatomy": "chest", "clinical_task": "diagnosis",
    }
)  # fmt: skip
CONTEXT = Context(SPEC, seed=1)


def case(key="1", regions=()):
    made = Acquisition(modality="X-ray")
    return Case(
        "films", key, None, "", images=(REF,), labels=(Label("pleural effusion", "e"),), regions=regions,
        acquisition=made,
    )  # fmt: skip


def row_of(said="There is a pleural effusion.", asked="What is seen?", task="open", **fields):
    turns = (Message("user", f"<image>\n{asked}"), Message("assistant", said))
    return Instruction("r1", task, turns, Provenance("caption"), (REF,), answer=fields.pop("answer", said), **fields)


class Scripted:
    """Answers at once by a function of the request; remembers what it was asked."""

    capacity = 4
    answers = "unused"

    def __init__(self, script):
        self.script, self.asked, self.accounts = script, [], 0

    def submit(self, request):
        self.asked.append(request)
        said = self.script(request)
        digest = sha256(repr((request.messages, request.samples)).encode()).hexdigest()[:32]
        done = Future()
        if isinstance(said, Failure):
            done.set_result(said)
        else:
            texts = said if isinstance(said, list) else [said]
            texts = tuple(json.dumps(text) for text in texts)
            done.set_result(Answer(texts, digest, "vlm", "", "{}", False, samples=request.samples))
        return done

    def account(self):
        self.accounts += 1

    def close(self):
        pass


def run(name, options, script, picture, about=None, rows=(), cases=1):
    engine = Scripted(script)
    tasks = open_tasks([Choice(type=name, options=options)])
    works = []
    for number in range(cases):
        subject = about or case(str(number))
        works.append(Work(subject.key, subject, rows=list(rows), pictures={REF: picture()}))
    return list(synthesise(iter(works), tasks, engine, CONTEXT)), engine


def stage_of(request):
    """Which stage of a long caption a request is."""
    text = request.messages[-1][1]
    marks = {
        "short caption of two": "metadata", "regions are marked": "annotation", "notes on each": "notes",
        "in which an expert would dictate": "caption", "Merge all": "merged",
    }  # fmt: skip
    return next(stage for mark, stage in marks.items() if mark in text)


def test_five_stages_of_a_long_caption_and_what_each_is_told(picture):
    region = Region("nodule", "n", "box", 0, (10, 10, 20, 20))
    works, engine = run(
        "long_caption",
        {},
        lambda request: {"text": f"Written at {stage_of(request)}: a pleural effusion."},
        picture,
        case("1", (region,)),
    )
    assert [stage_of(request) for request in engine.asked] == [
        "metadata", "annotation", "notes", "caption", "merged",
    ]  # fmt: skip
    _, annotation, notes, caption, merged = engine.asked
    assert "Written at metadata: a" in annotation.messages[-1][1]
    assert "Written at annotation: a" in caption.messages[-1][1]
    assert "Written at notes: a" in caption.messages[-1][1]
    assert "Written at caption: a" in merged.messages[-1][1]
    plain = picture().sha256
    assert [len(one.images) for one in engine.asked] == [0, 1, 1, 1, 0]
    assert annotation.images[0].sha256 != plain, "its regions are drawn in"
    assert notes.images[0].sha256 == caption.images[0].sha256 == plain
    (row,) = works[0].rows
    assert row.messages[1].content == "Written at merged: a pleural effusion."
    assert [step.split(":")[0] for step in row.provenance.steps] == [
        "metadata", "annotation", "notes", "caption", "merged",
    ]  # fmt: skip
    assert len({step.split(":")[1] for step in row.provenance.steps}) == 5


def test_a_stage_that_fails_ends_the_chain_with_its_reason(picture):
    def script(request):
        return Failure("timeout", "no answer") if stage_of(request) == "notes" else {"text": "An effusion."}

    works, engine = run("long_caption", {}, script, picture)
    assert len(engine.asked) == 3
    ((_, drop),) = works[0].lost
    assert drop.reason == "timeout"
    works, _ = run("long_caption", {}, lambda request: {"words": "x"}, picture)
    assert works[0].lost[0][1].reason == "invalid_json"


def test_many_chains_come_out_in_the_order_of_the_cases(picture):
    works, engine = run("long_caption", {}, lambda request: {"text": "An effusion."}, picture, cases=40)
    assert [work.case_id for work in works] == [str(number) for number in range(40)]
    assert all(len(work.rows) == 1 for work in works)
    assert (len(engine.asked), engine.accounts) == (200, 1)


def test_snippets_of_knowledge_are_in_the_prompt_and_their_ids_in_the_row(picture, tmp_path):
    (tmp_path / "chest.txt").write_text(
        "A nodule is a rounded opacity of up to 3 cm.\n\nA pleural effusion blunts the costophrenic angle.\n"
    )
    (tmp_path / "more.jsonl").write_text('{"id": "k7", "text": "Bones of the hand are many and small."}\n')
    options = {"knowledge": {"corpus": str(tmp_path), "top": 1}}
    works, engine = run("long_caption", options, lambda request: {"text": "An effusion."}, picture)
    assert "blunts the costophrenic angle" in engine.asked[1].messages[-1][1]
    assert "rounded opacity" not in engine.asked[1].messages[-1][1]
    assert works[0].rows[0].provenance.steps[-1] == "knowledge:chest.txt#2"
    found = open_knowledge(KnowledgeOptions(corpus=str(tmp_path), top=3))
    assert [one.id for one in found.find("bones of the hand")] == ["more.jsonl#k7"]
    assert found.find("xylophone") == ()
    with pytest.raises(UserError, match="no such corpus"):
        open_knowledge(KnowledgeOptions(corpus=str(tmp_path / "none")))


PAIRS = {
    "What is seen?": "Was ist zu sehen?",
    "There is a pleural effusion.": "Es besteht ein Pleuraerguss.",
    "There is no nodule of 3 mm on the left.": "Links besteht kein Knoten von 3 mm.",
}


def translator(there, back=None):
    """Translates by ``there``, and back by its inverse with ``back`` in place of some answers."""
    inverse = {german: english for english, german in there.items()} | (back or {})

    def script(request):
        text = request.messages[-1][1]
        lines = [line.split(". ", 1)[1] for line in text.split("\n") if line[:1].isdigit()]
        words = inverse if "word for word" in text else there
        return {"texts": [words[line] for line in lines]}

    return script


def translated(script, picture, row=None, **options):
    works, engine = run("translate", {"language": "de", **options}, script, picture, rows=[row or row_of()])
    work = works[0]
    kept = [one for one in work.rows if one.provenance.converter == "translate"]
    return (kept[0] if kept else work.lost[0][1].reason), engine


def test_a_translated_row_stands_beside_its_source(picture):
    row, engine = translated(translator(PAIRS), picture)
    assert row.messages[0].content == "<image>\nWas ist zu sehen?"
    assert row.messages[1].content == row.answer == "Es besteht ein Pleuraerguss."
    assert (row.provenance.language, row.provenance.template) == ("de", "translate.de")
    verdicts = {said.check: said for said in row.provenance.verdicts}
    assert verdicts["back_translation"].score == 1.0
    assert row.provenance.steps[0] == "row:r1"
    assert len(engine.asked) == 2
    assert "effusion" not in engine.asked[1].messages[-1][1], "the way back does not see the source"


def test_what_is_lost_in_translation_refuses_the_row(picture):
    said = "There is no nodule of 3 mm on the left."
    source = row_of(said)
    german = PAIRS[said]
    for back in (
        "There is no nodule of 5 mm on the left.",
        "There is no nodule of 3 mm on the right.",
        "There is a nodule of 3 mm on the left.",
    ):
        there = PAIRS | ({said: german.replace("3", "5")} if "5" in back else {})
        result, _ = translated(translator(there, {there[said]: back}), picture, source)
        assert result == "lost_in_translation", back
    result, _ = translated(translator(PAIRS, {german: "No nodule is there."}), picture, source, minimum_overlap=0.9)
    assert result == "lost_in_translation"
    same = dict(zip(PAIRS, PAIRS, strict=True))
    assert translated(translator(same), picture)[0] == "not_translated"


def test_given_translations_of_terms_must_stand_there(picture, tmp_path):
    listed = tmp_path / "terms.yaml"
    listed.write_text("terms: {pleural effusion: Pleuraerguss}\n")
    row, engine = translated(translator(PAIRS), picture, terminology=str(listed))
    assert "pleural effusion = Pleuraerguss" in engine.asked[0].messages[-1][1]
    assert row.answer == "Es besteht ein Pleuraerguss."
    wrong = PAIRS | {"There is a pleural effusion.": "Es besteht ein Rippenfellerguss."}
    assert translated(translator(wrong), picture, terminology=str(listed))[0] == "term_missing"


def test_options_and_answer_of_a_translated_choice_agree(picture):
    source = row_of(
        "B. nodule", "Which?\nA. pleural effusion\nB. nodule", "mcq", options=("pleural effusion", "nodule"),
        answer="nodule", answer_index=1,
    )  # fmt: skip
    assert pieces(source) == ["Which?", "pleural effusion", "nodule"]
    german = {"Which?": "Was?", "pleural effusion": "Pleuraerguss", "nodule": "Knoten"}
    works, _ = run("translate", {"language": "de"}, translator(german), picture, case("1", (NODULE,)), [source])
    row = works[0].rows[1]
    assert row.messages[0].content == "<image>\nWas?\nA. Pleuraerguss\nB. Knoten"
    assert (row.messages[1].content, row.answer, row.options) == ("B. Knoten", "Knoten", ("Pleuraerguss", "Knoten"))


NODULE = Region("nodule", "n", "box", 0, (10, 10, 20, 20))


def preferred(said, picture, row=None, **options):
    """``said``: source to the answers given."""

    def script(request):
        text = request.messages[-1][1]
        source = "image_dropped" if "not shown to you" in text else "label_swapped" if "takes" in text else "sampled"
        return [{"answer": answer} for answer in said.get(source, [])] or {"answer": "The chest is seen."}

    works, engine = run("preference", options, script, picture, rows=[row or row_of()])
    return works[0], engine


def test_rejected_answers_are_shown_to_be_wrong(picture):
    said = {
        "sampled": ["There is no pleural effusion.", "A pleural effusion is seen."],
        "image_dropped": ["The chest is shown."],
        "label_swapped": ["There is a nodule."],
    }
    work, engine = preferred(said, picture)
    chosen, row = work.rows
    assert row.task == "preference"
    assert row.options == ("There is a pleural effusion.", "There is no pleural effusion.", "There is a nodule.")
    assert (row.answer, row.answer_index) == (row.options[0], 0)
    assert row.messages == chosen.messages
    assert [step.rsplit(":", 1)[0] for step in row.provenance.steps] == [
        "option0:row", "option1:sampled:contradicts_polarity", "option2:label_swapped:contradicts_polarity",
    ]  # fmt: skip
    assert [bool(request.images) for request in engine.asked] == [True, False, False]
    assert "of nodule" in engine.asked[2].messages[-1][1]


def test_what_no_check_shows_wrong_needs_the_option_and_says_so(picture):
    said = {"image_dropped": ["The chest is shown."], "sampled": ["The chest is seen."]}
    work, _ = preferred(said, picture, sources=["sampled", "image_dropped"])
    assert work.lost[0][1].reason == "no_rejected"
    work, _ = preferred(said, picture, sources=["sampled", "image_dropped"], unproven=True)
    row = work.rows[1]
    assert row.options[1:] == ("The chest is shown.",), "an answer that saw the picture may be right"
    assert row.provenance.steps[1].startswith("option1:image_dropped:unproven:")


def test_a_choice_is_rejected_by_its_letter(picture):
    source = row_of(
        "A. pleural effusion", "Which?\nA. pleural effusion\nB. nodule", "mcq",
        options=("pleural effusion", "nodule"), answer="pleural effusion", answer_index=0,
    )  # fmt: skip
    said = {"sampled": ["A. pleural effusion", "B. nodule"]}
    work, engine = preferred(said, picture, source, sources=["sampled"])
    assert engine.asked[0].schema["properties"]["answer"]["enum"] == ["A. pleural effusion", "B. nodule"]
    assert work.rows[1].options == ("A. pleural effusion", "B. nodule")
    assert work.rows[1].provenance.steps[1].startswith("option1:sampled:wrong_option:")


def lettered_row(answer="A"):
    """A choice as the converters write it: the letter alone is the answer."""
    asked = "Which?\nA: pleural effusion\nB: nodule\nAnswer with the letter of the correct option only."
    options = ("pleural effusion", "nodule")
    index = "AB".index(answer)
    return row_of(answer, asked, "mcq", options=options, answer=options[index], answer_index=index)


def test_a_choice_answered_by_letter_alone_is_rejected_by_letter_alone(picture):
    said = {"sampled": ["A", "B"], "label_swapped": ["B"]}
    work, engine = preferred(said, picture, lettered_row(), sources=["sampled", "label_swapped"])
    assert [one.schema["properties"]["answer"]["enum"] for one in engine.asked] == [["A", "B"]] * 2
    assert "The answer: A. pleural effusion" in engine.asked[1].messages[-1][1]
    assert "takes pleural effusion for nodule" in engine.asked[1].messages[-1][1]
    assert work.rows[1].options == ("A", "B")
    only_other = replace(lettered_row(), options=("pleural effusion", "emphysema"))
    _, engine = preferred(said, picture, only_other, sources=["sampled", "label_swapped"])
    assert len(engine.asked) == 1, "the label that is known to be absent is none of the options"


def test_letters_of_a_choice_are_not_translated(picture):
    german = {
        "Which?": "Was?", "pleural effusion": "Pleuraerguss", "nodule": "Knoten",
        "Answer with the letter of the correct option only.": "Nur den Buchstaben der richtigen Antwort.",
    }  # fmt: skip
    assert pieces(lettered_row()) == list(german)
    works, _ = run("translate", {"language": "de"}, translator(german), picture, rows=[lettered_row()])
    row = works[0].rows[1]
    assert row.messages[0].content.split("\n")[1:4] == ["Was?", "A: Pleuraerguss", "B: Knoten"]
    assert (row.messages[1].content, row.answer, row.options) == ("A", "Pleuraerguss", ("Pleuraerguss", "Knoten"))
    several = row_of("A, C", "Which?\nA: nodule\nJ: pleural effusion", "multi_label", answer="nodule, pleural effusion")
    assert pieces(several) == ["Which?", "nodule", "pleural effusion", "nodule, pleural effusion"]
