"""Questions that a clinician would not ask, and wordings that give the answer away: none is made."""

import re
from dataclasses import replace

import pytest

from converters.speech import english
from converters.templating import FOLDER, load_table
from schemas.case import Tile

ANSWERS = {
    "caption": ["showing", "state", "place"],
    "comparison": ["grade_answer", "new", "resolved", "both", "unchanged", "worse", "better", "absent"],
    "count": ["answer", "answer_none"],
    "grounded_caption": ["kind", "organs", "region", "region_size", "unplaced", "unplaced_size", "relation"],
    "location": ["answer"], "marked_region": ["answer"], "open_question": ["answer", "answer_class"],
    "referring_segmentation": ["answer"], "region_to_text": ["answer"], "relation": ["answer"],
    "set_of_mark": ["answer_what", "answer_which", "answer_all"], "size": ["answer_mm", "answer_share"],
    "slice_series": ["which_answer", "largest_answer"],
    "text_to_region": ["answer_one", "answer_place", "answer_many", "answer_absent", "answer_absent_many"],
    "volume_place": ["words_answer", "box_answer"], "volume_segmentation": ["answer"],
    "volume_size": ["millimetres_answer", "millilitres_answer", "count_answer", "count_answer_none"],
    "zoom": ["answer_what", "answer_where"],
    # A sentence behind the question, which the first sentence of the page has put already.
    "in_context": ["closing"],
}  # fmt: skip
FIXED = {
    # How boxes are to be written and read: one rule, one sentence.
    "boxes": ["fraction", "pixels", "per_mille", "ref", "ref_unnamed"],
    # Words, not sentences: they stand among the options, in the answer column or within a sentence.
    "comparison": [f"word_{word}" for word in ("new", "resolved", "unchanged", "both", "absent", "worse", "better")],
    "demographics": ["word_male", "word_female", "word_child", "word_adult"],
    # Of these, the frame of 3D boxes is a rule as well, and the channels are told as a fact before the question.
    "volume_words": ["plain", "named", "extent", "millilitres", "frame", "channels", "named_channels"],
    "two_views": ["option"], "which_image": ["option"],
    "multi_label": ["uncertain", "unmentioned", "letters"], "multiple_choice": ["none", "letter"],
    "slice_series": ["axial", "coronal", "sagittal", "axial_order", "coronal_order", "sagittal_order", "short",
                     "short_several",
                     # What the pictures are, as a figure's legend says it, before the question.
                     "images", "images_apart", "images_at", "montage", "montage_apart", "montage_at"],
    # The form that a model is to answer in.
    "text_to_region": ["answer_ref", "none"],
    # Frames around the rows of other converters, which have wordings of their own.
    "in_context": ["example", "query", "query_first"], "interleaved": ["image"],
}  # fmt: skip


def wordings() -> list[tuple[str, str, int]]:
    """(table, set, least number of wordings) of every set there is; what is neither answer nor fixed is a question."""
    found = []
    for name in sorted(path.stem for path in FOLDER.glob("*.yaml")):
        for which in dict.fromkeys(which for which, _ in load_table(name).sets):
            fixed, answer = which in FIXED.get(name, ()), which in ANSWERS.get(name, ())
            found.append((name, which, 1 if fixed else 12 if answer else 36))
    return found


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("name", "which", "least"), wordings())
def test_there_are_dozens_of_wordings(name, which, least, language):
    assert len(load_table(name).sets[which, language]) >= least


def test_every_exception_is_a_set_that_there_is():
    named = {(name, which) for table in (ANSWERS, FIXED) for name, sets in table.items() for which in sets}
    assert named <= {(name, which) for name, which, _ in wordings()}


def graded(make, *grades, kind="ordinal"):
    images = [make.ref(name=f"{n}.png") for n in range(len(grades))]
    return make.case(images=images, labels=tuple(make.label(grade, image=n) for n, grade in enumerate(grades)))


def test_which_image_asks_for_things_and_not_for_grades(make):
    assert make.ask("which_image", graded(make, "mild", "severe"), make.spec(["mild", "severe"], "ordinal")) == []
    assert (
        make.ask("which_image", graded(make, "normal", "abnormal"), make.spec(["normal", "abnormal"], "multi_class"))
        == []
    )
    assert (
        len(make.ask("which_image", graded(make, "edema", "fracture"), make.spec(["edema", "fracture"], "multi_class")))
        == 1
    )


