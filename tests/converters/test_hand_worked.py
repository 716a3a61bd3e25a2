"""Each of the first eight converters on cases whose rows were worked out by hand."""

import re

import pytest

from schemas.identity import row_id


def only(rows):
    assert len(rows) == 1
    return rows[0]


def test_caption_counts_instances_and_says_where_a_single_one_is(make, blood):
    row = only(make.ask("caption", *blood))
    text = row.messages[1].content
    assert "2 red blood cells and a platelet" in text
    # The platelet's centre (528, 396) of 640 x 480 lies at 0.825, 0.825: right and lower third.
    assert "in the lower right part of the image" in text
    assert "microscopy image of blood" in text
    assert row.provenance.facts == ("regions[0]", "regions[1]", "regions[2]")
    assert row.labels == ("red blood cell", "platelet")
    assert row.regions[2].box == (0.8, 0.8, 0.85, 0.85)
    assert row.id == row_id("ds", "c1", "caption", "regions0")


def test_caption_of_a_class(make, chest):
    row = only(make.ask("caption", *chest))
    assert re.search(r"radiograph of the chest.* pneumonia", row.messages[1].content)
    assert row.provenance.facts == ("labels[0]",)
    assert row.regions == ()


def test_what_is_normal_reads_as_english(make, chest):
    one = make.case(images=chest[0].images, labels=(make.label("normal"),))
    for seed in range(20):
        assert "no abnormal findings" in only(make.ask("caption", one, chest[1], seed=seed)).messages[1].content
        opened = only(make.ask("open_question", one, chest[1], seed=seed))
        assert "no abnormal findings" in opened.messages[1].content and opened.answer == "normal"
        asked = only(make.ask("yes_no", one, chest[1], seed=seed))
        assert (asked.provenance.template.startswith("yes_no.clear")) == (asked.answer == "Yes")


def test_a_grade_is_quoted_not_shown(make):
    described = make.spec(["mild", "moderate"], "ordinal", modality="fundus photography", anatomy="eye")
    text = only(make.ask("caption", make.case(labels=(make.label("mild"),)), described)).messages[1].content
    assert text.endswith('"mild".')


def test_negated_questions_turn_the_answer_round(make, chest):
    for seed in range(40):
        row = only(make.ask("yes_no", *chest, seed=seed, negated=1))
        asks_the_true_one = "pneumonia" in row.messages[0].content
        assert row.answer == ("No" if asks_the_true_one else "Yes")
        assert "_negated-" in row.provenance.template


def test_none_of_the_above_is_right_as_often_as_any_letter(make, chest):
    rows = [only(make.ask("multiple_choice", *chest, seed=seed, none_share=1)) for seed in range(400)]
    assert all(row.options[-1] == "none of the above" and len(row.options) == 4 for row in rows)
    right = [row for row in rows if row.answer == "none of the above"]
    assert all("pneumonia" not in row.options for row in right)
    assert all(row.options[row.answer_index] == row.answer for row in rows)
    assert abs(len(right) - 100) < 2.58 * (400 * 0.25 * 0.75) ** 0.5


def test_hard_distractors_are_the_nearest(make):
    names = ["left kidney cyst", "right kidney cyst", "liver cyst", "pneumonia", "fracture", "edema"]
    one, described = make.case(labels=(make.label("left kidney cyst"),)), make.spec(names, "multi_class")
    hard = {"distractors": "hard", "choices": 3}
    assert set(only(make.ask("multiple_choice", one, described, **hard)).options) == set(names[:3])
    told = only(make.ask("multiple_choice", one, described, **hard, confusions={"left kidney cyst": ["edema"]}))
    assert set(told.options) == {"left kidney cyst", "right kidney cyst", "edema"}


