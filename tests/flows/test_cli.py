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
    "version is a number": (
        "recipe.yaml", "version: 1.0.0", "version: 1.0", "YAML reads what stands there as the number 1.0; put",
    ),
    "name with a space": ("recipe.yaml", "name: tiny", "name: My set", "'My set' must be small letters, digits, dots"),
    "unspoken language": (
        "recipe.yaml", "store: store", "language: xx", "no converter speaks 'xx'; choose one of en, zh",
    ),
    "unspoken language of a converter": (
        "recipe.yaml", "type: caption", "type: caption, options: {language: xx}", "no converter speaks 'xx'",
    ),
    "unknown waiver": (
        "recipe.yaml", "store: store", "waivers: [{gate: split_leek, reason: as it was shipped}]",
        "there is no gate 'split_leek' of releases to waive; did you mean 'split_leak'?",
    ),
    "unknown cap": (
        "recipe.yaml", "store: store", "mixture: {caps: [{by: [datset], max: 3}]}", "'group', 'label' or 'image'\n",
    ),
    "group without its field": ("tiny.yaml", "access:", "group: {by: field}\naccess:", "`by: field` needs the name of"),
    "store is a file": ("recipe.yaml", "store: store", "store: tiny.yaml", "tiny.yaml is a file; name another"),
    "benchmark is nowhere": (
        "recipe.yaml", "store: store", "benchmarks: [{name: exam, folder: nowhere}]", "benchmark exam: there is",
    ),
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


def test_a_recipe_that_is_no_text_or_no_file_is_one_sentence(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    for data, sentence in (
        (b"", "is empty; it needs name, version, datasets"),
        ("name: é".encode("latin-1"), "is not text in UTF-8; save it so"),
        (None, "is a folder; name the YAML file in it"),
    ):
        if data is None:
            recipe.unlink()
            recipe.mkdir()
        else:
            recipe.write_bytes(data)
        done = medcurate("run", recipe, env=dict(os.environ))
        assert (done.returncode, done.stderr) == (2, f"medcurate: {recipe} {sentence}\n")


def test_windows_line_ends_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    from schemas.recipe import load_recipe

    (tmp_path / "recipe.yaml").write_bytes(b"\xef\xbb\xbf" + RECIPE.replace("\n", "\r\n").encode())
    assert load_recipe(tmp_path / "recipe.yaml").version == "1.0.0"


def test_check_says_what_a_run_would_refuse_for_privacy(tmp_path: Path) -> None:
    (tmp_path / "data" / "normal").mkdir(parents=True)
    (tmp_path / "tiny.yaml").write_text(SPEC.format(root="data") + "group: {by: pattern, pattern: '(.*)_'}\n")
    done = medcurate("check", tmp_path / "tiny.yaml", env=dict(os.environ))
    assert "may lead to persons; say group.ids: identifier, or pseudonym" in done.stdout


def test_counts_below_their_least_are_refused(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    for command in (["run", tmp_path / "recipe.yaml", "--workers", "-1"], ["check", "x.yaml", "--cases", "0"]):
        done = medcurate(*command, env=dict(os.environ))
        assert done.returncode == 2 and "greater than or equal to" in done.stderr


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
