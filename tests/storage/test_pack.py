import hashlib
import json
import tarfile
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.errors import ReleaseError
from schemas.identity import case_order
from schemas.instruction import arrow_schema
from storage.pack import pack_shard
from storage.plan import plan_shards
from storage.sorted_file import SortedFile, write_sorted
from storage.stage import StageWriter

from .conftest import blob, picture, row, simple_case, staged


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def mixed_cases():
    """40 simple cases, one of two pictures of which one is also another case's, one without pictures."""
    cases = [simple_case(n, rows=1 + n % 3, kind="png" if n % 4 == 0 else "jpg") for n in range(1, 41)]
    cases.append(staged("c101", [blob(picture(1)), blob(picture(250), 1)], [row("c101", 0, (0, 1)), row("c101", 1)]))
    cases.append(staged("c102", [], [row("c102", 0, (), view=[])]))
    return cases


def test_stage_keeps_each_blob_once_and_sorts_by_order(factory):
    cases = mixed_cases()
    (folder,) = factory.stage(cases)
    table = pl.read_parquet(folder / "cases.parquet")
    assert table["order"].to_list() == sorted(case_order("cells", case.case_id) for case in cases)
    rows = pa.ipc.open_file(folder / "rows.arrow").read_all().select(["order", "case_id", "answer"]).to_pylist()
    assert [r["order"] for r in rows] == sorted(r["order"] for r in rows)
    assert [r["answer"] for r in rows if r["case_id"] == "c2"] == ["c2 0", "c2 1", "c2 2"]
    distinct = {b.sha256: b.data for case in cases for b in case.images}
    assert len(distinct) == 41  # 40 + one new of c101, whose other one is c1's
    assert (folder / "blobs.bin").stat().st_size == sum(map(len, distinct.values()))
    data = (folder / "blobs.bin").read_bytes()
    for case in table.iter_rows(named=True):
        for entry in case["images"]:
            assert data[entry["offset"] : entry["offset"] + entry["length"]] == distinct[entry["sha256"]]


def test_range_of_orders_is_read_though_it_spans_batches(tmp_path, monkeypatch):
    monkeypatch.setattr("storage.sorted_file.BATCH_ROWS", 3)
    orders = ["a", "b", "b", "b", "b", "c", "e", "g"]
    write_sorted(tmp_path / "t", pa.table({"order": orders, "n": range(8)}), restricted=True)
    file = SortedFile(tmp_path / "t")
    assert file.facts == {"restricted": True}
    expected = {("a", "z"): range(8), ("b", "b"): [1, 2, 3, 4], ("c", "f"): [5, 6], ("d", "d"): [], ("g", "h"): [7],
                ("0", "1"): [], ("h", "i"): []}  # fmt: skip
    for bounds, numbers in expected.items():
        assert file.between(*bounds)["n"].to_pylist() == list(numbers), bounds


def test_stage_of_nothing_has_its_files(tmp_path):
    assert StageWriter(tmp_path / "s").finish() == {"cases": 0, "rows": 0, "blobs": 0, "bytes": 0}
    assert pl.read_parquet(tmp_path / "s" / "cases.parquet").height == 0


def test_stage_that_was_not_finished_has_no_file_under_its_final_name(tmp_path):
    with StageWriter(tmp_path) as stage:
        stage.add(simple_case(1))
    assert [path.name for path in tmp_path.iterdir()] == ["blobs.bin.unfinished"]


def test_plan_cuts_before_a_case_that_would_overflow(tmp_path):
    cases = [("a", 3, 10), ("b", 3, 10), ("c", 9, 10), ("d", 1, 10), ("e", 1, 95), ("f", 0, 1)]
    table = pl.DataFrame(cases, schema=["order", "rows", "bytes"], orient="row")
    table = table.with_columns(split=pl.lit("train"), status=pl.lit("kept"))
    dropped = pl.DataFrame([("aa", 5, 5, "train", "duplicate"), ("z", 2, 5, "val", "kept")], table.schema, orient="row")
    pl.concat([dropped, table[::-1]]).write_parquet(tmp_path / "d.parquet")
    plans = plan_shards(tmp_path / "d.parquet", shard_rows=6, shard_bytes=100)
    assert [(p.split, p.index, p.count, p.first_order, p.last_order, p.rows, p.cases, p.bytes) for p in plans] == [
        ("train", 0, 4, "a", "b", 6, 2, 20),
        ("train", 1, 4, "c", "c", 9, 1, 10),
        ("train", 2, 4, "d", "d", 1, 1, 10),
        ("train", 3, 4, "e", "e", 1, 1, 95),
        ("val", 0, 1, "z", "z", 2, 1, 5),
    ]
    assert plans[1].paths() == ["data/train-00001-of-00004.parquet", "webdataset/train-000001.tar"]


