"""Right answers that stand unevenly: one letter of multiple choice, yes or no, too much that asks for yes or no."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quality.release_options import AnswersOptions
from quality.verdict import ReleaseFinding
from schemas.findings import Severity

GATE = "answers"

Place = tuple[int, int]
"""Number of options, and the index of the right one."""


def findings(shards: Sequence[str | Path], options: AnswersOptions) -> list[ReleaseFinding]:
    """For each dataset what is uneven beyond its limit.

    Args:
        shards: local Parquet shards; rows whose contents are withheld are not looked at.
        options: limits, and whether they refuse.
    """
    found = []
    for dataset, tasks in _counts(shards).items():
        total = sum(sum(places.values()) for places in tasks.values())
        for task, name, limit in (
            ("mcq", "the right letter", options.letter_excess),
            ("yes_no", "the right answer", options.yes_no_excess),
        ):
            places = {place: rows for place, rows in tasks.get(task, {}).items() if 0 <= place[1] < place[0]}
            rows = sum(places.values())
            if rows >= options.min_rows:
                index, share, expected = most(places)
                if share - expected > limit:
                    letter = f"{chr(65 + index)} (of options as listed)"
                    text = f"{name} of {share:.0%} of {rows} {task} questions is {letter}; even would be {expected:.0%}"
                    found.append(_finding(f"{dataset}: {text}", dataset, options))
        asked = sum(tasks.get("yes_no", {}).values())
        if total >= options.min_rows and asked > options.yes_no_share * total:
            text = f"{dataset}: {asked} of {total} rows ask for yes or no, over {options.yes_no_share:.0%}"
            found.append(_finding(text, dataset, options))
    return found


def most(places: dict[Place, int]) -> tuple[int, float, float]:
    """The index that is right most often beyond what is even: index, share, and the share that would be even.

    A question of n options has each of its n places right with 1 in n, so an index that only some questions have is
    expected less often.
    """
    total = sum(places.values())
    shares = {}
    for index in range(max(size for size, _ in places)):
        right = sum(rows for (_, place), rows in places.items() if place == index)
        even = sum(rows / size for (size, _), rows in places.items() if index < size)
        shares[index] = right / total, even / total
    index = max(shares, key=lambda one: (shares[one][0] - shares[one][1], -one))
    return index, *shares[index]


def _counts(shards: Sequence[str | Path]) -> dict[str, dict[str, dict[Place, int]]]:
    """dataset -> task -> place -> rows."""
    import polars as pl

    counted: dict[str, dict[str, dict[Place, int]]] = {}
    if not shards:
        return counted
    by = ["dataset", "task", "size", "answer_index"]
    table: Any = (
        pl.scan_parquet([str(shard) for shard in shards])
        .filter(pl.col("access") != "restricted")
        .select("dataset", "task", "answer_index", size=pl.col("options").list.len())
        .group_by(by).len().collect(engine="streaming").sort(by)
    )  # fmt: skip
    for dataset, task, size, index, rows in table.iter_rows():
        counted.setdefault(dataset, {}).setdefault(task, {})[size, index] = rows
    return counted


def _finding(text: str, dataset: str, options: AnswersOptions) -> ReleaseFinding:
    return ReleaseFinding(GATE, Severity.REFUSE_RELEASE if options.refuse else Severity.FLAG, text, dataset)
