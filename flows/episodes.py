"""Rows over several cases: kept cases of one dataset and split meet in pools, and a row borrows the others' pictures.

Pools are cut from the kept cases in the order of their group's hash, so that they depend neither on partitions nor on
workers, and all visits of a patient meet.  Everything about duplicates, splits and refusals has been decided by then:
whoever may be borrowed from is in the release, and in the same split.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.code_version import code_version
from flows.curriculum import in_stages
from flows.ledger_file import LedgerWriter
from flows.lending import Lender, index, pools
from flows.plan import Job, episodes_of
from flows.rows import Identities, staged
from flows.steps import unexpected
from flows.workspace import Workspace, write_json
from schemas import plugins
from schemas.context import Context
from schemas.episode import Episode, Loan
from schemas.errors import CaseError
from schemas.identity import case_order, digest, row_id
from schemas.ledger import Status
from schemas.recipe import Choice, Recipe
from schemas.spec import DatasetSpec
from schemas.staged import StagedCase
from schemas.work import Drop, Work
from schemas.yaml_file import validate

JOB_CASES = 2048
"""About so many cases are one task."""


@dataclass(frozen=True)
class EpisodeJob:
    """Some pools of one dataset; looks to the books like a partition of no cases."""

    dataset: str
    index: int
    table: str
    """Parquet of the pools' cases: pool, split, order, stage (number), offset, length."""
    folders: list[str]
    """Stages that the cases lie in."""
    stage: str
    fingerprint: str
    spec: dict[str, Any]
    recipe: dict[str, Any]
    converters: list[dict[str, Any]]
    cases: int = 0


def open_episode(choice: Choice) -> Any:
    """The registered converter with its options checked."""
    kind = plugins.load("episodes", choice.type)
    return kind(validate(kind.Options, choice.options, f"episodes {choice.type}: options"))


def plan_episodes(
    recipe: Recipe, specs: Sequence[DatasetSpec], jobs: Sequence[Job], cases: Any, space: Workspace
) -> list[EpisodeJob]:
    """Cut the kept cases of each dataset that wants episodes into pools, and those into jobs.

    Args:
        recipe: whose episodes.
        specs: in the order of its datasets.
        jobs: the partitions.
        cases: `polars.DataFrame` of ``order``, ``split`` and ``status`` of every case.
        space: where tables and stages go.
    """
    planned: list[EpisodeJob] = []
    for choice, spec in zip(recipe.datasets, specs, strict=True):
        parts = episodes_of(recipe, choice, spec)
        if parts:
            own = [job for job in jobs if job.dataset == spec.name]
            planned += _plan_dataset(recipe, spec, own, cases, space, [part.model_dump() for part in parts])
    return planned


