"""Shards of which a mixture leaves rows out, or in which it repeats them."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest

from schemas.identity import copy_id
from storage.pack import pack_shard
from storage.plan import plan_shards
from storage.row_facts import row_facts

from .conftest import blob, picture, row, simple_case, staged


def cases() -> list[Any]:
    """Three cases; c1 has rows about its first, its second, and both pictures."""
    one = staged("c1", [blob(picture(1)), blob(picture(2), 1)], [row("c1", 0), row("c1", 1, [1]), row("c1", 2, [1, 0])])
    return [one, simple_case(2), simple_case(3)]


def packed(factory: Any, gone: list[str], repeats: int = 1, partitions: int = 1) -> Path:
    """The release folder of one shard without the rows ``gone``."""
    stages = factory.stage(cases(), partitions)
    decisions = factory.decide(stages, lambda _: "train")
    table = pl.read_parquet(decisions)
    rows = pl.concat(row_facts(stages, table)).filter(pl.col("id").is_in(gone)).select("order", row_id="id")
    rows.write_parquet(factory.base / "dropped.parquet")
    lost = rows.group_by("order").len()
    table = table.join(lost, on="order", how="left").with_columns(
        rows=((pl.col("rows") - pl.col("len").fill_null(0)) * repeats).cast(pl.Int32), repeats=pl.lit(repeats)
    )
    table.drop("len").write_parquet(decisions)
    out = factory.base / f"out-{partitions}"
    for plan in plan_shards(decisions, 100, 1 << 30):
        pack_shard(plan, stages, decisions, out, dropped=factory.base / "dropped.parquet")
    return Path(out)


def lines(out: Path) -> dict[str, Any]:
    return {one["id"]: one for path in out.glob("data/*") for one in pq.read_table(path).to_pylist()}


@pytest.mark.parametrize("partitions", [1, 3])
def test_rows_left_out_take_their_pictures_with_them_where_no_other_row_shows_them(factory, partitions):
    ids = [one["id"] for one in cases()[0].rows]
    out = packed(factory, [ids[0], ids[2]], partitions=partitions)
    found = lines(out)
    assert len(found) == 5
    assert [image["bytes"] for image in found[ids[1]]["images"]] == [picture(2)]
    with tarfile.open(next(out.glob("webdataset/*"))) as tar:
        members = {member.name: tar.extractfile(member).read() for member in tar}
    [sample] = [name for name, data in members.items() if name.endswith("json") and json.loads(data)["case_id"] == "c1"]
    key = sample.removesuffix(".json")
    assert [data for name, data in members.items() if name.startswith(key) and name != sample] == [picture(2)]
    assert json.loads(json.loads(members[sample])["rows"][0]["images"]) == ["jpg"]


def test_the_order_of_pictures_in_a_row_stays(factory):
    ids = [one["id"] for one in cases()[0].rows]
    found = lines(packed(factory, [ids[0], ids[1]]))
    assert [image["bytes"] for image in found[ids[2]]["images"]] == [picture(2), picture(1)]


def test_partitions_do_not_show_in_the_bytes(factory):
    ids = [cases()[0].rows[1]["id"], cases()[2].rows[0]["id"]]
    shards = [next(packed(factory, ids, 2, partitions).glob("data/*")).read_bytes() for partitions in (1, 3)]
    assert shards[0] == shards[1]


def test_copies_have_ids_of_their_own_and_share_their_pictures(factory):
    out = packed(factory, [], repeats=3)
    found = lines(out)
    own = [one["id"] for case in cases() for one in case.rows]
    assert set(found) == {copy_id(name, number) for name in own for number in range(3)}
    assert len(found) == 3 * 7
    for name in own:
        first = {**found[name], "id": ""}
        assert all({**found[copy_id(name, number)], "id": ""} == first for number in (1, 2))


def test_row_facts_come_in_order_of_case_and_id_whatever_the_partitions(factory):
    tables = []
    for partitions in (1, 3):
        stages = factory.stage(cases(), partitions)
        decisions = pl.read_parquet(factory.decide(stages))
        tables.append(pl.concat(row_facts(stages, decisions)))
    assert tables[0].equals(tables[1])
    assert tables[0].select("order", "id").rows() == sorted(tables[0].select("order", "id").rows())
    first = tables[0].filter(pl.col("case_id") == "c1").row(0, named=True)
    assert (first["case"], first["group"], first["split"], first["converter"]) == (
        "cells\0c1", "gc1", "train", "open_question",
    )  # fmt: skip
    assert (first["label"], first["language"]) == (["cell"], "en")
    assert sorted(map(tuple, tables[0].filter(pl.col("case_id") == "c1")["image"].to_list())) == [(0,), (1,), (1, 0)]
    dropped = decisions.with_columns(
        status=pl.when(pl.col("case_id") == "c1").then(pl.lit("filtered")).otherwise("status")
    )
    assert pl.concat(row_facts(stages, dropped)).height == 4


def test_a_picture_of_the_shard_still_decodes(factory):
    from PIL import Image

    found = lines(packed(factory, [cases()[0].rows[0]["id"]], repeats=2))
    for one in found.values():
        for image in one["images"]:
            assert Image.open(io.BytesIO(image["bytes"])).size == (8, 6)
