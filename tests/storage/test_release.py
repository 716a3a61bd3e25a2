import json
import os
import random
import tarfile
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from schemas.errors import ReleaseError, UserError
from schemas.instruction import arrow_schema
from storage.release import exists, publish, pull, read_manifest, releases, verify

from .conftest import Factory, blob, row, simple_case, staged


@pytest.fixture
def published(factory: Factory) -> tuple[Path, str]:
    """A store, and the address of its one release of 40 cases."""
    folder, manifest = factory.release([simple_case(n) for n in range(1, 41)])
    store = factory.base / "store"
    return store, publish(folder, store, manifest)


def test_published_release_verifies_and_is_listed(published):
    store, address = published
    assert verify(address) == []
    (listed,) = releases(store)
    assert listed.to_json() == {
        "name": "cells", "version": "1.0.0", "rows": 80, "cases": 40, "files": len(read_manifest(address).files),
        "bytes": sum(file.bytes for file in read_manifest(address).files), "license": "MIT", "address": address,
    }  # fmt: skip
    assert exists(store, "cells", "1.0.0") and not exists(store, "cells", "1.0.1")


def test_one_flipped_byte_is_found_in_whichever_file(published):
    _, address = published
    for file in read_manifest(address).files:
        path = Path(address, file.path)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        assert verify(address) == [f"{file.path}: its contents differ from what was published (sha256)"]
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    assert verify(address) == []


def test_missing_extra_and_cut_files_are_found(published):
    _, address = published
    Path(address, "data/test-00000-of-00001.parquet").unlink()
    Path(address, "data/extra.txt").write_text("x")
    readme = Path(address, "README.md")
    size = readme.stat().st_size
    os.truncate(readme, size - 1)
    assert verify(address) == [
        f"README.md: has {size - 1} bytes, but {size} were published",
        "data/extra.txt: is not in the manifest",
        "data/test-00000-of-00001.parquet: is missing",
    ]


def test_wrong_row_count_in_the_manifest_is_found(published):
    _, address = published
    path = Path(address, "manifest.json")
    manifest = json.loads(path.read_text())
    shard = next(file for file in manifest["files"] if file["path"].startswith("data/test"))
    shard["rows"] += 1
    path.write_text(json.dumps(manifest))
    assert verify(address) == [f"{shard['path']}: has 16 rows, but the manifest says 17"]


def test_a_version_is_published_once(published, factory):
    store, address = published
    before = Path(address, "manifest.json").read_bytes()
    folder, manifest = factory.release([simple_case(n) for n in range(1, 9)], "other")
    with pytest.raises(UserError, match="published already"):
        publish(folder, store, manifest)
    assert Path(address, "manifest.json").read_bytes() == before and verify(address) == []


def test_of_two_publishers_at_once_one_is_refused(published, monkeypatch):
    store, address = published
    manifest = read_manifest(address)
    monkeypatch.setattr("storage.publish._refuse_if_taken", lambda *_: None)
    with pytest.raises(UserError, match="published already"):
        publish(address, store, manifest)
    assert verify(address) == []


def test_release_that_died_half_way_does_not_exist_and_can_be_published_again(factory):
    folder, manifest = factory.release([simple_case(n) for n in range(1, 9)])
    store = factory.base / "store"
    half = store / "cells" / "1.0.0" / manifest.files[0].path
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    assert releases(store) == [] and not exists(store, "cells", "1.0.0")
    assert verify(publish(folder, store, manifest)) == []


def test_foreign_files_in_the_place_of_a_release_are_not_touched(factory):
    folder, manifest = factory.release([simple_case(1)])
    stranger = factory.base / "store" / "cells" / "1.0.0" / "thesis.tex"
    stranger.parent.mkdir(parents=True)
    stranger.write_text("x")
    with pytest.raises(UserError, match=r"not of this release, such as .*thesis\.tex"):
        publish(folder, factory.base / "store", manifest)


