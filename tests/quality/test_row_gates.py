"""Every gate on both sides of its threshold, with rows built by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco

from quality import rle
from quality.rle import measure
from quality.row_gates import STANDARD, gate, open_gates
from quality.row_gates import _open as open_gate
from schemas.case import Case, ImageRef
from schemas.context import Context
from schemas.errors import ReleaseError, UserError
from schemas.findings import Finding, Severity
from schemas.instruction import Instruction, Message, Place, Provenance
from schemas.ledger import Status
from schemas.rendered import Rendered
from schemas.view import View
from schemas.work import Work

REF = ImageRef(("a.png",), "image/png", View(100, 80, 100, 80))


class Judge:
    """Runs one gate over one row."""

    def __init__(self, case: Case, context: Context, picture: Rendered) -> None:
        self.case, self.context, self.picture = case, context, picture

    def __call__(
        self, name: str, row: Instruction, *, pictures: list[Rendered] | None = None, **options: Any
    ) -> list[str]:
        checker = open_gate(name, options)
        assert checker is not None
        shown = [self.picture] * len(row.images) if pictures is None else pictures
        return [found.code for found in checker.check(row, self.case, shown, self.context)]


@pytest.fixture
def judge(case: Case, context: Context, picture: Rendered) -> Judge:
    return Judge(case, context, picture)


def said(row: Instruction, *contents: str, **changes: Any) -> Instruction:
    roles = ("user", "assistant")
    messages = tuple(Message(roles[i % 2], text) for i, text in enumerate(contents))  # type: ignore[arg-type]
    return replace(row, messages=messages, **changes)


@pytest.mark.parametrize("name", STANDARD)
def test_a_flawless_row_passes_every_gate(judge: Judge, row: Instruction, name: str) -> None:
    assert judge(name, row) == []


@pytest.mark.parametrize(
    ("contents", "images", "task", "code"),
    [
        (("<image> q", "a"), 1, "open", []),
        (("<image>\n<image> q", "a"), 2, "open", []),
        (("q", "a"), 0, "text", []),
        (("q", "a"), 1, "open", ["placeholder_count"]),
        (("<image><image> q", "a"), 1, "open", ["placeholder_count"]),
        (("<image> q", "a"), 0, "open", ["placeholder_count"]),
        (("q", "a", "<image> q", "a"), 1, "dialogue", ["placeholder_place"]),
        (("q", "<image>"), 1, "open", ["placeholder_place"]),
        (("q <image>", "a", "<image> q", "a"), 2, "interleaved", []),
    ],
)
def test_placeholders(judge: Judge, row: Instruction, contents: Any, images: int, task: Any, code: list[str]) -> None:
    assert judge("placeholders", said(row, *contents, images=(REF,) * images, task=task)) == code


def test_turns(judge: Judge, row: Instruction) -> None:
    user, assistant = Message("user", "<image> q"), Message("assistant", "a")
    assert judge("turns", replace(row, messages=(user, assistant, Message("user", "q"), assistant))) == []
    assert judge("turns", replace(row, messages=())) == ["no_turns"]
    assert judge("turns", replace(row, messages=(user,))) == ["turns_open"]
    assert judge("turns", replace(row, messages=(assistant, user))) == ["turns_order", "turns_open"]
    assert judge("turns", replace(row, messages=(user, user, assistant))) == ["turns_order"]
    assert judge("turns", said(row, "<image> q", " \n")) == ["empty_turn"]
    assert judge("turns", said(row, "<image>\n", "a")) == ["empty_turn"]
    assert judge("turns", said(row, "<image>\n", "a", task="interleaved")) == []
    assert judge("turns", said(row, *["t"] * 4), max_turns=4) == []
    assert judge("turns", said(row, *["t"] * 6), max_turns=4) == ["too_many_turns"]


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("B", []),
        ("B.", []),
        ("(B)", []),
        ("b) no finding", []),
        ("**B. no finding**", []),
        ("The answer is B.", []),
        ("Answer: B", []),
        ("no finding", []),
        ("The picture shows no finding.", []),
        ("B. There is no finding here", []),
        ("<think>A is wrong.</think><answer>B</answer>", []),
        ("<think>B it is.</think><answer>A</answer>", ["letter_disagrees"]),
        ("A. no finding", ["letter_disagrees"]),
        ("A", ["letter_disagrees"]),
        ("C", ["letter_disagrees"]),
        ("B. pneumonia", ["reply_disagrees"]),
        ("pneumonia", ["reply_disagrees"]),
        ("A normal film.", ["reply_disagrees"]),
    ],
)
def test_options_letter_and_text_of_the_reply(judge: Judge, row: Instruction, reply: str, code: list[str]) -> None:
    assert judge("options", said(row, row.messages[0].content, reply)) == code


def test_options_list(judge: Judge, row: Instruction) -> None:
    repeated = replace(row, options=("No  Finding", "no finding"))
    assert "options_repeated" in judge("options", repeated)
    assert judge("options", replace(row, options=("no finding", "effusion"), answer_index=0)) == [
        "option_not_shown",
        "letter_disagrees",
    ]
    assert "options_few" in judge("options", replace(row, options=("no finding",), answer_index=0))
    assert "options_few" in judge("options", replace(row, options=(), answer_index=-1))
    assert "option_empty" in judge("options", replace(row, options=("pneumonia", "no finding", " ")))
    assert judge("options", row, max_options=2) == []
    three = said(row, "<image> q pneumonia / no finding / edema", "B", options=("pneumonia", "no finding", "edema"))
    assert judge("options", three, max_options=2) == ["options_many"]
    assert judge("options", three, max_options=3) == []


def test_options_answer_and_index(judge: Judge, row: Instruction) -> None:
    assert judge("options", replace(row, answer_index=2)) == ["answer_index"]
    assert judge("options", replace(row, answer_index=-1)) == ["answer_index"]
    assert judge("options", replace(row, answer="pneumonia")) == ["answer_not_the_option"]
    opened = said(row, "<image> q", "edema", task="open", options=(), answer="edema", answer_index=-1)
    assert judge("options", opened) == []
    assert judge("options", replace(opened, answer_index=0)) == ["answer_index_without_options"]


def test_options_of_yes_no_need_not_be_listed(judge: Judge, row: Instruction) -> None:
    asked = {"task": "yes_no", "options": ("yes", "no"), "answer": "no", "answer_index": 1}
    assert judge("options", said(row, "<image> Is it?", "No, there is none.", **asked)) == []
    assert judge("options", said(row, "<image> Is it?", "Yes, it is.", **asked)) == ["reply_disagrees"]
    # "no" inside "not" or "known" is not the answer no
    assert judge("options", said(row, "<image> Is it?", "It is not known.", **asked)) == ["reply_disagrees"]


def place(**changes: Any) -> Place:
    """Pixels 20..60 by 10..50 of the 100 x 80 picture."""
    return replace(Place("lung", "box", (0.2, 0.125, 0.6, 0.625)), **changes)


def mask_place(x: slice, y: slice, size: tuple[int, int] = (80, 100), **changes: Any) -> Place:
    grid = np.zeros(size, np.uint8, order="F")
    grid[y, x] = 1
    rle = coco.encode(grid)["counts"].decode()
    return place(kind="mask", rle=rle, size=size, **changes)


@pytest.mark.parametrize(
    ("region", "code"),
    [
        (place(), []),
        (place(box=(0.0, 0.0, 1.0, 1.0)), []),
        (place(box=(0.0, 0.0, 1.0 + 5e-7, 1.0)), []),
        (place(box=(0.0, 0.0, 1.00001, 1.0)), ["region_outside"]),
        (place(box=(-0.1, 0.0, 0.5, 0.5)), ["region_outside"]),
        (place(box=(float("nan"), 0.0, 0.5, 0.5)), ["region_outside"]),
        (place(box=(0.6, 0.1, 0.2, 0.6)), ["region_unordered"]),
        (place(box=(0.2, 0.6, 0.6, 0.1)), ["region_unordered"]),
        (place(box=(0.2, 0.1, 0.2, 0.6)), ["region_empty"]),
        (place(kind="point", box=(0.2, 0.1, 0.2, 0.1), points=(0.2, 0.1)), []),
        (place(kind="point", box=(0.2, 0.1, 0.2, 0.1), points=(0.2, 1.1)), ["region_point_outside"]),
        (place(image_index=1), ["region_image_index"]),
        (place(image_index=-1), ["region_image_index"]),
        (place(kind="mask"), ["region_without_mask"]),
        (mask_place(slice(20, 60), slice(10, 50)), []),
        (mask_place(slice(21, 60), slice(10, 49)), []),  # one pixel of slack
        (mask_place(slice(22, 60), slice(10, 50)), ["region_box_off_mask"]),
        (mask_place(slice(0, 0), slice(0, 0)), ["region_mask_empty"]),
        (mask_place(slice(10, 50), slice(20, 60), (100, 80)), ["region_mask_size"]),
        (place(kind="mask", size=(80, 100), rle="0"), ["region_mask_broken"]),
        (place(kind="mask", size=(80, 100), rle="zzzz"), ["region_mask_broken"]),
        (place(kind="mask", size=(80, 100), rle="über"), ["region_mask_broken"]),
    ],
)
def test_regions(judge: Judge, row: Instruction, region: Place, code: list[str]) -> None:
    assert judge("regions", replace(row, regions=(region,))) == code


def test_regions_smallest_side(judge: Judge, row: Instruction) -> None:
    thin = replace(row, regions=(place(box=(0.2, 0.125, 0.24, 0.625)),))  # 4 pixels wide
    assert judge("regions", thin, min_side=4) == []
    assert judge("regions", thin, min_side=4.1) == ["region_small"]


@pytest.mark.parametrize("short", [0, 10**9])
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("263", None),  # 2 off, 6 on, 3 off: 11 of 12 pixels
        ("264", (6, (0.0, 0.0, 2.0, 4.0))),  # 4 high: rows 2 and 3 of column 0, all of column 1
        ("525", (2, (1.0, 1.0, 2.0, 3.0))),  # pixels 5 and 6: column 1, rows 1 and 2
        ("<0", (0, (0.0, 0.0, 0.0, 0.0))),  # 12 off, none on
        ("50025", (2, (1.0, 1.0, 2.0, 3.0))),  # 5 off, none on, none off, 2 on, 5 off
        ("5\N{LATIN SMALL LETTER E WITH ACUTE}5", None),
        ("5\ud8005", None),
        ("52U", None),  # unfinished
    ],
)
def test_masks_measured_by_hand(monkeypatch: pytest.MonkeyPatch, short: int, text: str, found: Any) -> None:
    monkeypatch.setattr(rle, "SHORT", short)
    measure.cache_clear()
    assert measure(text, 4, 3) == found
    measure.cache_clear()


def test_run_lengths_are_read_as_pycocotools_writes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    for density in (0.0, 0.01, 0.5, 0.99, 1.0):
        grid = np.asfortranarray((rng.random((37, 53)) < density).astype(np.uint8))
        encoded = coco.encode(grid)
        area, box = measure(encoded["counts"].decode(), 37, 53) or (-1, (0, 0, 0, 0))
        x, y, across, down = coco.toBbox(encoded)
        assert area == grid.sum()
        assert box == (x, y, x + across, y + down)
        assert measure(encoded["counts"].decode(), 38, 53) is None
        # The loop for short strings and numpy for long ones read alike.
        text = encoded["counts"].decode()
        monkeypatch.setattr(rle, "SHORT", 10**9)
        by_loop = rle.runs(text).tolist()
        monkeypatch.setattr(rle, "SHORT", 0)
        assert rle.runs(text).tolist() == by_loop
        measure.cache_clear()
        assert measure(text, 37, 53) == (area, box)
        monkeypatch.undo()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("The film shows edema.", []),
        ("A value of p<0.05 and x > 3", []),
        ('{"box": [0.1, 0.2, 0.3, 0.4], "label": "lung"}', []),
        ("<ref>lung</ref><box>[[1,2,3,4]]</box>", []),
        ("<think>so</think><answer>B</answer>", []),
        ("The {organ} is enlarged.", ["residue_slot"]),
        ("The {{ label }} is enlarged.", ["residue_slot"]),
        ("The %(organ)s is enlarged.", ["residue_slot"]),
        ("The ${organ} is enlarged.", ["residue_slot"]),
        ("The [insert finding] is enlarged.", ["residue_slot"]),
        ("The <organ> is enlarged.", ["residue_tag"]),
        ("The left kidney: <SEG>.", []),
        ("Shown:<br/>", ["residue_tag"]),
        ("The patient has nan.", ["residue_null"]),
        ("The patient has None.", ["residue_null"]),
        ("None", ["residue_null"]),
        ("Side: NULL", ["residue_null"]),
        ("A null hypothesis", ["residue_null"]),
        ("None of the lungs is affected.", []),
        ("Nancy and nanometres and None-such", []),
    ],
)
def test_residue(judge: Judge, row: Instruction, words: str, code: list[str]) -> None:
    assert judge("residue", said(row, "<image> q", words)) == code


def test_residue_leaves_the_sources_own_none_alone(judge: Judge, row: Instruction) -> None:
    own = Provenance("existing_qa")
    assert judge("residue", said(row, "<image> q", "None", answer="None.", provenance=own)) == []
    assert judge("residue", said(row, "<image> q", "nan", provenance=own)) == ["residue_null"]
    assert judge("residue", said(row, "<image> q", "There is None", provenance=own)) == ["residue_null"]


def test_residue_tags_and_words_can_be_set(judge: Judge, row: Instruction) -> None:
    tagged = said(row, "<image> q", "<seg>lung</seg>")
    assert judge("residue", tagged) == ["residue_tag"]
    assert judge("residue", tagged, tags=("image", "seg")) == []
    assert judge("residue", said(row, "<image> q", "nan"), null_words=()) == []


def test_lengths(judge: Judge, row: Instruction) -> None:
    assert judge("lengths", said(row, "<image>why", "a")) == []
    assert judge("lengths", said(row, "<image>\nwh", "a")) == ["question_short"]
    assert judge("lengths", said(row, "<image>" + "q" * 10, "a"), question_max_chars=10) == []
    assert judge("lengths", said(row, "<image>" + "q" * 11, "a"), question_max_chars=10) == ["question_long"]
    assert judge("lengths", said(row, "<image>why", "a" * 8), answer_max_chars=8) == []
    assert judge("lengths", said(row, "<image>why", "a" * 9), answer_max_chars=8) == ["answer_long"]
    assert judge("lengths", said(row, "<image>why", "three whole words", task="caption")) == []
    assert judge("lengths", said(row, "<image>why", "two words", task="caption")) == ["caption_short"]
    assert judge("lengths", said(row, "<image>why", "w " * 5, task="caption"), caption_max_words=5) == []
    assert judge("lengths", said(row, "<image>why", "w " * 6, task="caption"), caption_max_words=5) == ["caption_long"]
    assert judge("lengths", row, option_max_chars=10) == []
    assert judge("lengths", row, option_max_chars=9) == ["option_long"]


@pytest.mark.parametrize(
    ("facts", "options", "code"),
    [
        ({}, {}, []),
        ({"height": 21}, {}, []),
        ({"height": 20}, {}, ["picture_small"]),
        ({"height": 20}, {"min_side": 20}, []),
        ({"width": 1600}, {}, []),
        ({"width": 1601}, {}, ["picture_narrow"]),
        ({"std": 0.0, "minimum": 7, "maximum": 7}, {}, ["picture_constant"]),
        ({"std": 0.5}, {}, []),
        ({"std": 0.5}, {"constant_std": 0.5}, ["picture_constant"]),
        ({"maximum": 30.0}, {}, []),
        ({"maximum": 29.0}, {}, ["picture_dark"]),
        ({"mean": 39.0, "std": 24.0}, {}, []),
        ({"mean": 39.0, "std": 24.0}, {"dark_mean": 40, "dark_std": 25}, ["picture_dark"]),
        ({"mean": 40.0, "std": 24.0}, {"dark_mean": 40, "dark_std": 25}, []),
        ({"mean": 39.0, "std": 25.0}, {"dark_mean": 40, "dark_std": 25}, []),
        ({"pixel_digest": "", "std": 0.0}, {}, []),
    ],
)
def test_pictures(
    judge: Judge, row: Instruction, picture: Rendered, facts: dict[str, Any], options: Any, code: list[str]
) -> None:
    assert judge("pictures", row, pictures=[replace(picture, **facts)], **options) == code


def test_phrases_are_looked_for_in_generated_rows_only(judge: Judge, row: Instruction) -> None:
    made = Provenance("unblinded", model="tiny")
    leak, sorry = "As mentioned in the caption, edema.", "I\u2019m sorry, I cannot view images."
    assert judge("phrases", said(row, "<image> q", leak, provenance=made)) == ["phrase_leak"]
    assert judge("phrases", said(row, "<image> q", sorry, provenance=made)) == ["phrase_refusal"]
    assert judge("phrases", said(row, "<image> q", "Edema is seen.", provenance=made)) == []
    assert judge("phrases", said(row, "<image> q", leak)) == []
    assert judge("phrases", said(row, "<image> q", leak, provenance=made), leaks=()) == []


def test_options_of_gates_are_checked_and_merged(spec: Any) -> None:
    assert [one.name for one in open_gates({})] == list(STANDARD)
    with pytest.raises(UserError, match="no gate 'picture'; did you mean 'pictures'"):
        open_gates({"picture": {}})
    with pytest.raises(UserError, match="unknown key 'min_sid'; did you mean 'min_side'"):
        open_gates({"pictures": {"min_sid": 3}})
    with pytest.raises(UserError, match="min_side"):
        open_gates({"pictures": {"min_side": 0}})
    with pytest.raises(UserError, match="mapping"):
        open_gates({}, {"pictures": 3})
    off = open_gates({"pictures": {"enabled": False}, "split_leak": {}})
    assert [one.name for one in off] == [name for name in STANDARD if name != "pictures"]
    merged = open_gates({"pictures": {"min_side": 64, "dark_max": 5}}, {"pictures": {"min_side": 20}})
    options: Any = next(one for one in merged if one.name == "pictures")
    assert (options.options.min_side, options.options.dark_max) == (20, 5)


def test_refused_rows_leave_with_a_reason_and_flags_stay(
    row: Instruction, case: Case, context: Context, picture: Rendered
) -> None:
    noted = replace(case, findings=(Finding("orientation_guessed", "x"), Finding("note", "x", Severity.NOTE)))
    bad = replace(row, id="0" * 32, answer_index=7, messages=(Message("user", "<image>\n"), Message("assistant", "B")))
    work = Work("c1", noted, rows=[bad, row], pictures={REF: picture})
    [done] = gate([work], open_gates({}), context)
    assert [kept.id for kept in done.rows] == [row.id]
    assert done.rows[0].flags == ("orientation_guessed",)
    [(refused, drop)] = done.refused
    assert refused.id == bad.id
    assert (drop.status, drop.stage, drop.reason) == (Status.QUARANTINED, "gate", "empty_turn")
    assert "answer_index" in drop.detail


def test_a_row_whose_picture_was_not_rendered_is_refused(row: Instruction, case: Case, context: Context) -> None:
    [done] = gate([Work("c1", case, rows=[row])], open_gates({}), context)
    assert [drop.reason for _, drop in done.refused] == ["picture_missing"]


def test_findings_of_the_decoder_count_too(row: Instruction, case: Case, context: Context, picture: Rendered) -> None:
    torn = replace(picture, findings=(Finding("truncated_image", "cut short", Severity.REFUSE),))
    [done] = gate([Work("c1", case, rows=[row], pictures={REF: torn})], open_gates({}), context)
    assert [drop.reason for _, drop in done.refused] == ["truncated_image"]


def test_dropped_cases_pass_by_and_a_gate_may_stop_the_release(
    row: Instruction, case: Case, context: Context, picture: Rendered
) -> None:
    out = Work("c2")
    out.drop(Status.FAILED, "read", "corrupt_image", "broken")
    assert list(gate([out], open_gates({}), context)) == [out]
    stop = replace(case, findings=(Finding("phi", "found", Severity.REFUSE_RELEASE),))
    with pytest.raises(ReleaseError, match="phi"):
        list(gate([Work("c1", stop, rows=[row], pictures={REF: picture})], open_gates({}), context))
