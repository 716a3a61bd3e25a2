"""Every recipe of ``recipes/`` that runs on phantoms gives rows from each of its datasets by each of its converters."""

from pathlib import Path

import pytest

from readers.base import Refusal, open_reader
from schemas import plugins
from schemas.case import Case
from schemas.context import Context
from schemas.errors import CaseError
from schemas.instruction import IMAGE
from schemas.recipe import Recipe, load_recipe
from schemas.spec import load_spec
from schemas.yaml_file import validate

ROOT = Path(__file__).resolve().parents[2]
RECIPES = [ROOT / "recipes/demo.yaml", *sorted((ROOT / "recipes/systems").glob("*.yaml"))]
SOME = 8
"""Cases that are tried of each dataset."""


@pytest.fixture(scope="module")
def some_cases(hospital: Path):
    known: dict[str, list[Case]] = {}
    environment = pytest.MonkeyPatch()
    environment.setenv("MEDCURATE_DEMO", str(hospital))

    def cases(path: str) -> list[Case]:
        if path not in known:
            reader, found = open_reader(load_spec(Path(path))), []
            for item in reader.items():
                if len(found) < SOME and not isinstance(item, Refusal):
                    try:
                        found.append(reader.read(item))
                    except CaseError:
                        continue
            known[path] = found
        return known[path]

    yield cases
    environment.undo()


def rows_by(recipe: Recipe, some_cases) -> dict[tuple[str, str], int]:
    """Rows by dataset and converter; ids and placeholders are checked on the way."""
    found: dict[tuple[str, str], int] = {}
    ids: set[str] = set()
    for choice in recipe.datasets:
        spec = load_spec(Path(choice.spec))
        for part in recipe.converters if choice.converters is None else choice.converters:
            kind = plugins.load("converters", part.type)
            converter = kind(validate(kind.Options, part.options, recipe.name))
            pair = (spec.name, part.type)
            found.setdefault(pair, 0)
            for case in some_cases(choice.spec):
                for row in converter.convert(case, Context(spec, recipe.seed, recipe.language)):
                    assert row.id not in ids, pair
                    ids.add(row.id)
                    assert sum(message.content.count(IMAGE) for message in row.messages) == len(row.images)
                    found[pair] += 1
    return found


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_dataset_is_asked_about_and_every_converter_asks(path: Path, some_cases) -> None:
    found = rows_by(load_recipe(path), some_cases)
    datasets = {dataset: 0 for dataset, _ in found}
    converters = {converter: 0 for _, converter in found}
    for (dataset, converter), rows in found.items():
        datasets[dataset] += rows
        converters[converter] += rows
    assert [name for name, rows in datasets.items() if not rows] == []
    # No phantom has grades.
    assert {name for name, rows in converters.items() if not rows} <= {"ordinal"}
