"""Runs a converter over fixture cases and gathers every breach of the contract."""

import random
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from converters.contract.checks import Problem, check_row
from converters.contract.fixtures import Fixture, load_fixtures, sample_fixtures
from converters.contract.fresh import same_in_fresh_processes
from converters.contract.golden import compare_golden
from schemas.case import Case
from schemas.context import Context
from schemas.errors import CaseError, UserError
from schemas.instruction import Instruction
from schemas.plugins import load
from schemas.settled import settle


def find_converter(entry: str) -> Any:
    """The converter class for a registered name, or for ``module:Class``.

    Raises:
        UserError: there is none, or the module cannot be imported.
    """
    if ":" not in entry:
        return load("converters", entry)
    module, _, name = entry.partition(":")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise UserError(f"{entry} cannot be loaded: {error}; is the package installed here?") from None


def check_entry(
    entry: str, fixtures: Path | None = None, golden: Path | None = None, *, update: bool = False
) -> list[Problem]:
    """All checks of one converter by its name: the rows, other processes, and the golden file where one is named.

    Args:
        entry: registered name, or ``module:Class``.
        fixtures: folder of fixtures; the package's own cases where ``None``.
        golden: file of the rows that were right.
        update: write the golden file anew instead of comparing.

    Raises:
        UserError: no such converter, or the fixtures cannot be read.
    """
    kind = find_converter(entry)
    cases = list(sample_fixtures()) if fixtures is None else load_fixtures(fixtures)
    problems = check_converter(kind, cases) or same_in_fresh_processes(entry, fixtures)
    if golden is not None and not problems:
        problems = compare_golden(kind, cases, golden, update=update)
    return problems


def check_converter(kind: Any, fixtures: Sequence[Fixture], options: dict[str, Any] | None = None) -> list[Problem]:
    """Every breach by a converter class on the fixtures' cases; none where it holds the contract.

    Args:
        kind: class with ``name``, ``Options`` and ``convert`` (`converters.base.Converter`).
        fixtures: specs with their cases.
        options: of the converter.
    """
    missing = [part for part in ("name", "Options", "convert") if not hasattr(kind, part)]
    if missing:
        return [Problem("schema", f"the class lacks {', '.join(missing)}; see converters.base.Converter")]
    found: list[Problem] = []
    total = 0
    for fixture in fixtures:
        context = Context(fixture.spec)
        for case in map(settle, fixture.cases):
            rows, error = _rows(kind, options or {}, case, context)
            if error is not None:
                found.append(error)
                continue
            total += len(rows)
            found += _repeated(rows)
            found += [problem for row in rows for problem in check_row(row, case, context, kind.name)]
            fickle = _deterministic(kind, options or {}, case, context, rows)
            found += fickle or _without_key(kind, options or {}, case, context)
    if not total and not found:
        found.append(
            Problem("schema", f"{kind.name} made no row of any of the fixtures' cases; add one that it asks about")
        )
    return found


def _rows(kind: Any, options: dict[str, Any], case: Case, context: Context) -> tuple[list[Instruction], Problem | None]:
    try:
        return list(kind(kind.Options(**options)).convert(case, context)), None
    except CaseError:
        return [], None
    except Exception as error:  # noqa: BLE001 - a converter of another package may raise anything, and that is the finding
        return [], Problem("schema", f"case {case.key}: the converter raises {type(error).__name__}: {error}")


def _repeated(rows: list[Instruction]) -> list[Problem]:
    ids = [row.id for row in rows if isinstance(row, Instruction)]
    if len(set(ids)) == len(ids):
        return []
    return [Problem("schema", "two rows of one case have the same id; put what they ask about into row_id's variant")]


def _deterministic(
    kind: Any, options: dict[str, Any], case: Case, context: Context, rows: list[Instruction]
) -> list[Problem]:
    """A second instance, after other random draws, must give the same rows; other seeds must keep the ids."""
    state = random.getstate()
    random.seed(rows[0].id if rows and isinstance(rows[0], Instruction) else 0)
    again, error = _rows(kind, options, case, context)
    random.setstate(state)
    if error is None and again == rows:
        return []
    return [
        Problem(
            "determinism",
            f"case {case.key}: the same case gives other rows the second time; draw choices with "
            "schemas.identity.generator or fraction, and keep nothing between cases",
        )
    ]


def _without_key(kind: Any, options: dict[str, Any], case: Case, context: Context) -> list[Problem]:
    """A case whose key is hidden must give the same rows whatever its key is."""
    one, other = (_rows(kind, options, replace(case, key=key, alias="alias"), context)[0] for key in "ab")
    if one == other:
        return []
    return [
        Problem(
            "key",
            f"case {case.key}: rows depend on the case's key although it is hidden; make ids and draw choices from "
            "case.identity, since a digest of a key names it to whoever guesses it",
        )
    ]
