"""Refused rows made again from their sources on the user's own machine, for a person who has to decide about them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flows import preflight
from flows.making import making
from flows.plan import load_specs
from flows.pools import with_pools
from flows.rows import Identities, columns
from flows.steps import read, run_steps
from readers.base import Item, Reader, Refusal, open_reader
from readers.source import Source
from schemas.context import Context
from schemas.instruction import Instruction
from schemas.recipe import DatasetChoice, Recipe, load_recipe
from schemas.rendered import Rendered
from schemas.spec import DatasetSpec
from schemas.work import Work

MOST_PICTURES = 4
"""Of a case that are shown beside a row that a model wrote, whose own pictures are not known."""


@dataclass(frozen=True, slots=True)
class Again:
    """One refused row as it would have been published."""

    row: Mapping[str, Any]
    """Published columns; empty where the row itself could not be made again, as those that a model wrote."""
    pictures: list[bytes] = field(default_factory=list)


def made_again(
    recipe_path: Path, wanted: Mapping[str, Mapping[str, set[str]]], *, bare: bool = False
) -> dict[str, Again]:
    """Read, convert and render the cases of refused rows once more; nothing is asked of a model.

    Args:
        recipe_path: of the recipe whose release refused them.
        wanted: dataset -> published case id -> row ids.
        bare: words burned into pictures are not painted over, and faces are not cut off.

    Returns:
        By row id; a row whose case is no longer there is missing.

    Raises:
        UserError: the recipe, one of its specs or a source is not there.
    """
    recipe = load_recipe(recipe_path.resolve())
    found: dict[str, Again] = {}
    for choice, spec in zip(recipe.datasets, load_specs(recipe), strict=True):
        if spec.name in wanted:
            preflight.check_root(spec)
            found |= _of_dataset(recipe, choice, spec, wanted[spec.name], bare)
    return found


def _of_dataset(
    recipe: Recipe, choice: DatasetChoice, spec: DatasetSpec, wanted: Mapping[str, set[str]], bare: bool
) -> dict[str, Again]:
    from quality.judge import Judge
    from quality.row_gates import open_gates

    identities = Identities(spec)
    source = Source.open(spec.root)
    reader = open_reader(spec, Path(choice.spec), source)
    context = Context(spec=spec, seed=recipe.seed, language=recipe.language, secret=identities.key)
    parts = with_pools(recipe.converters if choice.converters is None else choice.converters, spec, recipe)
    gates = open_gates(recipe.gates, spec.gates)
    steps = making(recipe, parts, gates, source, context, identities, bare=bare)
    judge = Judge(gates, context)
    found: dict[str, Again] = {}
    for work in run_steps(read(_items(reader, identities, wanted), reader), steps):
        for row_id in wanted[identities.case_id(work.case_id)]:
            again = _one(work, row_id, spec, judge)
            if again is not None:
                found[row_id] = again
    return found


def _items(reader: Reader, identities: Identities, wanted: Mapping[str, set[str]]) -> Iterator[Item | Refusal]:
    left = set(wanted)
    for item in reader.items():
        name = identities.case_id(item.key)
        if name in left:
            left.discard(name)
            yield item
        if not left:
            return


def _one(work: Work, row_id: str, spec: DatasetSpec, judge: Any) -> Again | None:
    if work.case is None:
        return None
    rows: Sequence[Instruction] = [*work.rows, *(row for row, _ in work.refused)]
    row = next((one for one in rows if one.id == row_id), None)
    shown = work.case.images[:MOST_PICTURES] if row is None else row.images
    pictures: list[Rendered] = [work.pictures[ref] for ref in shown if ref in work.pictures]
    record = {} if row is None else columns(judge.repaired(row), work.case, spec, [])
    return Again(record, [one.data for one in pictures])