def test_multiple_choice_of_a_class(make, chest):
    row = only(make.ask("multiple_choice", *chest))
    assert sorted(row.options) == ["lung cancer", "normal", "pneumonia", "pneumothorax"]
    assert row.answer == "pneumonia" and row.options[row.answer_index] == "pneumonia"
    letter = "ABCD"[row.answer_index]
    assert row.messages[1].content == letter
    lines = row.messages[0].content.split("\n")
    assert lines[0] == "<image>"
    assert lines[2:6] == [f"{each}: {option}" for each, option in zip("ABCD", row.options, strict=True)]
    assert lines[6] == "Answer with the letter of the correct option only."


def test_multiple_choice_never_offers_another_true_or_uncertain_or_unmentioned_label(make):
    described = make.spec(["a1", "a2", "a3", "a4", "a5"], "multi_label")
    one = make.case(
        labels=(
            make.label("a1"),
            make.label("a2"),
            make.label("a3", "absent"),
            make.label("a4", "uncertain"),
        )
    )
    rows = [row for seed in range(20) for row in make.ask("multiple_choice", one, described, seed=seed)]
    assert {frozenset(row.options) for row in rows} == {frozenset({"a1", "a3"}), frozenset({"a2", "a3"})}


def test_multiple_choice_leaves_out_part_and_whole(make):
    described = make.spec(["kidney", "left kidney", "spleen"])
    one = make.case(regions=(make.box("left kidney", (0, 0, 100, 100)),))
    row = only(make.ask("multiple_choice", one, described))
    assert sorted(row.options) == ["left kidney", "spleen"]


def test_multiple_choice_is_silent_without_a_false_label(make):
    assert make.ask("multiple_choice", make.case(labels=(make.label("a"),)), make.spec(["a", "b"], "multi_label")) == []


def test_yes_no_asks_the_true_label_for_yes_and_another_for_no(make, chest):
    rows = [only(make.ask("yes_no", *chest, seed=seed)) for seed in range(40)]
    for row in rows:
        assert row.answer == row.messages[1].content in ("Yes", "No")
        assert ("pneumonia" in row.messages[0].content) == (row.answer == "Yes")
    assert {row.answer for row in rows} == {"Yes", "No"}


def test_yes_no_never_asks_what_is_uncertain(make):
    described = make.spec(["edema", "effusion", "fracture"], "multi_label")
    one = make.case(labels=(make.label("edema", "uncertain"), make.label("effusion"), make.label("fracture", "absent")))
    for seed in range(40):
        row = only(make.ask("yes_no", one, described, seed=seed))
        assert "edema" not in row.messages[0].content
        assert (row.answer == "Yes") == ("effusion" in row.messages[0].content)


def test_a_class_with_an_uncertain_label_is_not_denied_the_others(make):
    described = make.spec(["a1", "a2", "a3"], "multi_class")
    one = make.case(labels=(make.label("a1", "uncertain"),))
    assert make.ask("yes_no", one, described) == make.ask("multiple_choice", one, described) == []


def test_open_question_answers_with_every_true_label(make, blood):
    row = only(make.ask("open_question", *blood))
    assert row.answer == "red blood cell, platelet"
    assert "red blood cells and a platelet" in row.messages[1].content


def test_count(make, blood):
    rows = {row.labels and row.answer: row for row in make.ask("count", *blood, zero_share=0)}
    assert set(rows) == {"1", "2"}
    assert "1 platelet" in rows["1"].messages[1].content and "platelets" not in rows["1"].messages[1].content
    assert "2 red blood cells" in rows["2"].messages[1].content
    assert len(rows["2"].regions) == 2
    assert rows["2"].provenance.facts == ("regions[0]", "regions[1]")


def test_count_of_nothing_reads_as_english(make, blood):
    rows = make.ask("count", *blood, zero_share=1)
    row = only([row for row in rows if row.answer == "0"])
    assert "no white blood cells" in row.messages[1].content.lower()
    assert not re.search(r"\b0\b|\bis no\b", row.messages[1].content)


def test_count_needs_complete_regions(make, blood):
    partial = make.case(regions=blood[0].regions, complete_regions=False)
    assert make.ask("count", partial, blood[1]) == []
    assert make.ask("text_to_region", partial, blood[1]) == []


