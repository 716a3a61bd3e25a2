"""What is checked before any work starts, so that a mistake costs seconds and not a night."""

import os
from collections.abc import Sequence
from pathlib import Path

from flows.episodes import open_episode
from flows.making import open_converter
from flows.plan import episodes_of, load_specs
from flows.private_steps import demand_declaration, demand_key
from flows.rows import Identities
from readers.base import open_reader
from schemas.decisions import load_decisions
from schemas.errors import UserError
from schemas.recipe import Recipe, load_recipe
from schemas.spec import DatasetSpec, resolve


def load(path: Path, store: str = "", *, ask_engine: bool = True) -> tuple[Recipe, list[DatasetSpec]]:
    """The recipe at ``path`` and its specs, all checked.

    Args:
        path: the recipe's file.
        store: stands in for the recipe's own.
        ask_engine: also see whether the model that is to be asked is there.
    """
    recipe = load_recipe(path.resolve())
    if store:
        recipe = recipe.model_copy(update={"store": resolve(store, Path.cwd())})
    specs = load_specs(recipe)
    check(recipe, specs, ask_engine=ask_engine)
    return recipe, specs


def check(recipe: Recipe, specs: Sequence[DatasetSpec], *, ask_engine: bool = True) -> None:
    """Raise `UserError` for anything in recipe or specs that could not work."""
    from quality.licences import check_licences
    from quality.release import check_recipe
    from quality.row_gates import open_gates

    check_licences(recipe, specs)
    check_recipe(recipe)
    check_store(recipe.store)
    for choice, spec in zip(recipe.datasets, specs, strict=True):
        check_root(spec)
        open_reader(spec, Path(choice.spec))
        Identities(spec)
        demand_declaration(spec)
        demand_key(open_gates(recipe.gates, spec.gates), spec)
        for converter in recipe.converters if choice.converters is None else choice.converters:
            open_converter(converter, recipe.language)
        for episode in episodes_of(recipe, choice, spec):
            open_episode(episode)
    if recipe.benchmarks:
        from flows.benchmarks import check_benchmark

        for benchmark in recipe.benchmarks:
            check_benchmark(benchmark, recipe.store)
    if recipe.synthesis is not None:
        from synthesis.pipeline import check_checks, check_engine, open_tasks

        open_tasks(recipe.synthesis.tasks)
        if ask_engine:
            check_engine(recipe.synthesis.engine)
            check_checks(recipe.synthesis.checks)
    elif not recipe.converters and any(choice.converters is None for choice in recipe.datasets):
        raise UserError("the recipe names neither converters nor synthesis, so no row could come of it; add converters")
    load_decisions(recipe.decisions)
    _check_version_is_new(recipe)


def check_root(spec: DatasetSpec) -> None:
    """Raise `UserError` unless the dataset's data is where the spec says."""
    if not spec.root:
        raise UserError(f"{spec.name}: the spec names no root; say where the data lies")
    if "://" not in spec.root and not Path(spec.root).exists():
        raise UserError(f"{spec.name}: there is nothing at {spec.root}; mend root in its spec, or fetch the data first")


def check_store(store: str) -> None:
    """Raise `UserError` where a release could not be put into a local store."""
    if "://" in store:
        return
    place = next(path for path in (Path(store), *Path(store).absolute().parents) if path.exists())
    if not place.is_dir():
        raise UserError(f"the store {store} cannot be made, since {place} is a file; name another")
    if not os.access(place, os.W_OK):
        raise UserError(f"the store {store} cannot be written; name another, or ask for the right to write there")


def _check_version_is_new(recipe: Recipe) -> None:
    from storage.release import exists

    if exists(recipe.store, recipe.name, recipe.version):
        raise UserError(
            f"{recipe.name}@{recipe.version} is already published in {recipe.store} and releases never change; "
            "give the recipe a new version"
        )
