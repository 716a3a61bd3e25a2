"""Every export, held against its documented rules; ``test_export_consumers.py`` has the consumers' own code."""

import ast
import base64
import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from schemas import plugins
from schemas.errors import UserError
from schemas.masks import encode
from schemas.staged import Blob
from storage.export import export

from .conftest import blob, picture, row, staged

MASK = np.zeros((6, 8), bool)
MASK[1:3, 2:7] = True  # 10 pixels


def region(**changes):
    return {"label": "nucleus", "kind": "box", "box": [0.25, 0.5, 0.5, 1.0], "rle": "", "points": [], "size": [],
            "image_index": 0} | changes  # fmt: skip


def chat(user: str, assistant: str):
    return [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]


@pytest.fixture
def release(factory) -> str:
    """Five rows in train: multiple choice, yes/no, open on two pictures, text only, and a dialogue; one restricted."""
    mcq = row("c1", 0, task="mcq", options=["red cell", "white cell"], answer="white cell", answer_index=1,
              messages=chat("<image>\nWhich cell is it?\nA: red cell\nB: white cell\nAnswer with the letter.", "B"),
              regions=[region(), region(label="cell", kind="mask", rle=encode(MASK), size=[6, 8],
                                        box=[0.25, 1 / 6, 0.875, 0.5])])  # fmt: skip
    yes = row("c1", 1, task="yes_no", answer="Yes", messages=chat("<image>\nIs it white?", "Yes"), regions=[region()])
    two = row("c2", 0, (0, 1), answer="the left", messages=chat("<image>\n<image>\nWhich is larger?", "The left one."),
              regions=[region(kind="contour", points=[0.0, 0.0, 0.5, 0.0, 0.5, 1.0], image_index=1)])  # fmt: skip
    text = row("c3", 0, (), task="text", view=[], messages=chat("What is anaemia?", "A lack of red cells."), answer="")
    talk = row(
        "c4", 0, task="dialogue", answer="", messages=[*chat("<image>\nModality?", "Light."), *chat("Why?", "So.")]
    )
    cases = [
        staged("c1", [blob(picture(10))], [mcq, yes]),
        staged("c2", [blob(picture(20)), blob(picture(30, "png"), 1, "png")], [two]),
        staged("c3", [], [text]),
        staged("c4", [blob(picture(40))], [talk]),
    ]
    return _written(factory, cases)


def _written(factory, cases) -> str:
    from storage.release import publish

    folder, manifest = factory.release(cases)
    return publish(folder, factory.base / "store", manifest)


