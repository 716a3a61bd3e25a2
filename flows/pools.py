"""Shared pools of distractors for regions, after the rule of GMAI-MMBench.

What a region is does not depend on the dataset it is from, so labels of the recipe's other datasets may stand as wrong
options, where modality and clinical task agree (detection gives boxes, segmentation gives masks, so the task stands for
how fine the regions are).  Labels of whole pictures are never pooled: another dataset's label could be true of them.
"""

from pathlib import Path

from schemas.plugins import load
from schemas.recipe import Choice, Recipe
from schemas.spec import DatasetSpec, load_spec


def with_pools(converters: list[Choice], spec: DatasetSpec, recipe: Recipe) -> list[Choice]:
    """The converters as named, with ``pool`` filled in where they take one and the recipe gives none."""
    pooled = [choice for choice in converters if _takes_pool(choice)]
    if not pooled:
        return converters
    pool = pool_of(spec, [load_spec(Path(dataset.spec)) for dataset in recipe.datasets])
    return [
        choice.model_copy(update={"options": {**choice.options, "pool": pool}}) if choice in pooled else choice
        for choice in converters
    ]


def pool_of(spec: DatasetSpec, others: list[DatasetSpec]) -> list[str]:
    """Labels of regions in other datasets with the same modality and clinical task, sorted."""
    own = set(spec.canonical())
    fit = (
        other
        for other in others
        if other.name != spec.name
        and other.label_kind == "none"
        and (other.modality, other.clinical_task) == (spec.modality, spec.clinical_task)
    )
    return sorted({label for other in fit for label in other.canonical()} - own)


def _takes_pool(choice: Choice) -> bool:
    return "pool" in load("converters", choice.type).Options.model_fields and choice.options.get("pool") is None