def test_count_leaves_out_masks_that_may_hold_several(make):
    cells = make.mask("cell", (480, 640), (10, 10, 60, 60))
    assert make.ask("count", make.case(regions=(cells,)), make.spec(["cell"])) == []
    two = (
        make.mask("cell", (480, 640), (10, 10, 60, 60), instance="1"),
        make.mask("cell", (480, 640), (100, 10, 160, 60), instance="2"),
    )
    assert only(make.ask("count", make.case(regions=two), make.spec(["cell"]), zero_share=0)).answer == "2"


def test_organs_are_not_counted(make):
    assert make.ask("count", make.case(regions=(make.box("liver", (0, 0, 99, 99)),)), make.spec(["liver"])) == []


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("fraction", "[0.800, 0.800, 0.850, 0.850]"),
        ("pixels", "[512, 384, 544, 408]"),
        ("per_mille", "[799, 799, 849, 849]"),
    ],
)
def test_region_to_text_writes_the_box_in_the_chosen_style(make, blood, style, text):
    rows = make.ask("region_to_text", *blood, per_image=3, box=style)
    row = only([row for row in rows if row.answer == "platelet"])
    assert text in row.messages[0].content
    assert "platelet" in row.messages[1].content
    assert row.regions[0].box == (0.8, 0.8, 0.85, 0.85)
    assert row.provenance.facts == ("regions[2]",)


def test_region_to_text_leaves_out_boxes_that_name_two_things(make):
    regions = (
        make.box("optic disc", (100, 100, 200, 200)),
        make.box("optic cup", (102, 102, 198, 198)),
        make.box("macula", (400, 200, 450, 250)),
    )
    rows = make.ask(
        "region_to_text", make.case(regions=regions), make.spec(["optic disc", "optic cup", "macula"]), per_image=3
    )
    assert [row.answer for row in rows] == ["macula"]


def test_text_to_region_gives_every_instance(make, blood):
    rows = {row.labels[0]: row for row in make.ask("text_to_region", *blood, box="ref", absent_share=0)}
    assert rows["red blood cell"].messages[1].content == (
        "<ref>red blood cell</ref><box>[[100, 100, 200, 200], [500, 500, 599, 599]]</box>"
    )
    assert len(rows["red blood cell"].regions) == 2
    assert "[799, 799, 849, 849]" in rows["platelet"].messages[1].content


def test_text_to_region_says_the_place_in_words(make, blood):
    rows = {row.labels[0]: row for row in make.ask("text_to_region", *blood, absent_share=0)}
    assert "lower right part of the image" in rows["platelet"].messages[1].content
    assert rows["platelet"].answer == "[0.800, 0.800, 0.850, 0.850]"


def test_existing_pairs_are_cleaned(make):
    questions = (
        make.qa("Is  there free air? ", "no ", answer_type="closed", key="q1"),
        make.qa("NULL", "yes"),
        make.qa("What is it?", "NULL"),
        make.qa("How many ribs?", 5),
        make.qa("Which side?", "left", answer_type="closed"),
        make.qa("Pick one", "B", options=("A: cat", "B: dog")),
        make.qa("Pick one", "dog", options=("A: cat", "B: dog")),
        make.qa("Pick one", "cow", options=("A: cat", "B: dog")),
        make.qa("Pick one", "", options=("cat", "dog"), answer_index=1),
    )
    rows = make.ask("existing_qa", make.case(questions=questions), make.spec())
    assert [(row.task, row.answer, row.answer_index) for row in rows] == [
        ("yes_no", "No", -1),
        ("open", "5", -1),
        ("open", "left", -1),
        ("mcq", "dog", 1),
        ("mcq", "dog", 1),
        ("mcq", "dog", 1),
    ]
    assert rows[0].messages[0].content == "<image>\nIs there free air?"
    assert rows[3].messages[0].content == (
        "<image>\nPick one\nA: cat\nB: dog\nAnswer with the letter of the correct option only."
    )
    assert rows[3].messages[1].content == "B"
    assert rows[0].provenance.facts == ("questions[0]",)
    assert len({row.id for row in rows}) == 6


