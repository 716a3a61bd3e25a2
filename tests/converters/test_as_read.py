"""What was wrong in rows read one by one beside their annotation, each with the case that showed it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from converters.location import all_codes
from converters.speech import english as en
from converters.templating import load_table
from schemas import taxonomy
from schemas.case import Text, Tile
from schemas.errors import UserError
from schemas.masks import place
from schemas.spec import load_spec
from tests.converters.conftest import box, case, mask, ref, spec, view


def captions(make, one, described, language="en"):
    return [row.messages[1].content for row in make.ask("caption", one, described, language=language)]


def test_a_number_in_chinese_is_not_read_with_what_follows_it(make):
    # 显示2个红细胞和白细胞 says that there are two cells of both kinds together.
    regions = (box("red blood cell", (9, 9, 60, 60)), box("red blood cell", (99, 9, 160, 60)))
    one = case(regions=(*regions, box("white blood cell", (300, 300, 400, 400))))
    (text,) = captions(make, one, spec(["red blood cell", "white blood cell"]), "zh")
    assert "白细胞和2个红细胞" in text
    (text,) = captions(make, one, spec(["red blood cell", "white blood cell"]))
    assert "2 red blood cells and a white blood cell" in text


def test_a_caption_counts_as_the_count_does(make):
    # The third mask is too small to be seen, so that "2" is no number of nodules that the annotation tells.
    size, described = (480, 640), spec(["lung nodule"], modality="X-ray", anatomy="chest")
    masks = [mask("lung nodule", size, edges, instance=str(edges[0])) for edges in ((10, 10, 60, 60), (99, 9, 160, 60))]
    speck = mask("lung nodule", size, (400, 400, 404, 404), instance="3")
    (text,) = captions(make, case(regions=(*masks, speck)), described)
    assert "lung nodules" in text and "2" not in text
    assert [row.answer for row in make.ask("count", case(regions=(*masks, speck)), described)] == ["3"]
    (text,) = captions(make, case(regions=tuple(masks)), described)
    assert "2 lung nodules" in text


def test_a_caption_does_not_count_masks_that_may_hold_several(make):
    masks = [mask("lung nodule", (480, 640), edges) for edges in ((10, 10, 60, 60), (99, 9, 160, 60))]
    (text,) = captions(make, case(regions=tuple(masks)), spec(["lung nodule"]))
    assert "lung nodules" in text and "2" not in text


def test_an_instance_drawn_in_two_parts_is_one_thing(make):
    masks = [mask("lung nodule", (480, 640), edges, instance="7") for edges in ((10, 10, 60, 60), (99, 9, 160, 60))]
    one = case(regions=tuple(masks))
    (open_one,) = make.ask("open_question", one, spec(["lung nodule"]))
    for text in (*captions(make, one, spec(["lung nodule"])), open_one.messages[1].content):
        assert "a lung nodule" in text and "nodules" not in text


@pytest.mark.parametrize("distractors", ["uniform", "hard"])
def test_no_coarser_place_is_offered_beside_the_right_one(make, distractors):
    # What lies in the anterior part on the patient's left lies in the anterior part.
    shown = view(300, 300, orientation="LP")
    one = case(images=[ref(shown)], regions=(box("liver tumor", (230, 20, 280, 70)),))
    options = {"choice_share": 1, "choices": 10, "distractors": distractors}
    (row,) = make.ask("location", one, spec(["liver tumor"]), **options)
    assert row.answer == "in the anterior part of the field of view, on the patient's left"
    assert "in the anterior part of the field of view" not in row.options
    assert "on the patient's left side of the field of view" not in row.options
    assert len(row.options) == len(all_codes("LP")) - 2


def test_the_side_stands_by_itself_in_the_answer_column(make):
    one = case(regions=(box("liver", (10, 10, 60, 60)), box("spleen", (400, 10, 460, 60))))
    (row,) = make.ask("relation", one, spec(["liver", "spleen"]), open_share=1)
    assert row.answer in ("to the left", "to the right")
    assert f"{row.answer} of" in row.messages[1].content
    assert [en.side(code) for code in "AI^"] == ["anterior", "inferior", "above"]


def test_a_box_in_words_only_is_not_said_to_be_drawn(make):
    for table, which in (("region_to_text", "ask"), ("volume_place", "which")):
        for template in load_table(table).sets[which, "en"]:
            assert "has been drawn" not in template.pattern and "outlined" not in template.pattern, template.id


def test_no_label_of_catalog_or_taxonomy_is_a_word_without_grammar():
    catalog = Path(__file__).parents[2] / "catalog"
    names = {name for path in catalog.rglob("*.yaml") for name in load_spec(path).canonical()} | set(taxonomy.labels())
    assert sorted(name for name in names if en.kind(name) == "unknown") == []


@pytest.mark.parametrize(
    ("name", "phrase", "plural", "be"),
    [
        ("left rib 9", "the left rib 9", "left ribs 9", "is"),
        ("lumbar vertebrae 1 (l1)", "the lumbar vertebra 1 (L1)", "lumbar vertebrae 1 (L1)", "is"),
        ("lumbar vertebrae", "lumbar vertebrae", "lumbar vertebrae", "are"),
        ("left rib", "a left rib", "left ribs", "is"),
        ("rib fracture", "a rib fracture", "rib fractures", "is"),
        ("portal vein and splenic vein", "the portal vein and splenic vein", "portal veins and splenic vein", "are"),
        ("left fusiform gyrus", "the left fusiform gyrus", "left fusiform gyri", "is"),
        ("mitochondria", "mitochondria", "mitochondria", "are"),
        ("surgical scissors", "surgical scissors", "surgical scissors", "are"),
        ("hard exudate", "a hard exudate", "hard exudates", "is"),
        ("Gleason grade 4", "Gleason grade 4", "areas of Gleason grade 4", "is"),
        ("left caudate nucleus", "the left caudate nucleus", "left caudate nuclei", "is"),
        ("intervertebral disc between lumbar vertebrae 5 (l5) and sacrum",
         "the intervertebral disc between lumbar vertebra 5 (L5) and sacrum",
         "intervertebral discs between lumbar vertebra 5 (L5) and sacrum", "is"),
        ("brainstem excluding substantia nigra", "the brainstem excluding substantia nigra",
         "brainstems excluding substantia nigra", "is"),
        ("lens", "the lens", "lenses", "is"),
    ],
)  # fmt: skip
def test_words_of_the_segmentation_datasets(name, phrase, plural, be):
    assert (en.phrase(name), en.plural(name), en.be(name)) == (phrase, plural, be)


@pytest.mark.parametrize("name", ["lumbar vertebrae 1 (l1)", "left rib 9"])
def test_nobody_counts_a_numbered_bone(make, name):
    one = case(regions=(mask(name, (480, 640), (10, 10, 60, 60), instance="1"),))
    assert make.ask("count", one, spec([name])) == []


def test_a_montage_says_no_places(make):
    small = view(100, 100, orientation="LP", axis=2, index=3)
    whole = replace(ref(view(200, 100)), tiles=(Tile(0, 0, ref(small)), Tile(100, 0, ref(small))))
    one = case(images=[whole], regions=(mask("brain edema", (100, 200), (10, 10, 30, 30)),))
    (text,) = captions(make, one, spec(["brain edema"], modality="MRI", anatomy="brain"))
    assert "brain edema" in text and "part of the image" not in text


def test_a_contour_cut_at_the_edge_ends_on_it():
    # By adding up, the cut fell 1e-17 short of the edge, "[-0.000, ..." and outside 0..1, so that a gate refused it.
    for far in np.linspace(-0.9, -0.01, 200):
        for scale in (1.94, 4 / 3, -1.0):
            shown = view(200, 3, w=388, h=4)
            matrix = (scale, 0.0, 388.0 if scale < 0 else 0.0, 0.0, 4 / 3, 0.0)
            shown = replace(shown, matrix=matrix)
            points = (48.487071861252325, far, 200.5, far, 200.5, far + 1.0, 48.487071861252325, far + 1.0)
            region = replace(box("edema", (48, 0, 200, 1)), kind="contour", points=points)
            found = place(region, shown)
            assert found is not None
            assert all(0 <= value <= 1 for value in (*found.box, *found.points))


def test_questions_with_one_id_give_rows_with_different_ids(make):
    pairs = (make.qa("Is it large?", "yes", key="7"), make.qa("大吗？", "是", key="7", language="zh"))
    rows = make.ask("existing_qa", case(questions=pairs), spec())
    assert len({row.id for row in rows}) == 2
    assert rows[0].id == make.ask("existing_qa", case(questions=pairs[:1]), spec())[0].id


def test_placeholders_in_the_sources_words_are_taken_out(make):
    pair = make.qa("<image>\nIs it large?", "yes")
    assert make.ask("existing_qa", case(questions=(pair,)), spec())[0].messages[0].content == "<image>\nIs it large?"


def test_options_that_differ_in_case_only_are_no_choice(make):
    pair = make.qa("Which?", "yes", options=("yes", "Yes", "no"))
    assert make.ask("existing_qa", case(questions=(pair,)), spec()) == []


def test_labels_of_another_dataset_in_other_case_are_offered_once(make):
    one = case(regions=(box("platelet", (10, 10, 60, 60)),))
    described, pool = spec(["platelet", "monocyte"]), ["Monocyte", "LYMPHOCYTE", "lymphocyte"]
    (row,) = make.ask("region_to_text", one, described, choice_share=1, pool=pool)
    assert len({option.casefold() for option in row.options}) == len(row.options) == 3


def test_canonical_words_that_differ_in_case_are_refused(tmp_path):
    text = (
        "name: a\ntitle: a\nlicense: MIT\naccess: open\nreader: {type: x}\nmodality: CT\nanatomy: chest\n"
        "clinical_task: t\nlabels: {a: Liver, b: liver}\n"
    )
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match="'Liver' and 'liver' differ in case only"):
        load_spec(path)


def test_a_place_beside_a_border_of_thirds_is_not_told(make):
    """On 640 x 480 the left third ends at 213: a centre at 228 is 2 % beyond it, one at 100 is 18 % short."""
    near, far = (case(regions=(box("platelet", (x - 20, 220, x + 20, 260)),)) for x in (228, 100))
    described = spec(["platelet"])
    assert "central" not in captions(make, near, described)[0] and "left" in captions(make, far, described)[0]
    told = [make.ask("text_to_region", one, described, absent_share=0)[0].messages[1].content for one in (near, far)]
    assert ["field of view" in text or "part of" in text or "side of" in text for text in told] == [False, True]
    assert all("[0." in text for text in told)


@pytest.mark.parametrize(("edges", "told"), [((200, 150, 320, 330), False), ((90, 150, 310, 330), True)])
def test_a_lung_in_the_right_half_is_on_the_right(make, edges, told):
    """The middle of a phantom's right lung lay at 0.31, so that no row of a whole dataset said "right" any more."""
    one = case(images=[ref(view(orientation="LP"))], regions=(box("lung nodule", edges),))
    (text,) = captions(make, one, spec(["lung nodule"], modality="CT", anatomy="chest"))
    assert ("on the patient's right" in text) == told


