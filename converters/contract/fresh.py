"""Determinism across processes: sets and hashes of strings come out in another order in each, unless one takes care."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from converters.contract.checks import Problem
from converters.contract.fixtures import Fixture
from converters.contract.golden import row_to_json
from schemas.context import Context
from schemas.identity import digest


def digest_of_rows(kind: Any, fixtures: Sequence[Fixture]) -> str:
    """One digest of all rows, in their order, with the converter's default options."""
    converter = kind(kind.Options())
    return digest(
        *(
            row_to_json(row)
            for fixture in fixtures
            for case in fixture.cases
            for row in converter.convert(case, Context(fixture.spec))
        )
    )


def same_in_fresh_processes(entry: str, fixtures: Path | None) -> list[Problem]:
    """A problem where two processes with different hash seeds make different rows."""
    command = [sys.executable, "-m", "converters.contract", entry, "--digest"]
    if fixtures is not None:
        command += ["--fixtures", str(fixtures)]
    seen = set()
    for hash_seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            told = (done.stderr.strip().splitlines() or ["no message"])[-1]
            return [Problem("determinism", f"the converter does not run in a process of its own: {told}")]
        seen.add(done.stdout)
    if len(seen) == 1:
        return []
    return [
        Problem(
            "determinism",
            "two processes give different rows; something goes in the order of a set or by hash(): sort it, and draw "
            "choices with schemas.identity",
        )
    ]
