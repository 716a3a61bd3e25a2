"""Every system recipe that needs a model, end to end on the real vLLM: counted before, and every row accounted for.

The tiny model answers in the form that is asked for and writes nonsense; what the checks refuse of it is in the ledger.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.phantoms import build_hospital
from schemas.recipe import load_recipe
from tests.prefect_server import medcurate

pytestmark = [pytest.mark.vllm, pytest.mark.slow]
FOLDER = Path(__file__).resolve().parents[2] / "recipes" / "systems"
RECIPES = [path for path in sorted(FOLDER.glob("*.yaml")) if load_recipe(path).synthesis is not None]
CASES = 3


@pytest.fixture(scope="module")
def hospital(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hospital")
    build_hospital(folder, 7)
    return folder


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


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_system_runs_end_to_end(path, vllm, hospital, prefect_env, tmp_path):
    recipe = on_the_real_server(path, vllm.url, tmp_path)
    environment = {**prefect_env, "MEDCURATE_DEMO": str(hospital)}
    counted = medcurate("run", recipe, "--dry-run", "--json", env=environment)
    assert counted.returncode == 0, counted.stderr
    requests = json.loads(counted.stdout)["all"]["requests"]
    before = vllm.requests_answered()
    done = medcurate("run", recipe, "--json", "--workers", 1, env=environment)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    rows = sum(sum(counts.values()) for counts in result["totals"]["row"].values())
    asked = vllm.requests_answered() - before
    print(f"{path.stem}: {requests} requests counted before, {asked} asked, rows {result['totals']['row']}")
    assert requests > 0
    assert asked > 0
    assert rows > 0
    again = medcurate("run", recipe, "--json", "--workers", 1, env=environment)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["totals"] == result["totals"]
    assert vllm.requests_answered() - before == asked, "the rerun asked again"
