"""The audit file of a release: what was found that could name somebody, where, and what was done; never the value."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from quality.dicom_kept import KEPT
from schemas.findings import PRIVATE
from schemas.recipe import Recipe
from schemas.spec import DatasetSpec

GATES = ("identifiers", "carriers", "burned_in", "faces")
PLACES = {
    "identifier_case_id": "case ids", "identifier": "texts", "burned_in": "pixels", "privacy_face": "voxels",
    "privacy": "containers of pictures and volumes",
}  # fmt: skip
"""How a code begins -> where the thing was found."""
DONE = {
    "identifier_masked": "its kind in brackets was put in its place",
    "identifier_surrogate": "a surrogate was put in its place, dates were moved by the same days for one patient",
    "burned_in_masked": "the words were painted over and the picture was read again",
    "burned_in_mask_on_region": "something painted over lies on a region of the row",
    "privacy_face_removed": "the face was cut off",
    "privacy_face_on_region": "a region of the row lies where the face was cut off",
}


def audit(
    shards: Sequence[str | Path],
    ledger: Path | None,
    recipe: Recipe,
    specs: Sequence[DatasetSpec],
    left_out: Mapping[str, Mapping[str, int]] | None = None,
) -> dict[str, Any]:
    """Counts by dataset and code, and the rules that were in force.

    Args:
        shards: Parquet shards, for what was flagged and published all the same (masked texts among them).
        ledger: ``ledger.parquet`` of the release, for what was refused; ``None`` or absent where there is none.
        recipe: whose gates ruled.
        specs: in the order of ``recipe.datasets``.
        left_out: by dataset, what was left out of headers and containers, and of how many pictures and volumes.

    Returns:
        ``left_out`` (lists of dataset, what, pictures and volumes), ``rules`` (by dataset: how ids are treated, the
        privacy gates with their options, and which header attributes leave which trace), ``refused`` and
        ``published_with_flag`` (lists of dataset, code, rows, where it was found and what was done).
    """
    return {
        "left_out": [
            {"dataset": name, "what": what, "pictures_and_volumes": count}
            for name, found in sorted((left_out or {}).items())
            for what, count in sorted(found.items())
        ],
        "rules": {spec.name: _rules(recipe, spec) for spec in specs},
        "refused": _refused(ledger),
        "published_with_flag": _flagged(shards),
    }


def _rules(recipe: Recipe, spec: DatasetSpec) -> dict[str, Any]:
    from quality.row_gates import open_gates

    gates = {
        gate.name: getattr(gate, "options").model_dump(mode="json")  # noqa: B009 - not every gate has options
        for gate in open_gates(recipe.gates, spec.gates)
        if gate.name in GATES
    }
    treated = {
        "identifier": "case and group ids are hashed with a secret key",
        "pseudonym": "group ids are hashed; case ids are the publisher's",
        "none": "the source has no ids of persons",
    }
    rules = {"ids": treated[spec.group.ids], "access": spec.access, "gates": gates}
    return rules | ({"header_attributes_kept": KEPT} if spec.reader.type == "dicom_series" else {})


def _lines(counts: Any, done: str) -> list[dict[str, Any]]:
    return [
        {**line, "where": _place(line["code"]), "done": DONE.get(line["code"], done)}
        for line in counts.iter_rows(named=True)
    ]


def _place(code: str) -> str:
    return next((place for begin, place in PLACES.items() if code.startswith(begin)), "")


def _refused(ledger: Path | None) -> list[dict[str, Any]]:
    import polars as pl

    if ledger is None or not ledger.is_file():
        return []
    private = pl.any_horizontal(*(pl.col("reason").str.starts_with(prefix) for prefix in PRIVATE))
    table = (
        pl.scan_parquet(ledger).filter((pl.col("kind") == "row") & private)
        .group_by("dataset", code="reason").agg(rows=pl.len()).sort("dataset", "code").collect()
    )  # fmt: skip
    return _lines(table, "the rows are not published")


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
    return _lines(table, "published with the flag")
