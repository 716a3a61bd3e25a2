"""Pictures of benchmarks among the cases: equal by bytes, equal by pixels, near, and not at all."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from quality.resolve import DatasetFacts, Resolution, decide
from quality.verdict import judge
from schemas.findings import Severity
from schemas.recipe import Waiver

FACTS = {"a": DatasetFacts({"train": 1.0}), "b": DatasetFacts({"train": 1.0})}
BASE = 0x5A5A_5A5A_5A5A_5A5A
"""Half of its bits are set, as in the hash of a real picture."""
OTHER = 0x3333_CCCC_3333_CCCC
"""Far from BASE: of each byte 5A, four bits differ from 33 or CC."""
IMAGE = pl.Struct({"sha256": pl.String, "pixel_digest": pl.String, "phash": pl.UInt64})


def case(number: int, sha: str, pixels: str, phash: int, **changes: Any) -> dict[str, Any]:
    return {
        "dataset": "a", "case_id": f"c{number}", "order": f"{number:04d}", "group_id": f"g{number}",
        "shipped_split": "", "split_policy": "hash", "annotation_digest": f"n{number}",
        "images": [{"sha256": sha, "pixel_digest": pixels, "phash": phash}], "rows": 1, "bytes": 1, "origins": [],
    } | changes  # fmt: skip


CASES = [
    case(1, "s1", "other pixels", 0),  # the bytes of the benchmark's first picture, not decoded
    case(2, "other bytes", "p1", OTHER),  # its pixels through another codec
    case(3, "x3", "x3", BASE ^ 0b1111),  # 4 bits from the second picture
    case(4, "x4", "x4", BASE ^ 0b11111),  # 5 bits
    case(5, "x5", "x5", 1 << 63),  # flat, and the third picture is flat too
    case(6, "x6", "", 0, dataset="b"),  # no decoded pixels: empty digests are not equal
    case(7, "x7", "x7", BASE, dataset="b"),  # looks exactly as the second
]
BENCHMARK = [("s1", "p1", OTHER), ("s2", "p2", BASE), ("s3", "p3", 1 << 63), ("s4", "", 0)]


@pytest.fixture
def run(tmp_path: Path) -> Any:
    def decided(cases: Any = CASES, benchmarks: Any = None, **options: Any) -> Resolution:
        schema = {"images": pl.List(IMAGE), "rows": pl.Int32, "bytes": pl.Int64, "origins": pl.List(pl.String)}
        strings = [name for name in CASES[0] if name not in schema]
        path = tmp_path / "cases.parquet"
        pl.DataFrame(cases, schema={**dict.fromkeys(strings, pl.String), **schema}).write_parquet(path)
        tables = {}
        for name, pictures in ({"vqa": BENCHMARK} if benchmarks is None else benchmarks).items():
            tables[name] = tmp_path / f"{name}.parquet"
            names = {"sha256": pl.String, "pixel_digest": pl.String, "phash": pl.UInt64, "origins": pl.List(pl.String)}
            lines = [one if len(one) == len(names) else (*one, []) for one in pictures]
            pl.DataFrame(lines, schema=names, orient="row").write_parquet(tables[name])
        gates = {"benchmark_leak": options, "near_duplicates": {"enabled": False}}
        return decide([path], FACTS, gates=gates, benchmarks=tables)

    return decided


def told(done: Resolution) -> list[tuple[str, str]]:
    return [(str(one.severity), one.detail) for one in done.findings if one.gate == "benchmark_leak"]


REFUSE, FLAG = str(Severity.REFUSE_RELEASE), str(Severity.FLAG)
NEAR_A = (FLAG, "a: 1 of 5 cases show pictures that look like some of the benchmark vqa (within 4 of 64 bits)")
NEAR_B = (FLAG, "b: 1 of 2 cases show pictures that look like some of the benchmark vqa (within 4 of 64 bits)")


def test_equal_pictures_refuse_and_near_ones_are_reported(run: Any) -> None:
    done = run()
    assert told(done) == [(REFUSE, "a: 2 of 5 cases show pictures of the benchmark vqa"), NEAR_A, NEAR_B]
    assert set(done.decisions["status"]) == {"kept"}


@pytest.mark.parametrize(("share", "severity"), [(0.39, REFUSE), (0.4, FLAG)])
def test_the_share_is_a_threshold(run: Any, share: float, severity: str) -> None:
    assert told(run(max_share=share))[0] == (severity, "a: 2 of 5 cases show pictures of the benchmark vqa")


@pytest.mark.parametrize(("radius", "near"), [(3, 0), (4, 1), (5, 2)])
def test_the_radius_is_a_threshold(run: Any, radius: int, near: int) -> None:
    said = [detail for _, detail in told(run(radius=radius)) if detail.startswith("a") and "look like" in detail]
    assert [detail.split(" of ")[0] for detail in said] == ([f"a: {near}"] if near else [])


def test_dropped_cases_are_filtered_and_counted(run: Any) -> None:
    done = run(action="drop")
    left_out = done.decisions.filter(pl.col("status") != "kept").select(
        "case_id", "status", "reason", "detail", "split"
    )
    why = "it shows a picture of the benchmark vqa"
    assert left_out.rows() == [(name, "filtered", "benchmark_leak", why, "") for name in ("c1", "c2")]
    text = "a: 2 of 5 cases showed pictures of the benchmark vqa and were left out"
    assert told(done) == [(FLAG, text), NEAR_A, NEAR_B]


def test_a_waiver_of_one_dataset_covers_that_dataset(run: Any) -> None:
    both = [*CASES, case(8, "s2", "p2", BASE, dataset="b")]
    waiver = Waiver(gate="benchmark_leak", dataset="a", reason="kept apart by whoever trains")
    judged = [one for one in judge(run(both).findings, [waiver]) if not one.passed]
    assert [(one.dataset, one.waived_by) for one in judged] == [("a", "kept apart by whoever trains"), ("b", "")]


def test_another_window_of_a_benchmarks_file_is_a_leak(run: Any) -> None:
    windowed = [case(1, "s", "p", OTHER, origins=["e", "f"]), case(2, "t", "q", OTHER, origins=["g"])]
    done = run(windowed, {"ct": [("s1", "p1", BASE, ["f"]), ("", "", 0, ["g"])]})  # the second could not be read
    assert (REFUSE, "a: 1 of 2 cases show pictures of the benchmark ct") in told(done)
    left = run(windowed, {"ct": [("s1", "p1", BASE, ["f"])]}, action="drop").decisions
    assert left.filter(pl.col("status") == "kept")["case_id"].to_list() == ["c2"]


def test_every_benchmark_is_told_by_name(run: Any) -> None:
    done = run(CASES[:2], {"one": [("s1", "p0", 0)], "two": [("s0", "p1", 0)], "three": [("s0", "p0", 0)]})
    assert told(done) == [
        (REFUSE, "a: 1 of 2 cases show pictures of the benchmark one"),
        (REFUSE, "a: 1 of 2 cases show pictures of the benchmark two"),
    ]


def test_what_could_not_be_compared_is_said(run: Any) -> None:
    unread = ("", "", 0)
    assert told(run(CASES[:1], {"half": [("s0", "p0", 0), unread]})) == [
        (FLAG, "1 of 2 pictures of the benchmark half could not be read and were not compared")
    ]
    text = "no picture of the benchmark {} could be read, so nothing was compared with it"
    assert told(run(CASES[:1], {"none": [unread], "empty": []})) == [
        (REFUSE, text.format("none")), (REFUSE, text.format("empty")),
    ]  # fmt: skip


def test_the_gate_can_be_turned_off(run: Any) -> None:
    assert told(run(enabled=False)) == []
    assert told(run(benchmarks={})) == []
