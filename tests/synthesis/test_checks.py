"""The checks on written texts: their scores on hand-labelled sets, and what they do to a row."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.checks import HELD_OUT, JUDGES, LABELLED, WORKED_ON
from schemas.case import Case, ImageRef, Label, Region
from schemas.context import Context
from schemas.errors import UserError
from schemas.instruction import Instruction, Message, Provenance
from schemas.ledger import Status
from schemas.spec import DatasetSpec
from schemas.view import View
from schemas.yaml_file import load_yaml, validate
from synthesis.checks import polarity
from synthesis.checks.evaluate import Labelled, LabelledSet, grounding_judge, score
from synthesis.checks.grounding import CHECKS, contradictions
from synthesis.checks.known import Known, known_of, patient_side
from synthesis.checks.replies import statements
from synthesis.checks.rows import CheckOptions, RowChecker
from synthesis.checks.terms import plain
from synthesis.checks.vocabulary import Vocabulary

FLOORS = {
    "held_out_reports": (0.9, 0.95),
    "audit_grounding": (0.95, 0.9),
    "residue": (0.9, 0.9),
    "answer_in_question": (0.9, 0.9),
}
"""Least precision and recall of sets that the rules were made on; of others 0.95 both."""


@pytest.mark.parametrize("name", WORKED_ON)
def test_precision_and_recall_do_not_fall(name):
    precision, recall = FLOORS.get(name, (0.95, 0.95))
    result = score(LABELLED / f"{name}.yaml", JUDGES[name])
    assert result.precision >= precision, result.wrong
    assert result.recall >= recall, result.wrong


@pytest.mark.parametrize("name", HELD_OUT)
def test_nor_do_they_on_texts_that_no_rule_was_made_for(name):
    result = score(LABELLED / f"{name}.yaml", JUDGES[name])
    assert result.precision >= 0.9
    assert result.recall >= 0.8


@pytest.mark.parametrize("name", WORKED_ON)
def test_sets_are_large_and_balanced(name):
    cases = load_yaml(LABELLED / f"{name}.yaml", LabelledSet).cases
    bad = sum(case.bad for case in cases)
    assert len(cases) >= 60
    assert 0.35 <= bad / len(cases) <= 0.6


def test_a_contradiction_names_sentence_fact_and_place():
    known = Known(polarity={"nodule": "absent"}, paths={"nodule": "labels[2]"})
    (found,) = contradictions("The heart is normal. A nodule is seen.", known, Vocabulary(["nodule"]))
    assert (found.check, found.sentence, found.fact, found.path) == (
        "polarity", "A nodule is seen.", "nodule is annotated as absent", "labels[2]",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "known", "bad"),
    [
        ("Resolved consolidation.", {"a": ["consolidation"]}, False),
        ("Resolved consolidation.", {"p": ["consolidation"]}, True),
        ("The cyst has resolved and a polyp remains.", {"a": ["cyst"], "p": ["polyp"]}, False),
        ("The polyp has been excised.", {"a": ["polyp"]}, False),
        ("The polyp should be removed.", {"a": ["polyp"]}, True),
        ("Were a cyst present, it would be dark.", {"a": ["cyst"]}, False),
        ("This may be a cyst or an early polyp.", {"p": ["cyst"], "a": ["polyp"]}, False),
        ("This may be a cyst or an early polyp.", {"a": ["cyst", "polyp"]}, True),
        ("This may be a polyp.", {"a": ["polyp"]}, True),
        ("The kidneys are of normal size.", {"p": ["kidney cyst"]}, False),
        ("The kidneys are normal.", {"p": ["kidney cyst"]}, True),
        ("There is enlargement of the spleen.", {"a": ["splenomegaly"]}, True),
        ("There is mass effect.", {"a": ["mass"]}, False),
        ("A mass is seen.", {"a": ["mass"]}, True),
        ("There is a cyst in the upper pole of the left kidney.", {"sides": {"kidney cyst": ["right"]}}, True),
        ("There is a cyst in the spleen and the left kidney is small.", {"sides": {"kidney cyst": ["right"]}}, False),
    ],
)
def test_what_is_gone_possible_normal_in_size_or_named_by_its_place(text, known, bad):
    vocabulary = Vocabulary(["consolidation", "cyst", "polyp", "kidney cyst", "splenomegaly", "mass"])
    judged = Labelled(text=text, bad=bad, **known)
    assert grounding_judge(list(CHECKS))(judged, vocabulary) == bad


@pytest.mark.parametrize(
    ("question", "answer", "stated"),
    [
        ("Is there an effusion?", "No.", "There is no effusion."),
        ("Is there any effusion?", "Yes, on the left.", "There is effusion. On the left."),
        ("How many nodules are there?", "Three", "There are Three nodules."),
        ("What is seen?", "No effusion.", "No effusion."),
        ("Is there an effusion?", "None seen.", "There is no effusion."),
        ("Is there an effusion?", "No effusion is seen.", "No effusion is seen."),
        ("Which side is the nodule on?", "On the left.", "The nodule lies on the left."),
        ("Where is the nodule?", "It is in the right lung.", "The nodule lies in the right lung."),
        ("How big is the nodule?", "About 3 cm", "The nodule measures about 3 cm."),
        ("How many cells can you see?", "I can see three.", "There are three cells."),
    ],
)
def test_answers_become_statements(question, answer, stated):
    assert statements(question, answer) == stated


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Oedema, haemorrhage", "edema, hemorrhage"),
        ("Four does", "four does"),
        ("Left-sided  tumour", "left sided tumor"),
        ("In the centre", "in the center"),
    ],
)
def test_plain_form(text, form):
    assert plain(text) == form


TEXTS = [case.text for path in sorted(LABELLED.glob("*.yaml")) for case in load_yaml(path, LabelledSet).cases]
WORDS = sorted({word for text in TEXTS for word in plain(text).split()})


@settings(deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join))
def test_a_look_at_the_words_says_present_only_where_the_search_does(words):
    sentence = f"{words} nodule {words}"
    (mention, *_) = (found for found in Vocabulary(["nodule"]).mentions(sentence) if found.term == "nodule")
    assert not polarity.affirms_all(sentence) or polarity._said_of(sentence, mention) == "present"


def test_terms_in_their_forms():
    vocabulary = Vocabulary(["pleural effusion", "metastasis", "biopsy", "rib fracture", "hip fracture"])
    found = [
        (mention.term, mention.unsure)
        for mention in vocabulary.mentions("effusions, metastases, biopsies, a fracture, rib fractures")
    ]
    assert found == [
        ("pleural effusion", False), ("metastasis", False), ("biopsy", False), ("rib fracture", True),
        ("hip fracture", True), ("rib fracture", False),
    ], "two terms end in fracture"  # fmt: skip


@pytest.mark.parametrize(
    ("orientation", "x", "side"),
    [("LP", 0.9, "left"), ("LP", 0.1, "right"), ("RA", 0.9, "right"), ("", 0.9, ""), ("AS", 0.9, ""), ("LP", 0.5, "")],
)
def test_side_of_the_patient(orientation, x, side):
    view = View(source_width=10, source_height=10, width=10, height=10, orientation=orientation)
    assert patient_side(view, x) == side


REF = ImageRef(
    ("a.png",), "image/png",
    View(source_width=100, source_height=100, width=100, height=100, orientation="LI", spacing=(0.5, 0.5)),
)  # fmt: skip
CASE = Case(
    "films", "1", None, "", images=(REF,), labels=(Label("cardiomegaly", "C", "absent"),),
    regions=(Region("nodule", "N", "box", 0, (80, 10, 90, 20)), Region("nodule", "N", "box", 0, (80, 20, 90, 30))),
)  # fmt: skip


def context(**changes):
    fields = {
        "name": "films", "title": "Films", "license": "CC0-1.0", "access": "open", "root": "/x",
        "reader": {"type": "class_folders"}, "modality": "X-ray", "anatomy": "chest", "clinical_task": "diagnosis",
        **changes,
    }  # fmt: skip
    return Context(DatasetSpec.model_validate(fields))


def row(answer, question="What is seen?", task="open"):
    turns = (Message("user", f"<image>\n{question}"), Message("assistant", answer))
    return Instruction("r", task, turns, Provenance("unblinded", model="m"), (REF,))


def test_what_is_known_of_a_case():
    known = known_of(CASE, context().spec, (REF,))
    assert known.polarity == {"cardiomegaly": "absent", "nodule": "present"}
    assert known.sides == {"nodule": frozenset({"left"})}
    assert known.counts == {"nodule": 2}
    assert known.sizes_mm["nodule"][:2] == (5.0, 5.0)
    assert known.centres["nodule"] == (pytest.approx((0.85, 0.15)), pytest.approx((0.85, 0.25)))


def test_where_exactly_one_label_is_true_the_others_are_false():
    spec = context(label_kind="multi_class", labels={"n": "normal", "p": "pneumonia"}).spec
    case = Case("films", "1", None, "", images=(REF,), labels=(Label("normal", "n"),))
    assert known_of(case, spec, (REF,)).polarity == {"normal": "present", "pneumonia": "absent"}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("Two nodules lie in the left lung.", None),
        ("Three nodules lie in the left lung.", "contradicts_count"),
        ("Two nodules lie in the right lung.", "contradicts_laterality"),
        ("There is cardiomegaly.", "contradicts_polarity"),
        ("A nodule of 5 mm is seen.", None),
        ("A nodule of 25 mm is seen.", "contradicts_size"),
        ("The nodules lie at the bottom of the picture.", "contradicts_place"),
        ("The caption mentions a nodule.", "leak"),
        ("I'm sorry, I cannot help.", "refusal"),
        ("You should take aspirin.", "advice"),
        ("The {finding} is large.", "residue"),
    ],
)
def test_a_row_is_kept_with_verdicts_or_quarantined_with_a_reason(answer, reason):
    checked, drop = RowChecker(CheckOptions(), context()).check(row(answer), CASE, allow_advice=False)
    verdicts = {verdict.check: verdict for verdict in checked.provenance.verdicts}
    if reason is None:
        assert drop is None
        assert (verdicts["wording"].verdict, verdicts["grounding"].verdict) == ("clean", "consistent")
        return
    assert (drop.status, drop.stage, drop.reason) == (Status.QUARANTINED, "synthesis", reason)
    if reason.startswith("contradicts_"):
        said = verdicts["grounding_" + reason.removeprefix("contradicts_")]
        assert said.detail.startswith(answer + " | ")
        assert "nodule" not in drop.detail.replace("regions", "")
    else:
        assert verdicts["wording"].verdict == reason


def test_the_answer_in_the_question():
    asked = row("A calcified granuloma.", question="Do you see the calcified granuloma?")
    _, drop = RowChecker(CheckOptions(), context()).check(asked, CASE, allow_advice=False)
    assert drop.reason == "answer_in_question"


def test_checks_can_be_chosen_and_synonyms_given():
    assert RowChecker(CheckOptions(), context()).check(row("An enlarged heart."), CASE, False)[1] is not None
    wrong = row("There is a big heart shadow.")
    assert RowChecker(CheckOptions(), context()).check(wrong, CASE, False)[1] is None
    options = CheckOptions(synonyms={"cardiomegaly": ["big heart shadow"]})
    assert RowChecker(options, context()).check(wrong, CASE, False)[1].reason == "contradicts_polarity"
    off = CheckOptions(grounding=(), wording=False)
    checked, drop = RowChecker(off, context()).check(row("There is cardiomegaly."), CASE, False)
    assert (drop, checked.provenance.verdicts) == (None, ())
    with pytest.raises(UserError, match="there is no grounding check 'polarty'; did you mean 'polarity'"):
        validate(CheckOptions, {"grounding": ["polarty"]}, "synthesis.checks")


def test_a_question_states_nothing_but_with_its_reply():
    known = Known(polarity={"pneumothorax": "present", "nodule": "absent"})
    vocabulary = Vocabulary(["pneumothorax", "nodule"])
    assert list(contradictions("Nodule? Pneumothorax.", known, vocabulary)) == []
    (found,) = contradictions("Pneumothorax? No. The bones are normal.", known, vocabulary)
    assert (found.term, found.sentence) == ("pneumothorax", "There is no Pneumothorax.")


def test_words_that_deny_a_finding_without_naming_it():
    vocabulary = Vocabulary(["cardiomegaly"])
    for text, truth in [
        ("Heart size is normal.", "present"), ("The heart is enlarged.", "absent"),
        ("An enlarged heart is unlikely.", "present"),
    ]:  # fmt: skip
        assert [one.check for one in contradictions(text, Known(polarity={"cardiomegaly": truth}), vocabulary)] == [
            "polarity"
        ], text
    for text, truth in [
        ("Heart size is normal.", "absent"), ("The heart size is not normal.", "present"),
        ("Evaluate for cardiomegaly.", "absent"), ("History of cardiomegaly.", "absent"),
    ]:  # fmt: skip
        assert list(contradictions(text, Known(polarity={"cardiomegaly": truth}), vocabulary)) == [], text
