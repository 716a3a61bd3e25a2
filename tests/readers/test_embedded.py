"""Pictures inside text files: VLMEvalKit's TSV, JSON Lines with data addresses."""

import base64
import csv
import io
import json

import pytest

from readers.inspect import draft_spec, inspect
from readers.source import Source
from schemas.spec import load_spec

HEAD = ["index", "image", "question", "A", "B", "C", "answer", "category"]


def tsv(*lines):
    out = io.StringIO()
    writer = csv.writer(out, delimiter="\t", lineterminator="\n")
    writer.writerows([HEAD, *lines])
    return out.getvalue()


@pytest.fixture
def pictures(picture_bytes):
    return [base64.b64encode(picture_bytes(16, 12, seed)).decode() for seed in range(3)]


@pytest.fixture
def benchmark(put, pictures):
    """As VLMEvalKit writes it: a question with line ends and quotes, a reference, a list of two, no fourth option."""
    return put(
        {
            "bench.tsv": tsv(
                [0, pictures[0], 'Which "organ"\nis\tshown?', "liver", "spleen", "", "B", "organ"],
                [1, "0", "Is it äbnormal?", "yes", "no", "unsure", "A", "finding"],
                [2, str(pictures[1:]), "Which is larger?", "first", "second", "", "A", "size"],
            )
        }
    )


