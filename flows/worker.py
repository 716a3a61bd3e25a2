"""The body of a partition, run in a pool process that imports no Prefect, great-expectations or datasets."""

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.curriculum import in_stages
from flows.decided import thaw
from flows.ledger_file import LedgerWriter
from flows.left_out import left_out
from flows.lending import LoanWriter
from flows.making import making
from flows.people import PeopleWriter
from flows.plan import Job, read_items
from flows.rows import Identities, staged
from flows.steps import Step, close_cases, read, run_steps
from flows.workspace import read_json, write_json
from readers.base import Item, Refusal
from schemas.context import Context
from schemas.recipe import Choice, Recipe
from schemas.spec import DatasetSpec
from schemas.work import Work

if TYPE_CHECKING:
    from flows.episodes import EpisodeJob
    from quality.decided import Decided
    from quality.judge import Judge


def finished(job: "Job | EpisodeJob") -> dict[str, Any] | None:
    """The counts of an earlier try at the very same work, or ``None``."""
    done = read_json(Path(job.stage) / "done.json")
    return done["counts"] if done and done["fingerprint"] == job.fingerprint else None


def run_partition(job: Job) -> dict[str, Any]:
    """Fill the job's stage folder and return the counts, ``done.json`` being written last.

    Returns:
        ``cases``, ``rows``, ``gates`` (see `quality.costs`), ``decisions`` (see `quality.decided`) and ``left_out``
        (see `flows.left_out`).
    """
    from quality.decided import Decided
    from quality.judge import Judge
    from quality.row_gates import open_gates
    from storage.stage import StageWriter

    folder = Path(job.stage)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    spec, recipe = DatasetSpec.model_validate(job.spec), Recipe.model_validate(job.recipe)
    identities = Identities(spec)
    decided = Decided(thaw(job.decisions), spec.name, identities.case_id)
    context = Context(spec=spec, seed=recipe.seed, language=recipe.language, secret=identities.key)
    judge = Judge(open_gates(recipe.gates, spec.gates), context, decided)
    counts: Counter[str] = Counter()
    gone: Counter[str] = Counter()
    with LedgerWriter(folder, spec, identities) as ledger, LoanWriter(folder, job.lend) as loans:
        stage, people = StageWriter(folder), PeopleWriter(folder)
        for work in run_steps(iter(()), partition_steps(job, recipe, judge, decided, identities)):
            ledger.write(work)
            counts["cases"] += 1
            counts["rows"] += len(work.rows) + len(work.refused) + len(work.lost)
            if work.dropped is None:
                case = in_stages(staged(work, spec, identities), recipe.curriculum)
                stage.add(case)
                people.add(work, case)
                gone += left_out(work, case)
                loans.add(work, case)
        stage.finish()
        people.finish()
    (folder / "current").unlink()
    costs = {name: cost.to_json() for name, cost in judge.costs.items()}
    told = {**counts, "gates": costs, "decisions": decided.to_json(), "left_out": gone}
    write_json(folder / "done.json", {"fingerprint": job.fingerprint, "counts": told})
    return told


def partition_steps(job: Job, recipe: Recipe, judge: "Judge", decided: "Decided", identities: Identities) -> list[Step]:
    """The plain list of steps that every case of the partition takes."""
    from quality.row_gates import judging, open_gates
    from readers.base import open_reader
    from readers.source import Source

    context = judge.context
    spec = context.spec
    source = Source.open(spec.root)
    gates = open_gates(recipe.gates, spec.gates)
    reader = open_reader(spec, source=source)
    converters = list(map(Choice.model_validate, job.converters))
    steps: list[Step] = [
        lambda _: read(_watched(job), reader),
        decided.admit,
        *making(recipe, converters, gates, source, context, identities, costs=judge.costs),
    ]
    if recipe.synthesis is not None:
        steps.append(_synthesis_step(recipe, job.answers, context))

    def gate(works: Iterator[Work]) -> Iterator[Work]:
        return judging(works, judge)

    return [*steps, gate, close_cases, decided.close]


def _watched(job: Job) -> Iterator[Item | Refusal]:
    """The job's items; the key being worked on stands in a file, so that a crash of this process names its cause."""
    skip = set(job.crashed)
    with Path(job.stage, "current").open("wb", buffering=0) as current:
        for item in read_items(Path(job.items)):
            if job.only and item.key != job.only:
                continue
            if item.key in skip:
                detail = (
                    f"{item.key}: decoding it killed the worker process; the file is hostile or the codec has a fault"
                )
                yield Refusal(item.key, "crashed_decoder", detail)
                continue
            current.seek(0)
            current.write(item.key.encode() + b"\n")
            yield item


def crashed_on(job: Job) -> str:
    """Key of the case that was being worked on when the process died, or an empty string."""
    path = Path(job.stage, "current")
    return path.read_bytes().split(b"\n", 1)[0].decode() if path.exists() else ""


def _synthesis_step(recipe: Recipe, answers: str, context: Context) -> Step:
    from synthesis.pipeline import open_tasks, shared_engine, synthesise

    assert recipe.synthesis is not None
    tasks = open_tasks(recipe.synthesis.tasks)
    engine = shared_engine(recipe.synthesis.engine, answers)
    checks = recipe.synthesis.checks
    return lambda works: synthesise(works, tasks, engine, context, checks)
