"""Plan: every dataset of the recipe is listed once, in streams, and cut into partitions of items."""

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from heapq import nsmallest
from pathlib import Path
from typing import Any

from flows.code_version import code_version
from flows.listing import Keys, fingerprint_of
from flows.pools import with_pools
from flows.workspace import Workspace, read_json, write_json
from readers.base import Item, Refusal, open_reader
from schemas.identity import case_order, digest
from schemas.recipe import Choice, DatasetChoice, Recipe
from schemas.spec import DatasetSpec, load_spec


@dataclass(frozen=True)
class Job:
    """One partition: everything a worker process needs to know, as plain data."""

    dataset: str
    index: int
    items: str
    """JSON lines, one item or refusal each."""
    stage: str
    """Folder that the partition fills; ``done.json`` in it is written last."""
    cases: int
    fingerprint: str
    """Of items, spec, converters, gates, synthesis, seed and code: a finished stage with the same is not redone."""
    spec: dict[str, Any]
    recipe: dict[str, Any]
    converters: list[dict[str, Any]]
    answers: str
    decisions: str = ""
    """File of `flows.decided.freeze`, or empty."""
    lend: bool = False
    """Whether kept cases are laid by for rows over several."""
    crashed: tuple[str, ...] = ()
    """Keys that killed a worker in this run."""
    only: str = ""
    """Where set, all other items are passed over: a trial of one suspect, whose stage is thrown away."""


def load_specs(recipe: Recipe) -> list[DatasetSpec]:
    """The specs of the recipe's datasets, in order, the recipe's own split rule put in; names must differ."""
    from schemas.errors import UserError

    specs: list[DatasetSpec] = []
    for choice in recipe.datasets:
        spec = load_spec(Path(choice.spec))
        if any(spec.name == other.name for other in specs):
            raise UserError(f"the recipe names the dataset {spec.name!r} twice; give one of them another name")
        specs.append(spec.model_copy(update={"split": choice.split}) if choice.split else spec)
    return specs


def plan_dataset(
    recipe: Recipe, choice: DatasetChoice, spec: DatasetSpec, space: Workspace, decisions: str = ""
) -> list[Job]:
    """List one dataset into partition files and return its jobs; an unchanged listing is not made again.

    Args:
        decisions: file of `flows.decided.freeze`, or empty.
    """
    folder = space.plan / spec.name
    wanted = digest(
        spec.model_dump_json(),
        code_version(),
        fingerprint_of(spec.root),
        str(choice.limit),
        str(recipe.partition_cases),
    )
    plan = read_json(folder / "plan.json")
    if not plan or plan["fingerprint"] != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        listing = limited(open_reader(spec, Path(choice.spec)).items(), spec.name, choice.limit)
        plan = {"fingerprint": wanted, "partitions": _write_partitions(listing, folder, recipe.partition_cases)}
        write_json(folder / "plan.json", plan)
    converters = [part.model_dump() for part in with_pools(_converters(recipe, choice), spec, recipe)]
    lend = bool(episodes_of(recipe, choice, spec))
    settings = digest(
        spec.model_dump_json(), json.dumps(converters), json.dumps(recipe.gates, sort_keys=True), code_version(),
        str(recipe.seed), recipe.language, str(recipe.decode), wanted,
        recipe.synthesis.model_dump_json() if recipe.synthesis else "", os.environ.get("MEDCURATE_ID_KEY", ""),
        Path(decisions).read_text("utf-8") if decisions else "", str(lend),
        json.dumps([stage.model_dump() for stage in recipe.curriculum]),
    )  # fmt: skip
    answers = answers_of(recipe, space)
    return [
        Job(
            dataset=spec.name, index=index, items=str(folder / part["file"]), cases=part["cases"],
            stage=str(space.stage / f"{spec.name}-{index:05d}"), fingerprint=digest(settings, part["digest"]),
            spec=spec.model_dump(), recipe=recipe.model_dump(), converters=converters, answers=answers,
            decisions=decisions, lend=lend,
        )
        for index, part in enumerate(plan["partitions"])
    ]  # fmt: skip


def answers_of(recipe: Recipe, space: Workspace) -> str:
    """Where a model's answers are stored: as the recipe says, else beside the workspaces, to outlive them."""
    return (recipe.synthesis.answers if recipe.synthesis else "") or str(space.folder.parent / "answers")


def read_items(path: Path) -> Iterator[Item | Refusal]:
    """The items of one partition file."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            data = json.loads(line)
            yield Refusal(**data["refusal"]) if "refusal" in data else Item(data["key"], data["data"])


def episodes_of(recipe: Recipe, choice: DatasetChoice, spec: DatasetSpec) -> list[Choice]:
    """The episode converters of a dataset; none for a restricted one, whose pictures are not kept."""
    if spec.access == "restricted":
        return []
    return recipe.episodes.converters if choice.episodes is None else choice.episodes


def _converters(recipe: Recipe, choice: DatasetChoice) -> list[Choice]:
    return recipe.converters if choice.converters is None else choice.converters


def limited(listing: Iterable[Item | Refusal], dataset: str, limit: int | None) -> Iterator[Item | Refusal]:
    """All of the listing, or its first ``limit`` by case order; a key that stands twice is refused the second time."""
    if limit is not None:
        listing = nsmallest(limit, listing, key=lambda item: case_order(dataset, item.key))
    seen, repeated = Keys(), 0
    for item in listing:
        if seen.add(item.key):
            yield item
        else:
            repeated += 1
            detail = f"{item.key}: another case has the same key; make the keys of {dataset} unique"
            yield Refusal(f"{item.key}#again-{repeated}", "repeated_key", detail)


def _write_partitions(listing: Iterable[Item | Refusal], folder: Path, size: int) -> list[dict[str, Any]]:
    partitions: list[dict[str, Any]] = []
    batch: list[str] = []

    def flush() -> None:
        if batch:
            name = f"{len(partitions):05d}.jsonl"
            (folder / name).write_text("".join(batch), "utf-8")
            partitions.append({"file": name, "cases": len(batch), "digest": digest(*batch)})
            batch.clear()

    for item in listing:
        data = {"refusal": asdict(item)} if isinstance(item, Refusal) else {"key": item.key, "data": item.data}
        batch.append(json.dumps(data, ensure_ascii=True, sort_keys=True) + "\n")
        if len(batch) == size:
            flush()
    flush()
    return partitions
