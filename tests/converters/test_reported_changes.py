"""What reports say has changed: sentences read by hand, and questions from them over two visits."""

import pytest

from converters.contract.agreement import agreement
from converters.reported_changes import reported_changes
from schemas.case import Text
from schemas.context import Context

SAID = [
    ("The right pleural effusion has increased.", {"pleural effusion": "worse"}),
    ("Compared with the prior film, the pneumonia has resolved.", {"pneumonia": "resolved"}),
    ("New left pneumothorax.", {"pneumothorax": "new"}),
    ("Stable cardiomegaly with new pleural effusion.", {"cardiomegaly": "unchanged", "pleural effusion": "new"}),
    ("Pleural effusion is unchanged, while the atelectasis has improved.",
     {"pleural effusion": "unchanged", "atelectasis": "better"}),
    ("No significant interval change in the cardiomegaly.", {"cardiomegaly": "unchanged"}),
    ("The effusion has nearly completely resolved.", {"pleural effusion": "better"}),
    ("Cardiomegaly and pleural effusions are stable.", {"cardiomegaly": "unchanged", "pleural effusion": "unchanged"}),
    ("Mild pulmonary edema, improved since the previous examination.", {"edema of lung": "better"}),
    ("Persistent consolidation, slightly larger than on the prior study.", {"consolidation": "worse"}),
    ("Interval development of pneumonia.", {"pneumonia": "new"}),
    ("The pneumothorax is no longer seen.", {"pneumothorax": "resolved"}),
    ("Resolved pneumothorax after tube placement, new atelectasis.",
     {"pneumothorax": "resolved", "atelectasis": "new"}),
    ("Worsening of the airspace opacities.", {"lung opacity": "worse"}),
]  # fmt: skip
NOT_SAID = [
    "No new consolidation.",
    "The effusion has not increased.",
    "The effusion has not resolved.",
    "The edema may have worsened.",
    "Increased interstitial opacity at the base.",  # how it looks, not how it was
    "The left effusion has decreased. The right effusion has increased.",
    "Pneumonia has improved without new effusion.",
    "No change in the small effusion or atelectasis.",
    "New NG tube in place, cardiomegaly.",
    "New right PICC line and cardiomegaly.",
    "No pneumothorax. Heart size stable.",
    "New consolidation versus atelectasis.",
    "Follow-up to exclude progression of pneumonia is recommended.",
]


@pytest.mark.parametrize(("sentence", "changes"), SAID, ids=[sentence for sentence, _ in SAID])
def test_a_plain_sentence_is_read(sentence, changes):
    assert {
        label: change for label, (change, _) in reported_changes([Text("findings", sentence)], "chest").items()
    } == changes


@pytest.mark.parametrize("sentence", NOT_SAID)
def test_what_leaves_a_choice_is_left_out(sentence):
    assert reported_changes([Text("findings", sentence)], "chest") == {}


def test_the_first_text_that_says_it_is_the_proof_and_captions_are_not_read():
    texts = [
        Text("caption", "New pneumothorax."),
        Text("findings", "New effusion."),
        Text("impression", "New effusion."),
    ]
    assert reported_changes(texts, "chest") == {"pleural effusion": ("new", 1)}


def test_a_word_is_read_as_the_anatomy_means_it():
    edema = [Text("findings", "The cerebral edema has increased.")]
    assert reported_changes(edema, "chest") == {}
    assert reported_changes(edema, "brain") == {"brain edema": ("worse", 0)}
    assert reported_changes(edema, "") == {}


@pytest.mark.parametrize("anatomy", ["chest", "brain"])
def test_bare_edema_may_be_anywhere(anatomy):
    assert reported_changes([Text("findings", "The pedal edema has increased.")], anatomy) == {}


def visit(make, *texts, labels=()):
    return make.case(images=[make.ref(), make.ref(name="b.png")], labels=labels, texts=texts)


def test_the_later_report_answers(make):
    one = visit(make, Text("findings", "The pleural effusion has increased. New pneumonia."))
    asked = make.ask("comparison", one, make.spec([], "none", anatomy="chest"), source="report", choice_share=1.0)
    assert {(row.answer, row.provenance.facts) for row in asked} == {("worse", ("texts[0]",)), ("new", ("texts[0]",))}
    for row in asked:
        assert len(row.images) == 2 and len(row.options) == 4 and row.options[row.answer_index] == row.answer
        assert row.labels == ()  # no label of the case says so


def test_a_report_that_the_labels_contradict_is_not_believed(make):
    labels = (make.label("pneumonia", "absent", 1), make.label("pleural effusion", "present", 1))
    one = visit(make, Text("findings", "New pneumonia. The pleural effusion has resolved."), labels=labels)
    spec = make.spec(["pneumonia", "pleural effusion"], "multi_label", anatomy="chest")
    assert make.ask("comparison", one, spec, source="report") == []


def test_without_a_report_nothing_is_asked(make):
    assert make.ask("comparison", visit(make), make.spec([], "none", anatomy="chest"), source="report") == []


def test_a_label_that_is_only_denied_is_not_true_of_the_row(make):
    one = visit(
        make, Text("findings", "The effusion has resolved."), labels=(make.label("pleural effusion", "absent", 1),)
    )
    spec = make.spec(["pleural effusion"], "multi_label", anatomy="chest")
    [row] = make.ask("comparison", one, spec, source="report")
    assert (row.answer, row.labels) == ("resolved", ())
    assert list(agreement(row, one, Context(spec))) == []
