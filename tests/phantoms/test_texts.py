"""Visits, reports, figures and notes: what the rows say is what the phantoms drew and wrote."""

import json
from pathlib import Path

import pytest

from readers.base import Refusal, open_reader
from schemas import plugins
from schemas.context import Context
from schemas.spec import DatasetSpec, load_spec

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def rows_of(hospital: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MEDCURATE_DEMO", str(hospital))

    def rows(name: str, converter: str, **options):
        spec: DatasetSpec = load_spec(ROOT / "catalog" / f"{name}.yaml")
        kind, reader = plugins.load("converters", converter), open_reader(spec)
        asked = kind(kind.Options(**options))
        for item in reader.items():
            assert not isinstance(item, Refusal), item
            case = reader.read(item)
            for row in asked.convert(case, Context(spec, 7)):
                yield case, row

    return rows


def test_changes_between_visits_are_those_drawn(hospital: Path, rows_of) -> None:
    truth = json.loads((hospital / "truth.json").read_text())["phantom_visits"]
    seen = set()
    for case, row in rows_of("phantom_visits", "comparison", per_case=3, choice_share=0.0):
        assert len(row.images) == 2
        assert row.images[0].files[0].endswith("_1.jpg") and row.images[1].files[0].endswith("_2.jpg")
        asked = row.messages[0].content.lower()
        label = next(name for name in ("pneumonia", "pleural effusion", "cardiomegaly") if name in asked)
        known = truth[case.key]
        expected = next((change for change in ("new", "resolved") if label in known[change]), "")
        expected = expected or ("unchanged" if label in known["both"] else "absent")
        kinds = {"new": "new", "resolved": "resolved", "unchanged": "present both times", "absent": "absent"}
        assert kinds[expected] in row.answer or expected == "absent", (case.key, label, row.answer)
        seen.add(expected)
    assert seen >= {"new", "resolved", "unchanged"}


def test_the_later_report_says_what_was_drawn(hospital: Path, rows_of) -> None:
    truth = json.loads((hospital / "truth.json").read_text())["phantom_visits"]
    words = {"new": "new", "resolved": "resolved", "both": "unchanged"}
    asked = rows_of("phantom_visits_reported", "comparison", source="report", per_case=3, choice_share=1.0)
    said = [(case.key, row.messages[0].content, row.answer) for case, row in asked]
    drawn = [(key, name, words[kind]) for key, kinds in truth.items() for kind in words for name in kinds[kind]]
    assert len(said) == len(drawn) == 8
    for key, name, change in drawn:
        assert [answer for found, question, answer in said if found == key and f'"{name}"' in question] == [change]


def test_reports_lose_what_the_film_cannot_show(rows_of) -> None:
    answers = [row.messages[-1].content for _, row in rows_of("phantom_reports", "report")]
    assert "Pneumonia of the right lung." in answers
    assert not any("previous examination" in answer for answer in answers)
    assert not any("Cough" in answer for answer in answers)


def test_captions_are_tidied(rows_of) -> None:
    answers = [row.messages[-1].content for _, row in rows_of("phantom_figures", "shipped_caption")]
    assert len(answers) == 8
    assert "Frontal chest radiograph. The heart is enlarged." in answers
    assert all(answer == answer.strip() for answer in answers)


def test_notes_are_asked_about_without_pictures(rows_of) -> None:
    rows = list(rows_of("phantom_notes", "text_task", task="classification"))
    assert len(rows) == 9
    assert {row.answer for _, row in rows} == {"chest note", "abdomen note", "blood note"}
    assert all(not row.images for _, row in rows)


@pytest.mark.parametrize(
    ("name", "task", "number", "asked", "answer"),
    [
        ("inference", "nli", 6, ("The spleen is enlarged.", "The spleen is of normal size."), "contradiction"),
        ("summaries", "summary", 4, ("No pneumothorax is seen.",), "Normal chest film."),
        ("answers", "qa", 4, ("had an effusion on the film.", "How many patients had an effusion?"), "30"),
        ("mentions", "mentions", 9, ("Ibuprofen and paracetamol", "drug"), "ibuprofen; paracetamol"),
        ("relations", "relations", 4, ("The spleen is", "located in"), "lymphoma -> spleen"),
    ],
)
def test_texts_are_asked_about_with_what_was_written(rows_of, name, task, number, asked, answer) -> None:
    rows = [row for _, row in rows_of(f"phantom_{name}", "text_task", task=task)]
    assert len(rows) == number and not any(row.images for row in rows)
    (found,) = [row for row in rows if all(words in row.messages[0].content for words in asked)]
    assert found.messages[1].content == answer


def test_a_question_about_a_text_is_not_asked_without_it(rows_of) -> None:
    assert list(rows_of("phantom_answers", "existing_qa")) == []