def read(ingest, root, tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text(draft_spec(root))
    spec = load_spec(path)
    path.unlink()
    fields = spec.model_dump(exclude={"reader", "root"})
    return ingest(root, spec.reader.type, spec.reader.options, **fields)


def test_the_draft_reads_a_benchmark_as_it_is(benchmark, ingest, tmp_path, picture_bytes):
    cases, lost = read(ingest, benchmark, tmp_path)
    assert lost == {}
    asked = [[(q.question, q.options, q.answer) for q in case.questions] for case in cases.values()]
    assert asked == [
        [
            ('Which "organ"\nis\tshown?', ("liver", "spleen"), "spleen"),
            ("Is it äbnormal?", ("yes", "no", "unsure"), "yes"),
        ],
        [("Which is larger?", ("first", "second"), "first")],
    ]
    source = Source.open(str(benchmark))
    shown = [[source.read_bytes(image.files[0]) for image in case.images] for case in cases.values()]
    assert shown == [[picture_bytes(16, 12, 0)], [picture_bytes(16, 12, 1), picture_bytes(16, 12, 2)]]


def test_two_splits_may_use_the_same_indices(put, ingest, tmp_path, pictures):
    """VLMEvalKit counts from 0 in every file, so the index is no key where there are several."""
    lines = {
        name: tsv(*([n, picture, f"{name} {n}?", "x", "y", "", "A", ""] for n, picture in enumerate(pictures)))
        for name in ("train_mcq.tsv", "test_mcq.tsv")
    }
    cases, lost = read(ingest, put(lines), tmp_path)
    assert lost == {} and [case.split for case in cases.values()] == ["test"] * 3 + ["train"] * 3


def test_json_lines_with_data_addresses(put, ingest, tmp_path, pictures, picture_bytes):
    lines = [
        {"image": f"data:image/png;base64,{picture}", "question": f"What is {n}?", "answer": f"it is {n}"}
        for n, picture in enumerate(pictures)
    ]
    root = put({"data.jsonl": "\n".join(["", *map(json.dumps, lines), "{broken"])})
    cases, lost = read(ingest, root, tmp_path)
    assert [code for code, *_ in lost.values()] == ["broken_row"]
    source = Source.open(str(root))
    shown = {case.questions[0].answer: source.read_bytes(case.images[0].files[0]) for case in cases.values()}
    assert shown == {f"it is {n}": picture_bytes(16, 12, n) for n in range(3)}


def test_messages_of_openai_with_their_pictures_inside(put, ingest, tmp_path, pictures, picture_bytes):
    """Two pictures in the first dialogue, one in its second turn; the second dialogue has none."""

    def image(number):
        return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{pictures[number]}"}}

    def said(role, *parts):
        content = [part if isinstance(part, dict) else {"type": "text", "text": part} for part in parts]
        return {"role": role, "content": content}

    first = [
        said("user", image(0), "What is it?"),
        said("assistant", "A liver."),
        said("user", "And", image(1), "this?"),
        said("assistant", "A spleen."),
    ]
    second = [said("user", "What is anaemia?"), said("assistant", "Too few red cells.")]
    root = put({"chat.jsonl": "\n".join(json.dumps({"messages": turns}) for turns in (first, second))})
    cases, lost = read(ingest, root, tmp_path)
    source = Source.open(str(root))
    by_question = {case.questions[0].question: case for case in cases.values()}
    shown = [source.read_bytes(ref.files[0]) for ref in by_question["What is it?"].images]
    assert shown == [picture_bytes(16, 12, 0), picture_bytes(16, 12, 1)]
    assert by_question["What is it?"].questions[0].turns == (("What is it?", "A liver."), ("And\nthis?", "A spleen."))
    assert lost == {} and by_question["What is anaemia?"].images == ()
    assert by_question["What is anaemia?"].key == "chat.jsonl:2"


def test_captions_of_pictures_in_a_csv(put, ingest, tmp_path, pictures):
    rows = "".join(f"{picture},a slice number {n}\n" for n, picture in enumerate(pictures))
    root = put({"pairs.csv": f"picture,caption\n{rows}"})
    assert inspect(root)[0][0] == "table"
    cases, lost = read(ingest, root, tmp_path)
    assert lost == {} and [case.texts[0].content for case in cases.values()] == [
        f"a slice number {n}" for n in range(3)
    ]


@pytest.mark.parametrize(
    ("cell", "code"),
    [("%%%" * 40, "corrupt_image"), ("7", "missing_image"), ("", "missing_image"), ("QUJD" * 30, "not_an_image")],
)
def test_a_cell_without_a_picture_is_named(put, ingest, pictures, cell, code):
    root = put({"b.tsv": tsv([0, pictures[0], "a", "x", "y", "", "A", ""], [1, cell, "b", "x", "y", "", "A", ""])})
    options = {
        "table": ["b.tsv"], "embedded": ["image"], "key": "index",
        "questions": {"options": ["A", "B", "C"], "letter": "answer", "answer": ""},
    }  # fmt: skip
    cases, lost = ingest(root, "table", options)
    assert (list(cases), {key: said[0] for key, said in lost.items()}) == (["0"], {"1": code})


@pytest.mark.parametrize("path", ["image/999999", "image/x", "other/0", "image", "image/0/5"])
def test_a_path_that_names_no_picture_is_none(benchmark, path):
    assert not Source.open(str(benchmark)).exists(f"bench.tsv!/{path}")


def test_our_own_export_is_read_back(ingest, tmp_path, picture_bytes):
    """What `medcurate export --format vlmevalkit` writes, `inspect` reads again."""
    from storage.exports.vlmevalkit import VlmEvalKit

    def row(number, seed):
        said = [{"role": "user", "content": f"<image>\nWhich is {number}?"}, {"role": "assistant", "content": "liver"}]
        image = {"bytes": picture_bytes(16, 12, seed), "path": f"{seed}.png"}
        return {
            "task": "mcq", "images": [image], "messages": said, "options": ["spleen", "liver"], "answer": "liver",
            "answer_index": 1, "dataset": "d",
        }  # fmt: skip

    VlmEvalKit(VlmEvalKit.Options()).write([row(0, 5), row(1, 5), row(2, 6)], "test", tmp_path / "out")
    for name in ("test_yorn.tsv", "test_vqa.tsv"):
        (tmp_path / "out" / name).unlink()
    cases, lost = read(ingest, tmp_path / "out", tmp_path)
    assert lost == {}
    asked = [(question.question, question.answer) for case in cases.values() for question in case.questions]
    assert asked == [(f"Which is {n}?", "liver") for n in range(3)] and len(cases) == 2
