"""Identifiers in free text: what is found, what is not, and what happens to the row."""

import random
from dataclasses import replace
from typing import Any

import pytest

from quality.identifiers import Identifiers, IdentifiersOptions
from quality.recognisers import KINDS, find, mask
from quality.row_gates import gate, open_gates
from schemas.case import Case, ImageRef
from schemas.context import Context
from schemas.errors import UserError
from schemas.instruction import Instruction, Message
from schemas.ledger import Status
from schemas.rendered import Rendered
from schemas.spec import GroupRule
from schemas.view import View
from schemas.work import Drop, Work

REF = ImageRef(("a.png",), "image/png", View(100, 80, 100, 80))


def kinds(text: str) -> list[str]:
    return [hit.kind for hit in find(text)]


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("Seen on 2012-03-09 again.", "date", "2012-03-09"),
        ("Seen on 03/09/2012.", "date", "03/09/2012"),
        ("DOB:07.22.1943", "date", "07.22.1943"),
        ("on 9 March 2012, stable", "date", "9 March 2012"),
        ("on March 9th, 2012", "date", "March 9th, 2012"),
        ("since Mar. 2012", "date", "Mar. 2012"),
        ("09-MAR-12", "date", "09-MAR-12"),
        ("StudyDate 20120309", "date", "20120309"),
        ("on Friday, 9 March 2012 again", "date", "Friday, 9 March 2012"),
        ("admitted on 3 March with cough", "date", "3 March"),
        ("the 3rd of May, unchanged", "date", "the 3rd of May"),
        ("since March 3rd.", "date", "March 3rd"),
        ("Exam dated 16-Feb", "date", "16-Feb"),
        ("last seen 3/14, stable", "date", "3/14"),
        ("no change since 11/26.", "date", "11/26"),
        ("Prior from 02/22 at another house", "date", "02/22"),
        ("signed by Emma Reed 09/22.", "date", "09/22"),
        ("call (555) 123-4567 now", "phone", "(555) 123-4567"),
        ("call +49 30 1234 5678", "phone", "+49 30 1234 5678"),
        ("fax 555-123-4567.", "phone", "555-123-4567"),
        ("SSN 123-45-6789", "ssn", "123-45-6789"),
        ("MRN: 00123456", "record_number", "00123456"),
        ("MRN AB1234", "record_number", "AB1234"),
        ("accession no. A-2231", "record_number", "A-2231"),
        ("Patient ID 4711x9", "record_number", "4711x9"),
        ("see 8456123977", "long_number", "8456123977"),
        ("uid 1.2.840.113619.2.55.3.604688119", "uid", "1.2.840.113619.2.55.3.604688119"),
        ("ask jane.doe@ward.example.org!", "email", "jane.doe@ward.example.org"),
        ("at http://example.org/x?y", "url", "http://example.org/x?y"),
        ("host 192.168.0.17", "ip", "192.168.0.17"),
        ("DOE^JANE^A", "person", "DOE^JANE^A"),
        ("GÜÇLÜ^ÖZDIL", "person", "GÜÇLÜ^ÖZDIL"),
        ("DOE^XUXU AB1234", "record_number", "AB1234"),
        ("John de la Cruz came in", "person", "John de la Cruz"),
        ("Çağlasın came with her mother.", "person", "Çağlasın"),
        ("Lungs are clear. Kyle was admitted again.", "person", "Kyle"),
        ("The wife, Isidora Löffler, agrees", "person", "Isidora Löffler"),
        ("Reported by: Jiri van der Dussen", "person", "Jiri van der Dussen"),
        ("lives near 4989 Samantha Plaza Apt. 936", "address", "4989 Samantha Plaza Apt. 936"),
        ("reviewed with Dr. Okonkwo today", "person", "Dr. Okonkwo"),
        ("Mrs Grzegorzewska presented", "person", "Mrs Grzegorzewska"),
        ("Reported by: Xanthippe Quux", "person", "Xanthippe Quux"),
        ("John Q. Public came in", "person", "John Q. Public"),
        ("KAUFMAN SCOTT [M]", "person", "KAUFMAN SCOTT"),
        ("Smith, John", "person", "Smith, John"),
        ("lives at 742 Evergreen Terrace", "address", "742 Evergreen Terrace"),
        ("wohnt Hauptstraße 12", "address", "Hauptstraße 12"),
        ("Transferred from Mercy General Hospital", "institution", "Mercy General Hospital"),
        ("A 93-year-old woman", "age_over_89", "93-year-old"),
    ],
)
def test_what_is_found_and_where(text: str, kind: str, words: str) -> None:
    hits = find(text)
    assert [(hit.kind, text[hit.start : hit.end]) for hit in hits][:1] == [(kind, words)] or (
        kind in [hit.kind for hit in hits] and words in [text[hit.start : hit.end] for hit in hits]
    )


