"""The Prefect flow: plan, partitions, resolve, shards, gates, publish.

Tasks are whole partitions and shards, run by threads; their bodies go to one pool of processes (`flows.pool`).
What is finished is known from marker files in the workspace, not from Prefect's result cache, which would call a
partition done although its files are gone.
"""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from flows import prefect_settings

prefect_settings.apply()

from prefect import flow, get_run_logger, task  # noqa: E402 - settings first
from prefect.artifacts import create_markdown_artifact, create_table_artifact  # noqa: E402
from prefect.cache_policies import NO_CACHE  # noqa: E402
from prefect.futures import PrefectFuture, as_completed  # noqa: E402
from prefect.task_runners import ThreadPoolTaskRunner  # noqa: E402

from flows import accounting, decided, gate_costs, left_out, mixing, preflight, release_files  # noqa: E402
from flows.episodes import EpisodeJob, plan_episodes, run_episodes  # noqa: E402
from flows.people import FILE  # noqa: E402
from flows.plan import Job, answers_of, plan_dataset  # noqa: E402
from flows.pool import Workers  # noqa: E402
from flows.progress import tell  # noqa: E402
from flows.worker import finished  # noqa: E402
from flows.workspace import Workspace, read_json, write_json  # noqa: E402
from schemas.errors import UserError  # noqa: E402
from schemas.identity import digest  # noqa: E402
from schemas.manifest import Manifest, ReleaseFile  # noqa: E402
from schemas.recipe import DatasetChoice, Recipe  # noqa: E402
from schemas.spec import DatasetSpec  # noqa: E402


@dataclass(frozen=True)
class Run:
    """What all tasks of one run share; never sent to the server."""

    recipe: Recipe
    specs: list[DatasetSpec]
    space: Workspace
    workers: Workers

    @cached_property
    def benchmarks(self) -> dict[str, Path]:
        """Tables of the pictures of the recipe's benchmarks."""
        from flows.benchmarks import benchmark_tables

        return benchmark_tables(self.recipe, self.space, self.workers)


@task(name="plan", task_run_name="plan-{name}", cache_policy=NO_CACHE, persist_result=False)
def plan_task(name: str, run: Run, choice: DatasetChoice, spec: DatasetSpec, decisions: str) -> list[Job]:
    """List one dataset into partitions."""
    return plan_dataset(run.recipe, choice, spec, run.space, decisions)


@task(name="partition", task_run_name="partition-{name}", cache_policy=NO_CACHE, persist_result=False)
def partition_task(name: str, run: Run, job: Job) -> dict[str, Any]:
    """Read, convert, render, ask, gate and stage one partition, unless an earlier try has."""
    return finished(job) or run.workers.partition(job)


@task(name="resolve", cache_policy=NO_CACHE, persist_result=False)
def resolve_task(run: Run, jobs: list[Job]) -> Any:
    """Decide split, duplicates, leaks and limits of every case over all partitions."""
    return mixing.settle_cases(run.recipe, run.specs, [Path(job.stage) for job in jobs], run.benchmarks)


@task(name="episodes", task_run_name="episodes-{name}", cache_policy=NO_CACHE, persist_result=False)
def episodes_task(name: str, run: Run, job: EpisodeJob) -> dict[str, Any]:
    """Build the rows over several cases of some pools, unless an earlier try has."""
    done: dict[str, Any] = finished(job) or run.workers.submit(run_episodes, job).result()
    return done


@task(name="mixture", cache_policy=NO_CACHE, persist_result=False)
def mixture_task(run: Run, jobs: list[Job], more: list[EpisodeJob], settled: Any) -> list[Any]:
    """Decide which rows the release takes; returns the findings on what it holds."""
    stages, lent = [Path(job.stage) for job in jobs], [Path(job.stage) for job in more]
    units = mixing.units(settled, lent)
    return mixing.finish(run.recipe, run.specs, settled, [*stages, *lent], units, run.benchmarks, run.space)


