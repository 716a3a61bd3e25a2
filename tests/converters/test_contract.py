"""The contract kit: our converters hold it, and each sort of broken one fails it with a sentence that says why."""

import json
import random
from dataclasses import replace

import pytest

from converters.asking import Asker, Common
from converters.contract import (
    check_converter,
    check_entry,
    compare_golden,
    find_converter,
    load_fixtures,
    sample_fixtures,
    save_cases,
)
from converters.contract.agreement import agreement
from converters.contract.fixtures import Fixture
from schemas.context import Context
from schemas.errors import UserError
from schemas.identity import row_id
from schemas.instruction import Message, Place, Provenance
from schemas.plugins import load, names


@pytest.mark.parametrize("name", names("converters"))
def test_our_converters_hold_it(name):
    assert check_converter(load("converters", name), sample_fixtures()) == []


class Good:
    """Says of every case with one picture and a present label what it is."""

    name = "good"
    Options = Common

    def __init__(self, options):
        self.options = options

    def convert(self, case, context):
        if len(case.images) == 1 and case.present():
            label = case.present()[0]
            facts = tuple(f"labels[{n}]" for n, one in enumerate(case.labels) if one.name == label)
            ask = Asker(case, context, self.name, self.options)
            row = ask.row(
                ask.about(label), "open", "What is this?", f"It shows {label}.", images=(0,), facts=facts, short=label,
                labels=(label,),
            )  # fmt: skip
            yield self.spoil(row, case)

    def spoil(self, row, case):
        return row


def broken(spoil):
    return type("Broken", (Good,), {"spoil": lambda self, row, case: spoil(row, case)})


def said(row, question=None, answer=None):
    first, last = row.messages
    return replace(
        row,
        messages=(
            first if question is None else Message("user", question),
            last if answer is None else Message("assistant", answer),
        ),
    )


def absent(case):
    return next((label.name for label in case.labels if label.polarity == "absent"), "pneumothorax")