@pytest.mark.parametrize(
    "text",
    [
        "The cardiothoracic ratio is 0.55, the nodule 12.5 x 8.0 mm, at 3/4 of the way.",
        "A 67-year-old man with an ejection fraction of 35-40 %.",
        "T1 weighted, TE 12.5, TR 2000, 512 x 512, slices 120-130, 1.5 T",
        "Box [0.125, 0.25, 0.375, 0.5]; <box>[[123, 456, 789, 999]]</box>",
        "Parkinson disease, Virchow Robin spaces, Pierre Robin sequence, Austin Flint murmur",
        "Hodgkin lymphoma (HL) and a Charcot Marie Tooth disease",
        "May show atelectasis. The patient may march on. In may cases mark the lesion.",
        "C5-C6 and L4/L5 levels; BI-RADS 4, Lung-RADS 4B, ICD J18.9",
        "A. Pneumonia B. Pleural Effusion C. No Finding",
        "Chest X-Ray, Left Lower Lobe, Right Upper Quadrant",
        "Stage T2N0M0, HbA1c 7.5, 10^6 cells",
        "What patient position is this, exam quality or case?",
        "Time 12:30, series 3, image 24 of 120",
        "T3/4 tumour at L4/5, 5/8 nodes, 1/2 strength contrast, power 4/5, pain 7/10, review in 2/52.",
        "Seen on 3/4 of the slices and on 2/3 images; image 04/24, series 02/10, Glasgow coma score 14/15.",
        "Grade 3 may be seen, stage 2 May represent scar; May 5 mm nodules grow? March fracture, decubitus film.",
        "OCT 3 mm deep, 12 OCT scans, 5 OCT images, MAR 2 was used; Sat 95 %, sun exposure.",
        "Patients underwent CT. Nobody came. Symptoms agreed. Pneumonia presented late. She was admitted.",
        "Images were read by Left Lower and Right Upper Lobe.",
    ],
)
def test_what_medicine_writes_is_let_alone(text: str) -> None:
    assert kinds(text) == []


def test_masking_keeps_everything_else() -> None:
    text = "Dr. Okonkwo saw John Smith on 2012-03-09, MRN 123456."
    assert mask(text, frozenset(KINDS)) == "[person] saw [person] on [date], MRN [record number]."
    assert mask(text, frozenset(["date"])) == "Dr. Okonkwo saw John Smith on [date], MRN 123456."
    assert mask("nothing here", frozenset(KINDS)) == "nothing here"


def planted(number: int) -> str:
    """One identifier of a form that a hospital writes, in a sentence of a report."""
    draw = random.Random(number)
    day, month, year = draw.randint(1, 28), draw.randint(1, 12), draw.randint(1920, 2024)
    digits = "".join(draw.choice("0123456789") for _ in range(8))
    forms = [
        f"{year}-{month:02}-{day:02}", f"{month}/{day}/{year}", f"{day:02}.{month:02}.{year}",
        f"{year}{month:02}{day:02}",
        f"({digits[:3]}) {digits[3:6]}-{digits[4:]}", f"+1 {digits[:3]} {digits[3:6]} {digits[4:]}",
        f"MRN {digits}", f"MRN: {digits[:6]}", f"accession number {digits}", f"{digits[:3]}-{digits[3:5]}-{digits[4:]}",
        f"u{digits}@ward.example.org", f"1.2.840.{digits}.3.{month}.{day}.{year}", f"{'SOME'}^{'BODY'}^{chr(65 + day)}",
        f"Dr. {'Q' + 'abcdefgh'[day % 8] * 3 + 'son'}", f"Patient name: X{'yzab'[day % 4] * 2}o Quilp",
    ]  # fmt: skip
    opening = ["No acute finding,", "Compared with", "As discussed with", "Clinical note:", "Follow-up of"]
    return f"{draw.choice(opening)} {forms[number % len(forms)]}, lungs are clear."


def test_a_thousand_planted_identifiers_are_all_found() -> None:
    missed = [text for text in map(planted, range(1005)) if not find(text)]
    assert missed == []