def test_the_side_of_what_reaches_over_the_middle_is_not_told_beside_the_border(make):
    one = case(images=[ref(view(orientation="LP"))], regions=(box("lung nodule", (60, 150, 350, 330)),))
    (text,) = captions(make, one, spec(["lung nodule"], modality="CT", anatomy="chest"))
    assert "patient's" not in text


SIDE = {"modality": "CT", "anatomy": "abdomen"}


@pytest.mark.parametrize(("language", "order"), [("en", "write"), ("zh", "写成")])
def test_a_question_asks_for_names_and_boxes_only_where_the_answer_has_them(make, language, order):
    # "Boxes are ...; write <ref>name</ref><box>...", said the question, and the answer was "The box marks the liver."
    one = case(regions=(mask("liver", (480, 640), (99, 9, 160, 60)),), complete_regions=True)
    described = spec(["liver", "spleen"], **SIDE)
    for name in ("region_to_text", "zoom"):
        for seed in range(4):
            (row,) = make.ask(name, one, described, seed, language, box="ref")
            text = row.messages[0].content + row.messages[1].content
            assert order not in text and "<ref>" not in text and "<box>[[" in text, name
    (row,) = make.ask("text_to_region", one, described, 0, language, box="ref", absent_share=0)
    assert order in row.messages[0].content and "<ref>" in row.messages[1].content