def test_file_that_changed_after_the_manifest_is_not_published(factory):
    folder, manifest = factory.release([simple_case(1)])
    (folder / "README.md").write_text("changed")
    with pytest.raises(ReleaseError, match=r"README\.md is missing or has changed"):
        publish(folder, factory.base / "store", manifest)
    assert releases(factory.base / "store") == []


def test_pull_copies_all_of_a_release(published, tmp_path):
    store, address = published
    copy = pull("cells@1.0.0", store, tmp_path / "copies")
    assert copy == str(tmp_path / "copies" / "cells-1.0.0")
    assert verify(copy) == [] and read_manifest(copy) == read_manifest(address)
    assert pull("cells@1.0.0", store, tmp_path / "copies") == copy
    assert pull(address, "", tmp_path / "by-address") and verify(tmp_path / "by-address" / "cells-1.0.0") == []


def test_pull_of_a_split_is_a_release_of_its_own(published, tmp_path):
    store, _ = published
    copy = Path(pull("cells@1.0.0", store, tmp_path, split="test"))
    assert verify(copy) == []
    names = {path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file()}
    assert names == {
        "README.md", "croissant.json", "manifest.json", "webdataset/README.md", "data/test-00000-of-00001.parquet",
        "webdataset/test-000000.tar",
    }  # fmt: skip
    assert "train" not in (copy / "README.md").read_text().split("---")[1]
    assert read_manifest(copy).subset == "split = test"


def test_pull_goes_on_where_it_stopped(published, tmp_path):
    store, _ = published
    copy = Path(pull("cells@1.0.0", store, tmp_path))
    (copy / "manifest.json").unlink()
    (copy / "README.md").write_text("half")
    kept = (copy / "data/test-00000-of-00001.parquet").stat().st_ino
    pull("cells@1.0.0", store, tmp_path)
    assert verify(copy) == [] and (copy / "data/test-00000-of-00001.parquet").stat().st_ino == kept


def test_pull_refuses_a_broken_file(published, tmp_path):
    store, address = published
    shard = Path(address, "data/test-00000-of-00001.parquet")
    data = bytearray(shard.read_bytes())
    data[100] ^= 1
    shard.write_bytes(data)
    with pytest.raises(ReleaseError, match="did not arrive as published"):
        pull("cells@1.0.0", store, tmp_path)
    assert not (tmp_path / "cells-1.0.0" / "manifest.json").exists()


@pytest.mark.parametrize(
    ("release", "split", "sentence"),
    [
        ("cells@1.0.1", None, "there is no release cells@1.0.1 in .*; did you mean 'cells@1.0.0'"),
        ("cells@1.0.0", "dev", "has no split 'dev'; it has test, train"),
        ("nothing", None, "there is no release nothing in .*; name it as NAME@VERSION"),
        ("cells", None, "there is no release cells in .*; did you mean 'cells@1.0.0'"),
    ],
)
def test_pull_says_what_is_wrong(published, tmp_path, release, split, sentence):
    with pytest.raises(UserError, match=sentence):
        pull(release, published[0], tmp_path, split=split)


def test_an_empty_store_says_how_to_name_another(tmp_path):
    with pytest.raises(UserError, match="it holds none at all: name another with --store"):
        pull("cells@1.0.0", tmp_path / "elsewhere", tmp_path)


def test_a_store_that_cannot_be_reached_is_a_sentence(monkeypatch):
    class Unreachable:
        protocol = "s3"

        def __getattr__(self, name):
            raise RuntimeError("no credentials")

    monkeypatch.setattr("storage.store.open_address", lambda address: (Unreachable(), "bucket"))
    for ask in (
        lambda: releases("s3://bucket"),
        lambda: exists("s3://bucket", "a", "1"),
        lambda: verify("s3://bucket"),
    ):
        with pytest.raises(UserError, match=r"s3://bucket.* cannot be reached \(RuntimeError: no credentials\); check"):
            ask()