def test_existing_dialogue_keeps_its_turns(make):
    pair = make.qa("a?", "b", turns=(("a?", "b"), (" c? ", "d")))
    row = only(make.ask("existing_qa", make.case(questions=(pair,)), make.spec()))
    assert row.task == "dialogue"
    assert [(turn.role, turn.content) for turn in row.messages] == [
        ("user", "<image>\na?"),
        ("assistant", "b"),
        ("user", "c?"),
        ("assistant", "d"),
    ]


def test_a_row_about_one_slice_shows_only_that_slice(make):
    slices = [make.ref(make.view(axis=2, index=i, orientation="LP")) for i in (4, 9)]
    regions = (make.box("liver", (0, 100, 200, 300), 0), make.box("spleen", (500, 300, 600, 400), 1))
    one, described = (
        make.case(images=slices, regions=regions),
        make.spec(["liver", "spleen"], modality="CT", anatomy="abdomen"),
    )
    for name in ("caption", "open_question", "multiple_choice", "yes_no", "region_to_text", "text_to_region"):
        for row in make.ask(name, one, described):
            assert len(row.images) == 1 and row.messages[0].content.count("<image>") == 1
            assert all(place.image_index == 0 for place in row.regions)
            assert row.labels == (("liver",) if row.images[0] == slices[0] else ("spleen",))


def test_a_label_of_the_case_shows_all_its_pictures(make, chest):
    one = make.case(images=[make.ref(), make.ref(name="b.jpg")], labels=(make.label("pneumonia"),))
    row = only(make.ask("multiple_choice", one, chest[1]))
    assert len(row.images) == 2 and row.messages[0].content.startswith("<image>\n<image>\n")
    assert "this image" not in row.messages[0].content


def test_specks_are_neither_asked_about_nor_denied(make):
    regions = (make.mask("lesion", (480, 640), (0, 0, 3, 3)), make.mask("liver", (480, 640), (0, 0, 300, 300)))
    one, described = make.case(regions=regions), make.spec(["lesion", "liver", "spleen"])
    rows = [row for seed in range(20) for row in make.ask("yes_no", one, described, seed=seed)]
    assert rows and not any("lesion" in row.messages[0].content for row in rows)
    assert only(make.ask("multiple_choice", one, described)).options.count("lesion") == 0


def test_regions_speak_where_labels_only_repeat_them(make, blood):
    labelled = make.case(regions=blood[0].regions, labels=(make.label("red blood cell"), make.label("platelet")))
    assert "2 red blood cells" in only(make.ask("caption", labelled, blood[1])).messages[1].content
    assert "red blood cells and a platelet" in only(make.ask("open_question", labelled, blood[1])).messages[1].content
    row = only(make.ask("multiple_choice", labelled, blood[1]))
    assert "white blood cell" in row.options
    assert len(make.ask("yes_no", labelled, blood[1])) == 1


def test_anatomy_distractors_are_of_one_level(make, chest):
    for seed in range(30):
        row = only(make.ask("acquisition", *chest, seed=seed, facts=["anatomy"]))
        assert row.answer == "chest"
        assert set(row.options) <= {"chest", "head", "neck", "knee", "hand", "foot"}


def test_small_pictures_are_enlarged_for_numbers(make):
    small = make.ref(make.view(128, 96))
    regions = (make.mask("liver", (96, 128), (10, 10, 50, 50)), make.mask("spleen", (96, 128), (80, 40, 110, 80)))
    one = make.case(images=[small], regions=regions)
    row = only(make.ask("set_of_mark", one, make.spec(["liver", "spleen"])))
    assert (row.images[0].view.width, row.images[0].view.height) == (512, 384)
    assert all(place.size == (384, 512) for place in row.regions)
    numbers = {mark.text: mark.points for mark in row.images[0].marks if mark.kind == "number"}
    for text, place in zip("12", row.regions, strict=True):
        x, y = numbers[text]
        x0, y0, x1, y1 = place.box
        assert x0 * 512 < x < x1 * 512 and y0 * 384 < y < y1 * 384