PLACE = Place("x", "box", (0.0, 0.0, 320.0, 240.0))
BROKEN = {
    "schema: the converter yields a str": lambda row, case: "row",
    "schema: the field labels.0 has the wrong type": lambda row, case: replace(row, labels=(3,)),
    "schema: the field task": lambda row, case: replace(row, task="guess"),
    "schema: a field holds what is no plain value": lambda row, case: replace(row, scores=(("a", object()),)),
    "schema: the id is not 32 hex digits": lambda row, case: replace(row, id="row 1"),
    "schema: the turns do not alternate": lambda row, case: replace(row, messages=row.messages[::-1]),
    "schema: a turn is empty": lambda row, case: said(row, answer=" "),
    "schema: provenance.converter is 'other'": lambda row, case: replace(
        row, provenance=replace(row.provenance, converter="other")
    ),
    "schema: provenance.facts is empty": lambda row, case: replace(row, provenance=Provenance("good")),
    "schema: provenance.facts names 'labels[99]'": lambda row, case: replace(
        row, provenance=replace(row.provenance, facts=("labels[99]",))
    ),
    "placeholders: the turns hold 0 <image>, but the row has 1": lambda row, case: said(row, question="What is this?"),
    "placeholders: an <image> stands outside": lambda row, case: said(row, "What?", "<image> It is."),
    "options: two options are the same": lambda row, case: replace(
        row, options=(row.answer, row.answer.upper()), answer_index=0
    ),
    "options: answer_index 5 is outside the 2 options": lambda row, case: replace(
        row, options=(row.answer, "x"), answer_index=5
    ),
    "options: answer is not the text of the option": lambda row, case: replace(
        row, options=("x", row.answer), answer_index=0
    ),
    "options: the assistant's words are neither": lambda row, case: replace(
        said(row, answer="B"), options=(row.answer, "x"), answer_index=0
    ),
    "options: answer_index is 0 without options": lambda row, case: replace(row, answer_index=0),
    "leak: the question holds the file's name": lambda row, case: said(
        row, question=f"<image>\nWhat does {case.images[0].files[0].rpartition('/')[2]} show?"
    ),
    "leak: the question holds its own answer": lambda row, case: said(
        row, question=f"<image>\nWhere is the {row.answer}?"
    ),
    "regions: regions[0] has a box that is not": lambda row, case: replace(
        row, regions=(PLACE, )
    ),
    "regions: regions[0] has image_index 3": lambda row, case: replace(
        row, regions=(replace(PLACE, box=(0.0, 0.0, 1.0, 1.0), image_index=3),)
    ),
    "regions: regions[0] has a mask of 10x20 on a view of 320x240": lambda row, case: replace(
        row, regions=(replace(PLACE, box=(0.0, 0.0, 1.0, 1.0), kind="mask", rle="01", size=(20, 10)),)
    ),
    "agreement: labels holds 'dragon'": lambda row, case: replace(row, labels=("dragon",)),
    "agreement: the answer names": lambda row, case: replace(
        said(row, answer=f"It shows {absent(case)}."), provenance=replace(row.provenance, template="good.it.en")
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", BROKEN)
def test_each_sort_of_broken_converter_is_told_why(sentence):
    problems = check_converter(broken(BROKEN[sentence]), sample_fixtures())
    told = {f"{problem.check}: {problem.sentence}" for problem in problems}
    assert any(one.startswith(sentence) for one in told), told


def test_the_good_one_passes():
    assert check_converter(Good, sample_fixtures()) == []


def test_a_random_choice_is_found():
    fickle = broken(lambda row, case: said(row, answer=f"{row.answer}, {random.random()}"))
    assert {problem.check for problem in check_converter(fickle, sample_fixtures())} == {"determinism"}


def test_a_memory_between_cases_is_found():
    seen = []
    forgetful = broken(lambda row, case: seen.append(1) or said(row, answer=f"{row.answer} {len(seen)}"))
    assert "determinism" in {problem.check for problem in check_converter(forgetful, sample_fixtures())}


def test_an_id_made_of_a_hidden_key_is_found():
    own = broken(lambda row, case: replace(row, id=row_id(case.dataset, case.key, "good", "x")))
    assert {problem.check for problem in check_converter(own, sample_fixtures())} == {"key"}


def test_equal_ids_are_found():
    class Twice(Good):
        def convert(self, case, context):
            yield from super().convert(case, context)
            yield from super().convert(case, context)

    problems = check_converter(Twice, sample_fixtures())
    assert any("same id" in problem.sentence for problem in problems)


def test_deciding_what_is_uncertain_is_found():
    def decide(row, case):
        doubtful = [label.name for label in case.labels if label.polarity == "uncertain"]
        return replace(
            said(row, f"<image>\nDoes it show {(doubtful or ['a dog'])[0]}?", "Yes"), task="yes_no", answer="Yes"
        )

    problems = check_converter(broken(decide), sample_fixtures())
    assert any("uncertain is decided" in problem.sentence for problem in problems)


def test_a_wrong_count_is_found():
    class Miscounts(Good):
        def convert(self, case, context):
            if case.dataset == "cells":
                ask = Asker(case, context, self.name, self.options)
                yield ask.row(
                    ask.about("n"), "count", "How many?", "There are 7 platelets.", images=(0,), facts=("regions[0]",),
                    short="7",
                )  # fmt: skip

    problems = check_converter(Miscounts, sample_fixtures())
    assert any("counts 7 of 'platelet', but 1 are annotated" in problem.sentence for problem in problems)


def test_an_exception_is_a_finding():
    failing = broken(lambda row, case: 1 / 0)
    assert "raises ZeroDivisionError" in check_converter(failing, sample_fixtures())[0].sentence


def test_a_converter_that_makes_nothing_is_told():
    class Silent(Good):
        def convert(self, case, context):
            return iter(())

    assert "made no row" in check_converter(Silent, sample_fixtures())[0].sentence


def test_a_class_without_its_parts_is_told():
    assert "lacks name, Options, convert" in check_converter(object, sample_fixtures())[0].sentence


HASHING = """
from converters.open_question import OpenQuestion

class Hashing(OpenQuestion):
    def convert(self, case, context):
        return iter(sorted(super().convert(case, context), key=lambda row: hash(row.id)))
"""


def test_an_order_by_hash_is_found_in_fresh_processes(tmp_path, monkeypatch):
    (tmp_path / "hashing_converter.py").write_text(HASHING)
    monkeypatch.syspath_prepend(str(tmp_path))
    problems = check_entry("hashing_converter:Hashing")
    assert "two processes give different rows" in problems[0].sentence


def test_golden_files(tmp_path):
    golden, kind = tmp_path / "golden" / "good.jsonl", Good
    assert "make it with --update" in compare_golden(kind, sample_fixtures(), golden)[0].sentence
    assert compare_golden(kind, sample_fixtures(), golden, update=True) == []
    assert compare_golden(kind, sample_fixtures(), golden) == []
    changed = broken(lambda row, case: said(row, answer=f"{row.answer}!"))
    problems = compare_golden(changed, sample_fixtures(), golden)
    assert all(f"row {problem.row}: messages differ" in problem.sentence for problem in problems) and problems
    assert "pytest --medcurate-update" in problems[0].sentence
    lines = golden.read_text().splitlines(keepends=True)
    golden.write_text("".join(lines[1:]))
    (more,) = compare_golden(kind, sample_fixtures(), golden)
    assert f"row {json.loads(lines[0])['id']} is not in the golden file" in more.sentence
    golden.write_text("".join([*lines, lines[0].replace(json.loads(lines[0])["id"], "f" * 32)]))
    (fewer,) = compare_golden(kind, sample_fixtures(), golden)
    assert f"row {'f' * 32} of the golden file was not made" in fewer.sentence
    golden.write_text("".join(reversed(lines)))
    (moved,) = compare_golden(kind, sample_fixtures(), golden)
    assert "another order" in moved.sentence


def test_golden_rows_are_of_settled_cases_as_in_a_run(make, tmp_path):
    # Unsettled, the row would say what the case's own labels contradict.
    labels = (make.label("edema"), make.label("edema", "absent"), make.label("fracture"))
    fixture = Fixture(make.spec(["edema", "fracture"], "multi_label"), (make.case(labels=labels),))
    compare_golden(Good, [fixture], tmp_path / "good.jsonl", update=True)
    assert "edema" not in json.loads((tmp_path / "good.jsonl").read_text())["messages"][1]["content"]


def test_cases_come_back_from_files_as_they_were(tmp_path):
    for fixture in sample_fixtures():
        folder = tmp_path / fixture.spec.name
        save_cases(folder / "cases.json", fixture.cases)
        text = fixture.spec.model_dump_json(exclude={"root"})
        (folder / "spec.yaml").write_text(text)
    loaded = {fixture.spec.name: fixture.cases for fixture in load_fixtures(tmp_path)}
    assert loaded == {fixture.spec.name: fixture.cases for fixture in sample_fixtures()}


def test_mistakes_in_fixtures_are_named(tmp_path):
    with pytest.raises(UserError, match=r"holds no <dataset>/spec\.yaml"):
        load_fixtures(tmp_path)
    save_cases(tmp_path / "a" / "cases.json", [])
    (tmp_path / "a" / "spec.yaml").write_text(sample_fixtures()[0].spec.model_dump_json(exclude={"root"}))
    (tmp_path / "a" / "cases.json").write_text('[{"dataset": "a"}]')
    with pytest.raises(UserError, match=r"cases\.json: 0\.key: Field required"):
        load_fixtures(tmp_path)


def test_an_unknown_entry_is_named():
    with pytest.raises(UserError, match="did you mean 'caption'"):
        find_converter("captoin")
    with pytest.raises(UserError, match="is the package installed"):
        find_converter("no_such_module:Converter")


def test_the_pytest_fixture_passes_and_fails(converter_contract, tmp_path):
    converter_contract(Good)
    with pytest.raises(pytest.fail.Exception, match=r"provenance\.facts is empty"):
        converter_contract(broken(BROKEN["schema: provenance.facts is empty"]))
    with pytest.raises(pytest.fail.Exception, match="no golden file"):
        converter_contract(Good, golden=tmp_path / "good.jsonl")


def test_several_of_a_true_thing_are_not_taken_for_the_absent_one_whose_word_they_hold(make):
    one = make.case(
        labels=(make.label("liver", "absent"),),
        regions=(make.box("liver tumor", (1, 1, 9, 9)), make.box("liver tumor", (20, 20, 29, 29))),
    )
    rows = make.ask("caption", one, make.spec(["liver", "liver tumor"], "multi_label"))
    assert any("liver tumors" in row.messages[1].content for row in rows)
    assert [list(agreement(row, one, Context(make.spec(["liver", "liver tumor"], "multi_label")))) for row in rows] == [
        [] for _ in rows
    ]