def _plan_dataset(
    recipe: Recipe,
    spec: DatasetSpec,
    jobs: Sequence[Job],
    cases: Any,
    space: Workspace,
    converters: list[dict[str, Any]],
) -> list[EpisodeJob]:
    import polars as pl

    kept = cases.filter(pl.col("status") == "kept").select("order", "split")
    lent = [index(Path(job.stage)).with_columns(stage=pl.lit(number)) for number, job in enumerate(jobs)]
    there = pl.concat(lent).join(kept, on="order", how="inner").sort("split", "group_id", "order")
    sizes = there.group_by("split", "group_id", maintain_order=True).len().iter_rows()
    numbers = [number for number, count in _pool_numbers(sizes, recipe.episodes.pool) for _ in range(count)]
    pooled = there.with_columns(pool=pl.Series(numbers, dtype=pl.Int64)).with_columns(job=pl.col("pool").rank("dense"))
    step = max(1, JOB_CASES // recipe.episodes.pool)
    settings = digest(
        spec.model_dump_json(), json.dumps(converters), json.dumps(recipe.gates, sort_keys=True), code_version(),
        str(recipe.seed), recipe.language, *(job.fingerprint for job in jobs),
    )  # fmt: skip
    planned = []
    for number, (_, part) in enumerate(pooled.group_by((pl.col("job") - 1) // step, maintain_order=True)):
        path = space.plan / "episodes" / f"{spec.name}-{number:05d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        table = part.select("pool", "split", "order", "stage", "offset", "length")
        table.write_parquet(path)
        planned.append(EpisodeJob(
            dataset=spec.name, index=number, table=str(path), folders=[job.stage for job in jobs],
            stage=str(space.stage / f"{spec.name}-episodes-{number:05d}"),
            fingerprint=digest(settings, table.write_csv()), spec=spec.model_dump(), recipe=recipe.model_dump(),
            converters=converters,
        ))  # fmt: skip
    return planned


def _pool_numbers(groups: Iterator[tuple[str, str, int]], size: int) -> Iterator[tuple[int, int]]:
    """(pool, cases) of each group in turn: a pool ends before a group that does not fit; a larger one is cut."""
    pool, filled, before = -1, 0, None
    for split, _, count in groups:
        if split != before or filled + min(count, size) > size:
            pool, filled, before = pool + 1, 0, split
        while count > size:
            yield pool, size
            pool, count = pool + 1, count - size
        filled += count
        yield pool, count


def run_episodes(job: EpisodeJob) -> dict[str, Any]:
    """Fill the job's stage folder and return its counts, ``done.json`` being written last."""
    import polars as pl

    from quality.judge import Judge
    from quality.row_gates import open_gates
    from storage.stage import StageWriter

    folder = Path(job.stage)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    spec, recipe = DatasetSpec.model_validate(job.spec), Recipe.model_validate(job.recipe)
    identities = Identities(spec)
    context = Context(spec=spec, seed=recipe.seed, language=recipe.language, secret=identities.key)
    judge = Judge(open_gates(recipe.gates, spec.gates), context)
    converters = [open_episode(Choice.model_validate(choice)) for choice in job.converters]
    counts: Counter[str] = Counter()
    splits: dict[str, str] = {}
    with LedgerWriter(folder, spec, identities) as ledger, Lender(job.folders) as lender:
        stage = StageWriter(folder)
        for lines in pools(pl.read_parquet(job.table)):
            loans = [lender.loan(one["stage"], one["order"], one["offset"], one["length"]) for one in lines]
            for work, episode in _works(loans, converters, context):
                judge.judge(work)
                ledger.write_rows(work)
                counts["rows"] += len(work.rows) + len(work.refused) + len(work.lost)
                if work.rows and episode is not None:
                    unit = _unit(work, episode, loans, spec, identities)
                    splits[unit.order] = lines[0]["split"]
                    stage.add(in_stages(unit, recipe.curriculum))
        stage.finish()
    table = pl.DataFrame(list(splits.items()), schema={"order": pl.String, "split": pl.String}, orient="row")
    table.write_parquet(folder / "splits.parquet")
    told = {"rows": 0, **counts, "gates": {name: cost.to_json() for name, cost in judge.costs.items()}}
    write_json(folder / "done.json", {"fingerprint": job.fingerprint, "counts": told})
    return told


def _works(loans: Sequence[Loan], converters: Sequence[Any], context: Context) -> Iterator[tuple[Work, Episode | None]]:
    """One `Work` for each row that the converters make of a pool; without an episode where a converter gave up."""
    cases = [loan.lent() for loan in loans]
    for converter in converters:
        try:
            for episode in converter.convert_many(cases, context):
                yield _work(episode, loans), episode
        except CaseError as error:
            yield _failed(loans[0], converter, Status(error.status), error.code, error.detail), None
        except Exception as error:  # noqa: BLE001 - a converter of another package may raise anything; one pool pays for it
            detail = unexpected(loans[0].case.key, error)
            yield _failed(loans[0], converter, Status.FAILED, "unexpected_error", detail), None


def _work(episode: Episode, loans: Sequence[Loan]) -> Work:
    """The row on its way to the gates, with the pictures it borrows."""
    owner = loans[episode.owner].case
    pictures = {}
    for ref, number in zip(episode.row.images, episode.lenders, strict=True):
        lent = dict(loans[number].pictures)
        if ref not in lent:
            raise ValueError("an episode shows a picture that its case does not lend")
        pictures[ref] = lent[ref]
    return Work(case_id=owner.key, case=owner, rows=[episode.row], pictures=pictures)


def _failed(first: Loan, converter: Any, status: Status, reason: str, detail: str) -> Work:
    """What a converter that gave up on a pool leaves: a line for the ledger under the pool's first case."""
    row = row_id(first.case.dataset, first.case.identity, converter.name, "pool")
    return Work(case_id=first.case.key, case=first.case, lost=[(row, Drop(status, "convert", reason, detail))])


def _unit(work: Work, episode: Episode, loans: Sequence[Loan], spec: DatasetSpec, identities: Identities) -> StagedCase:
    """The row as a unit of its own for storage: it stands in the order of its own hash and holds its pictures."""
    unit = staged(work, spec, identities)
    unit.order = case_order(spec.name, work.rows[0].id)
    ids = [identities.case_id(loan.case.key) for loan in loans]
    [row] = unit.rows
    lenders = dict.fromkeys((episode.owner, *episode.lenders))
    row["license"] = " AND ".join(dict.fromkeys(loans[number].case.license or spec.license for number in lenders))
    shown = [f"images[{place}]={ids[number]}" for place, number in enumerate(episode.lenders)]
    facts = [_named(fact, ids) for fact in row["provenance"]["facts"]]
    row["provenance"] = {**row["provenance"], "facts": list(dict.fromkeys([*facts, *shown]))}
    return unit


def _named(fact: str, ids: Sequence[str]) -> str:
    """``3:labels[0]`` with the published id of case 3 for its number; a montage's layout names no case."""
    number, _, rest = fact.partition(":")
    return f"{ids[int(number)]}:{rest}" if number.isdecimal() else fact
