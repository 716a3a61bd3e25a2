"""Duplicates, limits, joined groups, splits and leaks on tables small enough to be worked out by hand."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from quality.components import components
from quality.resolve import DatasetFacts, decide, resolve
from quality.verdict import judge
from schemas.findings import Severity
from schemas.identity import fraction
from schemas.recipe import DatasetChoice, Recipe, Waiver
from schemas.spec import DatasetSpec

THIRDS = {"train": 0.5, "val": 0.25, "test": 0.25}
FACTS = {"a": DatasetFacts(THIRDS), "b": DatasetFacts(THIRDS)}


def case(number: int, pictures: str = "", **changes: Any) -> dict[str, Any]:
    """Case ``c<number>`` of dataset a, hash policy, with one picture for each letter."""
    base = {
        "dataset": "a",
        "case_id": f"c{number}",
        "order": f"{number:04d}",
        "group_id": f"g{number}",
        "shipped_split": "",
        "split_policy": "hash",
        "annotation_digest": f"n{number}",
        "images": [
            {"sha256": f"sha{p}{number}", "pixel_digest": p, "phash": 0} for p in pictures or chr(1000 + number)
        ],
        "rows": 2,
        "bytes": 100,
        "origins": [],
        "labels": [],
        "unsure": [],
    }
    return base | changes


def shipped(number: int, split: str, pictures: str = "", **changes: Any) -> dict[str, Any]:
    return case(number, pictures, shipped_split=split, split_policy="shipped", **changes)


@pytest.fixture
def staged(tmp_path: Path) -> Any:
    def write(*cases: dict[str, Any]) -> list[Path]:
        """Two partitions, dealt out in turn."""
        paths = []
        image = pl.List(pl.Struct({"sha256": pl.String, "pixel_digest": pl.String, "phash": pl.UInt64}))
        for part in range(2):
            path = tmp_path / f"{part}.parquet"
            schema = {"images": image, "rows": pl.Int32, "bytes": pl.Int64}
            schema |= dict.fromkeys(("origins", "labels", "unsure"), pl.List(pl.String))
            strings = [name for name in case(0) if name not in schema]
            pl.DataFrame(cases[part::2], schema={**dict.fromkeys(strings, pl.String), **schema}).write_parquet(path)
            paths.append(path)
        return paths

    return write


def fates(decisions: pl.DataFrame) -> dict[str, tuple[str, str, str]]:
    table = decisions.select("case_id", "status", "reason", "split")
    return {name: (status, reason, split) for name, status, reason, split in table.iter_rows()}


def splits(decisions: pl.DataFrame) -> dict[str, str]:
    return {name: split for name, (_, _, split) in fates(decisions).items()}


def test_components_are_named_by_their_smallest_node() -> None:
    assert components(6, [(4, 2), (1, 0), (5, 4)]) == [0, 0, 2, 3, 2, 2]
    assert components(0, []) == []


def test_no_cases_at_all(staged: Any) -> None:
    assert decide(staged(), FACTS).decisions.is_empty()
    assert decide([], FACTS).decisions.columns == [
        "dataset", "case_id", "order", "rows", "bytes", "split", "status", "reason", "detail",
    ]  # fmt: skip


def test_the_first_of_equal_cases_is_kept_across_datasets(staged: Any) -> None:
    done = decide(
        staged(
            case(3, "xy", annotation_digest="n"),
            case(1, "yx", annotation_digest="n"),  # the same pictures in another order
            case(2, "xy", annotation_digest="n", dataset="b"),
            case(4, "xy", annotation_digest="other"),
            case(5, "x", annotation_digest="n"),
        ),
        FACTS,
    )
    got = fates(done.decisions)
    assert {name: fate[0] for name, fate in got.items()} == {
        "c1": "kept", "c2": "duplicate", "c3": "duplicate", "c4": "kept", "c5": "kept",
    }  # fmt: skip
    assert got["c2"][1:] == ("exact_duplicate", "")
    detail = done.decisions.filter(pl.col("case_id") == "c3")["detail"].item()
    assert detail == "its pictures and annotation equal those of case c1 of a"
    assert done.decisions["order"].to_list() == sorted(done.decisions["order"].to_list())


def test_bytes_count_where_pixels_were_not_decoded_and_cases_without_pictures_are_no_duplicates(staged: Any) -> None:
    bytes_only = [{"sha256": "s", "pixel_digest": "", "phash": 0}]
    done = decide(
        staged(
            case(1, images=bytes_only, annotation_digest="n"),
            case(2, images=bytes_only, annotation_digest="n"),
            case(3, images=[], annotation_digest="n"),
            case(4, images=[], annotation_digest="n"),
        ),
        FACTS,
    )
    assert [fate[0] for fate in fates(done.decisions).values()] == ["kept", "duplicate", "kept", "kept"]


def test_max_rows_takes_cases_by_order_and_duplicates_do_not_count(staged: Any) -> None:
    facts = {"a": replace(FACTS["a"], max_rows=5), "b": FACTS["b"]}
    done = decide(
        staged(
            case(1, "x", annotation_digest="n"),
            case(2, "x", annotation_digest="n"),
            case(3),
            case(4),
            case(5, dataset="b"),
            case(6, rows=0),
        ),
        facts,
    )
    assert {name: fate[:2] for name, fate in fates(done.decisions).items()} == {
        "c1": ("kept", ""),
        "c2": ("duplicate", "exact_duplicate"),
        "c3": ("kept", ""),
        "c4": ("filtered", "max_rows"),
        "c5": ("kept", ""),
        "c6": ("filtered", "no_rows"),
    }


def test_hash_split_follows_the_fraction_of_the_group(staged: Any) -> None:
    cases = [case(n, group_id=f"g{n // 2}") for n in range(40)]
    got = splits(decide(staged(*cases), FACTS, seed=3).decisions)
    for number in range(40):
        drawn = fraction(3, "split", f"g{number // 2}")
        assert got[f"c{number}"] == ("train" if drawn < 0.5 else "val" if drawn < 0.75 else "test")
    assert set(got.values()) == {"train", "val", "test"}
    assert splits(decide(staged(*reversed(cases)), FACTS, seed=3).decisions) == got


def test_groups_that_share_a_picture_share_a_split(staged: Any) -> None:
    # g0-g1 by x, g1-g2 by y: a chain of three groups; their common split is that of the smallest name, g0.
    chain = [case(0, "x"), case(1, "xy"), case(2, "y", dataset="b")]
    for seed in range(8):
        got = splits(decide(staged(*chain, case(3)), FACTS, seed).decisions)
        drawn = fraction(seed, "split", "g0")
        want = "train" if drawn < 0.5 else "val" if drawn < 0.75 else "test"
        assert (got["c0"], got["c1"], got["c2"]) == (want,) * 3


def test_a_hash_case_goes_where_the_shipped_cases_of_its_pictures_are(staged: Any) -> None:
    done = decide(staged(shipped(1, "test", "x"), case(2, "x", dataset="b"), shipped(3, "train")), FACTS)
    assert splits(done.decisions) == {"c1": "test", "c2": "test", "c3": "train"}
    assert done.findings == []


def test_a_picture_in_two_shipped_splits_refuses_the_release(staged: Any) -> None:
    done = decide(
        staged(
            shipped(1, "train", "x"),
            shipped(2, "test", "x"),
            shipped(3, "test", "y"),
            shipped(4, "train", "z", dataset="b"),
            shipped(5, "test", "z"),
            case(6, "x", dataset="b"),
        ),
        FACTS,
    )
    assert splits(done.decisions)["c6"] == "train"  # its picture is in both: test must not grow
    found = [one for one in done.findings if one.gate == "split_leak"]
    assert [(one.gate, one.severity, one.dataset, one.detail) for one in found] == [
        ("split_leak", Severity.REFUSE_RELEASE, "a", "a: 1 of 3 pictures in test are in train too"),
        ("split_leak", Severity.REFUSE_RELEASE, "a", "a: 2 of 3 pictures in test are in train of b too"),
    ]
    verdicts = judge(found, [Waiver(gate="split_leak", dataset="b", reason="official split, stated")])
    assert [(one.passed, one.waived_by) for one in verdicts] == [(False, "")] * 2
    verdicts = judge(found, [Waiver(gate="split_leak", dataset="a", reason="official split, stated")])
    assert [(one.passed, one.waived_by) for one in verdicts] == [(False, "official split, stated")] * 2


def test_a_group_in_two_shipped_splits_refuses_the_release(staged: Any) -> None:
    done = decide(staged(shipped(1, "train", group_id="p"), shipped(2, "val", group_id="p"), shipped(3, "val")), FACTS)
    assert [one.detail for one in done.findings] == ["a: 1 of 2 groups in val are in train too"]


def test_equal_cases_in_two_splits_are_no_leak_once_one_is_gone(staged: Any) -> None:
    done = decide(
        staged(shipped(1, "train", "x", annotation_digest="n"), shipped(2, "test", "x", annotation_digest="n")), FACTS
    )
    assert done.findings == []


def test_a_leak_below_the_allowed_share_is_only_reported(staged: Any) -> None:
    tables = staged(shipped(1, "train", "x"), shipped(2, "test", "x"), shipped(3, "test", "y"))
    for share, severity in ((0.5, Severity.FLAG), (0.49, Severity.REFUSE_RELEASE)):
        done = decide(tables, FACTS, gates={"split_leak": {"max_share": share}})
        assert [one.severity for one in done.findings if one.gate == "split_leak"] == [severity]
    off = decide(tables, FACTS, gates={"split_leak": {"enabled": False}})
    assert [one.gate for one in off.findings] == ["repeated_pictures"]


def test_one_picture_with_two_annotations_is_a_finding(staged: Any) -> None:
    tables = staged(case(1, "x"), case(2, "x"), case(3, "y"), case(4, "x", dataset="b"))
    facts = {"a": replace(FACTS["a"], label_kind="multi_class"), "b": FACTS["b"]}
    [found] = decide(tables, facts).findings
    assert (found.gate, found.severity) == ("conflicting_labels", Severity.FLAG)
    assert found.detail == "a: 1 of 2 pictures stand in several cases with different annotation"
    [found] = decide(tables, facts, gates={"conflicting_labels": {"max_share": 0.4}}).findings
    assert found.severity == Severity.REFUSE_RELEASE
    [found] = decide(tables, FACTS).findings
    assert (found.gate, found.severity) == ("repeated_pictures", Severity.NOTE)


def test_a_shipped_case_without_a_split_gets_one_and_is_reported(staged: Any) -> None:
    done = decide(staged(shipped(1, ""), shipped(2, "train")), FACTS)
    assert splits(done.decisions)["c1"] in THIRDS
    assert [(one.gate, one.severity) for one in done.findings] == [("split_missing", Severity.FLAG)]


def test_the_recipe_gives_the_facts(staged: Any, spec: DatasetSpec) -> None:
    own = spec.model_copy(update={"name": "a"})
    recipe = Recipe(
        name="r",
        version="1",
        datasets=[DatasetChoice(spec="a.yaml", max_rows=2, split={"fractions": {"test": 1.0}})],  # type: ignore[arg-type]
    )
    decisions, findings = resolve(staged(case(1), case(2)), recipe, [own])
    assert fates(decisions) == {"c1": ("kept", "", "test"), "c2": ("filtered", "max_rows", "")}
    assert findings == []


def test_groups_whose_pictures_are_made_from_one_file_share_a_split(staged: Any) -> None:
    # Two windows of one slice: other pixels, one file.  Dataset b alone would go to the test split.
    facts = {"a": DatasetFacts({"train": 1.0}), "b": DatasetFacts({"test": 1.0})}
    cases = [case(1, origins=["f"]), case(2, dataset="b", origins=["e", "f"]), case(3, dataset="b", origins=["g"])]
    assert splits(decide(staged(*cases), facts).decisions) == {"c1": "train", "c2": "train", "c3": "test"}


def test_a_source_file_in_two_shipped_splits_is_a_leak_told_once(staged: Any) -> None:
    tables = staged(
        shipped(1, "train", "x", origins=["f"]),
        shipped(2, "test", "y", origins=["f"]),  # another window of the same file
        shipped(3, "test", "z", origins=["h"]),
        shipped(4, "train", "v", origins=["k"]),
        shipped(5, "test", "v", origins=["k"], annotation_digest="other"),  # the very same picture: told as a picture
    )
    assert [one.detail for one in decide(tables, FACTS).findings if one.gate == "split_leak"] == [
        "a: 1 of 3 pictures in test are in train too",
        "a: 1 of 2 source files (shown otherwise) in test are in train too",
    ]
    for share, severity in ((0.5, Severity.FLAG), (0.49, Severity.REFUSE_RELEASE)):
        done = decide(tables, FACTS, gates={"split_leak": {"max_share": share}})
        [found] = [one for one in done.findings if "source files" in one.detail]
        assert found.severity == severity
