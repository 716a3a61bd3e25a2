"""What must never be followed, unpacked or loaded is refused, each with a sentence that names it."""

# ruff: noqa: E501 - fragments of files as they may come

import io
import json
import os
import pickle
import tarfile
import time
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from readers.base import Item, open_reader
from readers.source import Source
from schemas.errors import CaseError, UserError


def refusals(root, spec_of, reader="files", options=None, **fields):
    """The sentence for every key that became no case."""
    made = open_reader(spec_of(root, reader, options, **fields))
    found = {}
    for item in made.items():
        if not isinstance(item, Item):
            found[item.key] = f"{item.code}: {item.detail}"
            continue
        try:
            made.read(item)
        except CaseError as error:
            found[item.key] = f"{error.code}: {error.detail}"
    return found


@pytest.mark.parametrize("name", ["../../slipped.png", "/abs/slipped.png", "..\\slipped.png", "C:/slipped.png"])
def test_a_zip_member_that_would_climb_out(tmp_path, spec_of, picture_bytes, name):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("good.png", picture_bytes())
        archive.writestr(name, picture_bytes())
    found = refusals(tmp_path / "x.zip", spec_of)
    assert len(found) == 1
    (sentence,) = found.values()
    assert sentence.startswith("unsafe_path: ") and sentence.endswith(
        "would lead out of the dataset's root and is not read"
    )
    assert not list(tmp_path.rglob("slipped*")) and not list(tmp_path.parent.glob("slipped*"))


@pytest.mark.parametrize("target", ["/etc/passwd", "../../etc/passwd"])
def test_a_link_out_of_a_tar(tmp_path, spec_of, target):
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        info = tarfile.TarInfo("a/link.png")
        info.type, info.linkname = tarfile.SYMTYPE, target
        archive.addfile(info)
    sentence = refusals(tmp_path / "x.tar", spec_of)["a/link.png"]
    assert sentence == "link_leaves_root: a/link.png is a link that leaves the archive"


def test_a_link_out_of_a_folder_and_a_circle(tmp_path, spec_of, picture_bytes):
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(picture_bytes())
    (root / "a/link.png").symlink_to(tmp_path / "secret.png")
    (root / "a/round").symlink_to(root)
    sentence = refusals(root, spec_of)["a/link.png"]
    assert sentence == "link_leaves_root: a/link.png is reached by a link that leaves the root"


ENTITIES = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation><filename>&x;</filename></annotation>'
LAUGHS = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><annotation><filename>&b;</filename></annotation>'


@pytest.mark.parametrize("xml", [ENTITIES, LAUGHS])
@pytest.mark.parametrize(("reader", "options"), [("voc", {"annotations": "", "images": ""}), ("openi", {})])
def test_entities_in_xml(put, spec_of, xml, reader, options):
    (sentence,) = refusals(put({"x.xml": xml}), spec_of, reader, options).values()
    assert "entities" in sentence and "root:" not in sentence


class Planted:
    """Would make a file if it were ever unpickled."""

    def __reduce__(self):
        return os.system, ("touch unpickled",)


def test_pickles_in_every_guise(tmp_path, spec_of, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "qa.pkl").write_bytes(pickle.dumps([Planted()]))
    np.savez(tmp_path / "x.npz", train_images=np.array([Planted()], dtype=object), train_labels=np.zeros(1))
    with pytest.raises(
        UserError, match=r"qa\.pkl is a Python pickle, which is never loaded; rewrite it as JSON or Parquet"
    ):
        refusals(tmp_path, spec_of, "table", {"table": ["qa.pkl"]})
    with pytest.raises(CaseError, match="holds Python objects, which are never unpickled"):
        refusals(tmp_path, spec_of, "npz", {"file": "x.npz"})
    (tmp_path / "hidden.png").write_bytes(pickle.dumps([Planted()]))
    assert "hidden.png" in refusals(tmp_path, spec_of)
    assert not (tmp_path / "unpickled").exists()


def test_an_archive_inside_an_archive(tmp_path, spec_of, picture_bytes):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("deep.png", picture_bytes())
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("inner.zip", inner.getvalue())
    sentence = refusals(tmp_path / "x.zip", spec_of)["inner.zip"]
    assert sentence == "nested_archive: the file is an archive; name it as the root of a spec of its own"


def test_names_that_differ_in_case_alone_are_told_apart_or_not_guessed(put, spec_of):
    root = put({"a/X.png": None, "a/x.png": None, "t.csv": "image,label\nX.png,A\nx.png,A\nx.PNG,A\n"})
    options = {"table": ["t.csv"], "image_dir": ["a"], "labels": ["label"]}
    found = refusals(root, spec_of, "table", options, labels={"A": "a"})
    (sentence,) = found.values()
    assert sentence == "ambiguous_image: 2 files could be meant by x.PNG"


