"""Hamming neighbours by index against all pairs, and what look-alikes do to a release."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from quality.near_duplicates import clusters, near_pairs
from quality.resolve import DatasetFacts, decide

FACTS = {"a": DatasetFacts({"train": 0.5, "test": 0.5})}
BASE = 0x5A5A_5A5A_5A5A_5A5A
"""Half of its bits are set, as in the hash of a real picture."""


def all_pairs(hashes: list[int], radius: int) -> set[tuple[int, int]]:
    return {
        (i, j)
        for i in range(len(hashes))
        for j in range(i + 1, len(hashes))
        if 0 < (hashes[i] ^ hashes[j]).bit_count() <= radius
    }


@pytest.mark.parametrize("radius", [0, 1, 2, 3, 4, 6, 8, 11])
def test_the_index_finds_what_all_pairs_find(radius: int) -> None:
    draw = random.Random(radius)
    hashes = [draw.getrandbits(64) for _ in range(60)]
    for source in hashes[:40]:
        flips = draw.sample(range(64), draw.randint(1, 12))
        hashes.append(source ^ sum(1 << bit for bit in flips))
    array = np.array(list(dict.fromkeys(hashes)), np.uint64)
    found = {
        (min(int(a), int(b)), max(int(a), int(b)))
        for one, other in near_pairs(array, radius)
        for a, b in zip(one, other, strict=True)
    }
    assert found == all_pairs([int(value) for value in array], radius)


def test_all_ones_flipped_in_one_part_are_found_in_another() -> None:
    far = np.array([0, 0xFF], np.uint64)  # eight bits, all of them in the lowest part
    assert [tuple(map(int, (a[0], b[0]))) for a, b in near_pairs(far, 8)] != []
    assert list(near_pairs(far, 7)) == []
    with pytest.raises(ValueError, match="radius 12"):
        list(near_pairs(far, 12))


def test_clusters_are_named_by_their_first_and_join_in_steps() -> None:
    # 0 and 3 are equal; 1 is 2 bits from 0; 2 is 2 bits from 1, 4 from 0; 4 is far.
    hashes = np.array([BASE, BASE ^ 0b11, BASE ^ 0b1111, BASE, ~np.uint64(BASE)], np.uint64)
    assert clusters(hashes, 2).tolist() == [0, 0, 0, 0, 4]
    assert clusters(hashes, 1).tolist() == [0, 1, 2, 0, 4]
    assert clusters(np.zeros(0, np.uint64), 4).tolist() == []


@pytest.fixture
def run(tmp_path: Path) -> Any:
    def decided(
        *cases: dict[str, Any], severities: bool = False, **options: Any
    ) -> tuple[dict[str, tuple[str, str, str]], list[str]]:
        image = pl.List(pl.Struct({"sha256": pl.String, "pixel_digest": pl.String, "phash": pl.UInt64}))
        schema = {"images": image, "rows": pl.Int32, "bytes": pl.Int64}
        strings = [name for name in case(0, 0) if name not in schema]
        path = tmp_path / "cases.parquet"
        pl.DataFrame(cases, schema={**dict.fromkeys(strings, pl.String), **schema}).write_parquet(path)
        done = decide([path], FACTS, gates={"near_duplicates": options})
        table = done.decisions.select("case_id", "status", "reason", "split")
        fates = {name: (status, reason, split) for name, status, reason, split in table.iter_rows()}
        found = [one for one in done.findings if one.gate == "near_duplicates"]
        return fates, [str(one.severity) if severities else one.detail for one in found]

    return decided


def case(number: int, phash: int, **changes: Any) -> dict[str, Any]:
    return {
        "dataset": "a", "case_id": f"c{number}", "order": f"{number:04d}", "group_id": f"g{number}",
        "shipped_split": "", "split_policy": "hash", "annotation_digest": f"n{number}",
        "images": [{"sha256": f"s{number}", "pixel_digest": f"p{number}", "phash": phash}], "rows": 1, "bytes": 1,
    } | changes  # fmt: skip


def test_look_alikes_are_reported(run: Any) -> None:
    fates, found = run(case(1, BASE), case(2, BASE ^ 0b1111), case(3, BASE ^ (0b11111 << 30)), case(4, 0))
    assert {fate[0] for fate in fates.values()} == {"kept"}
    wanted = "a: 2 of 3 groups have pictures that look like those of other groups (within 4 of 64 bits)"
    assert found[0].split(";")[0] == wanted
    assert run(case(1, BASE), case(2, BASE ^ 1), enabled=False)[1] == []
    assert run(case(1, BASE), case(2, BASE ^ 0b11111))[1] == []


def test_flat_pictures_and_pictures_of_one_group_look_like_nothing(run: Any) -> None:
    assert run(case(1, 1 << 63), case(2, 1 << 63))[1] == []
    assert run(case(1, BASE, group_id="g"), case(2, BASE ^ 1, group_id="g"))[1] == []
    fates, _ = run(case(1, BASE, group_id="g"), case(2, BASE ^ 1, group_id="g"), action="drop")
    assert {fate[0] for fate in fates.values()} == {"kept"}


def test_look_alikes_are_dropped_but_for_the_first(run: Any) -> None:
    fates, found = run(case(1, BASE), case(2, BASE ^ 1), case(3, ~BASE & (2**64 - 1)), action="drop")
    assert {name: fate[:2] for name, fate in fates.items()} == {
        "c1": ("kept", ""), "c2": ("duplicate", "near_duplicate"), "c3": ("kept", ""),
    }  # fmt: skip
    assert found == []


def test_look_alikes_are_joined_into_one_split(run: Any) -> None:
    pairs = [
        (case(2 * n, BASE ^ (n << 20)), case(2 * n + 1, BASE ^ (n << 20) ^ 1)) for n in (0, 0b111111, 0b111111000000)
    ]
    fates, _ = run(*(one for pair in pairs for one in pair), action="join")
    for one, other in pairs:
        assert fates[one["case_id"]][2] == fates[other["case_id"]][2]


def test_look_alikes_in_two_shipped_splits_are_a_leak_of_their_own(run: Any) -> None:
    shipped = {"split_policy": "shipped"}
    cases = [
        case(1, BASE, shipped_split="train", **shipped),
        case(2, BASE ^ 1, shipped_split="test", **shipped),
        case(3, ~BASE & (2**64 - 1), shipped_split="test", **shipped),
    ]
    [found] = run(*cases)[1]
    assert found.endswith("; 1 of the 2 looks in its held-out splits are in an earlier split too")
    # The very same picture is a split leak and not told twice.
    cases[1]["images"] = cases[0]["images"]
    [found] = run(*cases)[1]
    assert "held-out" not in found


def test_leaking_looks_refuse_the_release_above_their_limit(run: Any) -> None:
    shipped = {"split_policy": "shipped"}
    cases = [
        case(1, BASE, shipped_split="train", **shipped),
        case(2, BASE ^ 1, shipped_split="test", **shipped),
        case(3, ~BASE & (2**64 - 1), shipped_split="test", **shipped),
    ]
    assert run(*cases, max_leak=0.5, severities=True)[1] == ["flag"]
    assert run(*cases, max_leak=0.49, severities=True)[1] == ["refuse_release"]
