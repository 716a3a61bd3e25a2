"""``medcurate run --dry-run``: what a recipe would ask a model, from a sample of its cases."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from flows import preflight
from flows.making import making
from flows.plan import answers_of, limited
from flows.rows import Identities
from flows.steps import read, run_steps
from flows.workspace import Workspace
from readers.base import Item, Refusal, open_reader
from readers.source import Source
from schemas.context import Context
from schemas.errors import UserError
from schemas.recipe import DatasetChoice, Recipe
from schemas.spec import DatasetSpec

COUNTED = ("requests", "stored", "judging", "tokens_in", "tokens_out")
SAMPLE = 32
"""Cases looked at per dataset, those whose hash comes first; the figures are scaled by the number of cases listed."""


class Counted:
    """What is listed, and how much of it."""

    def __init__(self, listing: Iterable[Item | Refusal]) -> None:
        self._listing, self.items = listing, 0

    def __iter__(self) -> Iterator[Item | Refusal]:
        for item in self._listing:
            self.items += 1
            yield item


def estimate_recipe(path: Path) -> dict[str, Any]:
    """Requests, tokens and cost by dataset and in all."""
    recipe, specs = preflight.load(path, ask_engine=False)
    if recipe.synthesis is None:
        raise UserError("the recipe has no synthesis, so no model is asked anything")
    if recipe.synthesis.engine.type == "template":
        raise UserError("the recipe's engine is 'template', which asks no model; name one in synthesis.engine")
    answers = answers_of(recipe, Workspace.of(recipe))
    sets = {
        spec.name: _estimate_dataset(recipe, choice, spec, answers)
        for choice, spec in zip(recipe.datasets, specs, strict=True)
    }
    names = ("cases", *COUNTED, "cost")
    return {"datasets": sets, "all": {name: round(sum(one[name] for one in sets.values()), 4) for name in names}}


def show_estimate(found: dict[str, Any]) -> None:
    """Print what `estimate_recipe` found for a person."""
    from flows.show import print_table

    lines = [*found["datasets"].items(), ("all", found["all"])]
    names = {
        "cases": "cases", "requests": "requests", "stored": "of them stored", "judging": "of judges, at most",
        "tokens_in": "tokens in", "tokens_out": "tokens out, at most", "cost": "cost, at most",
    }  # fmt: skip
    print_table(
        "what a model will be asked",
        [{"dataset": name} | {title: f"{one[key]:,}" for key, title in names.items()} for name, one in lines],
    )


def _estimate_dataset(recipe: Recipe, choice: DatasetChoice, spec: DatasetSpec, answers: str) -> dict[str, Any]:
    from quality.row_gates import open_gates
    from synthesis.estimate import estimate
    from synthesis.pipeline import open_tasks

    assert recipe.synthesis is not None
    source, identities = Source.open(spec.root), Identities(spec)
    reader = open_reader(spec, source=source)
    context = Context(spec=spec, seed=recipe.seed, language=recipe.language, secret=identities.key)
    counted = Counted(reader.items())
    sample = list(limited(counted, spec.name, min(SAMPLE, choice.limit or SAMPLE)))
    listed = min(counted.items, choice.limit or counted.items)
    chosen = recipe.converters if choice.converters is None else choice.converters
    steps = making(recipe, chosen, open_gates(recipe.gates, spec.gates), source, context, identities)
    works = run_steps(read(iter(sample), reader), steps)
    chosen_tasks = open_tasks(recipe.synthesis.tasks)
    found = estimate(works, chosen_tasks, recipe.synthesis.engine, answers, context, recipe.synthesis.checks)
    scale = listed / max(1, found.cases)
    scaled = {name: round(getattr(found, name) * scale) for name in COUNTED}
    return {"cases": listed, "looked_at": found.cases, **scaled, "cost": round(found.cost * scale, 4)}
