"""The example package in docs/: installed as a user would, its parts found by name and used by the commands."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.prefect_server import medcurate

RECIPE = """\
name: wards
version: 1.0.0
datasets: [{spec: wards.yaml}]
converters: [{type: what_kind}]
store: store
"""


@pytest.fixture(scope="module")
def env(root: Path, prefect_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """With the package installed beside medcurate."""
    folder = tmp_path_factory.mktemp("parts")
    source, site = folder / "own_parts", folder / "site"
    shutil.copytree(root / "docs/examples/own_parts", source, ignore=shutil.ignore_patterns("build", "*.egg-info"))
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target", site, source],
        check=True, capture_output=True,
    )  # fmt: skip
    return {**prefect_env, "PYTHONPATH": str(site)}


@pytest.fixture(scope="module")
def made(env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a dataset in the package's own layout, its spec as drafted and filled in, and a release of it."""
    folder = tmp_path_factory.mktemp("wards")
    (folder / "data").mkdir()
    for index in range(3):
        Image.effect_noise((64 + index, 64), 60).save(folder / "data" / f"{index}.png")
    (folder / "data" / "words.txt").write_text("0.png\tnormal\n1.png\tpneumonia\n2.png\tpneumonia\nbroken\n")
    draft = medcurate("inspect", folder / "data", env=env).stdout
    for old, new in (
        ("license: LicenseRef-unknown", "license: CC0-1.0"), ("access: restricted", "access: open"),
        ("modality: unknown", "modality: X-ray"), ("anatomy: unknown", "anatomy: chest"),
        ("clinical_task: unknown", "clinical_task: disease diagnosis"),
    ):  # fmt: skip
        assert old in draft
        draft = draft.replace(old, new)
    (folder / "wards.yaml").write_text(draft)
    (folder / "recipe.yaml").write_text(RECIPE)
    done = medcurate("run", folder / "recipe.yaml", "--json", env=env)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["totals"]["case"]["data"] == {"failed": 1, "kept": 3}
    return folder / "store" / "wards" / "1.0.0"


def test_the_converter_holds_the_contract(env: dict[str, str]) -> None:
    done = medcurate("check-converter", "what_kind", env=env)
    assert (done.returncode, done.stdout) == (0, "what_kind holds the converter contract\n"), done.stderr


def test_the_release_names_the_package_and_the_format_writes_it(
    made: Path, env: dict[str, str], tmp_path: Path
) -> None:
    assert "+own_parts." in json.loads((made / "manifest.json").read_text())["code_version"]
    done = medcurate("export", made, "--format", "pairs", "--to", tmp_path / "out", "--option", "upper=true", env=env)
    assert done.returncode == 0, done.stderr
    pairs = [json.loads(line) for path in (tmp_path / "out").glob("*.jsonl") for line in path.read_text().splitlines()]
    assert len(pairs) == 3 and all(pair["answer"].endswith("A RADIOGRAPH OF THE CHEST.") for pair in pairs)


def test_the_task_finds_its_prompt_beside_its_code(made: Path, env: dict[str, str]) -> None:
    recipe = made.parents[2] / "asked.yaml"
    recipe.write_text(
        RECIPE.replace("1.0.0", "2.0.0") + "synthesis: {tasks: [{type: one_line}], engine: {type: openai}}\n"
    )
    done = medcurate("run", recipe, "--dry-run", "--json", env={**os.environ, **env})
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["all"]["requests"] == 3
