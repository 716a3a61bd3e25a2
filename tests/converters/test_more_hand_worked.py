"""Places, sizes, masks, visits, reports and texts, on cases whose rows were worked out by hand."""

from collections import Counter

import numpy as np
import pytest

from converters.drawing import generator
from converters.outline import inner_point, outlines
from converters.report import without_prior
from schemas.case import Text

SIZE = (100, 200)


def only(rows):
    assert len(rows) == 1
    return rows[0]


@pytest.fixture
def organs(make):
    """Axial view, 0.5 mm: liver at the patient's right with a tumor in a hole of it, spleen at the left and back."""
    grid = np.zeros(SIZE, bool)
    grid[20:60, 10:70] = True
    grid[30:40, 20:30] = False
    from schemas.masks import mask_region

    regions = (
        mask_region(grid, "liver", "liver", 0),
        make.mask("liver tumor", SIZE, (20, 30, 30, 40)),
        make.mask("spleen", SIZE, (150, 70, 190, 94)),
    )
    shown = make.view(200, 100, orientation="LP", axis=2, index=1, spacing=(0.5, 0.5))
    described = make.spec(["liver", "liver tumor", "spleen", "left kidney"], modality="CT", anatomy="abdomen")
    return make.case(images=[make.ref(shown)], regions=regions), described


def test_location_as_words_and_as_a_choice(make, organs):
    rows = make.ask("location", *organs, per_image=3, choice_share=0)
    said = {row.labels[0]: row.answer for row in rows}
    assert said["spleen"] == "in the posterior part of the field of view, on the patient's left"
    assert said["liver"] == "on the patient's right side of the field of view"
    # The tumor's centre lies at 0.35 of the height, too near to the border of the thirds to be called.
    assert set(said) == {"liver", "spleen"}
    row = only(make.ask("location", *organs, choice_share=1))
    assert row.task == "mcq" and len(row.options) == 4 and row.options[row.answer_index] == said[row.labels[0]]


def test_relation_in_the_patients_frame(make, organs):
    for seed in range(20):
        row = only(make.ask("relation", *organs, seed=seed, open_share=1))
        # The spleen lies at the patient's left of everything else.
        assert (row.labels[0] == "spleen") == (row.answer == "to the patient's left")
        assert (row.labels[1] == "spleen") == (row.answer == "to the patient's right")


def test_size_in_millimetres(make, organs):
    rows = make.ask("size", *organs, per_image=3)
    said = {row.labels[0]: row.answer for row in rows}
    # 40 x 24 pixels of 0.5 mm; 10 x 10 pixels.
    assert said["spleen"] == "about 20 mm wide and 12 mm high in the image"
    assert said["liver tumor"] == "about 5.0 mm wide and 5.0 mm high in the image"


def test_size_as_share_where_the_spacing_is_unknown(make):
    one = make.case(images=[make.ref(make.view(200, 100))], regions=(make.mask("cyst", SIZE, (10, 10, 50, 60)),))
    assert only(make.ask("size", one, make.spec(["cyst"]))).answer == "about 10 % of the image's area"


def test_largest(make, organs):
    row = only(make.ask("largest", *organs))
    assert row.answer == "liver" and sorted(row.options) == ["liver", "liver tumor", "spleen"]


def test_contact(make, organs):
    for seed in range(10):
        rows = {row.provenance.template.split("-")[0]: row for row in make.ask("contact", *organs, seed=seed)}
        touches, inside = rows["contact.touches"], rows["contact.inside"]
        assert (touches.answer == "Yes") == (set(touches.labels) == {"liver", "liver tumor"})
        assert (inside.answer == "Yes") == (inside.labels == ("liver tumor", "liver"))


def test_referring_segmentation_carries_the_mask(make, organs):
    rows = make.ask("referring_segmentation", *organs, per_image=3, token="<SEG>")
    assert {row.labels[0] for row in rows} == {"liver", "liver tumor", "spleen"}
    assert all(
        row.regions[0].rle and row.regions[0].size == SIZE and "<SEG>" in row.messages[1].content for row in rows
    )


def test_text_to_region_of_what_is_absent(make, organs):
    rows = make.ask("text_to_region", *organs, absent_share=1)
    row = only([row for row in rows if row.answer == "none"])
    assert "left kidney" in row.messages[0].content and row.regions == ()


def test_grounded_caption_says_kind_organs_places_size_and_relations(make, organs):
    text = only(make.ask("grounded_caption", *organs)).messages[1].content
    assert "axial CT slice of the abdomen" in text and "the liver and the spleen" in text.lower()
    sentences = text.split(". ")
    (found,) = [sentence for sentence in sentences if "a liver tumor" in sentence.lower()]
    # Its middle lies at 0.35 of the height, too near to the border of the upper third to tell its place.
    assert "about 5.0 mm wide and 5.0 mm high in the image" in found and "field of view" not in found
    assert any("the liver" in sentence.lower() and "on the patient's right side" in sentence for sentence in sentences)
    assert "the patient's right of the spleen" in text


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [("present", "absent", "resolved"), ("absent", "present", "new"), ("present", "present", "present both times"),
     ("absent", "absent", "absent both times")],
)  # fmt: skip
def test_two_visits(make, before, after, change):
    labels = (make.label("edema", before, 0), make.label("edema", after, 1))
    one = make.case(images=[make.ref(), make.ref(name="b.png")], labels=labels)
    assert only(make.ask("comparison", one, make.spec(["edema"], "multi_label"))).answer == change