def judge(row: Instruction, case: Case, context: Context, **options: Any) -> list[str]:
    return [f.code for f in Identifiers(IdentifiersOptions(**options)).check(row, case, (), context)]


def test_every_text_of_a_row_is_searched(row: Instruction, case: Case, context: Context) -> None:
    named = "seen by Dr. Okonkwo"
    changes: list[dict[str, Any]] = [
        {"messages": (Message("user", named), row.messages[1])},
        {"messages": (row.messages[0], Message("assistant", named))},
        {"options": (named, "no finding")},
        {"answer": named},
        {"labels": (named,)},
        {"anatomy": named},
    ]
    assert judge(row, case, context) == []
    for change in changes:
        assert judge(replace(row, **change), case, context) == ["identifier_person"], change


def test_actions_by_kind(row: Instruction, case: Case, context: Context) -> None:
    dated = replace(row, answer="on 2012-03-09", labels=("at Mercy General Hospital",))
    check = Identifiers(IdentifiersOptions()).check(dated, case, (), context)
    assert [(one.code, str(one.severity)) for one in check] == [
        ("identifier_date", "refuse"), ("identifier_institution", "flag"),
    ]  # fmt: skip
    assert judge(dated, case, context, kinds={"date": "allow"}) == ["identifier_institution"]
    assert judge(dated, case, context, action="allow") == []
    with pytest.raises(UserError, match="no kind of identifier 'dates'; did you mean 'date'"):
        open_gates({"identifiers": {"kinds": {"dates": "allow"}}})


def test_the_patients_own_id_must_not_stand_in_a_text(row: Instruction, case: Case, context: Context) -> None:
    own = replace(case, group="Q77x")
    said = replace(row, answer="it shows Q77x here")
    assert judge(said, own, context) == []
    known = Context(context.spec.model_copy(update={"group": GroupRule(by="field", field="patient", ids="pseudonym")}))
    assert judge(said, own, known) == ["identifier_group"]
    assert judge(row, own, known) == []


def test_case_ids_that_name_somebody_are_flagged_unless_they_are_hashed(
    row: Instruction, case: Case, context: Context
) -> None:
    named = replace(case, key="films/Smith_John_1957-03-09.png")
    assert judge(row, named, context) == ["identifier_case_id"]
    assert judge(row, named, context, case_ids="allow") == []
    hashed = Context(
        context.spec.model_copy(update={"group": GroupRule(by="field", field="patient", ids="identifier")})
    )
    assert judge(row, named, hashed) == []


def test_masked_rows_stay_and_say_so(row: Instruction, case: Case, context: Context, picture: Rendered) -> None:
    dated = replace(row, task="open", options=(), answer_index=-1, answer="on 2012-03-09")
    dated = replace(dated, messages=(row.messages[0], Message("assistant", "on 2012-03-09")))
    gates = open_gates({"identifiers": {"kinds": {"date": "mask"}}})
    [done] = gate([Work("c1", case, rows=[dated], pictures={REF: picture})], gates, context)
    assert [drop.reason for _, drop in done.refused] == []
    [kept] = done.rows
    assert (kept.answer, kept.messages[1].content, kept.flags) == ("on [date]", "on [date]", ("identifier_masked",))


def test_the_private_reason_comes_first_so_that_the_quarantine_holds_no_contents(
    row: Instruction, case: Case, context: Context, picture: Rendered
) -> None:
    both = replace(row, messages=(row.messages[0], Message("assistant", "Dr. Okonkwo says nan")))
    [done] = gate([Work("c1", case, rows=[both], pictures={REF: picture})], open_gates({}), context)
    assert [drop.reason for _, drop in done.refused] == ["identifier_person"]


def test_rows_refused_by_earlier_steps_are_screened_too(row: Instruction, case: Case, context: Context) -> None:
    named = replace(row, answer="Dr. Okonkwo")
    work = Work("c1", case, rows=[named])
    work.drop(Status.FAILED, "render", "corrupt_image", "it is broken")
    [done] = gate([work], open_gates({}), context)
    assert [(drop.status, drop.reason) for _, drop in done.refused] == [(Status.FAILED, "identifier_person")]
    assert "corrupt_image" in done.refused[0][1].detail
    clean = Work("c2", case, refused=[(row, Drop(Status.FAILED, "render", "x", "y"))])
    [done] = gate([clean], open_gates({}), context)
    assert done.refused[0][1].reason == "x"
