"""Decisions about refused rows on their way through a run: checked, handed to the workers, and reported on."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from flows.workspace import Workspace, read_json, write_json
from quality.verdict import ReleaseFinding
from schemas.decisions import Decision, load_decisions
from schemas.findings import Severity
from schemas.recipe import Recipe

GATE = "decisions"
NAMED = 5
"""Decisions without effect that a finding names."""


def freeze(recipe: Recipe, space: Workspace) -> str:
    """Write the recipe's decisions as the workers read them; the path, or nothing where there are none."""
    path = space.folder / "decisions.json"
    found = [one.model_dump(mode="json") for one in load_decisions(recipe.decisions)]
    if read_json(path) != found:
        write_json(path, found)
    return str(path) if found else ""


def thaw(path: str) -> list[Decision]:
    """What `freeze` wrote."""
    return [Decision.model_validate(one) for one in read_json(Path(path)) or []] if path else []


def findings(decisions: Sequence[Decision], counts: Iterable[Mapping[str, Any]]) -> list[ReleaseFinding]:
    """One finding on decisions that matched nothing, and one on rows that read otherwise than when it was decided.

    Args:
        decisions: as they were handed to the workers.
        counts: of all partitions.
    """
    honoured, outdated = _numbers(counts, "honoured"), _numbers(counts, "outdated")
    changed = [one for number, one in enumerate(decisions) if number in outdated - honoured]
    idle = [one for number, one in enumerate(decisions) if number not in honoured | outdated]
    total = len(decisions)
    sentences = [
        (changed, f"{len(changed)} of {total} decisions are about rows that read otherwise now; decide again about "),
        (idle, f"{len(idle)} of {total} decisions match nothing that is refused any more; take out those about "),
    ]
    return [
        ReleaseFinding(GATE, Severity.FLAG, text + _named(several), next(iter({one.dataset for one in several}), ""))
        for several, text in sentences
        if several
    ]


def publish(decisions: Sequence[Decision], counts: Iterable[Mapping[str, Any]], folder: Path) -> None:
    """Write ``quality/decisions.json``: what persons decided about rows of this release, and why; not their words."""
    honoured = _numbers(counts, "honoured")
    told = [
        one.model_dump(mode="json", exclude={"fix", "seen"}) | {"new": one.fix.changes() if one.fix else []}
        for number, one in enumerate(decisions)
        if number in honoured
    ]
    if told:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False)
        (folder / "decisions.json").write_text(text + "\n", "utf-8")


def _numbers(counts: Iterable[Mapping[str, Any]], what: str) -> set[int]:
    return {number for one in counts for number in one.get("decisions", {}).get(what, ())}


def _named(several: Sequence[Decision]) -> str:
    named = ", ".join(one.about() for one in several[:NAMED])
    return named + (f" and {len(several) - NAMED} others" if len(several) > NAMED else "")