def test_nul_bytes_in_a_table(put, spec_of):
    root = put({"x.png": None, "t.csv": b"image,label\nx\0.png,A\nx.png,A\n"})
    found = refusals(root, spec_of, "table", {"table": ["t.csv"], "labels": ["label"]}, labels={"A": "a"})
    (sentence,) = found.values()
    assert "unsafe_path" in sentence and "\0" not in sentence and "\0" not in next(iter(found))


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", b"\xef\xbb\xbf"),
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b"\xfe\xff"),
        ("cp1252", b""),
    ],
)
def test_encodings_are_found_out(put, ingest, encoding, mark):
    root = put({"x.png": None, "t.csv": mark + "image,caption\nx.png,Blässe – ödematös\n".encode(encoding)})
    cases, lost = ingest(root, "table", {"table": ["t.csv"], "texts": {"caption": "caption"}})
    assert (lost, cases["x.png"].texts[0].content) == ({}, "Blässe – ödematös")


# No parser of text hangs, crashes or holds more than it may, whatever it is given.

PARSERS = {
    "csv": ("t.csv", "table", {"table": ["t.csv"], "labels": ["label"], "boxes": {"x": "a", "y": "b", "x2": "c", "y2": "d", "word": "A"}}),
    "jsonl": ("t.jsonl", "table", {"table": ["t.jsonl"], "questions": {"turns": "conversations"}}),
    "json": ("t.json", "vqa_json", {"table": ["t.json"]}),
    "coco": ("t.json", "coco", {"annotations": "t.json"}),
    "voc": ("x.xml", "voc", {"annotations": "", "images": ""}),
    "openi": ("x.xml", "openi", {}),
    "yolo": ("x.txt", "yolo", {"labels": "", "images": "", "names": ["A"]}),
}  # fmt: skip
PIECES = {
    "csv": ["image,label,a,b,c,d\n", "x.png,A,1,2,3,4\n", '"', ",", "\n", "\0", "1e999", "nan", "x.png", "A|B", "é", "\r"],
    "jsonl": ['{"image": "x.png"', ', "conversations": [', '{"from": "human", "value": "q"}', "]", "}", "\n", "[", ",", '"', "null", "1e999"],
    "json": ["[", "]", '{"image_name": "x.png", "question": "q", "answer": 5}', ",", "{", "}", '"a": ', "null", "1e999", "[[[["],
    "coco": ['{"images": [', '{"id": 1, "file_name": "x.png", "width": 8}', '], "annotations": [', '{"id": 1, "image_id": 1, "bbox": [1, 1, 1e999, 2]}', "]}", ",", "null"],
    "voc": ["<annotation>", "<object>", "<name>A</name>", "<bndbox>", "<xmin>1e999</xmin>", "<xmin>-3</xmin>", "</bndbox>", "</object>", "</annotation>", "<filename>x.png</filename>", "&a;"],
    "openi": ["<eCitation>", "<AbstractText Label='FINDINGS'>", "x", "</AbstractText>", "<parentImage id='x'/>", "</eCitation>", "&amp;", "<!--"],
    "yolo": ["0 0.5 0.5 0.1 0.1\n", "0 ", "1e999 ", "nan ", "-1 ", "\n", "9 0 0 1 1 0 1\n", "٣ "],
}  # fmt: skip
"""Pieces of each format, so that chance gets further than the first byte."""


@pytest.mark.parametrize("kind", PARSERS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_text_hangs_or_crashes_a_parser(put, spec_of, kind, data):
    pieces = st.lists(st.sampled_from(PIECES[kind]), max_size=25).map(lambda parts: "".join(parts).encode())
    content = data.draw(pieces | st.binary(max_size=400))
    name, reader, options = PARSERS[kind]
    root = put({"x.png": None, name: content})
    begin = time.process_time()
    try:
        for sentence in refusals(root, spec_of, reader, options, labels={"A": "a"}).values():
            assert sentence.isprintable()
    except (UserError, CaseError) as error:
        assert str(error)
    # Work, not time: a machine that does other things does not make it hang.
    assert time.process_time() - begin < 1


@pytest.mark.parametrize("depth", [100, 100_000])
def test_deep_nesting_is_refused_and_not_followed(put, spec_of, depth):
    root = put({"t.json": "[" * depth + "]" * depth, "t.jsonl": '{"a": ' * depth + "1" + "}" * depth})
    for name in ("t.json", "t.jsonl"):
        try:
            found = refusals(root, spec_of, "table", {"table": [name]})
        except (UserError, CaseError) as error:
            found = {name: str(error)}
        assert found and all(
            "JSON" in sentence or "no object" in sentence or "missing_key" in sentence for sentence in found.values()
        )
    assert json.loads(json.dumps(found)) == found


def test_a_source_lists_what_it_refuses(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/link").symlink_to("/etc/passwd")
    assert list(Source.open(str(tmp_path)).walk()) == ["a/link"]


@pytest.mark.parametrize(
    "line", ["1e999 0 0.5 0.5 0.1", "nan 0.5 0.5 0.1 0.1", "0 inf 0.5 0.1 0.1", "0 0 1 0 nan 1 0.5"]
)
def test_numbers_that_are_none_are_left_out_of_yolo(put, ingest, line):
    root = put({"x.png": None, "x.txt": f"{line}\n0 0.5 0.5 0.5 0.5\n"})
    cases, lost = ingest(root, "yolo", {"labels": "", "images": "", "names": ["A"]}, labels={"A": "a"})
    assert lost == {}
    assert [finding.code for finding in cases["x"].findings] == ["broken_row"]
    assert len(cases["x"].regions) == 1