@task(name="pack", task_run_name="pack-{name}", cache_policy=NO_CACHE, persist_result=False)
def pack_task(name: str, run: Run, plan: Any, stages: list[str], decided: str) -> list[ReleaseFile]:
    """Write one shard in every format, unless an earlier try has."""
    from storage.pack import pack_shard

    formats = list(run.recipe.output.formats)
    wanted = digest(decided, json.dumps(plan.to_json(), sort_keys=True), *formats)
    marker = run.space.markers / f"{name}.json"
    done = read_json(marker)
    if done and done["fingerprint"] == wanted:
        files = [ReleaseFile.model_validate(file) for file in done["files"]]
        if all((run.space.release / file.path).is_file() for file in files):
            return files
    folders = [Path(stage) for stage in stages]
    dropped = run.space.dropped if run.space.dropped.exists() else None
    where = (run.space.decisions, run.space.release, formats, dropped)
    files = run.workers.submit(pack_shard, plan, folders, *where).result()
    write_json(marker, {"fingerprint": wanted, "files": [file.model_dump() for file in files]})
    return list(files)


@task(name="gates", cache_policy=NO_CACHE, persist_result=False)
def gates_task(run: Run, files: list[ReleaseFile], findings: list[Any], gone: dict[str, dict[str, int]]) -> list[Any]:
    """Hold the shards against the release gates (great-expectations and others); returns verdicts."""
    from flows.benchmarks import question_tables
    from quality.release import check_release

    asked = question_tables(run.recipe, run.space)
    shards = [run.space.release / file.path for file in files if file.path.startswith("data/")]
    return list(check_release(shards, findings, run.recipe, run.specs, run.space.release / "quality", asked, gone))


@task(name="publish", cache_policy=NO_CACHE, persist_result=False)
def publish_task(run: Run, manifest: Manifest) -> str:
    """Copy the finished folder to the store, the manifest last."""
    from storage.release import publish

    return str(publish(run.space.release, run.recipe.store, manifest))


@flow(name="medcurate", flow_run_name="{recipe}", persist_result=False, log_prints=False)
def release_flow(recipe: str, workers: int = 0, store: str = "", keep_work: bool = False) -> dict[str, Any]:
    """Make one release.

    Args:
        recipe: path of the recipe.
        workers: processes for pixel work; 0 for one per core.
        store: instead of the recipe's.
        keep_work: leave the workspace in place after publishing.

    Returns:
        ``release`` (its address), ``totals`` (kind -> dataset -> status -> count), ``verdicts``, ``model``,
        ``gates`` (what each row gate cost and found).

    Raises:
        UserError: the recipe or a spec is wrong; nothing was started.
        ReleaseError: a gate or the ledger refused; nothing was published.
    """
    chosen, specs = preflight.load(Path(recipe), store)
    space = Workspace.of(chosen)
    with space.locked():
        pool = Workers(workers or os.cpu_count() or 1, space.folder / "workers.log")
        try:
            result = _make(Run(chosen, specs, space, pool))
        finally:
            pool.close()
    if not keep_work:
        shutil.rmtree(space.folder, ignore_errors=True)
    return result


def _make(run: Run) -> dict[str, Any]:
    jobs = _plan(run)
    counts = _partitions(run, jobs)
    decisions = decided.thaw(jobs[0].decisions)
    settled: Any = resolve_task(run, jobs)
    more = plan_episodes(run.recipe, run.specs, jobs, settled.cases, run.space)
    counts += _episodes(run, more)
    findings = mixture_task(run, jobs, more, settled) + decided.findings(decisions, counts)
    books: list[Job | EpisodeJob] = [*jobs, *more]
    files = _pack(run, books)
    run.space.release.mkdir(parents=True, exist_ok=True)
    totals = accounting.write_ledger(books, run.space.decisions, run.space.release, run.space.dropped)
    accounting.write_quarantine(books, run.space.release)
    _show_totals(totals)
    accounting.check_balance(books, counts, totals, files, accounting.copies_in(run.space.decisions))
    tell("gates", 0, 1, "release")
    costs = gate_costs.publish(counts, run.space)
    decided.publish(decisions, counts, run.space.release / "quality")
    findings += _balance(run, jobs)
    verdicts = gates_task(run, files, findings, left_out.by_dataset(jobs, counts))
    tell("gates", 1, 1, "release")
    _show_verdicts(verdicts)
    release_files.refuse_if(verdicts)
    manifest = release_files.write_all(run.recipe, run.specs, run.space.release, files, totals, verdicts)
    tell("publish", 0, 1, "release")
    address = publish_task(run, manifest)
    tell("publish", 1, 1, "release")
    _show_release(address, manifest)
    said = [verdict.to_json() for verdict in verdicts]
    return {"release": address, "totals": totals, "verdicts": said, "model": _spent(run), "gates": costs}


