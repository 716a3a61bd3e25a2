"""Template files are checked when they are loaded."""

from pathlib import Path

import pytest

from converters.drawing import generator
from converters.templating import FOLDER, load_table
from schemas.errors import UserError


def write(folder: Path, text: str) -> Path:
    (folder / "t.yaml").write_text(text)
    return folder


def test_every_shipped_file_loads_and_every_sentence_is_different():
    tables = [path.stem for path in FOLDER.glob("*.yaml")]
    assert len(tables) >= 8
    for name in tables:
        for templates in load_table(name).sets.values():
            assert len({template.pattern for template in templates}) == len(templates)


@pytest.mark.parametrize("name", ["caption", "multiple_choice", "yes_no", "open_question", "count", "region_to_text"])
def test_questions_come_in_a_dozen_wordings(name):
    sets = load_table(name).sets
    assert max(len(templates) for (which, language), templates in sets.items() if language == "en") >= 12


def test_ids_are_stable_names(tmp_path):
    table = load_table("t", write(tmp_path, 'ask: {slots: [label], en: {one: "Is it {label}?"}}'))
    template = table.fixed("ask", "en")
    assert template.id == "t.ask-one.en"
    assert template.fill({"label": "a {brace}"}) == "Is it a {brace}?"


def test_capital_slots(tmp_path):
    table = load_table("t", write(tmp_path, 'ask: {slots: [label], en: {one: "{Label}, {label}"}}'))
    assert table.fixed("ask", "en").fill({"label": "MR image"}) == "MR image, MR image"
    assert table.fixed("ask", "en").fill({"label": "the liver"}) == "The liver, the liver"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('ask: {slots: [label], en: {one: "Is it?"}}', r"t\.ask-one\.en lacks the slot \{label\}"),
        ('ask: {slots: [label], en: {one: "Is {label} {lable}?"}}', r"unknown slot \{lable\}; did you mean 'label'"),
        ('ask: {slots: [label], en: {one: "Is {label?"}}', r"t\.ask-one\.en: "),
        ("ask: {slots: [label]}", "no paraphrase in any language"),
        ("ask: {en: {on: 'a'}}", "quote it"),
        ("ask: {en: {one: 'a', one: 'b'}}", "'one' stands twice"),
        ("ask: [", "not valid YAML"),
        ("- ask", "mapping of sets"),
    ],
)
def test_mistakes_are_named_at_load(tmp_path, text, told):
    with pytest.raises(UserError, match=told):
        load_table("t", write(tmp_path, text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"no template file .*t\.yaml"):
        load_table("t", tmp_path)


def test_a_language_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(UserError, match="it has en"):
        load_table("t", write(tmp_path, "ask: {en: {one: 'a'}}")).choose("ask", "de", generator(0, "row"))


def test_a_slot_without_value_is_an_error_of_the_converter(tmp_path):
    table = load_table("t", write(tmp_path, 'ask: {slots: [label], en: {one: "{label}"}}'))
    with pytest.raises(KeyError):
        table.fixed("ask", "en").fill({})