@pytest.mark.parametrize("seed", range(12))
def test_a_class_that_holds_the_true_one_is_not_denied(make, seed):
    """COVID-19 is a pneumonia, so "does it show pneumonia?" has no answer in a dataset that keeps the two apart."""
    described = make.spec(["COVID-19", "pneumonia", "normal", "pneumothorax"], "multi_class")
    one = make.case(f"c{seed}", labels=(make.label("COVID-19"),))
    for row in make.ask("yes_no", one, described, seed=seed, per_scene=4):
        assert not re.search(r"(?<!-19 )pneumonia", row.messages[0].content)
    (row,) = make.ask("multiple_choice", one, described, seed=seed)
    assert "pneumonia" not in row.options


def test_a_class_and_its_denial_stay_a_choice(make):
    described = make.spec(["fracture", "no fracture"], "multi_class")
    (row,) = make.ask("multiple_choice", make.case(labels=(make.label("fracture"),)), described)
    assert set(row.options) == {"fracture", "no fracture"}


def test_inside_is_asked_of_the_lesion_without_its_name(make):
    """A rectangle of tumor inside the liver's rectangle with its hole filled, the spleen far away."""
    size = (100, 100)
    regions = (
        make.mask("liver", size, (5, 5, 60, 60)), make.mask("liver tumor", size, (20, 20, 30, 30)),
        make.mask("spleen", size, (80, 80, 95, 95)),
    )  # fmt: skip
    one = make.case(images=[make.ref(make.view(100, 100))], regions=regions)
    described = make.spec(["liver", "liver tumor", "spleen"], modality="CT", anatomy="abdomen")
    answers = set()
    for seed in range(20):
        for row in make.ask("contact", one, described, seed=seed):
            if ".inside-" in row.provenance.template:
                question = row.messages[0].content
                assert "the lesion" in question.lower() and "tumor" not in question
                assert row.answer == ("Yes" if row.labels == ("liver tumor", "liver") else "No")
                answers.add((row.labels, row.answer))
    assert answers == {(("liver tumor", "liver"), "Yes"), (("liver tumor", "spleen"), "No")}


def test_with_two_lesions_nobody_knows_which_is_meant(make):
    size = (100, 100)
    regions = (
        make.mask("liver", size, (5, 5, 60, 60)), make.mask("liver tumor", size, (20, 20, 30, 30)),
        make.mask("spleen", size, (80, 80, 95, 95)), make.mask("liver cyst", size, (40, 40, 50, 50)),
    )  # fmt: skip
    one = make.case(images=[make.ref(make.view(100, 100))], regions=regions)
    rows = make.ask("contact", one, make.spec(["liver", "liver tumor", "spleen", "liver cyst"]))
    assert {row.provenance.template.split("-")[0] for row in rows} == {"contact.touches"}


def test_a_dialogue_gives_no_answer_twice(make):
    described = make.spec(["mild", "moderate", "severe"], "ordinal", modality="fundus photography", anatomy="eye")
    for number in range(30):
        for row in make.ask("dialogue", make.case(f"c{number}", labels=(make.label("moderate"),)), described):
            said = [turn.content for turn in row.messages[1::2]]
            naming = [line for line in said if "moderate" in line.lower()]
            choices = [turn for turn in row.messages[::2] if re.search(r"^[A-D]: moderate$", turn.content, re.M)]
            # The caption, which sums up, and one of a choice and an open question.
            assert len(naming) + len(choices) <= 2


def test_chinese_says_projections_lists_and_nothing_in_chinese(make, blood):
    from schemas.case import Acquisition

    film = make.case(labels=(make.label("mild"),), acquisition=Acquisition("X-ray", "chest", "PA"))
    described = make.spec(["mild", "severe"], "ordinal")
    (row,) = make.ask("ordinal", film, described, language="zh")
    assert "轻度、重度" in row.messages[0].content
    assert "胸部后前位X线片" in "".join(
        turn.content
        for seed in range(9)
        for row in make.ask("caption", film, described, seed, "zh")
        for turn in row.messages
    )
    case, cells = blood
    (none,) = [row for row in make.ask("count", case, cells, language="zh", zero_share=1) if row.answer == "0"]
    assert "0个" not in none.messages[1].content


