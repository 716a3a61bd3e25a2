"""From staged cases to the rows of a release: fates and splits, then the mixture, then a look at what is left."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flows.workspace import Workspace
from quality.settled import HeldOut, Settled, examine
from schemas.mixture import Compositions
from schemas.recipe import Recipe
from schemas.spec import DatasetSpec
from schemas.taxonomy import axis


def settle_cases(
    recipe: Recipe, specs: Sequence[DatasetSpec], stages: Sequence[Path], benchmarks: Mapping[str, Path]
) -> Settled:
    """Every staged case with its fate and split."""
    from quality.resolve import facts_of, settle

    tables = [folder / "cases.parquet" for folder in stages]
    held = None
    if recipe.compositions is not None:
        held = HeldOut(recipe.compositions, _combinations(stages, recipe.compositions))
    return settle(tables, facts_of(recipe, specs), recipe.seed, recipe.gates, benchmarks, held)


def finish(
    recipe: Recipe,
    specs: Sequence[DatasetSpec],
    settled: Settled,
    stages: Sequence[Path],
    episodes: Any,
    benchmarks: Mapping[str, Path],
    space: Workspace,
) -> list[Any]:
    """Apply the mixture, write ``decisions.parquet`` and, where there is a mixture, ``dropped.parquet``.

    Args:
        recipe: whose mixture.
        specs: in the order of its datasets.
        settled: of `settle_cases`.
        stages: folders of partitions and episodes.
        episodes: decisions on units of rows over several cases, with the columns of ``settled.decisions``.
        benchmarks: as for `settle_cases`.
        space: where the files go.

    Returns:
        Findings on the release.
    """
    import polars as pl

    from quality.compositions import proven
    from quality.mixture import Sources, mix
    from quality.resolve import facts_of
    from storage.row_facts import row_facts

    flagged = settled.decisions.with_columns(episode=pl.lit(False))
    decisions = pl.concat([flagged, episodes.with_columns(episode=pl.lit(True))]).sort("order", "dataset", "case_id")
    found: list[Any] = []
    space.dropped.unlink(missing_ok=True)
    mixture, sources = recipe.mixed(), Sources(*_sources(recipe, specs))
    if not mixture.empty or any(count > 1 for count in sources.repeats.values()):
        before = decisions
        decisions, found = mix(decisions, lambda: row_facts(stages, before), mixture, sources, space.dropped)
    left = decisions.filter((pl.col("status") == "kept") & ~pl.col("episode")).select("order")
    found += examine(settled, facts_of(recipe, specs), recipe.gates, benchmarks, left)
    if recipe.compositions is not None:
        kept = settled.cases.join(left, on="order", how="semi")
        found += proven(kept, _combinations(stages, recipe.compositions), settled.away, recipe.compositions.into)
    space.decisions.parent.mkdir(parents=True, exist_ok=True)
    temporary = space.decisions.with_suffix(".part")
    decisions.write_parquet(temporary)
    temporary.replace(space.decisions)
    return found


def units(settled: Settled, stages: Sequence[Path]) -> Any:
    """Decisions on the units of rows over several cases that ``stages`` hold: all are kept."""
    import polars as pl

    tables = [settled.decisions.clear()]
    for folder in stages:
        cases = pl.read_parquet(folder / "cases.parquet", columns=["dataset", "case_id", "order", "rows", "bytes"])
        told = cases.join(pl.read_parquet(folder / "splits.parquet"), on="order", how="left", maintain_order="left")
        kept = told.with_columns(status=pl.lit("kept"), reason=pl.lit(""), detail=pl.lit(""))
        tables.append(kept.select(tables[0].columns))
    return pl.concat(tables)


def _sources(recipe: Recipe, specs: Sequence[DatasetSpec]) -> tuple[dict[str, float], dict[str, int]]:
    pairs = list(zip(recipe.datasets, specs, strict=True))
    return {spec.name: one.weight for one, spec in pairs}, {spec.name: one.repeat for one, spec in pairs}


def _combinations(stages: Sequence[Path], wanted: Compositions) -> Any:
    """`polars.DataFrame` of ``order``, modality, anatomy and clinical_task: each combination of each staged case.

    Where ``wanted.tasks`` is ``kind``, the kind of the task stands for it; a task without one stands for itself.
    """
    import polars as pl

    from quality.compositions import AXES
    from storage.row_facts import row_facts

    cases = pl.concat(pl.read_parquet(folder / "cases.parquet", columns=["order", "rows"]) for folder in stages)
    every = cases.with_columns(split=pl.lit(""), status=pl.lit("kept"))
    schema = dict.fromkeys(("order", *AXES), pl.String)
    frames = [frame.select(*schema).unique() for frame in row_facts(stages, every)]
    table = pl.concat([pl.DataFrame(schema=schema), *frames])
    if wanted.tasks == "name":
        return table
    kinds = {name: concept.kind for name, concept in axis("clinical_task").items() if concept.kind}
    return table.with_columns(pl.col("clinical_task").replace(kinds)).unique(maintain_order=True)
