"""Researchers read a release with their own tools, medcurate not being installed: each in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from storage.release import publish

from .conftest import blob, picture, row, simple_case, staged

ALONE = """
import importlib.util, io, json, sys
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder)]
sys.path = [place for place in sys.path if place.endswith("site-packages") or "lib/python3" in place or ".zip" in place]
for part in ("schemas", "storage", "flows"):
    assert importlib.util.find_spec(part) is None, f"{part} can be imported"
folder = sys.argv[1]
"""


@pytest.fixture(scope="module")
def release(tmp_path_factory) -> str:
    """Train: 32 cases of one JPEG or PNG and two rows, one case of two pictures, one of none; test: 8 cases."""
    from .conftest import Factory

    cases = [simple_case(n, kind="png" if n % 4 == 0 else "jpg") for n in range(1, 41)]
    two = [row("c101", 0, (0, 1), options=["x", "y"], answer="y", answer_index=1)]
    cases.append(staged("c101", [blob(picture(1)), blob(picture(250), 1)], two))
    cases.append(staged("c102", [], [row("c102", 0, (), view=[])]))
    factory = Factory(tmp_path_factory.mktemp("consumers"))
    folder, manifest = factory.release(cases)
    return publish(folder, factory.base / "store", manifest)


def alone(script: str, release: str, tmp_path: Path, **env: str):
    """Run a script without medcurate; it prints JSON."""
    place = {**os.environ, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "ignore", **env}
    place.pop("PYTHONPATH", None)
    done = subprocess.run(
        [sys.executable, "-c", ALONE + script, release], cwd=tmp_path, env=place, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


DATASETS = """
from datasets import load_dataset
def describe(rows):
    rows = list(rows)
    first = next(r for r in rows if r["case_id"] == "c3")
    pair = [r for r in rows if r["case_id"] == "c101"]
    return {
        "rows": len(rows), "pictures": sum(len(r["images"]) for r in rows), "mode": first["images"][0].mode,
        "size": first["images"][0].size, "red": first["images"][0].getpixel((4, 3))[0],
        "messages": first["messages"], "formats": sorted({i.format for r in rows for i in r["images"]}),
        "pair": [i.getpixel((0, 0))[0] for r in pair for i in r["images"]],
        "options": [r["options"] for r in pair], "split": sorted({r["split"] for r in rows}),
    }
print(json.dumps({
    "eager": describe(load_dataset(folder, split="train")),
    "streaming": describe(load_dataset(folder, split="train", streaming=True)),
    "splits": {name: part.num_rows for name, part in load_dataset(folder).items()},
}))
"""


def test_datasets_reads_parquet_eager_and_streaming(release, tmp_path):
    got = alone(DATASETS, release, tmp_path)
    assert got["splits"] == {"train": 66, "test": 16}
    assert got["eager"] == got["streaming"]
    eager = got["eager"]
    assert abs(eager.pop("red") - 3) <= 2  # JPEG
    assert [abs(a - b) <= 2 for a, b in zip(eager.pop("pair"), [1, 250], strict=True)] == [True, True]
    assert eager == {
        "rows": 66, "pictures": 66, "mode": "RGB", "size": [8, 6], "formats": ["JPEG", "PNG"],
        "options": [["x", "y"]], "split": ["train"],
        "messages": [{"role": "user", "content": "<image>\nWhat is number 0?"},
                     {"role": "assistant", "content": "c3 0"}],
    }  # fmt: skip


def test_datasets_does_not_take_one_release_for_another_of_the_same_version(factory, tmp_path):
    script = """
from datasets import load_dataset
found = []
for store in ("one", "two"):
    for part in ("", "/webdataset"):
        rows = load_dataset(f"{folder}/{store}/cells/1.0.0{part}", split="train")
        found.append(sorted({r["case_id"] if "case_id" in r else r["json"]["case_id"] for r in rows}))
print(json.dumps(found))
"""
    for store, first in (("one", 1), ("two", 6)):
        folder, manifest = factory.release([simple_case(n) for n in range(first, first + 4)], store)
        publish(folder, factory.base / "stores" / store, manifest)
    one, two = ["c1", "c2", "c3", "c4"], ["c6", "c7", "c8", "c9"]
    assert alone(script, str(factory.base / "stores"), tmp_path) == [one, one, two, two]


TARS = """
from datasets import load_dataset
def describe(samples):
    samples = {s["json"]["case_id"]: s for s in samples}
    pair = samples["c101"]
    return {
        "cases": len(samples), "rows": sum(len(s["json"]["rows"]) for s in samples.values()),
        "jpg": samples["c3"]["jpg"].size, "png": samples["c4"]["png"].size, "missing": samples["c4"]["jpg"],
        "none": [samples["c102"][k] for k in ("jpg", "png", "1.jpg")], "key": len(pair["__key__"]),
        "pair": [pair[name].getpixel((0, 0))[0] for name in json.loads(pair["json"]["rows"][0]["images"])],
        "options": json.loads(pair["json"]["rows"][0]["options"]), "index": pair["json"]["rows"][0]["answer_index"],
        "messages": samples["c3"]["json"]["rows"][1]["messages"],
    }
