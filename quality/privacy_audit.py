"""The audit file of a release: what was found that could name somebody, where, and what was done; never the value."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from schemas.findings import PRIVATE
from schemas.recipe import Recipe
from schemas.spec import DatasetSpec


def audit(
    shards: Sequence[str | Path], ledger: Path | None, recipe: Recipe, specs: Sequence[DatasetSpec]
) -> dict[str, Any]:
    """Counts by dataset and code, and the rules that were in force.

    Args:
        shards: Parquet shards, for what was flagged and published all the same (masked texts among them).
        ledger: ``ledger.parquet`` of the release, for what was refused; ``None`` or absent where there is none.
        recipe: whose gates ruled.
        specs: in the order of ``recipe.datasets``.

    Returns:
        ``rules`` (by dataset: how ids are treated, and the privacy gates with their options), ``refused`` and
        ``published_with_flag`` (lists of dataset, code, rows).
    """
    return {
        "rules": {spec.name: _rules(recipe, spec) for spec in specs},
        "refused": _refused(ledger),
        "published_with_flag": _flagged(shards),
    }


def _rules(recipe: Recipe, spec: DatasetSpec) -> dict[str, Any]:
    from quality.row_gates import open_gates

    gates = {
        gate.name: getattr(gate, "options").model_dump(mode="json")  # noqa: B009 - not every gate has options
        for gate in open_gates(recipe.gates, spec.gates)
        if gate.name in ("identifiers", "carriers", "burned_in")
    }
    treated = {
        "identifier": "case and group ids are hashed with a secret key",
        "pseudonym": "group ids are hashed; case ids are the publisher's",
        "none": "the source has no ids of persons",
    }
    return {"ids": treated[spec.group.ids], "access": spec.access, "gates": gates}


def _refused(ledger: Path | None) -> list[dict[str, Any]]:
    import polars as pl

    if ledger is None or not ledger.is_file():
        return []
    private = pl.any_horizontal(*(pl.col("reason").str.starts_with(prefix) for prefix in PRIVATE))
    table = (
        pl.scan_parquet(ledger).filter((pl.col("kind") == "row") & private)
        .group_by("dataset", code="reason").agg(rows=pl.len()).sort("dataset", "code").collect()
    )  # fmt: skip
    return [dict(line) for line in table.iter_rows(named=True)]


def _flagged(shards: Sequence[str | Path]) -> list[dict[str, Any]]:
    import polars as pl

    if not shards:
        return []
    code = pl.col("quality").struct.field("flags")
    private = pl.any_horizontal(*(pl.col("code").str.starts_with(prefix) for prefix in PRIVATE))
    table = (
        pl.scan_parquet([str(shard) for shard in shards]).select("dataset", code=code).explode("code").drop_nulls()
        .filter(private).group_by("dataset", "code").agg(rows=pl.len()).sort("dataset", "code").collect()
    )  # fmt: skip
    return [dict(line) for line in table.iter_rows(named=True)]
