"""What look-alike pictures mean for a release: reported, kept in one split, or dropped."""

from collections.abc import Mapping
from typing import Any

from quality.leaks import RANK, SHOWN, clean
from quality.near_duplicates import clusters, is_likeness
from quality.release_options import NearDuplicatesOptions
from quality.verdict import ReleaseFinding
from schemas.findings import Severity

GATE = "near_duplicates"


def with_looks(cases: Any, radius: int) -> Any:
    """Adds ``looks``: for each case the sorted distinct clusters of its pictures' perceptual hashes.

    Args:
        cases: `polars.DataFrame` with ``phashes`` (list of uint64, 0 where not computed).
        radius: bits; pictures linked by steps of at most so many are one cluster.

    Flat pictures, whose hash is no likeness, are left out.
    """
    import numpy as np
    import polars as pl

    flat = cases.select(case=pl.int_range(pl.len()), phash="phashes").explode("phash").drop_nulls()
    flat = flat.filter(pl.Series(is_likeness(flat["phash"].to_numpy().astype(np.uint64)), dtype=pl.Boolean))
    look = clusters(flat["phash"].to_numpy().astype(np.uint64), radius)
    looks = (
        flat.with_columns(look=pl.Series(look, dtype=pl.Int64))
        .group_by("case").agg(looks=pl.col("look").unique().sort())
    )  # fmt: skip
    numbered = cases.with_columns(case=pl.int_range(pl.len()))
    return numbered.join(looks, on="case", how="left", maintain_order="left").drop("case")


def without_look_alikes(cases: Any) -> Any:
    """Marks kept cases as duplicates whose pictures all look like those of an earlier case of another group.

    Args:
        cases: `polars.DataFrame` by order, with ``looks``, ``status``, ``reason`` and ``detail``.
    """
    import polars as pl

    key = pl.col("looks").cast(pl.List(pl.String)).list.join("|")
    kept = pl.col("status") == "kept"
    same = pl.when(kept & pl.col("looks").is_not_null()).then(key)
    marked = cases.with_columns(look_key=same)
    first = pl.struct("dataset", "case_id", "group_id").first().over("look_key")
    drop = pl.col("look_key").is_not_null() & (first.struct.field("group_id") != pl.col("group_id"))
    text = pl.format(
        "its pictures look like those of case {} of {}", first.struct.field("case_id"), first.struct.field("dataset")
    )
    return marked.with_columns(
        status=pl.when(drop).then(pl.lit("duplicate")).otherwise("status"),
        reason=pl.when(drop).then(pl.lit("near_duplicate")).otherwise("reason"),
        detail=pl.when(drop).then(text).otherwise("detail"),
    ).drop("look_key")


def report(kept: Any, options: NearDuplicatesOptions) -> list[ReleaseFinding]:
    """One finding for each dataset with look-alikes over groups; it says how many of them are in two splits.

    Args:
        kept: `polars.DataFrame` with dataset, group_id, split, pictures and looks.
    """
    import polars as pl

    places = kept.select("dataset", "split", "group_id", "looks").explode("looks").drop_nulls("looks")
    groups = pl.col("group_id").n_unique().over("looks")
    table = (
        places.unique().with_columns(alike=groups > 1).group_by("dataset")
        .agg(total=pl.col("group_id").n_unique(), alike=pl.col("group_id").filter(pl.col("alike")).n_unique())
        .sort("dataset")
    )  # fmt: skip
    leaked = _leaked(pl, kept)
    return [
        _finding(name, alike, total, *leaked.get(name, (0, 0)), options, _shown(pl, kept, name))
        for name, total, alike in table.iter_rows()
        if alike
    ]


def _shown(pl: Any, kept: Any, dataset: str) -> tuple[dict[str, Any], ...]:
    """The first looks that the dataset shares with other groups, and the cases that have them."""
    places = kept.select("dataset", "case_id", "split", "group_id", look="looks").explode("look").drop_nulls("look")
    here = (pl.col("dataset") == dataset).any().over("look") & (pl.col("group_id").n_unique().over("look") > 1)
    table = (
        places.filter(here).group_by("look", maintain_order=True)
        .agg(pl.struct("dataset", "case_id", "split").unique(maintain_order=True).head(10).alias("cases"))
    )  # fmt: skip
    return tuple({"cases": cases} for cases in table["cases"].head(SHOWN).to_list())


def _finding(
    name: str, alike: int, total: int, shared: int, held: int, options: NearDuplicatesOptions, evidence: Any
) -> ReleaseFinding:
    text = (
        f"{name}: {alike} of {total} groups have pictures that look like those of other groups "
        f"(within {options.radius} of 64 bits)"
    )
    if shared:
        text += f"; {shared} of the {held} looks in its held-out splits are in an earlier split too"
    refusing = shared > options.max_leak * held
    return ReleaseFinding(GATE, Severity.REFUSE_RELEASE if refusing else Severity.FLAG, text, name, evidence)


def _leaked(pl: Any, kept: Any) -> dict[str, tuple[int, int]]:
    """By dataset, how many looks of its held-out splits are in an earlier split of any dataset, and of how many.

    Pictures that are in two splits themselves are `quality.leaks`'s to report and are left out.
    """
    rank = pl.col("split").replace_strict(RANK, default=len(RANK), return_dtype=pl.Int64)
    places = (
        clean(kept).select("dataset", rank=rank, look="looks").explode("look").drop_nulls().unique()
        .with_columns(first=pl.col("rank").min().over("look")).filter(pl.col("rank") > 0)
    )  # fmt: skip
    counts = places.group_by("dataset").agg(
        shared=pl.col("look").filter(pl.col("first") < pl.col("rank")).n_unique(), held=pl.col("look").n_unique()
    )
    return {name: (shared, held) for name, shared, held in counts.iter_rows()}


def options_of(gates: Mapping[str, Mapping[str, Any]]) -> NearDuplicatesOptions:
    """The gate's options in ``recipe.gates``."""
    from quality.release_options import release_options

    return release_options(NearDuplicatesOptions, gates)
