"""Mutated real files and random bytes: no parser crashes, hangs or takes more than it may; each ends with a word."""

import io
import json
import random
import resource
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from readers.base import Item, open_reader
from readers.images import image_refs
from readers.pixels.render import render
from readers.pixels.sniff import sniff
from readers.source import Source
from schemas.errors import CaseError, UserError
from schemas.spec import DatasetSpec

SEEDS = ["nasty/img", "nasty/masks", "nasty/phi", "nasty/tables", "nasty/detection", "nasty/archives"]
FACTS = {
    "name": "f", "title": "F", "license": "CC0-1.0", "access": "open", "modality": "CT", "anatomy": "abdomen",
    "clinical_task": "none", "labels": {"A": "a", "RBC": "r", "Tumor": "t"},
}  # fmt: skip


def mutate(data: bytes, chance: random.Random) -> bytes:
    """A copy with bytes flipped, a stretch cut out, doubled or zeroed, or the end gone."""
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 8, 64))):
        if not out:
            break
        at = chance.randrange(len(out))
        what = chance.randrange(6)
        length = min(chance.choice((1, 4, 64, 1024)), len(out) - at)
        if what == 0:
            out[at] = chance.randrange(256)
        elif what == 1:
            out[at] ^= 1 << chance.randrange(8)
        elif what == 2:
            del out[at : at + length]
        elif what == 3:
            out[at:at] = out[at : at + length]
        elif what == 4:
            out[at : at + length] = bytes(length)
        else:
            del out[at:]
    return bytes(out)


def try_file(folder, name: str) -> str:
    """What becomes of one file: ``kept`` or the code of its refusal; anything else is a crash."""
    try:
        source = Source.open(str(folder))
        refs, _ = image_refs(source, name)
        for ref in refs[:3]:
            render(source, ref)
    except CaseError as error:
        assert error.detail
        return error.code
    return "kept"


def try_reader(folder, kind: str, options: dict) -> None:
    """List and read everything; only the errors of the house may come out."""
    spec = DatasetSpec.model_validate({**FACTS, "root": str(folder), "reader": {"type": kind, "options": options}})
    try:
        reader = open_reader(spec)
        for item in reader.items():
            if isinstance(item, Item):
                json.dumps(item.data)
                try:
                    reader.read(item)
                except CaseError as error:
                    assert error.code
    except (CaseError, UserError):
        return


READERS = {
    ".csv": ("table", {"table": ["x.csv"], "labels": ["label"]}),
    ".jsonl": ("table", {"table": ["x.jsonl"], "texts": {"caption": "caption"}}),
    ".json": ("coco", {"annotations": "x.json"}),
    ".xml": ("voc", {"annotations": "", "images": ""}),
    ".txt": ("yolo", {"labels": "", "images": "", "names": ["A", "RBC"]}),
    ".zip": ("files", {}),
    ".tar": ("files", {}),
}


def _round(root, name: str, data: bytes) -> None:
    suffix = "." + name.rpartition(".")[2].lower()
    path = root / f"x{suffix if suffix in READERS else ''}"
    path.write_bytes(data)
    if suffix in READERS:
        kind, options = READERS[suffix]
        try_reader(path if suffix in (".zip", ".tar") else root, kind, options)
    else:
        try_file(root, path.name)
    path.unlink()


def _fuzz(shared_data, root, rounds: int) -> None:
    chance = random.Random(20)
    files = [path for folder in SEEDS for path in sorted((shared_data / folder).iterdir()) if path.is_file()]
    files += sorted((shared_data / "det_voc_bccd/Annotations").iterdir())[:2]
    seeds = [(path.name, path.read_bytes()) for path in files if path.stat().st_size < 300_000]
    (root / "x1.jpg").write_bytes((shared_data / "nasty/tables/images/x1.jpg").read_bytes())
    for number in range(rounds):
        name, data = seeds[number % len(seeds)]
        begin = time.process_time()
        _round(root, name, mutate(data, chance))
        # A hang shows in seconds of work, whatever else the machine does meanwhile.
        assert time.process_time() - begin < 1, (name, number)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2 << 20  # kilobytes


def test_mutated_files_end_with_a_word(shared_data, tmp_path):
    _fuzz(shared_data, tmp_path, 400)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ten_thousand_mutated_files_end_with_a_word(shared_data, tmp_path):
    _fuzz(shared_data, tmp_path, 10_000)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=600))
def test_random_bytes_are_told_and_refused(tmp_path, data):
    assert "/" in sniff(data)
    (tmp_path / "x").write_bytes(data)
    assert try_file(tmp_path, "x")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    box=st.lists(st.floats(allow_nan=True, allow_infinity=True) | st.integers() | st.text(max_size=3), max_size=6),
    polygon=st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=9),
    counts=st.lists(st.integers(-3, 2**70), max_size=5) | st.text(max_size=12),
    size=st.lists(st.integers(-1, 2**40), max_size=3),
)
def test_any_coco_geometry_is_kept_or_named(shared_data, tmp_path, box, polygon, counts, size):
    (tmp_path / "x1.jpg").write_bytes((shared_data / "nasty/tables/images/x1.jpg").read_bytes())
    document = {
        "images": [{"id": 1, "file_name": "x1.jpg", "width": 64, "height": 48}],
        "categories": [{"id": 1, "name": "A"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": box},
            {"id": 2, "image_id": 1, "category_id": 1, "bbox": box, "segmentation": [polygon]},
            {"id": 3, "image_id": 1, "category_id": 1, "bbox": box, "segmentation": {"counts": counts, "size": size}},
        ],
    }
    (tmp_path / "x.json").write_text(json.dumps(document))
    try_reader(tmp_path, "coco", {"annotations": "x.json"})


def _columns_file(kind: str, picture: bytes) -> bytes:
    """A Parquet or Arrow file of five rows of words and three pictures."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    cells = [{"bytes": picture, "path": "a.jpg"}] * 3
    table = pa.table({"image": cells, "label": ["A", "A", "B"], "caption": ["one", "two", "three"]})
    out = io.BytesIO()
    if kind == "parquet":
        pq.write_table(table, out)
    else:
        with pa.ipc.new_file(out, table.schema) as writer:
            writer.write_table(table)
    return out.getvalue()


def _fuzz_columns(kind: str, folder, picture: bytes, rounds: int) -> None:
    chance, data = random.Random(7), _columns_file(kind, picture)
    options = {"table": [f"x.{kind}"], "texts": {"caption": "caption"}}
    for number in range(rounds):
        (folder / f"x.{kind}").write_bytes(mutate(data, chance))
        begin = time.process_time()
        try_reader(folder, "table", options)
        assert time.process_time() - begin < 1, number


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_mutated_columns_end_with_a_word(tmp_path, picture_bytes, kind):
    _fuzz_columns(kind, tmp_path, picture_bytes(kind="JPEG"), 150)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_thousands_of_mutated_columns_end_with_a_word(tmp_path, picture_bytes, kind):
    _fuzz_columns(kind, tmp_path, picture_bytes(kind="JPEG"), 3000)


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_rows_behind_a_broken_one_are_accounted_for(tmp_path, ingest, kind):
    # A text whose bytes are no UTF-8: found before Python is asked to make a string of them.
    data = _columns_file(kind, b"").replace(b"three", b"th\xffee")
    (tmp_path / f"x.{kind}").write_bytes(data)
    cases, lost = ingest(tmp_path, "table", {"table": [f"x.{kind}"], "texts": {"caption": "caption"}})
    assert (cases, lost) == ({}, {f"x.{kind}:1": ("broken_table", "failed")})