def test_same_bytes_however_the_cases_are_partitioned(factory):
    found = []
    for partitions in (1, 3, 7):
        stages = factory.stage(mixed_cases(), partitions)
        out, files = factory.pack(stages, factory.decide(stages), f"release-{partitions}")
        assert {file.path: file.sha256 for file in files} == digests(out)
        found.append(digests(out))
    assert len(found[0]) == 6  # three shards (train twice, test once) in two formats
    assert found[0] == found[1] == found[2]


def test_parquet_has_the_fixed_schema_and_every_row_its_pictures(factory):
    cases = mixed_cases()
    stages = factory.stage(cases, 3)
    out, files = factory.pack(stages, factory.decide(stages))
    tables = [pq.read_table(out / file.path) for file in files if file.path.endswith(".parquet")]
    for table in tables:
        assert table.schema.equals(arrow_schema())
        assert table.schema.metadata[b"huggingface"] == arrow_schema().metadata[b"huggingface"]
    rows = {r["id"]: r for table in tables for r in table.to_pylist()}
    assert len(rows) == sum(len(case.rows) for case in cases)
    for case in cases:
        for expected in case.rows:
            got = rows[expected["id"]]
            assert [image["bytes"] for image in got["images"]] == [case.images[i].data for i in expected["images"]]
            assert got["split"] == ("test" if int(case.case_id[1:]) % 5 == 0 else "train")
            assert got["messages"] == expected["messages"] and got["view"] == expected["view"]


def test_an_image_is_stored_once_for_all_rows_of_its_case(factory):
    pixels = [bytes([n % 256]) * 16 + hashlib.sha256(bytes([n])).digest() * 1269 for n in range(100)]  # 40,624 bytes
    cases = [staged(f"c{n}", [blob(data)], [row(f"c{n}", k) for k in range(10)]) for n, data in enumerate(pixels)]
    stages = factory.stage(cases)
    out, files = factory.pack(stages, factory.decide(stages, lambda _: "train"), shard_rows=5000, formats=["parquet"])
    assert [(file.rows, len(list((out / "data").iterdir()))) for file in files] == [(1000, 1)]
    assert 4_062_400 < files[0].bytes < 4_250_000  # a hundred pictures and the rows' text, not a thousand pictures


def test_rows_of_a_case_share_one_row_group(factory, monkeypatch):
    monkeypatch.setattr("storage.parquet_shard.GROUP_ROWS", 7)
    cases = [simple_case(n, rows=3) for n in range(1, 10)]
    stages = factory.stage(cases, 2)
    out, files = factory.pack(stages, factory.decide(stages, lambda _: "train"), formats=["parquet"])
    file = pq.ParquetFile(out / files[0].path)
    sizes = [file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)]
    assert sizes == [6, 6, 6, 6, 3]


def test_row_groups_are_bounded_by_bytes_when_read(factory, monkeypatch):
    size = len(picture(1))
    monkeypatch.setattr("storage.parquet_shard.GROUP_READ_BYTES", 8 * size)
    stages = factory.stage([simple_case(n, rows=4) for n in range(1, 6)])
    out, files = factory.pack(stages, factory.decide(stages, lambda _: "train"), formats=["parquet"])
    file = pq.ParquetFile(out / files[0].path)
    assert [file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)] == [8, 8, 4]


def test_webdataset_holds_a_case_once_with_all_its_rows(factory):
    cases = mixed_cases()
    stages = factory.stage(cases, 3)
    out, _ = factory.pack(stages, factory.decide(stages, lambda _: "train"), shard_rows=5000)
    with tarfile.open(out / "webdataset" / "train-000000.tar") as tar:
        members = {member.name: tar.extractfile(member).read() for member in tar}
        assert {(m.mtime, m.uid, m.gid, m.mode, m.uname) for m in tar} == {(0, 0, 0, 0o644, "")}
    key = case_order("cells", "c101")
    assert members[f"{key}.jpg"] == picture(1) and members[f"{key}.1.jpg"] == picture(250)
    sample = json.loads(members[f"{key}.json"])
    assert [json.loads(r["images"]) for r in sample["rows"]] == [["jpg", "1.jpg"], ["jpg"]]
    assert sample["rows"][0]["messages"] == cases[40].rows[0]["messages"]
    assert json.loads(sample["rows"][0]["labels"]) == ["cell"]
    shapes = [tuple(name.partition(".")[2] for name in members if name.startswith(order)) for order in orders(members)]
    assert set(shapes[:5]) == {("jpg", "json")}  # `datasets` wants the first five alike
    assert len(shapes) == 42 and set(shapes) > {("png", "json"), ("json",), ("jpg", "1.jpg", "json")}