def test_grades_are_compared_so_that_the_picture_is_needed(make):
    """Never whether a grade is above the highest or below the lowest; equal grades are neither above nor below."""
    scale = ["none", "mild", "moderate", "severe"]
    described = make.spec(scale, "ordinal")
    said = {}
    for number in range(400):
        grade = scale[number % 4]
        (row,) = make.ask("ordinal", make.case(f"c{number}", labels=(make.label(grade),)), described, compare_share=1.0)
        which = re.search(r"ordinal\.(more|less)-", row.provenance.template)[1]
        other = re.search(r'"(\w+)"', row.messages[0].content)[1]
        here, there = scale.index(grade), scale.index(other)
        assert other != ("severe" if which == "more" else "none")
        assert (row.answer == "Yes") == (here > there if which == "more" else here < there)
        said.setdefault((which, other), set()).add(row.answer)
    # Every question that is asked has both answers, so its words do not tell.
    assert set(said) == {("more", name) for name in scale[:3]} | {("less", name) for name in scale[1:]}
    assert all(answers == {"Yes", "No"} for answers in said.values())


def test_no_picture_stands_twice_because_labels_and_regions_speak_of_it(make):
    images = [make.ref(name=f"{n}.png") for n in range(3)]
    labels = tuple(make.label(name, image=n) for n, name in enumerate(["platelet", "platelet", "red blood cell"]))
    regions = tuple(
        make.box(name, (9, 9, 60, 60), n) for n, name in enumerate(["platelet", "platelet", "red blood cell"])
    )
    one = make.case(images=images, labels=labels, regions=regions)
    for seed in range(20):
        for row in make.ask("which_image", one, make.spec(["platelet", "red blood cell"]), seed=seed):
            assert len(set(row.images)) == len(row.images)


def montage_of(make, label, number=3):
    """A montage of slices that all cut one thing: a box of it in each tile."""
    shown = [make.view(60, 60, orientation="LP", axis=2, index=n) for n in range(number)]
    tiles = tuple(Tile(60 * n, 0, make.ref(view)) for n, view in enumerate(shown))
    picture = replace(make.ref(make.view(60 * number, 60)), tiles=tiles)
    regions = tuple(make.box(label, (60 * n + 10, 10, 60 * n + 30, 30)) for n in range(number))
    described = make.spec([label, "spleen"], modality="CT", anatomy="abdomen")
    return make.case(images=[picture], regions=regions), described


@pytest.mark.parametrize(("label", "said"), [("liver tumor", "a liver tumor"), ("left kidney", "the left kidney")])
def test_what_several_slices_of_a_montage_cut_is_one_thing(make, label, said):
    one, described = montage_of(make, label)
    assert make.ask("count", one, described, kinds=("countable", "structure")) == []
    for name in ("caption", "open_question"):
        (row,) = make.ask(name, one, described)
        assert said in row.messages[1].content.lower()
        assert "tumors" not in row.messages[1].content and f"3 {label}" not in row.messages[1].content


@pytest.mark.parametrize(
    ("label", "said"), [("liver", "the liver"), ("left kidney", "the left kidney"), ("kidney", "kidneys")]
)
def test_a_structure_drawn_in_parts_is_one(make, label, said):
    one = make.case(regions=(make.box(label, (10, 10, 60, 60)), make.box(label, (100, 10, 160, 60))))
    (row,) = make.ask("open_question", one, make.spec([label]))
    assert said in row.messages[1].content.lower() and "livers" not in row.messages[1].content


def test_a_projection_is_what_a_film_is_and_not_what_it_shows(make):
    described = make.spec(["posteroanterior projection", "anteroposterior projection"], "multi_class", modality="X-ray")
    for number in range(20):
        film = make.case(f"c{number}", labels=(make.label("posteroanterior projection"),))
        (row,) = make.ask("caption", film, described)
        assert '"posteroanterior projection"' in row.messages[1].content


@pytest.mark.parametrize(
    ("label", "phrase", "plural"),
    [
        ("left gluteus maximus", "the left gluteus maximus", "left gluteus maximi"),
        ("hippocampus", "the hippocampus", "hippocampi"),
        ("necrotic brain tumor core", "a necrotic brain tumor core", "necrotic brain tumor cores"),
        ("stomach", "the stomach", "stomachs"),
        ("inferior vena cava", "the inferior vena cava", "inferior vena cavae"),
        ("non-neoplastic polyp", "a non-neoplastic polyp", "non-neoplastic polyps"),
        ("dental caries", "dental caries", "areas of dental caries"),
        ("lips", "lips", "lips"),
        ("osteophyte", "an osteophyte", "osteophytes"),
        ("left medial segment of liver", "the left medial segment of liver", "left medial segments of liver"),
    ],
)
def test_nouns_of_the_catalog(label, phrase, plural):
    assert (english.phrase(label), english.plural(label)) == (phrase, plural)
