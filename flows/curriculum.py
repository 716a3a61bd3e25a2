"""Writes into each row the stage of training that the recipe's curriculum puts it in."""

from collections.abc import Sequence
from typing import Any

from schemas.mixture import Stage
from schemas.staged import StagedCase

SCORE = "stage"


def in_stages(case: StagedCase, stages: Sequence[Stage]) -> StagedCase:
    """The case, each of its rows with the score ``stage``: the number, from 1, of the first stage that it fits.

    A row that fits none has no such score.
    """
    for row in case.rows:
        number = next((n for n, stage in enumerate(stages, 1) if _fits(row, stage)), None)
        if number is not None:
            row["quality"]["scores"].append({"name": SCORE, "value": float(number)})
    return case


def _fits(row: dict[str, Any], stage: Stage) -> bool:
    return all(_value(row, name) in values for name, values in stage.where.items())


def _value(row: dict[str, Any], name: str) -> Any:
    return row["provenance"][name] if name in ("converter", "language") else row[name]