def test_manifest_that_leads_out_of_the_release_is_refused(published):
    _, address = published
    path = Path(address, "manifest.json")
    path.write_text(path.read_text().replace('"README.md"', '"../../../README.md"'))
    with pytest.raises(ReleaseError, match="outside the release"):
        verify(address)
    path.write_text("{")
    with pytest.raises(ReleaseError, match="is broken"):
        verify(address)


def test_unknown_address_is_a_sentence():
    with pytest.raises(UserError, match="no address that fsspec knows"):
        verify("nosuch://x/y")


FIFTHS = {f"c{n}" for n in range(5, 41, 5)}


@pytest.mark.parametrize(
    ("where", "cases"),
    [
        ("case_id in ('c3', 'c4', 'c5')", {"c3", "c4", "c5"}),
        ("answer = 'c7 1' or (split = 'test' and array_contains(labels, 'cell'))", {"c7", *FIFTHS}),
        ("provenance.converter = 'open_question' and answer_index < 0", {f"c{n}" for n in range(1, 41)}),
    ],
)  # fmt: skip
def test_pull_where_keeps_the_rows_that_fit_in_both_formats(published, tmp_path, where, cases):
    store, address = published
    copy = Path(pull("cells@1.0.0", store, tmp_path, where=where))
    assert verify(copy) == []
    rows = pl.concat([pl.read_parquet(path) for path in sorted((copy / "data").iterdir())])
    whole = pl.read_parquet(f"{address}/data/*.parquet").filter(pl.sql_expr(where))
    assert set(rows["case_id"]) == cases and rows.sort("id").equals(whole.sort("id"))
    packed = [json.loads(data) for tar in sorted((copy / "webdataset").glob("*.tar")) for data in members(tar, ".json")]
    assert {row["id"] for sample in packed for row in sample["rows"]} == set(whole["id"])
    manifest = read_manifest(copy)
    assert manifest.subset == f"({where})"
    for folder in ("data/", "webdataset/"):
        assert sum(file.rows for file in manifest.files if file.path.startswith(folder)) == rows.height


def members(tar: Path, suffix: str):
    with tarfile.open(tar) as archive:
        return [archive.extractfile(member).read() for member in archive if member.name.endswith(suffix)]


def test_pull_where_stores_each_picture_once_and_keeps_the_schema(factory, tmp_path):
    noise = random.Random(1).randbytes(100_000)
    folder, manifest = factory.release([staged("c1", [blob(noise)], [row("c1", n) for n in range(30)])])
    address = publish(folder, factory.base / "store", manifest)
    copy = Path(pull(address, to=tmp_path, where="answer != 'c1 3'"))
    shard = copy / "data" / "train-00000-of-00001.parquet"
    assert pq.read_metadata(shard).num_rows == 29 and 100_000 < shard.stat().st_size < 140_000
    assert pq.read_schema(shard).equals(arrow_schema())


def test_pull_where_renumbers_the_shards_that_are_left(factory, tmp_path):
    folder, manifest = factory.release([simple_case(n) for n in range(1, 41)], shard_rows=10)
    address = publish(folder, factory.base / "store", manifest)
    copy = Path(pull(address, to=tmp_path, where="case_id = 'c3'"))
    assert sorted(path.relative_to(copy).as_posix() for path in copy.glob("*/*") if path.name != "README.md") == [
        "data/train-00000-of-00001.parquet", "webdataset/train-000000.tar",
    ]  # fmt: skip
    assert "path: data/train-*.parquet" in (copy / "README.md").read_text()
    assert "split: test" not in (copy / "README.md").read_text()


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        ("nosuch = 1", "unable to find column"),
        ("task =", "cannot be used"),
        ("task", "must be of type `Boolean`"),
        ("task = 'nothing'", "no row fits the condition"),
    ],
)
def test_pull_with_a_wrong_condition_says_so(published, tmp_path, where, sentence):
    with pytest.raises(UserError, match=sentence):
        pull("cells@1.0.0", published[0], tmp_path / "copies", where=where)
    assert not (tmp_path / "copies").exists() or not list((tmp_path / "copies").iterdir())
