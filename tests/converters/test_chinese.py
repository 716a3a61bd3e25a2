"""Chinese rows: whole sentences in Chinese, canonical English kept in ``labels``, and the same contract."""

import re
from pathlib import Path

import pytest

from converters.contract import check_converter, sample_fixtures
from converters.geometry_words import spot, where
from converters.speech import chinese as zh
from converters.templating import FOLDER, load_table
from schemas import taxonomy
from schemas.plugins import load, names
from schemas.spec import load_spec

TABLES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("name", TABLES)
def test_every_set_is_there_in_chinese(name):
    table = load_table(name)
    assert {which for which, language in table.sets if language == "zh"} == {which for which, _ in table.sets}


@pytest.mark.parametrize("name", names("converters"))
def test_the_contract_holds_in_chinese(name):
    assert check_converter(load("converters", name), sample_fixtures(), {"language": "zh"}) == []


def test_no_two_labels_share_a_word():
    words = list(zh.lexicon().labels.values())
    assert len(set(words)) == len(words)


def test_a_caption(make, blood):
    row = make.ask("caption", *blood, language="zh")[0]
    text = row.messages[1].content
    assert "2个红细胞" in text and "血小板位于图像的右下部。" in text
    assert not re.search(r"[a-z]{2,}| ", text)
    assert row.labels == ("red blood cell", "platelet")
    assert row.provenance.language == "zh" and row.provenance.template.endswith(".zh")


def test_options_and_answer_are_chinese(make, chest):
    row = make.ask("multiple_choice", *chest, language="zh")[0]
    assert sorted(row.options) == sorted(["正常", "肺炎", "气胸", "肺癌"])
    assert row.answer == "肺炎" and row.options[row.answer_index] == "肺炎"


def test_sides_are_the_patients(make):
    shown = make.view(100, 100, orientation="LP")
    place = where(spot(make.box("spleen", (80, 75, 95, 90)), shown), shown)
    assert zh.location(place.codes, place.patient, place.wide) == "位于视野的后部、患者左侧"


def test_rows_in_two_languages_have_different_ids(make, chest):
    english, chinese = make.ask("caption", *chest)[0], make.ask("caption", *chest, language="zh")[0]
    assert english.id != chinese.id


def test_the_catalog_speaks_chinese():
    """Every label that a spec of the catalog publishes, but for names that are Latin in Chinese texts too."""
    specs = Path(__file__).parents[2].joinpath("catalog").rglob("*.yaml")
    labels = {label for path in specs for label in load_spec(path).canonical()}
    latin = {label: re.findall(r"[A-Za-z]{2,}", zh.name(label)) for label in labels}
    assert {label for label, found in latin.items() if found and set(found) != {"Gleason"}} == set()


def test_the_taxonomy_speaks_chinese():
    """A spec may map to any word of it; what had none stood in English within the Chinese sentence."""
    words = {label: zh.name(label) for label in taxonomy.labels()}
    latin = {label: set(re.findall(r"[A-Za-z]{2,}", word)) - {"Gleason", "RADS", "BI"} for label, word in words.items()}
    assert {label for label, found in latin.items() if found} == set()
    assert len(set(words.values())) == len(words)
    views = ("", "AP supine", "left lateral", "MLO")
    pictures = {
        zh.picture(modality, anatomy, projection=view)
        for modality in taxonomy.axis("modality")
        for anatomy in taxonomy.axis("anatomy")
        for view in views
    }
    assert [name for name in sorted(pictures) if re.search("[a-z]", name)] == []


@pytest.mark.parametrize(
    ("label", "word"),
    [("left rib 3", "左第3肋骨"), ("thoracic vertebrae 10 (t10)", "第10胸椎"), ("right gluteus medius", "右臀中肌"),
     ("left grommet", "left grommet")],
)  # fmt: skip
def test_sides_and_numbers(label, word):
    assert zh.name(label) == word


def test_every_picture_of_the_catalog_is_called_in_chinese():
    specs = [load_spec(path) for path in Path(__file__).parents[2].joinpath("catalog").rglob("*.yaml")]
    called = {zh.picture(spec.modality, spec.anatomy) for spec in specs}
    assert [name for name in sorted(called) if re.search("[a-z]", name)] == []
