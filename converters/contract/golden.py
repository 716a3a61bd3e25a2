"""Golden files: the rows that a converter made when someone last looked at them, one JSON a line."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from converters.contract.checks import Problem
from converters.contract.fixtures import Fixture
from schemas.context import Context
from schemas.instruction import Instruction
from schemas.settled import settle

_UPDATE = "--update (in pytest --medcurate-update)"


def row_to_json(row: Instruction) -> str:
    """One line, keys sorted, so that files can be compared by eye and by tools."""
    return json.dumps(asdict(row), ensure_ascii=False, sort_keys=True)


def compare_golden(
    kind: Any, fixtures: Sequence[Fixture], golden: Path, *, update: bool = False, options: dict[str, Any] | None = None
) -> list[Problem]:
    """What differs from the golden file; with ``update`` the file is written anew instead."""
    converter = kind(kind.Options(**(options or {})))
    lines = {
        row.id: row_to_json(row)
        for fixture in fixtures
        for case in map(settle, fixture.cases)
        for row in converter.convert(case, Context(fixture.spec))
    }
    if update:
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text("".join(f"{line}\n" for line in lines.values()), "utf-8")
        return []
    if not golden.is_file():
        return [Problem("golden", f"there is no golden file {golden}; make it with {_UPDATE} and look at it")]
    known = {json.loads(line)["id"]: line for line in golden.read_text("utf-8").splitlines()}
    return [*_differences(known, lines)]


def _differences(known: dict[str, str], made: dict[str, str]) -> Iterator[Problem]:
    """What differs, row by row: by id, so that one row more does not move all others."""
    after = f"look at it, and run with {_UPDATE} if right"
    for name in [name for name in made if name in known]:
        if known[name] != made[name]:
            fields = ", ".join(_fields(json.loads(known[name]), json.loads(made[name])))
            yield Problem("golden", f"row {name}: {fields} differ from the golden file; {after}", name)
    for name in [name for name in made if name not in known]:
        yield Problem("golden", f"row {name} is not in the golden file; {after}", name)
    for name in [name for name in known if name not in made]:
        yield Problem("golden", f"row {name} of the golden file was not made; {after}", name)
    if known.keys() == made.keys() and [*known] != [*made]:
        yield Problem("golden", f"the rows come in another order than in the golden file; {after}")


def _fields(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [key for key in after if before.get(key) != after[key]]