plain = {"train": [folder + "/webdataset/train-000000.tar"]}
inferred = load_dataset("webdataset", data_files=plain, split="train")
print(json.dumps({
    "eager": describe(load_dataset(folder + "/webdataset", split="train")),
    "streaming": describe(load_dataset(folder + "/webdataset", split="train", streaming=True)),
    "inferred": [inferred.num_rows, sorted(inferred.column_names), inferred[0]["jpg"].size,
                 len(inferred[0]["json"]["rows"])],
}))
"""


def test_datasets_reads_webdataset_eager_and_streaming(release, tmp_path):
    got = alone(TARS, release, tmp_path)
    assert got["eager"] == got["streaming"]
    eager = got["eager"]
    assert [abs(a - b) <= 2 for a, b in zip(eager.pop("pair"), [1, 250], strict=True)] == [True, True]
    assert eager == {
        "cases": 34, "rows": 66, "jpg": [8, 6], "png": [8, 6], "missing": None, "none": [None] * 3, "key": 32,
        "options": ["x", "y"], "index": 1,
        "messages": [{"role": "user", "content": "<image>\nWhat is number 1?"},
                     {"role": "assistant", "content": "c3 1"}],
    }  # fmt: skip
    rows, columns, size, first = got["inferred"]
    assert (columns, size, first) == (["__key__", "__url__", "jpg", "json"], [8, 6], 2) and rows > 5


WEBDATASET = """
import glob
import webdataset
urls = sorted(glob.glob(folder + "/webdataset/train-*.tar"))
samples = list(webdataset.WebDataset(urls, shardshuffle=False, empty_check=False).decode("pil"))
by_case = {s["json"]["case_id"]: s for s in samples}
pair = by_case["c101"]
print(json.dumps({
    "cases": len(samples), "rows": sum(len(s["json"]["rows"]) for s in samples),
    "reds": [by_case["c3"]["jpg"].getpixel((4, 3))[0], by_case["c4"]["png"].getpixel((4, 3))[0]],
    "pair": [pair[name].getpixel((0, 0))[0] for name in json.loads(pair["json"]["rows"][0]["images"])],
}))
"""


def test_webdataset_reads_the_tars(release, tmp_path):
    got = alone(WEBDATASET, release, tmp_path)
    assert (got["cases"], got["rows"]) == (34, 66)
    assert all(abs(a - b) <= 2 for a, b in zip(got["reds"] + got["pair"], [3, 4, 1, 250], strict=True))


POLARS = """
import polars as pl
from PIL import Image
table = pl.read_parquet(folder + "/data/train-*.parquet")
first = table.filter(pl.col("case_id") == "c4").row(0, named=True)
picture = Image.open(io.BytesIO(first["images"][0]["bytes"]))
lazy = pl.scan_parquet(folder + "/data/*.parquet").group_by("split").len().sort("split").collect()
print(json.dumps({"rows": table.height, "red": picture.getpixel((0, 0))[0], "types": [str(table.schema["options"]),
    str(table.schema["volumes"])], "splits": lazy.rows()}))
"""

DUCKDB = """
import duckdb
from PIL import Image
table = f"'{folder}/data/train-*.parquet'"
data, question = duckdb.sql(
    f"select images[1].bytes, messages[1].content from {table} where case_id = 'c4' order by answer").fetchall()[0]
print(json.dumps({"rows": duckdb.sql(f"select count(*) from {table}").fetchall()[0][0],
    "red": Image.open(io.BytesIO(data)).getpixel((0, 0))[0], "question": question}))
"""


def test_polars_reads_the_parquet(release, tmp_path):
    got = alone(POLARS, release, tmp_path)
    assert got == {
        "rows": 66, "red": 4, "splits": [["test", 16], ["train", 66]],
        "types": ["List(String)", "List(Struct({'bytes': Binary, 'path': String}))"],
    }  # fmt: skip


def test_duckdb_reads_the_parquet(release, tmp_path):
    assert alone(DUCKDB, release, tmp_path) == {"rows": 66, "red": 4, "question": "<image>\nWhat is number 0?"}


def test_datasets_reads_restricted_rows_without_looking_for_files(factory, tmp_path):
    closed = [staged(f"c{n}", [blob(picture(n))], [row(f"c{n}", 0, access="restricted")]) for n in range(1, 8)]
    folder, manifest = factory.release(closed)
    script = """
from datasets import load_dataset
rows = list(load_dataset(folder, split="train"))
tars = list(load_dataset(folder + "/webdataset", split="train"))
print(json.dumps([[r["images"][0]["bytes"] for r in rows], len(rows[0]["images"][0]["path"]), len(tars)]))
"""
    address = publish(folder, factory.base / "store", manifest)
    assert alone(script, address, tmp_path) == [[None] * 6, len("0" * 32 + ".0.jpg"), 6]


def test_croissant_is_valid_and_reads_rows(release):
    import mlcroissant

    dataset = mlcroissant.Dataset(jsonld=str(Path(release, "croissant.json")))
    assert not dataset.metadata.ctx.issues.errors
    rows = list(dataset.records("test-00000-of-00001"))
    assert len(rows) == 16
    assert {r["test-00000-of-00001/split"] for r in rows} == {b"test"}
