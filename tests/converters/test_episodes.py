"""Rows over several cases, on pools small enough to be worked out by hand."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from converters.episodes.in_context import InContext
from converters.episodes.interleaved import Interleaved
from converters.episodes.together import together
from converters.episodes.two_views import TwoViews
from converters.episodes.visits import Visits
from converters.episodes.which_case import WhichCase
from schemas.case import Acquisition, Case, ImageRef, Label
from schemas.context import Context
from schemas.episode import Episode, Lent
from schemas.instruction import IMAGE, Instruction, Message, Provenance
from schemas.spec import DatasetSpec
from schemas.view import View

SPEC = DatasetSpec.model_validate({
    "name": "films", "title": "Films", "license": "CC0-1.0", "access": "open", "reader": {"type": "files"},
    "modality": "X-ray", "anatomy": "chest", "clinical_task": "disease diagnosis", "label_kind": "multi_class",
    "labels": {"pneumonia": "pneumonia", "edema": "edema", "normal": "no finding"},
})  # fmt: skip
CONTEXT = Context(SPEC, seed=3)


def film(number: int, label: str, group: str | None = "", key: str = "", **acquisition: str) -> Case:
    """Case ``c<number>`` with one picture and one label; its own group unless told."""
    ref = ImageRef((f"{number}.png",), "image/png", View(8, 8, 8, 8))
    return Case(
        "films", key or f"c{number}", f"g{number}" if group == "" else group, "", images=(ref,),
        labels=(Label(label, label),), acquisition=Acquisition(**acquisition),
    )  # fmt: skip


def row_of(case: Case, number: int, answer: str, converter: str = "yes_no", **changes: Any) -> Instruction:
    turns = (Message("user", f"{IMAGE}\nQuestion {number}?"), Message("assistant", answer))
    made = Provenance(converter, facts=("labels[0]",))
    return replace(
        Instruction(f"{case.key}-{converter}", "yes_no", turns, made, images=case.images, answer=answer), **changes
    )


def lent(number: int, label: str = "pneumonia", answer: str = "Yes", **changes: Any) -> Lent:
    case = film(number, label, **changes)
    return Lent(case, (row_of(case, number, answer),), case.images)


def made(kind: Any, cases: Sequence[Lent], **options: Any) -> list[Episode]:
    """The episodes, after what holds for all of them has been checked."""
    converter = kind(kind.Options(**options))
    found = list(converter.convert_many(cases, CONTEXT))
    assert found == list(converter.convert_many(cases, CONTEXT))
    for one in found:
        text = "".join(turn.content for turn in one.row.messages)
        assert text.count(IMAGE) == len(one.row.images) == len(one.lenders)
        assert all(ref in cases[number].pictures for ref, number in zip(one.row.images, one.lenders, strict=True))
        assert one.owner in one.lenders
        assert all(0 <= int(fact.split(":")[0]) < len(cases) for fact in one.row.provenance.facts)
        assert one.row.provenance.facts
    assert len({one.row.id for one in found}) == len(found)
    return found


@pytest.mark.parametrize(
    ("kind", "options"),
    [(WhichCase, {"images": 2}), (TwoViews, {}), (Visits, {"visit": "visit(.)"}), (InContext, {"shots": 1})],
)
def test_rows_do_not_depend_on_keys_that_are_hidden(kind: Any, options: dict[str, Any]) -> None:
    def hidden(patient: str) -> list[Episode]:
        cases = []
        for n, (label, view) in enumerate([("pneumonia", "PA"), ("edema", "lateral")] * 4):
            case = film(n, label, group=f"g{n // 2}", key=f"{patient}{n // 2}-visit{n % 2}", view=view)
            case = replace(case, alias=f"alias {n}")
            cases.append(Lent(case, (replace(row_of(case, n, "Yes"), id=f"row {n}"),), case.images))
        return made(kind, cases, **options)

    assert [one.row for one in hidden("DOE")] == [one.row for one in hidden("ROE")] != []


def test_in_context_shows_examples_of_others_and_then_the_question() -> None:
    cases = [lent(0, answer="Yes"), lent(1, answer="No"), lent(2, answer="Yes")]
    found = made(InContext, cases, shots=2)
    assert [one.owner for one in found] == [0, 1, 2]
    first = found[0].row
    assert found[0].lenders in ((1, 2, 0), (2, 1, 0))
    one, other = found[0].lenders[:2]
    said = {number: ("Yes", "No", "Yes")[number] for number in range(3)}
    assert first.messages[0].content.split("\n\n", 1)[1] == (
        f"Example 1:\n<image>\nQuestion {one}?\nAnswer: {said[one]}\n\n"
        f"Example 2:\n<image>\nQuestion {other}?\nAnswer: {said[other]}\n\n"
        "Question:\n<image>\nQuestion 0?"
    )
    assert (first.task, first.messages[1].content, first.answer) == ("interleaved", "Yes", "Yes")
    assert first.images == (*cases[one].pictures, *cases[other].pictures, *cases[0].pictures)
    assert first.provenance.facts == ("0:labels[0]", f"{one}:labels[0]", f"{other}:labels[0]")
    place = (one, other).index(2)
    assert first.scores == (("shots", 2), ("query_place", 2), ("same_answer_place", place))


def test_the_question_may_come_first() -> None:
    [row] = [one.row for one in made(InContext, [lent(n) for n in range(2)], shots=1, order="query_first")][:1]
    parts = row.messages[0].content.split("\n\n")
    assert parts[1:3] == ["Question:\n<image>\nQuestion 0?", "Example 1:\n<image>\nQuestion 1?\nAnswer: Yes"]
    assert len(parts) == 4  # a closing sentence sends back to the first question
    assert dict(row.scores)["query_place"] == 0
    both = made(InContext, [lent(n) for n in range(60)], shots=1, order="both")
    places = Counter(dict(one.row.scores)["query_place"] for one in both)
    assert set(places) == {0, 1} and min(places.values()) > 15


def test_examples_are_balanced_over_answers() -> None:
    cases = [lent(n, answer="Yes" if n < 10 else "No") for n in range(14)]
    for one in made(InContext, cases, shots=4):
        shown = Counter(cases[number].rows[0].answer for number in one.lenders[:4])
        # Two and two, but for the queries that are a No: only three other cases say no, which still gives two.
        assert shown == {"Yes": 2, "No": 2}
    unruly = made(InContext, cases, shots=4, balance=False)
    assert any(Counter(cases[n].rows[0].answer for n in one.lenders[:4]) != {"Yes": 2, "No": 2} for one in unruly)


@pytest.mark.parametrize(("rule", "places"), [("none", {-1}), ("first", {0}), ("last", {2})])
def test_where_the_answer_stands_among_the_examples_is_the_recipes_choice(rule: str, places: set[int]) -> None:
    cases = [lent(n, answer=("a", "b", "c")[n % 3]) for n in range(12)]
    found = made(InContext, cases, shots=3, same_answer=rule)
    assert len(found) == 12
    assert {dict(one.row.scores)["same_answer_place"] for one in found} == places
    for one in found:
        same = [n for n in one.lenders[:3] if cases[n].rows[0].answer == one.row.answer]
        assert len(same) == (rule != "none")


def test_nobody_learns_from_a_picture_of_the_same_patient_or_from_another_kind_of_question() -> None:
    same = [lent(0, group="p"), lent(1, group="p")]
    assert made(InContext, same, shots=1) == []
    unknown = [lent(0, group=None), lent(1, group=None)]
    assert len(made(InContext, unknown, shots=1)) == 2
    twin = replace(lent(0), case=replace(film(0, "edema"), key="twin", group="other"))
    assert made(InContext, [lent(0), twin], shots=1) == []
    other = lent(1)
    other = replace(
        other, rows=(replace(other.rows[0], provenance=Provenance("multiple_choice", facts=("labels[0]",))),)
    )
    assert made(InContext, [lent(0), other], shots=1) == []
    assert made(InContext, [lent(0), lent(1)], shots=2) == []  # too few in the pool


def test_a_picture_that_no_kept_row_shows_is_not_lent() -> None:
    hidden = replace(lent(1), pictures=())
    assert made(InContext, [lent(0), hidden], shots=1) == []
    assert made(WhichCase, [lent(0), replace(lent(1, "edema"), pictures=())]) == []


def test_places_of_regions_move_with_the_query() -> None:
    from schemas.instruction import Place

    case = film(0, "pneumonia")
    own = row_of(case, 0, "Yes", regions=(Place("x", "box", (0, 0, 1, 1)),))
    [first] = [one for one in made(InContext, [Lent(case, (own,), case.images), lent(1)], shots=1) if one.owner == 0]
    assert [place.image_index for place in first.row.regions] == [1]


def test_cases_are_joined_with_the_way_back() -> None:
    cases = [lent(0, "pneumonia"), lent(1, "edema"), lent(2, "no finding")]
    joined = together(cases, [2, 0], cases[1].case)
    assert joined.case.key == "c1"
    assert [(label.name, label.image_index) for label in joined.case.labels] == [("no finding", 0), ("pneumonia", 1)]
    assert joined.facts(("labels[1]", "labels[0]")) == ("0:labels[0]", "2:labels[0]")
    assert joined.case.images == (*cases[2].pictures, *cases[0].pictures)


def test_which_case_asks_for_the_one_that_differs_and_belongs_to_it() -> None:
    cases = [lent(n, "pneumonia" if n == 3 else "edema") for n in range(4)]
    for turn in range(1, 6):
        for one in made(WhichCase, cases, images=4, rounds=turn):
            label = one.row.labels[0]
            shown = [cases[number].case.labels[0].name for number in one.lenders]
            answer = shown[one.row.answer_index]
            # Either the only picture that shows the label, or the only one that does not.
            assert shown.count(label) in (1, len(shown) - 1)
            assert (answer == label) == (shown.count(label) == 1) or len(shown) == 2
            assert one.owner == one.lenders[one.row.answer_index]


def test_a_hand_holds_no_patient_twice() -> None:
    cases = [lent(n, ("pneumonia", "edema")[n % 2], group=f"p{n % 3}") for n in range(9)]
    for one in made(WhichCase, cases, images=4, rounds=8):
        groups = [cases[number].case.group for number in one.lenders]
        assert len(set(groups)) == len(groups)


def test_visits_are_compared_in_the_order_of_their_number() -> None:
    seen = {"p1/visit10": "no finding", "p1/visit2": "edema", "p1/visit1": "edema", "p2/visit1": "edema"}
    cases = [lent(n, label, key=key, group=key[:2]) for n, (key, label) in enumerate(seen.items())]
    spec = SPEC.model_copy(update={"label_kind": "multi_label"})
    known = [
        replace(one, case=replace(one.case, labels=tuple(
            Label(name, name, "present" if name == one.case.labels[0].name else "absent") for name in ("edema",)
        ))) for one in cases
    ]  # fmt: skip
    converter = Visits(Visits.Options(visit=r"visit(\d+)", choice_share=0))
    found = list(converter.convert_many(known, Context(spec)))
    # 1 -> 2: edema then and now; 2 -> 10: gone.  p2 came once.
    assert {(one.lenders, one.row.answer) for one in found} == {((2, 1), "present both times"), ((1, 0), "resolved")}
    assert all(one.owner == one.lenders[1] for one in found)
    resolved = next(one for one in found if one.lenders == (1, 0))
    assert set(resolved.row.provenance.facts) == {"1:labels[0]", "0:labels[0]"}


@pytest.mark.parametrize("wrong", [r"visit\d+", "visit(", "(a)(b)"])
def test_a_visit_pattern_needs_one_group(wrong: str) -> None:
    with pytest.raises(ValidationError, match="visit"):
        Visits.Options(visit=wrong)


def caption(number: int) -> Lent:
    case = film(number, "edema")
    return Lent(case, (row_of(case, number, f"Caption {number}.", "caption"),), case.images)


def test_an_interleaved_document_goes_on_with_the_last_caption() -> None:
    [one] = made(Interleaved, [caption(n) for n in range(4)], images=3)
    first, second, third = one.lenders
    text = one.row.messages[0].content.split("\n\n", 1)[1]
    assert text == f"<image>\nCaption {first}.\n\n<image>\nCaption {second}.\n\n<image>"
    assert one.row.messages[1].content == f"Caption {third}."
    assert (one.owner, one.row.task) == (third, "interleaved")


def test_or_lists_all_pictures_and_then_all_captions() -> None:
    [one] = made(Interleaved, [caption(n) for n in range(2)], images=2, style="list")
    first, second = one.lenders
    assert one.row.messages[0].content.split("\n", 1)[1] == "Image 1: <image>\nImage 2: <image>"
    assert one.row.messages[1].content == f"Image 1: Caption {first}.\nImage 2: Caption {second}."
    assert one.owner == first


def test_two_views_of_one_patient() -> None:
    cases = [
        lent(0, group="p", view="PA"), lent(1, group="p", view="lateral"), lent(2, group="p", view="PA"),
        lent(3, group="q", view="PA"), lent(4, group="q", view="PA"),
    ]  # fmt: skip
    [one] = made(TwoViews, cases)
    assert set(one.lenders) == {0, 1}
    asked = {"PA": "posteroanterior (PA)", "lateral": "lateral"}[cases[one.owner].case.acquisition.view]
    assert f"the {asked} view" in one.row.messages[0].content
    assert one.lenders[one.row.answer_index] == one.owner
    assert one.row.answer == f"image {one.row.answer_index + 1}"
    assert len(made(TwoViews, cases, per_group=9)) == 2  # 0 with 1, 1 with 2; two PA films are no pair


def test_two_frontal_views_are_no_pair_and_views_have_chinese_names() -> None:
    assert made(TwoViews, [lent(0, group="p", view="PA"), lent(1, group="p", view="AP")]) == []
    assert made(TwoViews, [lent(0, group="p", view="PA"), lent(1, group="p", view="von oben")]) == []
    [one] = made(TwoViews, [lent(0, group="p", view="PA"), lent(1, group="p", view="LL")], language="zh")
    assert ("侧位" in one.row.messages[0].content) != ("后前位（PA）" in one.row.messages[0].content)


def test_chinese_rows_are_asked_of_chinese_rows() -> None:
    cases = [lent(n) for n in range(2)]
    zh = [replace(one, rows=tuple(replace(row, provenance=replace(row.provenance, language="zh")) for row in one.rows))
          for one in cases]  # fmt: skip
    [first, _] = made(InContext, zh, shots=1, language="zh")
    assert "示例1：" in first.row.messages[0].content
