"""A release that a gate refuses is not published; with a written reason it is, and the reason goes with it."""

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.prefect_server import medcurate

SPEC = """\
name: leaky
title: One patient in train and test
license: CC0-1.0
access: open
root: data
reader: {type: class_folders}
modality: X-ray
anatomy: chest
clinical_task: disease diagnosis
label_kind: multi_class
labels: {normal: normal, sick: pneumonia}
group: {by: pattern, pattern: "(p[0-9]+)_", ids: pseudonym}
split: {policy: shipped}
"""

RECIPE = """\
name: leaky
version: 1.0.0
datasets: [{spec: leaky.yaml}]
converters: [{type: caption}]
store: store
"""

REASON = "the publisher split by picture, kept for comparison"
WAIVER = f"waivers: [{{gate: split_leak, dataset: leaky, reason: '{REASON}'}}]\n"


@pytest.fixture
def leaky(tmp_path: Path) -> Path:
    """Patient p1 has a film in train and another in test; p2 and p3 do not."""
    for split, label, name in (
        ("train", "normal", "p1_a"), ("test", "normal", "p1_b"), ("train", "sick", "p2_a"), ("test", "sick", "p3_a"),
    ):  # fmt: skip
        folder = tmp_path / "data" / split / label
        folder.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((64, 64), 20 + 10 * len(list(tmp_path.rglob("*.png")))).save(folder / f"{name}.png")
    (tmp_path / "leaky.yaml").write_text(SPEC)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path


def test_a_patient_in_two_splits_refuses_the_release(leaky: Path, prefect_env: dict[str, str]) -> None:
    done = medcurate("run", leaky / "recipe.yaml", env=prefect_env)
    assert done.returncode == 1, done.stderr
    assert "split_leak" in done.stderr
    assert "1 " in done.stderr
    assert "Traceback" not in done.stderr
    assert list((leaky / "store").glob("*/*/manifest.json")) == []

    recipe = leaky / "recipe.yaml"
    recipe.write_text(RECIPE + WAIVER)
    again = medcurate("run", recipe, "--json", env=prefect_env)
    assert again.returncode == 0, again.stderr
    release = Path(json.loads(again.stdout)["release"])
    gates = json.loads((release / "manifest.json").read_text())["gates"]
    assert [gate["waived_by"] for gate in gates if gate["gate"] == "split_leak" and not gate["passed"]] == [REASON]
    assert "kept for comparison" in (release / "README.md").read_text()
