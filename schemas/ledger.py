"""The ledger: one line for every case that was read and every row that was made, and what became of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from schemas.errors import ReleaseError


class Status(StrEnum):
    """Where a case or row ended."""

    KEPT = "kept"
    FILTERED = "filtered"
    QUARANTINED = "quarantined"
    DUPLICATE = "duplicate"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of ``ledger.parquet``."""

    kind: Literal["case", "row"]
    dataset: str
    case_id: str
    row_id: str
    """Empty for cases."""
    status: Status
    stage: str
    """read, render, convert, synthesis, gate, resolve or pack."""
    reason: str
    """Machine-readable code; empty where kept."""
    detail: str
    """One sentence without contents; empty where kept."""


def ledger_schema() -> Any:
    """`pyarrow.Schema` of ``ledger.parquet``."""
    import pyarrow as pa

    names = ("kind", "dataset", "case_id", "row_id", "status", "stage", "reason", "detail")
    return pa.schema([(name, pa.string()) for name in names])


def balance(what: str, came_in: int, ended: Iterable[tuple[str, int]]) -> None:
    """Raise `ReleaseError` unless ``came_in`` equals the sum over all statuses that they ended in."""
    parts = list(ended)
    total = sum(count for _, count in parts)
    if total != came_in:
        sums = " + ".join(f"{count} {status}" for status, count in parts)
        raise ReleaseError(
            f"the ledger does not balance: {came_in} {what} came in, but {sums} = {total} are accounted for"
        )
