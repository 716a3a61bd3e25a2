"""Every system recipe that needs a model, from disk to checked rows on the real vLLM: counted before, nothing lost.

The tiny model answers in the form that is asked for and writes nonsense; what the checks refuse of it has its reason.
`test_vllm_run.py` takes one recipe through the whole of ``medcurate run``.
"""

from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.estimate import estimate_recipe
from flows.making import open_converter
from flows.phantoms import build_hospital
from flows.steps import convert, read, render_pictures, run_steps
from readers.base import open_reader
from readers.source import Source
from schemas.context import Context
from schemas.recipe import DatasetChoice, Recipe, load_recipe
from schemas.spec import load_spec
from schemas.work import Work
from synthesis.pipeline import check_checks, open_engine, open_tasks, synthesise

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(900)]
FOLDER = Path(__file__).resolve().parents[2] / "recipes" / "systems"
RECIPES = [path for path in sorted(FOLDER.glob("*.yaml")) if load_recipe(path).synthesis is not None]
CASES = 3


@pytest.fixture(scope="module", autouse=True)
def hospital(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hospital")
    build_hospital(folder, 7)
    environment = pytest.MonkeyPatch()
    environment.setenv("MEDCURATE_DEMO", str(folder))
    yield
    environment.undo()


def on_the_real_server(path: Path, url: str, folder: Path) -> Path:
    """The recipe with few cases, the tiny model for every engine, and everything it writes in ``folder``."""
    engine = {"type": "openai", "base_urls": [url], "model": "colours", "max_tokens": 900, "concurrency": 16}
    recipe: dict[str, Any] = yaml.safe_load(path.read_text())
    recipe |= {"store": str(folder / "store"), "gates": {"pictures": {"enabled": False}}}
    synthesis = recipe["synthesis"]
    synthesis |= {"engine": engine, "answers": str(folder / "answers")}
    if "verifier" in synthesis.get("checks", {}):
        synthesis["checks"]["verifier"]["engine"] = engine
    for choice in recipe["datasets"]:
        choice |= {"spec": str((FOLDER / choice["spec"]).resolve()), "limit": CASES}
    for task in synthesis["tasks"]:
        options = task.get("options", {})
        if "terminology" in options:
            options["terminology"] = str(FOLDER / options["terminology"])
        if "knowledge" in options:
            options["knowledge"]["corpus"] = str(FOLDER / options["knowledge"]["corpus"])
    written = folder / path.name
    written.write_text(yaml.safe_dump(recipe))
    return written


def written(recipe: Recipe, choice: DatasetChoice, engine: Any) -> list[Work]:
    """The cases of one dataset with everything that was written about them."""
    spec = load_spec(Path(choice.spec))
    source = Source.open(spec.root)
    reader, context = open_reader(spec, source=source), Context(spec, recipe.seed, recipe.language)
    chosen = recipe.converters if choice.converters is None else choice.converters
    steps = [convert([open_converter(one) for one in chosen], context), render_pictures(source, True, True)]
    works = run_steps(read(islice(reader.items(), CASES), reader), steps)
    assert recipe.synthesis is not None
    return list(synthesise(works, open_tasks(recipe.synthesis.tasks), engine, context, recipe.synthesis.checks))


def outcomes(works: list[Work], tasks: set[str]) -> Counter[str]:
    """What became of the rows that the tasks should write."""
    found = Counter(f"kept {row.provenance.converter}" for work in works for row in work.rows)
    found = Counter({name: count for name, count in found.items() if name.removeprefix("kept ") in tasks})
    found += Counter(drop.reason for work in works for _, drop in [*work.refused, *work.lost])
    return found


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_system_writes_on_the_real_server(path, vllm, tmp_path):
    here = on_the_real_server(path, vllm.url, tmp_path)
    counted = estimate_recipe(here)["all"]["requests"]
    recipe = load_recipe(here)
    assert recipe.synthesis is not None
    check_checks(recipe.synthesis.checks)
    tasks = {task.type for task in recipe.synthesis.tasks}
    before = vllm.requests_answered()
    results = []
    for _ in range(2):
        engine = open_engine(recipe.synthesis.engine, recipe.synthesis.answers)
        assert engine is not None
        works = [work for choice in recipe.datasets for work in written(recipe, choice, engine)]
        results.append(outcomes(works, tasks))
        engine.close()
        asked = vllm.requests_answered() - before
        print(f"{path.stem}: {counted} requests counted, {asked} answered, {dict(results[-1])}")
        before += asked * (not len(results) > 1)
    assert counted > 0
    assert sum(results[0].values()) > 0
    assert results[1] == results[0]
    assert asked == 0, "the second time asked again"