def orders(members):
    return list(dict.fromkeys(name.partition(".")[0] for name in members))


def test_restricted_rows_carry_paths_and_digests_only(factory):
    secret = "a finding that must not leave"
    closed = row("c1", 0, access="restricted", answer=secret, options=[secret], labels=[secret])
    closed["messages"] = [{"role": "user", "content": secret}, {"role": "assistant", "content": secret}]
    data = picture(77)
    stages = factory.stage([staged("c1", [blob(data)], [closed]), simple_case(2)])
    out, files = factory.pack(stages, factory.decide(stages, lambda _: "train"))
    for path in [*out.rglob("*.*"), *stages[0].iterdir()]:
        if path.is_file():
            assert secret.encode() not in path.read_bytes() and data not in path.read_bytes()
    table = pq.read_table(out / files[0].path)
    got = next(r for r in table.to_pylist() if r["case_id"] == "c1")
    assert got["images"] == [{"bytes": None, "path": case_order("cells", "c1") + ".0.jpg"}]
    assert got["source_sha256"] == ["0" * 64] and got["view"][0]["width"] == 8
    assert got["messages"] == [{"role": "user", "content": ""}, {"role": "assistant", "content": ""}]
    assert (got["answer"], got["options"], got["labels"]) == ("", [], [])
    assert image_feature(out / files[0].path) == {"_type": "Image", "decode": False}


def image_feature(shard: Path):
    return json.loads(pq.read_schema(shard).metadata[b"huggingface"])["info"]["features"]["images"]["feature"]


def test_all_shards_of_a_release_with_restricted_rows_declare_the_same_features(factory):
    stages = factory.stage([staged("c1", [blob(picture(1))], [row("c1", 0, access="restricted")]), simple_case(5)], 2)
    out, files = factory.pack(stages, factory.decide(stages), formats=["parquet"])
    assert [file.path[5:9] for file in files] == ["trai", "test"]
    assert [image_feature(out / file.path) for file in files] == [{"_type": "Image", "decode": False}] * 2


def test_stages_that_changed_after_the_plan_are_refused(factory):
    stages = factory.stage([simple_case(1), simple_case(2)])
    decisions = factory.decide(stages, lambda _: "train")
    plan = plan_shards(decisions, 100, 1 << 20)[0]
    with pytest.raises(ReleaseError, match="plan again"):
        pack_shard(plan, stages * 2, decisions, factory.base / "out")
    with (stages[0] / "blobs.bin").open("r+b") as file:
        file.truncate(10)
    with pytest.raises(ReleaseError, match="shorter than its table says"):
        pack_shard(plan, stages, decisions, factory.base / "out")
    assert [path for path in (factory.base / "out").rglob("*") if path.is_file()] == []


def test_duplicate_and_refused_cases_are_not_packed(factory):
    stages = factory.stage([simple_case(n) for n in range(1, 5)])
    path = factory.decide(stages, lambda _: "train")
    table = pl.read_parquet(path)
    status = pl.when(pl.col("case_id") == "c3").then(pl.lit("duplicate")).otherwise("status")
    table.with_columns(status=status).write_parquet(path)
    out, files = factory.pack(stages, path, formats=["parquet"])
    assert set(pq.read_table(out / files[0].path)["case_id"].to_pylist()) == {"c1", "c2", "c4"}


def test_volumes_are_kept_whole(factory):
    volume = blob(b"\x1f\x8b" + bytes(5000), 0, "nii.gz")
    case = staged("c1", [], [row("c1", 0, (), volumes=[0], view=[])], [volume])
    stages = factory.stage([case])
    out, files = factory.pack(stages, factory.decide(stages))
    got = pq.read_table(out / files[0].path).to_pylist()[0]["volumes"]
    assert got == [{"bytes": volume.data, "path": case_order("cells", "c1") + ".0.nii.gz"}]
    with tarfile.open(out / files[1].path) as tar:
        assert tar.extractfile(case_order("cells", "c1") + ".nii.gz").read() == volume.data


def test_arrow_metadata_of_the_shard_names_no_dictionary(factory):
    stages = factory.stage([simple_case(1)])
    out, files = factory.pack(stages, factory.decide(stages), formats=["parquet"])
    member = pq.read_schema(out / files[0].path).field("images").type.value_type
    assert member == pa.struct([("bytes", pa.binary()), ("path", pa.string())])