def test_a_caption_with_boxes_is_asked_for_with_boxes(make):
    one = case(regions=(mask("liver", (480, 640), (99, 9, 160, 60)),), complete_regions=True)
    (row,) = make.ask("grounded_caption", one, spec(["liver"], **SIDE), box="ref", boxes=True)
    assert row.messages[0].content.endswith("write <ref>name</ref><box>[[x0, y0, x1, y1], ...]</box>.")
    (row,) = make.ask("grounded_caption", one, spec(["liver"], **SIDE))
    assert "Boxes are" not in row.messages[0].content


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_grounded_caption_tells_no_place_beside_a_border_of_thirds(make, language):
    """A phantom kidney had its centre at 0.665, 0.653 and lay "in the central part of the field of view"."""
    shown, size = ref(view(orientation="LP", spacing=(1.0, 1.0))), (480, 640)
    where = ("part of the", "side of the") if language == "en" else ("部", "侧")
    near, far = (396, 284, 456, 344), (500, 400, 560, 460)
    for label, edges, boxes, told in (
        ("left kidney", near, False, False),
        ("left kidney", near, True, False),
        ("liver tumor", near, False, False),
        ("liver tumor", far, False, True),
        ("left kidney", far, True, True),
    ):
        one = case(images=[shown], regions=(mask(label, size, edges),), complete_regions=True)
        (row,) = make.ask("grounded_caption", one, spec([label], **SIDE), 0, language, boxes=boxes)
        text = row.messages[1].content.replace("腹部", "")
        assert any(word in text for word in where) == told, text
        assert ("[0." in text) == boxes and any(word in text for word in ("60 mm", "60毫米")) == (
            label == "liver tumor"
        ), text


