"""The gates of a whole release: nothing is published unless every one passes or is waived with a written reason."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from quality import answers, benchmark_questions, drift, shortcut, text_duplicates
from quality.metadata import PLAIN, batches
from quality.privacy_audit import audit
from quality.profile import profile
from quality.release_options import (
    RELEASE_GATES,
    AnswersOptions,
    BenchmarkQuestionsOptions,
    DriftOptions,
    ExpectationsOptions,
    ShortcutOptions,
    SplitLeakOptions,
    TextDuplicatesOptions,
    release_options,
)
from quality.verdict import GateVerdict, ReleaseFinding, judge, passed
from schemas.errors import UserError, nearest
from schemas.findings import Severity
from schemas.instruction import arrow_schema
from schemas.recipe import Recipe
from schemas.spec import DatasetSpec
from schemas.yaml_file import validate

AUDIT = "privacy.json"
REPORT = "great_expectations.json"
LEDGER = "ledger.parquet"


def check_release(
    shards: Sequence[str | Path],
    findings: Iterable[ReleaseFinding],
    recipe: Recipe,
    specs: Sequence[DatasetSpec],
    folder: Path,
    benchmarks: Mapping[str, Path] | None = None,
    left_out: Mapping[str, Mapping[str, int]] | None = None,
) -> list[GateVerdict]:
    """Hold finished shards against every release gate.

    Args:
        shards: local Parquet shards.
        findings: of `quality.resolve.resolve`, to be judged together with those found here.
        recipe: thresholds (``recipe.gates``) and waivers.
        specs: in the order of ``recipe.datasets``.
        folder: where ``great_expectations.json`` and ``data_docs`` (every expectation with its counts, no values) and
            ``profile.json`` (make-up, shortcut probe, distance to the parent) are written, and ``privacy.json`` (what
            could have named somebody and what was done, from the shards and the ledger beside the folder), and
            ``<gate>.json`` for findings that can name rows or cases.
        benchmarks: by name, a Parquet with the ``question`` column of a benchmark of the recipe.
        left_out: by dataset, what was left out of headers and containers, and of how many pictures and volumes.

    Returns:
        Verdicts; the release is refused where one is neither passed nor waived.

    Raises:
        UserError: an unknown gate option or expectation in the recipe; a parent without a profile.
    """
    own = [
        *findings,
        *_schema(shards),
        *_rows(shards, folder.parent / LEDGER),
        *_groups(shards, recipe, list(findings)),
    ]
    own += _expectations(shards, recipe, specs, folder)
    own += _profile(shards, recipe, folder)
    asked = release_options(BenchmarkQuestionsOptions, recipe.gates)
    own += benchmark_questions.findings(shards, benchmarks or {}, asked) if asked.enabled else []
    alike = release_options(TextDuplicatesOptions, recipe.gates)
    own += text_duplicates.findings(shards, alike) if alike.enabled else []
    even = release_options(AnswersOptions, recipe.gates)
    own += answers.findings(shards, even) if even.enabled else []
    _evidence(own, folder)
    _write(folder / AUDIT, audit(shards, folder.parent / LEDGER, recipe, specs, left_out))
    always = ["schema", "identity", "split_leak", "expectations"]
    clean = [gate for gate in always + ["benchmark_leak"] * bool(recipe.benchmarks) if _is_clean(gate, own)]
    return [*judge(own, recipe.waivers), *(passed(gate, CLEAN[gate]) for gate in clean)]


def check_recipe(recipe: Recipe) -> None:
    """Raise `UserError` before work starts where options of release gates, or the parent, could not work later."""
    for name, kind in RELEASE_GATES.items():
        validate(kind, dict(recipe.gates.get(name, {})), f"gates.{name}")
    known = {*RELEASE_GATES, *CLEAN, *UNNAMED}
    for waiver in recipe.waivers:
        if waiver.gate not in known:
            raise UserError(f"there is no gate {waiver.gate!r} of releases to waive{nearest(waiver.gate, known)}")
    if release_options(DriftOptions, recipe.gates).enabled:
        drift.parent_profile(recipe)


UNNAMED = ("rows", "mixture", "decisions", "repeated_pictures", "split_missing")
"""What findings may also be called, though no gate of that name takes options."""

CLEAN = {
    "schema": "every shard has the published schema",
    "identity": "every id stands once",
    "split_leak": "no group and no picture is in two splits",
    "benchmark_leak": "no case shows a picture of a benchmark, or one that looks like it",
    "expectations": "every row meets every expectation",
}


def _is_clean(gate: str, findings: Iterable[ReleaseFinding]) -> bool:
    return all(found.gate != gate for found in findings)


def _schema(shards: Iterable[str | Path]) -> list[ReleaseFinding]:
    import pyarrow.parquet as pq

    wanted = arrow_schema()
    odd = [Path(shard).name for shard in shards if not pq.read_schema(shard).equals(wanted)]
    text = f"{len(odd)} shards have not the published schema, {', '.join(odd[:3])} among them"
    return [ReleaseFinding("schema", Severity.REFUSE_RELEASE, text)] if odd else []


def _rows(shards: Sequence[str | Path], ledger: Path) -> list[ReleaseFinding]:
    """A release without rows, or with an id that stands twice."""
    import polars as pl

    if not shards:
        return [_empty(ledger)]
    ids = pl.scan_parquet([str(shard) for shard in shards]).select(rows=pl.len(), ids=pl.col("id").n_unique()).collect()
    rows, distinct = ids.row(0)
    if not rows:
        return [_empty(ledger)]
    text = f"{rows - distinct} rows have an id that another row has too"
    return [ReleaseFinding("identity", Severity.REFUSE_RELEASE, text)] if rows != distinct else []


def _empty(ledger: Path) -> ReleaseFinding:
    """Why there is no row: what most cases ended of."""
    import polars as pl

    text = "the release has no row"
    if ledger.exists():
        lost = pl.scan_parquet(ledger).filter((pl.col("kind") == "case") & (pl.col("reason") != ""))
        counted = lost.group_by("status", "reason").agg(pl.len(), pl.col("detail").min())
        for status, reason, cases, detail in (
            counted.sort("len", "reason", descending=True).head(1).collect().iter_rows()
        ):
            text += f"; {cases} cases {status} as {reason}, for example {detail!r}; all reasons are in {ledger}"
    return ReleaseFinding("rows", Severity.REFUSE_RELEASE, text)


def _groups(shards: Sequence[str | Path], recipe: Recipe, findings: Sequence[ReleaseFinding]) -> list[ReleaseFinding]:
    """What was really written: a group in two splits that `resolve` did not announce."""
    import polars as pl

    if not shards or not release_options(SplitLeakOptions, recipe.gates).enabled:
        return []
    table = (
        pl.scan_parquet([str(shard) for shard in shards]).group_by("dataset", "group_id")
        .agg(splits=pl.col("split").n_unique()).group_by("dataset")
        .agg(total=pl.len(), several=(pl.col("splits") > 1).sum()).sort("dataset").collect()
    )  # fmt: skip
    known = {found.dataset for found in findings if found.gate == "split_leak"}
    return [
        ReleaseFinding(
            "split_leak", Severity.REFUSE_RELEASE, f"{name}: {several} of {total} groups are in two splits", name
        )
        for name, total, several in table.iter_rows()
        if several and name not in known
    ]


def _expectations(
    shards: Sequence[str | Path], recipe: Recipe, specs: Sequence[DatasetSpec], folder: Path
) -> list[ReleaseFinding]:
    options = release_options(ExpectationsOptions, recipe.gates)
    if not options.enabled or not shards:
        return []
    from quality.data_docs import write_docs
    from quality.expectations import Suites, row_rules

    suites = Suites(row_rules(recipe, specs), [one.model_dump() for one in options.extra])
    rows = 0
    for frame in batches(shards, options.batch_rows):
        rows += frame.height
        suites.check(frame)
    tallies = suites.tallies()
    failed = [one for one in tallies if not one.success]
    _write(folder / REPORT, {"rows": rows, "success": not failed, "columns": list(PLAIN)} | _details(tallies))
    write_docs(tallies, rows, folder)
    return [
        ReleaseFinding(
            "expectations", Severity.REFUSE_RELEASE,
            f"{one.suite}: {one.type} on {_subject(one.kwargs)} is not met by {one.unexpected} of {one.rows} rows",
        )
        for one in failed
    ]  # fmt: skip


def _profile(shards: Sequence[str | Path], recipe: Recipe, folder: Path) -> list[ReleaseFinding]:
    """Writes ``profile.json``: make-up, shortcut probe and distance to the parent."""
    made = profile(shards)
    probes = shortcut.probe(shards)
    guessing = release_options(ShortcutOptions, recipe.gates)
    moving = release_options(DriftOptions, recipe.gates)
    before = drift.parent_profile(recipe) if moving.enabled else None
    content = {**made, "shortcut": [one.to_json() for one in probes]}
    found = shortcut.findings(probes, guessing) if guessing.enabled else []
    if before is not None:
        content["drift"] = {"parent": recipe.parent, "distances": drift.distances(made, before)}
        found += drift.findings(made, before, recipe.parent, moving)
    _write(folder / drift.PROFILE, content)
    return found


def _evidence(found: Sequence[ReleaseFinding], folder: Path) -> None:
    """Writes ``<gate>.json`` for every gate that can point at rows or cases."""
    for gate in sorted({one.gate for one in found if one.evidence}):
        told = [
            {"detail": one.detail, "dataset": one.dataset, "found": list(one.evidence)}
            for one in found
            if one.gate == gate and one.evidence
        ]
        _write(folder / f"{gate}.json", {"findings": told})


def _details(tallies: Iterable[Any]) -> dict[str, Any]:
    return {"expectations": [one.to_json() for one in tallies]}


def _subject(kwargs: dict[str, Any]) -> str:
    return str(kwargs.get("column") or kwargs.get("column_A") or "the table")


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
