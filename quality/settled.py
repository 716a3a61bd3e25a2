"""Cases with their fate and split, and what is wrong, or worth saying, about those that are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quality import benchmark_leak, look_alikes
from quality.compositions import Triplet
from quality.label_conflicts import across
from quality.leaks import conflicts, leaks
from quality.release_options import BenchmarkLeakOptions, ConflictingLabelsOptions, SplitLeakOptions, release_options
from quality.verdict import ReleaseFinding
from schemas.findings import Severity
from schemas.mixture import Compositions

DECIDED = ("dataset", "case_id", "order", "rows", "bytes", "split", "status", "reason", "detail")


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """What the recipe says about one dataset."""

    fractions: Mapping[str, float]
    max_rows: int | None = None
    label_kind: str = "none"


@dataclass(frozen=True, slots=True)
class Resolution:
    """Every staged case with its fate."""

    decisions: Any
    """`polars.DataFrame`: dataset, case_id, order, rows, bytes, split, status (kept, duplicate, filtered), reason,
    detail; sorted by order.  ``split`` is empty unless kept."""
    findings: list[ReleaseFinding]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Combinations that training must not see."""

    wanted: Compositions
    combinations: Any
    """`polars.DataFrame` of ``order``, modality, anatomy and clinical_task: each combination of each case."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Every case with its fate and split, and what `examine` needs to look at those that are kept in the end."""

    cases: Any
    """`polars.DataFrame` of `DECIDED` and more."""
    met: Any
    """Of `quality.benchmark_leak.matches`, or ``None``."""
    away: Sequence[Triplet] = ()
    """Combinations held out."""

    @property
    def decisions(self) -> Any:
        """The columns that are published on."""
        return self.cases.select(DECIDED)


def examine(
    done: Settled,
    facts: Mapping[str, DatasetFacts],
    gates: Mapping[str, Mapping[str, Any]] | None = None,
    benchmarks: Mapping[str, Path] | None = None,
    left: Any = None,
) -> list[ReleaseFinding]:
    """What is wrong, or worth saying, about the cases that are kept.

    Args:
        done: of `settle`.
        facts: as there.
        gates: as there.
        benchmarks: as there.
        left: ``order`` of the cases that a mixture left; all that are kept where not given.
    """
    import polars as pl

    near = look_alikes.options_of(gates or {})
    known = release_options(BenchmarkLeakOptions, gates or {})
    kept = done.cases.filter(pl.col("status") == "kept")
    kept = kept if left is None else kept.join(left, on="order", how="semi", maintain_order="left")
    limit = release_options(SplitLeakOptions, gates or {})
    found = leaks(kept, limit.max_share) if limit.enabled else []
    pairs = release_options(ConflictingLabelsOptions, gates or {})
    if pairs.enabled:
        kinds = {name: one.label_kind for name, one in facts.items()}
        found += [*conflicts(kept, kinds, pairs.max_share), *across(kept, kinds, pairs.max_share)]
    found += look_alikes.report(kept, near) if near.enabled else []
    if benchmarks and done.met is not None:
        found += benchmark_leak.report(done.cases, done.met, benchmarks, known)
    return found + _unsplit(pl, kept)


def _unsplit(pl: Any, kept: Any) -> list[ReleaseFinding]:
    """Cases under the shipped policy that were shipped without a split."""
    bare = kept.filter((pl.col("split_policy") == "shipped") & (pl.col("shipped_split") == ""))
    return [
        ReleaseFinding(
            "split_missing",
            Severity.FLAG,
            f"{name}: {count} cases were shipped without a split and got one by a hash of their group",
            name,
        )
        for name, count in bare.group_by("dataset").len().sort("dataset").iter_rows()
    ]