@pytest.mark.parametrize(("name", "options"), [("region_to_text", {}), ("marked_region", {"styles": ("box",)})])
def test_what_lies_in_the_box_too_is_no_wrong_option(make, name, options):
    # The box around a phantom's liver held nine tenths of the right kidney, and "right kidney" counted as wrong.
    regions = tuple(
        mask(label, (480, 640), edges)
        for label, edges in (("liver", (100, 100, 400, 400)), ("right kidney", (350, 350, 390, 410)))
    )
    one, described = case(regions=regions, complete_regions=True), spec(["liver", "right kidney", "spleen"], **SIDE)
    rows = make.ask(name, one, described, choice_share=1, per_image=2, **options)
    offered = {row.answer: set(row.options) for row in rows}
    assert offered == {"liver": {"liver", "spleen"}, "right kidney": {"liver", "right kidney", "spleen"}}


def test_an_outline_is_of_one_thing_whatever_else_its_box_holds(make):
    regions = tuple(
        mask(label, (480, 640), edges)
        for label, edges in (("liver", (100, 100, 400, 400)), ("right kidney", (350, 350, 390, 410)))
    )
    one, described = case(regions=regions, complete_regions=True), spec(["liver", "right kidney", "spleen"], **SIDE)
    rows = make.ask("marked_region", one, described, choice_share=1, per_image=2, styles=("contour",))
    assert all(len(row.options) == 3 for row in rows)


@pytest.mark.parametrize(("language", "word"), [("en", "labelled"), ("zh", "标注")])
@pytest.mark.parametrize(("table", "which"), [("grounded_caption", "ask"), ("open_question", "structures")])
def test_nobody_asks_for_labels_that_the_picture_does_not_show(table, which, language, word):
    for template in load_table(table).sets[which, language]:
        assert word not in template.pattern, template.id


@pytest.mark.parametrize(("nodule", "marked"), [((290, 210, 330, 250), 1), ((120, 120, 160, 160), 2)])
def test_the_point_in_a_lung_does_not_lie_on_its_nodule(make, nodule, marked):
    # The lung's mask holds the nodule, and "What is at the red point?" with the nodule there was to be the lung.
    regions = (mask("lung nodule", (480, 640), nodule), mask("right lung", (480, 640), (100, 100, 520, 360)))
    one, described = case(regions=regions, complete_regions=True), spec(["right lung", "lung nodule"], **SIDE)
    options = {"per_image": 2, "choice_share": 0}
    rows = make.ask("marked_region", one, described, styles=("point",), **options)
    assert {row.answer for row in rows} == set(["lung nodule", "right lung"][:marked])
    rows = make.ask("marked_region", one, described, styles=("contour", "point"), **options)
    assert {row.answer for row in rows} == {"lung nodule", "right lung"}


def impressions(make, said, language="en"):
    texts = (Text("findings", "The heart is enlarged.", "en"), Text("impression", said, language))
    rows = make.ask("report", case(texts=texts), spec(), language=language, forms=("impression",))
    return [row.answer for row in rows]


@pytest.mark.parametrize(("said", "language"), [("Cardiomegaly.", "en"), ("No acute disease.", "en"), ("肺炎。", "zh")])
def test_a_short_impression_is_one(make, said, language):
    # Twenty characters were wanted, which a phantom's "Cardiomegaly." lacks, and most impressions of normal films.
    assert impressions(make, said, language) == [said]


NOTHING = (
    "None.",
    "N/A",
    "As above.",
    "See findings.",
    "See above",
    "As described above.",
    "XXXX.",
    "Not given.",
    "同上。",
)


@pytest.mark.parametrize("said", [*NOTHING, "Please see body of report.", "Per the findings.", "无。"])
def test_a_section_that_says_nothing_is_not_asked_for(make, said):
    assert impressions(make, said) == []
    texts = (Text("findings", said), Text("impression", "Cardiomegaly."))
    assert [row.task for row in make.ask("report", case(texts=texts), spec())] == ["report"]
