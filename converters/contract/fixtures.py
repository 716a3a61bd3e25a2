"""Cases to check a converter on: from files, or the ones that come with the package.

A folder of fixtures holds a folder for each dataset: ``spec.yaml`` (a DatasetSpec) and ``cases.json`` (a list of cases
as `save_cases` writes them).  No pixels are needed: converters never see any.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from schemas.case import Case
from schemas.errors import UserError
from schemas.spec import DatasetSpec, load_spec


@dataclass(frozen=True, slots=True)
class Fixture:
    """One dataset's spec and some of its cases."""

    spec: DatasetSpec
    cases: tuple[Case, ...]


def load_fixtures(folder: Path) -> list[Fixture]:
    """Every dataset below ``folder``, by name.

    Raises:
        UserError: none is there, or a file cannot be read as cases; the sentence names it.
    """
    specs = sorted(folder.glob("*/spec.yaml"))
    if not specs:
        raise UserError(f"{folder} holds no <dataset>/spec.yaml; give the folder that holds the datasets' folders")
    return [Fixture(load_spec(path), load_cases(path.with_name("cases.json"))) for path in specs]


def load_cases(path: Path) -> tuple[Case, ...]:
    """The cases of one file."""
    try:
        return tuple(_adapter().validate_json(path.read_bytes()))
    except FileNotFoundError:
        raise UserError(f"there is no file {path}; write it with converters.contract.save_cases") from None
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        raise UserError(f"{path}: {place}: {error.errors()[0]['msg']}") from None


def save_cases(path: Path, cases: Iterable[Case]) -> None:
    """Write cases so that `load_fixtures` finds them; ``path`` ends in ``cases.json``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps([asdict(case) for case in cases], ensure_ascii=False, indent=1, default=sorted)
    path.write_text(text + "\n", "utf-8")


@cache
def sample_fixtures() -> tuple[Fixture, ...]:
    """The package's own cases: cells, classes, findings, grades, organs, visits, reports, questions, volumes."""
    from converters.contract.samples import samples

    return tuple(Fixture(spec, tuple(cases)) for spec, cases in samples())


@cache
def _adapter() -> TypeAdapter[list[Case]]:
    return TypeAdapter(list[Case])