def lines(path: Path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def by_question(items, of):
    return {of(item): item for item in items}


def test_all_formats_are_registered():
    assert plugins.names("exports") == [
        "coco", "llama_factory", "llava", "openai", "qwen", "r1", "trl", "trl_preference", "vlmevalkit",
    ]  # fmt: skip


def test_llava(release, tmp_path):
    done = export(release, "llava", tmp_path / "x")
    assert done.rows == {"train": 5} and done.left_out == 0
    items = json.loads((tmp_path / "x" / "train.json").read_text())
    found = by_question(items, lambda item: item["conversations"][0]["value"])
    two = found["<image>\n<image>\nWhich is larger?"]
    assert len(two["image"]) == 2 and two["conversations"][1] == {"from": "gpt", "value": "The left one."}
    assert Image.open(tmp_path / "x" / two["image"][1]).format == "PNG"
    one = found["<image>\nIs it white?"]
    assert (tmp_path / "x" / one["image"]).read_bytes() == picture(10)
    assert "image" not in found["What is anaemia?"]
    assert [turn["from"] for turn in found["<image>\nModality?"]["conversations"]] == ["human", "gpt", "human", "gpt"]
    assert len(list((tmp_path / "x" / "images").iterdir())) == 4


def test_llava_with_lists_always(release, tmp_path):
    export(release, "llava", tmp_path / "x", options={"always_list": True})
    items = json.loads((tmp_path / "x" / "train.json").read_text())
    assert all(isinstance(item.get("image", []), list) for item in items)


def test_llama_factory(release, tmp_path):
    from datasets import load_dataset

    export(release, "llama_factory", tmp_path / "x")
    (name, info) = json.loads((tmp_path / "x" / "dataset_info.json").read_text()).popitem()
    assert (name, info["formatting"], info["columns"]) == (
        "cells-1.0.0_train", "sharegpt", {"messages": "messages", "images": "images"},
    )  # fmt: skip
    tags = info["tags"]
    rows = load_dataset(
        "json", data_files=str(tmp_path / "x" / info["file_name"]), split="train", cache_dir=str(tmp_path / "hf")
    )
    assert len(rows) == 5
    for item in rows:
        roles = [turn[tags["role_tag"]] for turn in item["messages"]]
        assert roles == [tags["user_tag"], tags["assistant_tag"]] * (len(roles) // 2)
        placeholders = sum(turn[tags["content_tag"]].count("<image>") for turn in item["messages"])
        assert placeholders == len(item["images"])
        assert all((tmp_path / "x" / path).is_file() for path in item["images"])


def test_openai_messages_are_what_its_client_takes(release, tmp_path):
    from openai.types.chat import ChatCompletionMessageParam
    from pydantic import TypeAdapter

    export(release, "openai", tmp_path / "x")
    items = lines(tmp_path / "x" / "train.jsonl")
    adapter = TypeAdapter(list[ChatCompletionMessageParam])
    for item in items:
        adapter.validate_python(item["messages"])
    found = by_question(items, lambda item: item["messages"][0]["content"][-1]["text"])
    content = found["Which is larger?"]["messages"][0]["content"]
    assert [part["type"] for part in content] == ["image_url", "image_url", "text"]
    kind, data = content[1]["image_url"]["url"].split(",")
    assert kind == "data:image/png;base64" and base64.b64decode(data) == picture(30, "png")
    assert found["Which is larger?"]["messages"][1] == {"role": "assistant", "content": "The left one."}
    assert found["What is anaemia?"]["messages"][0]["content"] == [{"type": "text", "text": "What is anaemia?"}]


def test_qwen_has_paths(release, tmp_path):
    export(release, "qwen", tmp_path / "x")
    items = lines(tmp_path / "x" / "train.jsonl")
    found = by_question(items, lambda item: item["messages"][0]["content"][-1]["text"])
    part = found["Is it white?"]["messages"][0]["content"][0]
    assert part["type"] == "image" and (tmp_path / "x" / part["image"]).read_bytes() == picture(10)


def test_trl_rows_load_with_as_many_placeholders_as_pictures(release, tmp_path):
    from datasets import load_dataset

    export(release, "trl", tmp_path / "x")
    rows = load_dataset(str(tmp_path / "x"), split="train", cache_dir=str(tmp_path / "hf"))
    assert len(rows) == 5
    for item in rows:
        parts = [part for turn in item["messages"] for part in turn["content"]]
        assert sum(part["type"] == "image" and "image" not in part for part in parts) == len(item["images"])
        assert {turn["role"] for turn in item["messages"]} == {"user", "assistant"}
    (two,) = [item for item in rows if len(item["images"]) == 2]
    assert two["images"][0].size == (8, 6)
    assert two["messages"][0]["content"][2] == {"type": "text", "text": "Which is larger?"}


def test_trl_preferences(factory, tmp_path):
    """The rules of TRL's preference format for pictures: one placeholder a picture, in the prompt alone."""
    from datasets import load_dataset

    pair = row("c1", 0, task="preference", options=["A liver.", "A lung.", "The left kidney."], answer="A liver.",
               answer_index=0, messages=chat("<image>\nWhat is it?", "A liver."))  # fmt: skip
    plain = row("c1", 1, messages=chat("<image>\nWhich?", "This."))
    done = export(
        _written(factory, [staged("c1", [blob(picture(1))], [pair, plain])]), "trl_preference", tmp_path / "x"
    )
    assert (done.rows, done.left_out) == ({"train": 1}, 1)
    rows = load_dataset(str(tmp_path / "x"), split="train", cache_dir=str(tmp_path / "hf"))
    assert [item["rejected"][0]["content"][0]["text"] for item in rows] == ["A lung.", "The left kidney."]
    for item in rows:
        assert item["chosen"] == [{"role": "assistant", "content": [{"type": "text", "text": "A liver."}]}]
        assert [turn["role"] for turn in item["prompt"]] == ["user"]
        assert item["prompt"][0]["content"] == [
            {"type": "image", "text": None}, {"type": "text", "text": "What is it?"},
        ] or item["prompt"][0]["content"] == [{"type": "image"}, {"type": "text", "text": "What is it?"}]  # fmt: skip
        assert [image.size for image in item["images"]] == [(8, 6)]


def test_options_come_from_the_command_line(release, tmp_path):
    from typer.testing import CliRunner

    import flows.cli_more  # noqa: F401 - registers the command
    from flows.cli import app

    command = ["export", release, "--format", "r1", "--option", "tasks=[yes_no]", "--to", str(tmp_path / "x")]
    said = CliRunner().invoke(app, command)
    assert said.exit_code == 0, said.output
    (item,) = lines(tmp_path / "x" / "train.jsonl")
    assert item["problem"] == "Is it white?"
    wrong = CliRunner().invoke(app, [*command[:4], "--option", "tasks", "--to", str(tmp_path / "y")])
    assert wrong.exit_code == 2 and "KEY=VALUE" in wrong.output


def test_vlmevalkit(release, tmp_path):
    done = export(release, "vlmevalkit", tmp_path / "x")
    assert done.rows == {"train": 3} and done.left_out == 2  # text and dialogue
    (mcq,) = table(tmp_path / "x" / "train_mcq.tsv")
    assert mcq["question"] == "Which cell is it?"
    assert [mcq[letter] for letter in "ABCDEF"] == ["red cell", "white cell", "", "", "", ""]
    assert mcq["answer"] == "B" and base64.b64decode(mcq["image"]) == picture(10)
    (yes,) = table(tmp_path / "x" / "train_yorn.tsv")
    assert (yes["question"], yes["answer"], yes["l2-category"]) == ("Is it white?", "Yes", "cells")
    (two,) = table(tmp_path / "x" / "train_vqa.tsv")
    assert [base64.b64decode(image) for image in ast.literal_eval(two["image"])] == [picture(20), picture(30, "png")]


def test_vlmevalkit_gives_a_repeated_picture_by_its_first_index(factory, tmp_path):
    questions = [row("c1", n, task="yes_no", answer="No", messages=chat("<image>\nIs it?", "No")) for n in range(3)]
    export(_written(factory, [staged("c1", [blob(picture(1))], questions)]), "vlmevalkit", tmp_path / "x")
    images = [line["image"] for line in table(tmp_path / "x" / "train_yorn.tsv")]
    assert len(images[0]) > 64 and images[1:] == ["0", "0"]


def table(path: Path):
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8")), delimiter="\t"))


def test_r1(release, tmp_path):
    done = export(release, "r1", tmp_path / "x")
    assert done.rows == {"train": 3}
    found = by_question(lines(tmp_path / "x" / "train.jsonl"), lambda item: item["problem"].splitlines()[0])
    mcq = found["Which cell is it?"]
    assert (mcq["solution"], mcq["answer"], mcq["answer_text"]) == ("<answer>B</answer>", "B", "white cell")
    assert mcq["options"] == ["red cell", "white cell"] and "<image>" not in mcq["problem"]
    assert found["Is it white?"]["solution"] == "<answer>Yes</answer>"
    assert len(found["Which is larger?"]["image"]) == 2


def test_r1_keeps_the_reasoning_before_the_answer(factory, tmp_path):
    said = "The nucleus is lobed.\n<answer>B</answer>"
    thought = row("c1", 0, task="reasoning", options=["x", "y"], answer="y", answer_index=1,
                  messages=chat("<image>\nWhich?", said))  # fmt: skip
    export(_written(factory, [staged("c1", [blob(picture(1))], [thought])]), "r1", tmp_path / "x")
    (item,) = lines(tmp_path / "x" / "train.jsonl")
    assert item["solution"] == "<think>The nucleus is lobed.</think><answer>B</answer>"


def test_coco_is_read_by_pycocotools(release, tmp_path, capsys):
    from pycocotools.coco import COCO

    done = export(release, "coco", tmp_path / "x")
    assert done.rows == {"train": 3}
    coco = COCO(str(tmp_path / "x" / "instances_train.json"))
    capsys.readouterr()
    assert {category["name"] for category in coco.loadCats(coco.getCatIds())} == {"nucleus", "cell"}
    images = {image["id"]: image for image in coco.loadImgs(coco.getImgIds())}
    assert {(image["width"], image["height"]) for image in images.values()} == {(8, 6)}
    found = coco.loadAnns(coco.getAnnIds())
    assert len(found) == 3  # the box that two rows name stands once
    (box,) = [a for a in found if a["segmentation"] == []]
    assert (box["bbox"], box["area"]) == ([2.0, 3.0, 2.0, 3.0], 6.0)
    (mask,) = [a for a in found if isinstance(a["segmentation"], dict)]
    assert np.array_equal(coco.annToMask(mask).astype(bool), MASK) and mask["area"] == 10
    (contour,) = [a for a in found if isinstance(a["segmentation"], list) and a["segmentation"]]
    assert contour["segmentation"] == [[0.0, 0.0, 4.0, 0.0, 4.0, 6.0]] and contour["area"] == 12
    assert (tmp_path / "x" / images[contour["image_id"]]["file_name"]).read_bytes() == picture(30, "png")


def test_restricted_rows_are_left_out(factory, tmp_path):
    closed = staged("c1", [blob(picture(1))], [row("c1", 0, access="restricted")])
    release = _written(factory, [closed, staged("c2", [blob(picture(2))], [row("c2", 0)])])
    done = export(release, "llava", tmp_path / "x")
    assert (done.rows, done.left_out) == ({"train": 1}, 1)


@pytest.mark.parametrize(
    ("kind", "options", "split", "sentence"),
    [
        ("lava", {}, None, "no export 'lava'; did you mean 'llava'"),
        ("llava", {"always_lists": True}, None, "unknown key 'always_lists'; did you mean 'always_list'"),
        ("llava", {}, "test", "has no split 'test'; it has train"),
    ],
)
def test_wrong_use_is_a_sentence(release, tmp_path, kind, options, split, sentence):
    with pytest.raises(UserError, match=sentence):
        export(release, kind, tmp_path / "x", split, options)


def test_export_into_a_folder_that_holds_something_is_refused(release, tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "thesis.tex").write_text("x")
    with pytest.raises(UserError, match="not an empty folder"):
        export(release, "llava", tmp_path / "x")


@pytest.mark.parametrize("kind", plugins.names("exports"))
def test_a_question_about_a_volume_is_not_written_without_it(factory, tmp_path, kind):
    # It came out as text alone: "Is the spleen in this volume?" with no volume.
    asked = row("c1", 0, (), task="yes_no", view=[], volumes=[0], answer="Yes", messages=chat("In it?", "Yes"))
    volume = Blob(data=b"nifti", name="0.nii.gz", sha256="a" * 64, pixel_digest="", phash=0)
    cases = [staged("c1", [], [asked], [volume]), staged("c2", [blob(picture(2))], [row("c2", 0, regions=[region()])])]
    done = export(_written(factory, cases), kind, tmp_path / "x")
    assert sum(done.rows.values()) + done.left_out == 2 and done.left_out >= 1
    for path in (tmp_path / "x").rglob("*"):
        assert path.is_dir() or b"In it?" not in path.read_bytes()


def test_a_format_that_takes_volumes_is_given_them(factory, tmp_path, monkeypatch):
    asked = row("c1", 0, (), task="yes_no", view=[], volumes=[0], answer="Yes", messages=chat("In it?", "Yes"))
    volume = Blob(data=b"nifti", name="0.nii.gz", sha256="a" * 64, pixel_digest="", phash=0)
    monkeypatch.setattr(plugins.load("exports", "llava"), "volumes", True, raising=False)
    assert export(_written(factory, [staged("c1", [], [asked], [volume])]), "llava", tmp_path / "x").left_out == 0


@pytest.mark.parametrize("kind", plugins.names("exports"))
def test_a_mask_that_is_asked_for_goes_with_the_row_or_the_row_stays(factory, tmp_path, kind):
    # "[SEG]" came out as the whole answer.
    drawn = region(kind="mask", rle=encode(MASK), size=[6, 8], box=[0.25, 1 / 6, 0.875, 0.5])
    asked = row("c1", 0, task="referring_segmentation", regions=[drawn], messages=chat("<image>\nSegment it.", "[SEG]"))
    done = export(_written(factory, [staged("c1", [blob(picture(1))], [asked])]), kind, tmp_path / "x")
    if kind not in ("llava", "coco"):
        assert (sum(done.rows.values()), done.left_out) == (0, 1)
        return
    assert done.left_out == 0
    if kind == "llava":
        (item,) = json.loads((tmp_path / "x" / "train.json").read_text())
        assert item["masks"] == [{"label": "nucleus", "image": 0, "size": [6, 8], "counts": encode(MASK)}]


def test_coco_has_neither_drawn_pictures_nor_crops(factory, tmp_path):
    def made_by(converter: str):
        return {**row("c1", 0)["provenance"], "converter": converter}

    rows = [
        row("c1", 0, regions=[region(), region(label="crop")], provenance=made_by("zoom")),
        row("c1", 1, (1,), regions=[region()], provenance=made_by("marked_region")),
    ]
    cases = [staged("c1", [blob(picture(1)), blob(picture(2), 1)], rows)]
    done = export(_written(factory, cases), "coco", tmp_path / "x")
    assert (done.rows, done.left_out) == ({"train": 1}, 1)
    found = json.loads((tmp_path / "x" / "instances_train.json").read_text())
    assert [one["name"] for one in found["categories"]] == ["nucleus"] and len(found["images"]) == 1


def test_r1_asks_for_letters_and_is_given_letters(factory, tmp_path):
    asked = "<image>\nSelect all.\nA: edema\nB: effusion\nC: mass\nAnswer with the letters."
    several = row("c1", 0, task="multi_label", answer="edema, mass", messages=chat(asked, "A, C"))
    export(_written(factory, [staged("c1", [blob(picture(1))], [several])]), "r1", tmp_path / "x")
    (item,) = lines(tmp_path / "x" / "train.jsonl")
    assert (item["solution"], item["answer"], item["answer_text"]) == ("<answer>A, C</answer>", "A, C", "edema, mass")


def test_vlmevalkit_has_no_questions_that_it_would_cut_in_an_example(factory, tmp_path):
    # The question was cut at the first line "A: red", which was an option of the example, and so was never asked.
    solved = "Example:\n<image>\nWhich?\nA: red\nB: white\nAnswer: B\n\nQuestion:\n<image>\nWhich?\nA: red\nB: white"
    rows = [
        row("c1", 0, (0, 1), task="mcq", options=["red", "white"], answer="red", answer_index=0,
            messages=chat(solved, "A")),
        row("c1", 1, (0, 1), task="mcq", options=["red", "white"], answer="red", answer_index=0,
            messages=chat("<image>\n<image>\nWhich?\nA: red\nB: white", "A")),
    ]  # fmt: skip
    cases = [staged("c1", [blob(picture(1)), blob(picture(2), 1)], rows)]
    done = export(_written(factory, cases), "vlmevalkit", tmp_path / "x")
    assert (done.rows, done.left_out) == ({"train": 1}, 1)
