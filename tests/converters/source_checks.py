"""Cases whose words came with the source, and checks of rows about them that share no code with `converters`."""

import re

from schemas.case import Acquisition, Case, Demographics, ImageRef, Label, QuestionAnswer, Text
from schemas.spec import DatasetSpec, ReaderChoice
from schemas.view import View

PLAIN = View(200, 160, 200, 160)
SEEN = [
    "The heart is enlarged.",
    "There is no pneumothorax.",
    "The lungs are clear.",
    "A nodule lies in the left lung.",
]
PRIOR = ["Compared with the prior film, the effusion has grown.", "The opacity is unchanged since May."]
TOPICS = {"respiratory": "cough", "cardiac": "heart failure", "renal": "kidney stones"}
EYES = {"good quality": 0, "usable": 1, "bad quality": 2}


def described(labels, kind, modality, anatomy, task):
    return DatasetSpec(
        name="ds", title="t", license="MIT", access="open", reader=ReaderChoice(type="x"), modality=modality,
        anatomy=anatomy, clinical_task=task, labels={name: name for name in labels}, label_kind=kind,
    )  # fmt: skip


def picture(name):
    return (ImageRef((f"{name}.png",), "image/png", PLAIN),)


def report_case(number, draw):
    """A report with sentences about an earlier film, a caption, and questions that came with it."""
    findings = draw.sample(SEEN, 3) + draw.sample(PRIOR, draw.randint(0, 2))
    draw.shuffle(findings)
    texts = (
        Text("findings", " ".join(findings)), Text("impression", "Cardiomegaly and a nodule of the lung."),
        Text("caption", f"Figure {number + 1}. A chest film with an enlarged heart."),
    )  # fmt: skip
    options = draw.sample(["lung", "heart", "liver"], 3)
    questions = (
        QuestionAnswer(" Is the heart enlarged?", draw.choice(["yes", "No "]), answer_type="closed", key="a"),
        QuestionAnswer("Which organ?", draw.choice("ABC"), tuple(options), answer_type="choice", key="b"),
        QuestionAnswer("NULL", "NULL", key="c"), QuestionAnswer("How many ribs?", 12, key="d"),  # type: ignore[arg-type]
    )  # fmt: skip
    case = Case(
        "ds", f"report-{number}", None, "", picture(f"r{number}"), texts=texts, questions=questions,
        acquisition=Acquisition("X-ray", "chest", "PA"),
    )  # fmt: skip
    return case, described([], "none", "X-ray", "chest", "report generation")


def note_case(number, draw):
    topic = draw.choice(list(TOPICS))
    text = Text("text", f"Patient {number} was seen for {TOPICS[topic]}.")
    case = Case("ds", f"note-{number}", None, "", texts=(text,), labels=(Label(topic, topic),))
    return case, described(TOPICS, "multi_class", "mixed", "mixed", "text classification")


def quality_case(number, draw):
    grade = draw.choice(list(EYES))
    case = Case("ds", f"eye-{number}", None, "", picture(f"q{number}"), labels=(Label(grade, grade),))
    return case, described(EYES, "multi_class", "fundus photography", "eye", "retinal image quality grading")


def hand_case(number, draw):
    age = float(draw.randint(2, 60))
    case = Case("ds", f"hand-{number}", None, "", picture(f"h{number}"), demographics=Demographics(age_years=age))
    return case, described([], "none", "X-ray", "hand", "bone age")


def check_existing_qa(row, case, _):
    asked = row.messages[0].content.replace("<image>\n", "")
    (pair,) = [pair for pair in case.questions if pair.question.strip() == asked.split("\n")[0]]
    assert pair.question != "NULL"
    if pair.options:
        assert row.answer == pair.options["ABC".index(pair.answer)] and row.messages[1].content == pair.answer
    else:
        assert row.messages[1].content.lower() == str(pair.answer).strip().lower() == row.answer.lower()
    return 1


def check_report(row, case, _):
    said = row.messages[1].content
    wanted = "findings" if ".findings-" in row.provenance.template else "impression"
    (source,) = [text.content for text in case.texts if text.kind == wanted]
    kept = [sentence for sentence in re.findall(r"[^.]+\.", source) if not re.search("prior|since", sentence)]
    assert re.findall(r"[^.]+\.", said) and [s.strip() for s in re.findall(r"[^.]+\.", said)] == [
        s.strip() for s in kept
    ]
    assert not re.search("prior|since", row.messages[0].content)
    return 1


def check_shipped_caption(row, case, _):
    assert row.messages[1].content == "A chest film with an enlarged heart."
    return 1


def check_text_task(row, case, spec):
    assert row.answer == case.labels[0].name and case.texts[0].content in row.messages[0].content
    assert all(name in row.messages[0].content for name in spec.canonical())
    return 1


def check_image_quality(row, case, _):
    grade = case.labels[0].name
    if row.task == "mcq":
        assert row.answer == grade and set(row.options) == set(EYES)
        assert row.messages[1].content == "ABC"[row.options.index(grade)]
    else:
        (named,) = re.findall('"([a-z ]+)"', row.messages[0].content)
        assert (row.answer == "Yes") == (named == grade)
    return 1


def check_demographics(row, case, _):
    age = case.demographics.age_years
    assert not 13 <= age <= 19
    assert row.answer == ("adult" if age > 16 else "child") == row.options[row.answer_index]
    assert row.messages[1].content == "AB"[row.answer_index]
    return 1


CASES = (report_case, note_case, quality_case, hand_case)
CHECKS = {
    "existing_qa": check_existing_qa,
    "report": check_report,
    "shipped_caption": check_shipped_caption,
    "text_task": check_text_task,
    "image_quality": check_image_quality,
    "demographics": check_demographics,
}
