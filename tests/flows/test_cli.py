"""The command line: quick to answer, and one sentence for every mistake."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.prefect_server import medcurate


def test_help_imports_nothing_heavy() -> None:
    code = "import flows.cli, sys; print(sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for heavy in ("prefect", "polars", "pyarrow", "pydicom", "nibabel", "openai", "great_expectations", "datasets"):
        assert f"'{heavy}'" not in loaded


def test_help_names_every_command_of_the_contract() -> None:
    text = medcurate("--help", env=dict(os.environ)).stdout
    for name in ("demo", "inspect", "check", "run", "releases", "pull", "verify", "deploy"):
        assert f" {name} " in text


SPEC = """\
name: tiny
title: Tiny
license: CC0-1.0
access: open
root: {root}
reader: {{type: class_folders}}
modality: X-ray
anatomy: chest
clinical_task: disease diagnosis
label_kind: multi_class
labels: {{normal: normal, sick: pneumonia}}
"""

RECIPE = """\
name: tiny
version: 1.0.0
datasets: [{spec: tiny.yaml}]
converters: [{type: caption}]
store: store
"""


MISTAKES = {
    "unknown key": (
        "recipe.yaml", "converters:", "convertors:", "line 4: unknown key 'convertors'; did you mean 'converters'?",
    ),
    "missing spec": ("recipe.yaml", "spec: tiny.yaml", "spec: tini.yaml", "there is no file"),
    "unknown converter": (
        "recipe.yaml", "type: caption", "type: captoin", "there is no converter 'captoin'; did you mean 'caption'?",
    ),
    "key twice": (
        "recipe.yaml", "version: 1.0.0", "version: 1.0.0\nname: again", "line 3: the key 'name' stands twice",
    ),
    "unknown reader": (
        "tiny.yaml", "class_folders", "class_folder",
        "there is no reader 'class_folder'; did you mean 'class_folders'?",
    ),
    "missing root": ("tiny.yaml", "root: data", "root: nowhere", "there is nothing at"),
    "wrong word": ("tiny.yaml", "access: open", "access: opne", "line 4: access: Input should be 'open', "),
    "missing key": ("tiny.yaml", "license: CC0-1.0\n", "", "the key 'license' is missing"),
}  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "sentence"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_one_sentence_with_the_cure(tmp_path: Path, file: str, old: str, new: str, sentence: str) -> None:
    (tmp_path / "tiny.yaml").write_text(SPEC.format(root="data"))
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    (tmp_path / "data").mkdir()
    path = tmp_path / file
    path.write_text(path.read_text().replace(old, new, 1))
    done = medcurate("run", tmp_path / "recipe.yaml", env=dict(os.environ))
    assert done.returncode == 2, done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_no_server_at_the_address_is_said_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "data" / "normal").mkdir(parents=True)
    (tmp_path / "tiny.yaml").write_text(SPEC.format(root="data"))
    synthesis = "synthesis:\n  tasks: [{type: unblinded}]\n  engine: {type: openai, model: m, base_urls: [URL]}\n"
    (tmp_path / "recipe.yaml").write_text(RECIPE + synthesis.replace("URL", "'http://127.0.0.1:9/v1'"))
    done = medcurate("run", tmp_path / "recipe.yaml", env=dict(os.environ))
    assert done.returncode == 2, done.stderr
    assert "http://127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr


def test_deploy_without_a_server_says_how_to_start_one(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    env = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    done = medcurate("deploy", tmp_path / "recipe.yaml", env=env | {"PREFECT_HOME": str(tmp_path)})
    assert done.returncode == 2, done.stderr
    assert "prefect server start" in done.stderr
