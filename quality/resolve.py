"""Decides, over all partitions, which cases are kept and which split each is in; reads hashes, never pixels."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from quality import benchmark_leak, compositions, look_alikes
from quality.components import components
from quality.leaks import RANK
from quality.release_options import BenchmarkLeakOptions, release_options
from quality.settled import DatasetFacts, HeldOut, Resolution, Settled, examine
from quality.verdict import ReleaseFinding
from schemas.identity import fraction
from schemas.recipe import Recipe
from schemas.spec import DatasetSpec

COLUMNS = (
    "dataset", "case_id", "order", "group_id", "shipped_split", "split_policy", "annotation_digest", "images",
    "rows", "bytes",
)  # fmt: skip
MORE = ("origins", "labels", "unsure")
"""Lists that a stage has where it was written by `storage.stage`."""


def facts_of(recipe: Recipe, specs: Sequence[DatasetSpec]) -> dict[str, DatasetFacts]:
    """The facts of each dataset; ``specs`` in the order of ``recipe.datasets``."""
    return {
        spec.name: DatasetFacts((choice.split or spec.split).fractions, choice.max_rows, spec.label_kind)
        for choice, spec in zip(recipe.datasets, specs, strict=True)
    }


def resolve(
    tables: Iterable[str | Path],
    recipe: Recipe,
    specs: Sequence[DatasetSpec],
    benchmarks: Mapping[str, Path] | None = None,
) -> tuple[Any, list[ReleaseFinding]]:
    """`decide` with the facts of a recipe and its specs (in the order of ``recipe.datasets``).

    Returns:
        ``(decisions, findings)`` of the `Resolution`.
    """
    done = decide(tables, facts_of(recipe, specs), recipe.seed, recipe.gates, benchmarks)
    return done.decisions, done.findings


def decide(
    staged: Iterable[str | Path],
    facts: Mapping[str, DatasetFacts],
    seed: int = 0,
    gates: Mapping[str, Mapping[str, Any]] | None = None,
    benchmarks: Mapping[str, Path] | None = None,
) -> Resolution:
    """Decide over all staged cases, and look at those that are kept: `settle`, then `examine`."""
    done = settle(staged, facts, seed, gates, benchmarks)
    return Resolution(done.decisions, examine(done, facts, gates, benchmarks))


def settle(
    staged: Iterable[str | Path],
    facts: Mapping[str, DatasetFacts],
    seed: int = 0,
    gates: Mapping[str, Mapping[str, Any]] | None = None,
    benchmarks: Mapping[str, Path] | None = None,
    held_out: HeldOut | None = None,
) -> Settled:
    """Decide over all staged cases.

    1. Equal pictures (by decoded pixels, else by bytes) with equal annotation: the first by ``order`` is kept;
       so with look-alikes where ``gates.near_duplicates.action`` is ``drop``.
       Cases that show a picture of a benchmark are filtered where ``gates.benchmark_leak.action`` is ``drop``.
    2. ``max_rows``: cases by ``order`` for as long as the sum of their rows stays within it.
    3. Groups that share a picture, or whose pictures are made from one source file, are joined.  ``hash`` cases get the
       split of their joined group: that of its shipped cases where it has any, else by a hash of it; ``shipped`` cases
       keep theirs.
       Joined groups with a combination that is held out go where `quality.compositions.held_out` says.

    Args:
        staged: the partitions' ``cases.parquet``.
        facts: by dataset, in the recipe's order.
        seed: the recipe's.
        gates: ``recipe.gates``.
        benchmarks: by name, a table of a benchmark's pictures, see `quality.benchmark_leak.matches`.
        held_out: combinations that training must not see.
    """
    import polars as pl

    paths = sorted(map(str, staged))
    cases = _load(pl, paths)
    near = look_alikes.options_of(gates or {})
    cases = _deduplicated(pl, cases)
    known = release_options(BenchmarkLeakOptions, gates or {})
    met = benchmark_leak.matches(paths, benchmarks, known) if benchmarks and known.enabled else None
    if met is not None and known.action == "drop":
        cases = benchmark_leak.without_benchmarks(cases, met)
    if near.enabled:
        cases = look_alikes.with_looks(cases, near.radius)
    if near.enabled and near.action == "drop":
        cases = look_alikes.without_look_alikes(cases)
    cases = _joined(pl, _limited(pl, cases, facts), near.enabled and near.action == "join")
    away: Sequence[compositions.Triplet] = ()
    if held_out is not None:
        cases, away = compositions.held_out(cases, held_out.combinations, held_out.wanted, seed)
    cases = _split(pl, cases, facts, seed)
    if held_out is not None:
        into = pl.lit(held_out.wanted.into)
        cases = cases.with_columns(split=pl.when("held", pl.col("status") == "kept").then(into).otherwise("split"))
    return Settled(cases, met, away)


def _load(pl: Any, staged: Iterable[str]) -> Any:
    """All cases by order, with ``pictures`` (sorted distinct digests) and their joined ``picture_key``.

    A volume that rows carry counts as a picture, by the digest of what it shows (`quality.volume_digest`).
    """
    digest = pl.element().struct.field("pixel_digest")
    either = pl.when(digest != "").then(digest).otherwise(pl.element().struct.field("sha256"))
    frames = [_frame(pl, path) for path in staged]
    if not frames:
        texts = pl.List(pl.String)
        frames = [pl.LazyFrame(schema={**_schema(pl), "shown": texts, **dict.fromkeys(MORE, texts)})]
    return (
        pl.concat(frames)
        .with_columns(
            pictures=pl.col("images").list.eval(either).list.concat("shown").list.unique().list.sort(),
            phashes=pl.col("images").list.eval(pl.element().struct.field("phash")).list.unique(),
        )
        .drop("images", "shown")
        .with_columns(picture_key=pl.col("pictures").list.join("|"))
        .sort("order", "dataset", "case_id")
        .collect()
    )


def _frame(pl: Any, path: str) -> Any:
    """One table of staged cases, with ``shown``: the digests of its volumes."""
    table = pl.scan_parquet(path)
    names = table.collect_schema().names()
    nothing = pl.lit([], dtype=pl.List(pl.String))
    digests = nothing
    if "volumes" in names:
        known = pl.element().struct.field("pixel_digest")
        digests = pl.col("volumes").list.eval(known.filter(known != "")).fill_null([])
    more = {name: pl.col(name) if name in names else nothing for name in MORE}
    return table.select(*COLUMNS, shown=digests, **more)


def _schema(pl: Any) -> dict[str, Any]:
    image = pl.Struct({"sha256": pl.String, "pixel_digest": pl.String, "phash": pl.UInt64})
    own = {"images": pl.List(image), "rows": pl.Int32, "bytes": pl.Int64}
    return {name: own.get(name, pl.String) for name in COLUMNS}


def _deduplicated(pl: Any, cases: Any) -> Any:
    """Adds status, reason and detail."""
    same = ["picture_key", "annotation_digest"]
    first = pl.struct("dataset", "case_id").first().over(same)
    repeated = (pl.col("picture_key") != "") & (pl.int_range(pl.len()).over(same) > 0)
    text = pl.format(
        "its pictures and annotation equal those of case {} of {}",
        first.struct.field("case_id"),
        first.struct.field("dataset"),
    )
    return cases.with_columns(
        status=pl.when(repeated).then(pl.lit("duplicate")).when(pl.col("rows") == 0).then(pl.lit("filtered"))
        .otherwise(pl.lit("kept")),
        reason=pl.when(repeated).then(pl.lit("exact_duplicate")).when(pl.col("rows") == 0).then(pl.lit("no_rows"))
        .otherwise(pl.lit("")),
        detail=pl.when(repeated).then(text).when(pl.col("rows") == 0).then(pl.lit("no row of it is left"))
        .otherwise(pl.lit("")),
    )  # fmt: skip


def _limited(pl: Any, cases: Any, facts: Mapping[str, DatasetFacts]) -> Any:
    limits = {name: one.max_rows for name, one in facts.items() if one.max_rows is not None}
    if not limits:
        return cases
    limit = pl.col("dataset").replace_strict(limits, default=None, return_dtype=pl.Int64)
    counted = pl.when(pl.col("status") == "kept").then(pl.col("rows").cast(pl.Int64)).otherwise(0)
    over = (pl.col("status") == "kept") & (counted.cum_sum().over("dataset") > limit).fill_null(False)
    text = pl.format("its dataset already gives the {} rows that max_rows allows", limit)
    return cases.with_columns(
        status=pl.when(over).then(pl.lit("filtered")).otherwise("status"),
        reason=pl.when(over).then(pl.lit("max_rows")).otherwise("reason"),
        detail=pl.when(over).then(text).otherwise("detail"),
    )


def _split(pl: Any, joined: Any, facts: Mapping[str, DatasetFacts], seed: int) -> Any:
    """Adds ``split`` by ``component``: of kept cases; empty for others."""
    order = {name: number for number, name in enumerate(facts)}
    shipped = (pl.col("split_policy") == "shipped") & (pl.col("shipped_split") != "")
    held = pl.col("shipped_split").filter(shipped & (pl.col("status") == "kept"))
    place = pl.col("dataset").replace_strict(order, default=len(order), return_dtype=pl.Int64)
    table = (
        joined.group_by("component")
        .agg(held.unique().sort().alias("held"), place.min().alias("place"), pl.col("group_id").min().alias("name"))
    )  # fmt: skip
    names = list(facts)
    split = {
        component: min(held, key=_rank) if held else _hashed(facts[names[place]].fractions, seed, name)
        for component, held, place, name in table.select("component", "held", "place", "name").iter_rows()
    }
    drawn = pl.col("component").replace_strict(list(split), list(split.values()), return_dtype=pl.String)
    chosen = pl.when(shipped).then("shipped_split").otherwise(drawn)
    return joined.with_columns(split=pl.when(pl.col("status") == "kept").then(chosen).otherwise(pl.lit("")))


def _joined(pl: Any, cases: Any, by_looks: bool) -> Any:
    """Adds ``component``: equal for all groups that are linked by shared pictures or sources, or by looks too."""
    numbered = cases.with_columns(group=pl.col("group_id").rank("dense").cast(pl.Int64) - 1)
    links = ["pictures", "origins", *(["looks"] if by_looks else [])]
    pairs = pl.concat([_pairs(pl, numbered.select("group", thing=name)) for name in links])
    count = int(numbered["group"].max() or 0) + 1
    found = components(count, pairs.iter_rows())
    return numbered.with_columns(component=pl.Series(found, dtype=pl.Int64).gather(numbered["group"]))


def _pairs(pl: Any, things: Any) -> Any:
    """Each group beside the first group that has the same thing."""
    return (
        things.explode("thing").drop_nulls().unique().with_columns(first=pl.col("group").min().over("thing"))
        .filter(pl.col("first") != pl.col("group")).select("first", "group").unique()
    )  # fmt: skip


def _hashed(fractions: Mapping[str, float], seed: int, name: str) -> str:
    drawn, edge = fraction(seed, "split", name), 0.0
    for split, share in fractions.items():
        edge += share
        if drawn < edge:
            return split
    return [name for name, share in fractions.items() if share > 0][-1]


def _rank(split: str) -> tuple[int, str]:
    return RANK.get(split, len(RANK)), split