@pytest.mark.parametrize(("after", "change"), [("severe", "worse"), ("none", "better"), ("mild", "unchanged")])
def test_two_grades(make, after, change):
    one = make.case(
        images=[make.ref(), make.ref(name="b.png")], labels=(make.label("mild", image=0), make.label(after, image=1))
    )
    assert only(make.ask("comparison", one, make.spec(["none", "mild", "severe"], "ordinal"))).answer == change


def test_an_uncertain_visit_is_not_compared(make):
    labels = (make.label("edema", "uncertain", 0), make.label("edema", "present", 1))
    one = make.case(images=[make.ref(), make.ref(name="b.png")], labels=labels)
    assert make.ask("comparison", one, make.spec(["edema"], "multi_label")) == []


def test_prior_examinations_are_taken_out_of_reports():
    text = "The heart is enlarged. Compared with the prior film, the effusion has grown. No pneumothorax."
    assert without_prior(text) == "The heart is enlarged. No pneumothorax."
    assert without_prior("Unchanged from the previous film.") == ""


def test_impression_from_findings_shows_no_picture(make):
    texts = (
        Text("findings", "The heart is enlarged and the lungs are clear."),
        Text("impression", "Cardiomegaly, lungs clear."),
    )
    rows = make.ask("report", make.case(texts=texts), make.spec())
    row = only([row for row in rows if row.task == "text"])
    assert row.images == () and row.answer == "Cardiomegaly, lungs clear."
    assert "The heart is enlarged" in row.messages[0].content


def test_what_the_picture_does_not_show_is_not_asked(make):
    texts = (Text("section", "Cough and fever for two weeks.", title="INDICATION"),)
    assert make.ask("report", make.case(texts=texts), make.spec()) == []


def test_text_classification(make):
    one = make.case(images=(), texts=(Text("text", "A dry cough."),), labels=(make.label("respiratory"),))
    row = only(make.ask("text_task", one, make.spec(["respiratory", "cardiac"], "multi_class")))
    assert row.task == "text" and row.answer == "respiratory" and "A dry cough." in row.messages[0].content


def test_dialogue_takes_one_row_of_each_converter(make, blood):
    row = only(make.ask("dialogue", *blood))
    assert row.task == "dialogue" and len(row.messages) == 10
    assert [turn.content.count("<image>") for turn in row.messages] == [1] + [0] * 9
    asked = [template.split(".")[0] for template in row.provenance.template.split("+")]
    assert len(set(asked)) == len(asked) == 5


def test_which_image_shows_it(make):
    images = [make.ref(make.view(axis=2, index=i, orientation="LP"), f"{i}.png") for i in range(3)]
    regions = (
        make.box("liver", (0, 0, 99, 99), 0),
        make.box("liver", (0, 0, 99, 99), 1),
        make.box("spleen", (0, 0, 99, 99), 2),
    )
    one, described = make.case(images=images, regions=regions), make.spec(["liver", "spleen"])
    for seed in range(10):
        row = only(make.ask("which_image", one, described, seed=seed))
        assert row.images[row.answer_index] == images[2] or row.labels == ("liver",)


def test_which_image_shows_no_picture_twice(make):
    """Labels and regions both speak of each picture; the first has a nodule, the second has none."""
    images = [make.ref(make.view(), f"{number}.png") for number in range(2)]
    labels = (make.label("lung nodule", "present", 0), make.label("lung nodule", "absent", 1))
    one = make.case(images=images, labels=labels, regions=(make.box("lung nodule", (10, 10, 40, 40), 0),))
    described = make.spec(["lung nodule"], "multi_label", modality="CT", anatomy="chest")
    for seed in range(8):
        (row,) = make.ask("which_image", one, described, seed=seed)
        assert len(set(row.images)) == len(row.images) == 2
        assert row.images[row.answer_index] == images[0]


def test_outlines_follow_pixel_edges_around_parts_and_holes():
    grid = np.zeros((6, 8), bool)
    grid[1:5, 1:5] = True
    grid[2:4, 2:4] = False
    loops = outlines(grid)
    assert sorted(loops)[0] == (1.0, 1.0, 5.0, 1.0, 5.0, 5.0, 1.0, 5.0)
    assert len(loops) == 2 and set(zip(loops[1][::2], loops[1][1::2], strict=True)) == {(2, 2), (2, 4), (4, 2), (4, 4)}
    x, y = inner_point(grid)
    assert grid[int(y), int(x)]


def test_draws_are_uniform_and_do_not_run_dry():
    counts = Counter(generator(0, str(number)).randrange(5) for number in range(5000))
    assert sum((counts[value] - 1000) ** 2 / 1000 for value in range(5)) < 13.28  # chi-square, four degrees, 1 %
    draw = generator(1, "long")
    late = Counter(draw.randrange(7) for _ in range(7000))
    assert sum((late[value] - 1000) ** 2 / 1000 for value in range(7)) < 16.81
    assert sorted(generator(2, "x").sample(range(50), 50)) == list(range(50))
