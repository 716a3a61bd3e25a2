"""Texts that contradict nothing and say nothing."""

import pytest

from schemas.case import Acquisition, Case, ImageRef, Label, Region, Text
from schemas.context import Context
from schemas.instruction import Instruction, Message, Provenance
from schemas.spec import DatasetSpec
from schemas.view import View
from synthesis.checks.rows import CheckOptions, RowChecker
from synthesis.checks.says_nothing import gibberish

REF = ImageRef(("a.png",), "image/png", View(source_width=10, source_height=10, width=10, height=10))
CONTEXT = Context(
    DatasetSpec.model_validate({
        "name": "films", "title": "Films", "license": "CC0-1.0", "access": "open", "root": "/x",
        "reader": {"type": "class_folders"}, "modality": "X-ray", "anatomy": "chest", "clinical_task": "diagnosis",
    })
)  # fmt: skip


def reason(answer, labels=(), regions=(), texts=(), told=None, task="caption", language="en", options=None):
    """Why a row is refused; the writer was told everything unless ``told`` says what."""
    case = Case(
        "films", "1", None, "", images=(REF,), labels=tuple(Label(name, name) for name in labels),
        regions=tuple(Region(name, name, "box", 0, (1, 1, 3, 3)) for name in regions),
        texts=tuple(Text("caption", words) for words in texts),
        acquisition=Acquisition(modality="X-ray", anatomy="chest"),
    )  # fmt: skip
    paths = [f"labels[{number}]" for number in range(len(labels))]
    paths += [f"regions[{number}]" for number in range(len(regions))]
    paths += [f"texts[{number}]" for number in range(len(texts))]
    facts = tuple(paths if told is None else told)
    turns = (Message("user", "<image>\nWhat is seen?"), Message("assistant", answer))
    row = Instruction("r", task, turns, Provenance("unblinded", model="m", facts=facts, language=language), (REF,))
    checked, drop = RowChecker(options or CheckOptions(), CONTEXT).check(row, case, allow_advice=False)
    verdicts = {verdict.check: verdict.verdict for verdict in checked.provenance.verdicts}
    if "mentions" in verdicts:
        assert (verdicts["mentions"] == "nothing") == (drop is not None and drop.reason == "says_nothing")
    return drop.reason if drop else None


@pytest.mark.parametrize(
    ("answer", "labels", "refused"),
    [
        ("The heart is enlarged.", ["cardiomegaly"], False),  # a synonym
        ("A frontal film with cardiomegaly.", ["cardiomegaly"], False),
        ("A mass in the left frontal lobe.", ["glioma"], False),  # a broader word
        ("A necrotic centre is seen.", ["necrosis"], False),  # an adjective
        ("A posteroanterior film.", ["posteroanterior projection"], False),  # one of its words
        ("White cells lie among red ones.", ["leukocyte"], False),
        ("There is a pleural effusion.", ["cardiomegaly", "pleural effusion"], False),  # one of two is enough
        ("A frontal film of good quality.", ["cardiomegaly"], True),
        ("It is black.", ["cardiomegaly"], True),
        ("The left half is darker.", ["left kidney"], True),  # a side names nothing
        ("The picture is white.", ["white blood cell"], True),  # nor does a colour
        ("No abnormality is seen.", ["no finding"], False),
        ("The lungs are clear.", ["normal"], False),
        ("A frontal film.", ["normal"], True),
        ("A frontal film.", [], False),  # nothing is annotated
    ],
)
def test_a_caption_names_something_that_is_annotated(answer, labels, refused):
    assert reason(answer, labels) == ("says_nothing" if refused else None)


def test_regions_count_as_labels_do():
    assert reason("A polyp in the fold.", regions=["polyp"]) is None
    assert reason("A pink fold.", regions=["polyp"]) == "says_nothing"


def test_where_only_texts_were_told_one_of_their_words_is_enough():
    told = ["Blunting of the costophrenic angle after trauma."]
    assert reason("The costophrenic angle is hidden.", texts=told) is None
    assert reason("It is black all over the place.", texts=told) == "says_nothing"


def test_only_what_the_writer_was_told_must_be_named():
    assert reason("A frontal film.", ["cardiomegaly"], told=[]) is None
    assert reason("A frontal film.", ["nodule", "cardiomegaly"], told=["labels[1]"]) == "says_nothing"


def test_where_only_the_kind_of_picture_was_told_that_is_named():
    told = ["acquisition.modality", "acquisition.anatomy"]
    assert reason("A film.", told=told) is None
    assert reason("The chest of a patient.", told=told) is None
    assert reason("It is black.", told=told) == "says_nothing"


@pytest.mark.parametrize("task", ["open", "mcq", "yes_no", "reasoning"])
def test_an_answer_need_not_name_a_finding(task):
    assert reason("It is a CT.", ["cardiomegaly"], task=task) is None


def test_it_can_be_turned_off_and_is_for_english():
    assert reason("A film.", ["cardiomegaly"], options=CheckOptions(mentions=())) is None
    assert reason("Ein Herz.", ["cardiomegaly"], language="de") is None
    assert reason("A CT.", ["cardiomegaly"], task="open", options=CheckOptions(mentions=("open",))) == "says_nothing"


@pytest.mark.parametrize(
    "text",
    [
        "lung lung lung lung",
        "The picture picture picture picture is black.",
        "white picture is white. It is white. Which colour fills the picture is white. Which colour fills the"
        " picture is white. Which colour fills the picture is white.It is white.",
        "black is black and black is black and black is black and black is black and black is black and black is black",
        "colour fills picture black dark colour fills picture black",
        "qwertzuiopasdfghjklyxcvbnmqwertzuiop",
    ],
)
def test_gibberish(text):
    assert gibberish(text)
    assert reason(text) == "gibberish"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Pneumonia.",
        "red blood cell: Yes\nwhite blood cell: Yes\nplatelet: Yes",
        "Liver, spleen, right kidney, left kidney, stomach, aorta, pancreas, gallbladder.",
        "Heart size normal. Lungs clear. No effusion. No pneumothorax. Bones intact.",
        "A very, very large pleural effusion is seen on the left, and the heart is shifted to the right by it.",
        "Esophagogastroduodenoscopy shows a clean ulcer.",
    ],
)
def test_language(text):
    assert not gibberish(text)