def _balance(run: Run, jobs: Sequence[Job]) -> list[Any]:
    """Count whom the kept cases are about; returns findings."""
    from quality.balance import balance
    from quality.release_options import BalanceOptions, release_options

    options = release_options(BalanceOptions, run.recipe.gates)
    people = [Path(job.stage) / FILE for job in jobs]
    return balance(people, run.space.decisions, options, run.space.release / "quality") if options.enabled else []


def _spent(run: Run) -> dict[str, Any]:
    """Requests, tokens, retries and cost of the model over all tries at this release; empty without a model."""
    if run.recipe.synthesis is None:
        return {}
    from synthesis.accounting import bill
    from synthesis.pipeline import judges_prices

    asked = run.recipe.synthesis
    return bill(answers_of(run.recipe, run.space), asked.engine.price, judges_prices(asked.checks))


def _plan(run: Run) -> list[Job]:
    names = [spec.name for spec in run.specs]
    tell("plan", 0, len(names), "datasets")
    jobs: list[Job] = []
    decisions = decided.freeze(run.recipe, run.space)
    for index, (choice, spec) in enumerate(zip(run.recipe.datasets, run.specs, strict=True)):
        jobs += plan_task(spec.name, run, choice, spec, decisions)
        tell("plan", index + 1, len(names), "datasets")
    if not jobs:
        raise UserError("the recipe's datasets hold no case; check the roots and reader options in their specs")
    return jobs


def _partitions(run: Run, jobs: Sequence[Job]) -> list[dict[str, Any]]:
    total, done = sum(job.cases for job in jobs), 0
    tell("cases", 0, total)
    futures = {partition_task.submit(f"{job.dataset}-{job.index:05d}", run, job): job for job in jobs}
    for future in as_completed(list(futures)):
        future.result()
        done += futures[future].cases
        tell("cases", done, total)
    return [future.result() for future in futures]


def _episodes(run: Run, jobs: Sequence[EpisodeJob]) -> list[dict[str, Any]]:
    if jobs:
        tell("episodes", 0, len(jobs), "parts")
    futures = [episodes_task.submit(f"{job.dataset}-{job.index:05d}", run, job) for job in jobs]
    for done, future in enumerate(as_completed(list(futures))):
        future.result()
        tell("episodes", done + 1, len(jobs), "parts")
    return [future.result() for future in futures]


def _pack(run: Run, jobs: Sequence[Job | EpisodeJob]) -> list[ReleaseFile]:
    from storage.plan import plan_shards

    plans = plan_shards(run.space.decisions, run.recipe.output.shard_rows, run.recipe.output.shard_bytes)
    by = digest(*(job.fingerprint for job in jobs), *run.space.decided())
    release_files.remove_strangers(run.space.release, plans)
    tell("shards", 0, len(plans), "shards")
    stages = [job.stage for job in jobs]
    futures: list[PrefectFuture[list[ReleaseFile]]] = [
        pack_task.submit(plan.name, run, plan, stages, by) for plan in plans
    ]
    for done, future in enumerate(as_completed(futures)):
        future.result()
        tell("shards", done + 1, len(plans), "shards")
    return sorted((file for future in futures for file in future.result()), key=lambda file: file.path)


def _show_totals(totals: accounting.Totals) -> None:
    table = [
        {"dataset": name, "kind": kind, **{status: found.get(status, 0) for status in release_files.STATUSES}}
        for kind, sets in totals.items()
        for name, found in sets.items()
    ]
    create_table_artifact(table, key="ledger", description="What became of every case and row")


def _show_verdicts(verdicts: Sequence[Any]) -> None:
    logger = get_run_logger()
    for verdict in verdicts:
        if not verdict.passed:
            logger.warning("gate %s: %s", verdict.gate, verdict.detail)


def _show_release(address: str, manifest: Manifest) -> None:
    lines = [f"# {manifest.name} {manifest.version}", "", f"Published at `{address}`.", ""]
    lines += [f"- `{file.path}`: {file.rows} rows, {file.bytes} bytes" for file in manifest.files if file.rows]
    create_markdown_artifact("\n".join(lines), key="release", description="The published release")


def make_runner(workers: int) -> Any:
    """The flow with as many threads as there are worker processes."""
    runner: ThreadPoolTaskRunner[Any] = ThreadPoolTaskRunner(max_workers=workers or os.cpu_count() or 1)
    return release_flow.with_options(task_runner=runner)  # type: ignore[arg-type]  # Prefect's stubs are invariant here
