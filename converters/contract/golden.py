"""Golden files: the rows that a converter made when someone last looked at them, one JSON a line."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from converters.contract.checks import Problem
from converters.contract.fixtures import Fixture
from schemas.context import Context
from schemas.instruction import Instruction


def row_to_json(row: Instruction) -> str:
    """One line, keys sorted, so that files can be compared by eye and by tools."""
    return json.dumps(asdict(row), ensure_ascii=False, sort_keys=True)


def compare_golden(
    kind: Any, fixtures: Sequence[Fixture], golden: Path, *, update: bool = False, options: dict[str, Any] | None = None
) -> list[Problem]:
    """What differs from the golden file; with ``update`` the file is written anew instead."""
    converter = kind(kind.Options(**(options or {})))
    lines = [
        row_to_json(row)
        for fixture in fixtures
        for case in fixture.cases
        for row in converter.convert(case, Context(fixture.spec))
    ]
    if update:
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        return []
    if not golden.is_file():
        return [Problem("golden", f"there is no golden file {golden}; make it with --update and look at it")]
    known = golden.read_text("utf-8").splitlines()
    found = [_difference(old, new) for old, new in zip(known, lines, strict=False) if old != new]
    if len(known) != len(lines):
        found.append(Problem("golden", f"{golden.name} holds {len(known)} rows, but {len(lines)} were made"))
    return found


def _difference(old: str, new: str) -> Problem:
    before, after = json.loads(old), json.loads(new)
    fields = [key for key in after if before.get(key) != after[key]]
    return Problem(
        "golden",
        f"{', '.join(fields)} differ from the golden file; look at them, and run with --update if right",
        after["id"],
    )
