"""Reports without their patients: one patient's surrogates agree, intervals stay, and medicine is left alone."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from quality.dates import day_first, shifted
from quality.identifiers import Identifiers, IdentifiersOptions
from quality.recognisers import find
from quality.row_gates import gate, open_gates
from schemas.case import Case, QuestionAnswer, Text
from schemas.context import Context
from schemas.instruction import Instruction, Message
from schemas.rendered import Rendered
from schemas.spec import GroupRule
from schemas.work import Work

REPORT = (
    "Patient name: Müller, Jürgen. DOB 03/09/1942. MRN 00123456. Exam of 25/09/2012, compared with 11/09/2012. "
    "Dr. Okonkwo saw Jürgen Müller at Mercy General Hospital. Mr Müller, a 93-year-old, has stage II Hodgkin lymphoma."
)

MEDICINE = (
    "Stage II Hodgkin lymphoma, Ann Arbor classification, Deauville score 4.",
    "A Colles fracture and a Smith fracture; Salter-Harris type II.",
    "Parkinson disease with Lewy bodies, Alzheimer disease, Huntington chorea.",
    "Nodule of 12.5 x 8.0 mm in segment VIII, Bosniak IIF, Fleischner criteria, PI-RADS 3 of 5.",
    "Gleason 3 + 4 = 7, T2N0M0, Breslow depth 1.2 mm, Child-Pugh B.",
    "Kerley B lines, Swan-Ganz catheter, Foley catheter, Dobhoff tube above the diaphragm.",
    "Crohn disease of the terminal ileum; Meckel diverticulum; Zenker diverticulum.",
    "The Hounsfield units are 35-40; Doppler shows a resistive index of 0.72.",
    "Chiari I malformation, Dandy-Walker variant, Virchow-Robin spaces, Sylvian fissure.",
    "Modic type 1 changes at L4/L5, Pfirrmann grade IV, Schmorl nodes.",
    "In March the lesion was smaller. The May-Thurner syndrome is unlikely.",
    "Ewing sarcoma, Wilms tumour, Kaposi sarcoma, Burkitt lymphoma, Paget disease of bone.",
    "Pneumocystis jirovecii pneumonia; Aspergillus; COVID-19; Staphylococcus aureus.",
    "Siemens 3 T, TE 12.5, TR 2000, Gadolinium was given.",
    "What is the most likely diagnosis?\nA. Pneumonia\nB. Pleural Effusion\nC. No Finding\nD. Lung Mass",
    "FINDINGS: Heart size normal. IMPRESSION: No acute disease.",
    "1. Lungs are clear. 2. No effusion. (Figure 2, arrow)",
)


@pytest.fixture
def own(context: Context) -> Context:
    rule = GroupRule(by="field", field="patient", ids="identifier")
    return Context(context.spec.model_copy(update={"group": rule}), secret=b"a secret")


def told(case: Case, context: Context, *texts: str, **options: Any) -> tuple[str, ...]:
    gate = Identifiers(IdentifiersOptions(**{"action": "surrogate", **options}))
    rewritten = gate.rewrite(replace(case, texts=tuple(Text("report", text) for text in texts)), context)
    return tuple(text.content for text in rewritten.texts)


@pytest.mark.parametrize("text", MEDICINE)
def test_medicine_is_left_alone(text: str, case: Case, own: Context) -> None:
    assert [(hit.kind, text[hit.start : hit.end]) for hit in find(text)] == []
    assert told(case, own, text) == (text,)
    assert told(case, own, text, action="mask") == (text,)


@pytest.mark.parametrize(
    ("words", "days", "moved"),
    [
        ("2012-03-09", -7, "2012-03-02"),
        ("03/09/2012", -7, "03/02/2012"),
        ("9.3.12", -9, "29.2.12"),
        ("20120301", -1, "20120229"),
        ("1 March 2012", -1, "29 February 2012"),
        ("March 9th, 2012", -8, "March 1st, 2012"),
        ("09-MAR-12", -10, "28-FEB-12"),
        ("Mar. 2012", -31, "Feb. 2012"),
        ("01/01/00", -1, "12/31/99"),
        ("20120309T101500", -7, "20120302T101500"),
        ("31.02.2012", -7, None),
        ("Friday, 9 March 2012", -7, "Friday, 2 March 2012"),
        ("3 March", -7, "24 February"),
        ("March 3rd", -2, "March 1st"),
        ("the 3rd of May", -7, "the 26th of April"),
        ("16-Feb", -21, "26-Jan"),
        ("03/14", -14, "02/28"),
        ("14/03", -14, "28/02"),
        ("2/31", -7, None),
    ],
)
def test_dates_move_in_their_own_form(words: str, days: int, moved: str | None) -> None:
    assert shifted(words, days) == moved


def test_a_day_above_twelve_tells_how_the_dates_of_a_text_are_meant() -> None:
    assert day_first("on 25/09/2012 and 03/09/2012")
    assert not day_first("on 09/25/2012 and 03/09/2012")
    assert not day_first("on 03/09/2012")
    assert shifted("03/09/2012", 7, first_is_day=True) == "10/09/2012"


def test_a_report_is_rewritten_and_its_meaning_stays(case: Case, own: Context) -> None:
    [new] = told(case, own, REPORT)
    for gone in ("Müller", "Jürgen", "1942", "2012", "00123456", "Okonkwo", "Mercy", "93-"):
        assert gone not in new
    for kept in ("Patient name: ", "DOB ", "Dr. ", " General Hospital", "a 90-year-old", "stage II Hodgkin lymphoma"):
        assert kept in new
    words = new.split()
    family = words[2].rstrip(",")
    assert f"Mr {family}" in new
    days = [date(*reversed([int(part) for part in words[words.index(key) + 1].strip(".,").split("/")]))
            for key in ("DOB", "of", "with")]  # fmt: skip
    assert days[1] - days[2] == date(2012, 9, 25) - date(2012, 9, 11)
    assert days[1] - days[0] == date(2012, 9, 25) - date(1942, 9, 3)
    assert days[0].weekday() == date(1942, 9, 3).weekday()


def test_one_patient_has_one_set_of_surrogates_and_it_hangs_on_the_key(case: Case, own: Context) -> None:
    one, other = replace(case, key="a", group="P1"), replace(case, key="b", group="P1")
    assert told(one, own, REPORT) == told(other, own, REPORT)
    assert told(one, own, REPORT) != told(replace(case, group="P2"), own, REPORT)
    assert told(one, own, REPORT) != told(one, Context(own.spec, secret=b"another"), REPORT)


def test_what_the_sources_own_fields_say_is_found_without_any_form(case: Case, own: Context) -> None:
    named = replace(case, identifiers=(("person", "blank"), ("record_number", "x-7"), ("person", "li")))
    assert told(named, own, "blank was seen, a blankness", action="mask") == ("[person] was seen, a blankness",)
    # Two letters would be found in every other word.
    assert told(named, own, "x-7 and li", action="mask") == ("x-7 and li",)


def test_questions_are_rewritten_alike(case: Case, own: Context) -> None:
    asked = QuestionAnswer("Who is Dr. Okonkwo?", "Dr. Okonkwo", options=("Dr. Okonkwo", "nobody"), answer_index=0,
                           turns=(("Dr. Okonkwo?", "yes"),))  # fmt: skip
    new = Identifiers(IdentifiersOptions(action="surrogate")).rewrite(replace(case, questions=(asked,)), own)
    [done] = new.questions
    assert done.options[0] == done.answer != "Dr. Okonkwo"
    assert done.turns[0][0] == f"{done.answer}?"
    assert [found.code for found in new.findings] == ["identifier_surrogate"]


def test_surrogates_pass_the_gate_and_other_names_beside_them_do_not(
    case: Case, own: Context, row: Instruction, picture: Rendered
) -> None:
    told_of = replace(case, texts=(Text("report", REPORT),))
    [one] = [one for one in open_gates({"identifiers": {"action": "surrogate"}}) if one.name == "identifiers"]
    assert isinstance(one, Identifiers)
    new = one.rewrite(told_of, own)

    def refused(answer: str) -> list[str]:
        said = replace(row, task="report", options=(), answer_index=-1, answer=answer, labels=(),
                       messages=(row.messages[0], Message("assistant", answer)))  # fmt: skip
        work = Work("c1", new, rows=[said], pictures={row.images[0]: picture})
        [done] = gate([work], [one], own)
        return [drop.reason for _, drop in done.refused]

    assert refused(new.texts[0].content) == []
    assert refused(new.texts[0].content + " Dr. Grzegorzewska") == ["identifier_person"]


def test_nothing_to_do_gives_the_very_same_case(case: Case, own: Context) -> None:
    plain = replace(case, texts=(Text("report", "Lungs are clear."),))
    assert Identifiers(IdentifiersOptions(action="surrogate")).rewrite(plain, own) is plain
    named = replace(case, texts=(Text("report", REPORT),))
    assert Identifiers(IdentifiersOptions()).rewrite(named, own) is named


def test_a_name_that_no_list_knows_is_flagged_and_refused_where_ids_lead_to_persons(
    case: Case, own: Context, context: Context, row: Instruction
) -> None:
    said = replace(row, answer="he moved here from Quuxhaven")
    found = list(Identifiers(IdentifiersOptions()).check(said, case, (), context))
    assert [(one.code, str(one.severity)) for one in found] == [("identifier_possible_name", "flag")]
    found = list(Identifiers(IdentifiersOptions()).check(said, case, (), own))
    assert [(one.code, str(one.severity)) for one in found] == [("identifier_possible_name", "refuse")]
