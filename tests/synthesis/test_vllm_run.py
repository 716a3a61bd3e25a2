"""`medcurate run` with a model on the real vLLM: a release whose rows a model wrote, and a rerun that asks nothing."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from tests.prefect_server import medcurate

pytestmark = pytest.mark.vllm

COLOURS = {"red": (220, 30, 30), "green": (30, 180, 40), "blue": (40, 60, 220), "black": (10, 10, 10)}

SPEC = """\
name: stains
title: Plain stains
license: CC0-1.0
access: open
root: stains
reader: {type: class_folders}
modality: microscopy
anatomy: blood
clinical_task: disease diagnosis
label_kind: multi_class
labels: {red: red stain, green: green stain, blue: blue stain, black: black stain}
group: {by: case}
"""

RECIPE = """\
name: written
version: {version}
datasets: [{{spec: stains.yaml}}]
converters: [{{type: caption}}]
partition_cases: 10
gates: {{pictures: {{enabled: false}}}}
synthesis:
  tasks: [{{type: unblinded, options: {{style: short}}}}]
  engine: {{type: openai, base_urls: ["{url}"], model: colours, max_tokens: 300, concurrency: 16}}
  answers: answers
store: store
"""


@pytest.fixture
def stains(tmp_path: Path) -> Path:
    """Twenty-four pictures of one colour each, in class folders, no two alike."""
    for name, colour in COLOURS.items():
        folder = tmp_path / "stains" / name
        folder.mkdir(parents=True)
        for index in range(6):
            shade = tuple(max(0, channel - index) for channel in colour)
            Image.new("RGB", (64 + index, 64), shade).save(folder / f"{name}_{index}.png")
    (tmp_path / "stains.yaml").write_text(SPEC)
    return tmp_path


def _run(folder: Path, version: str, url: str, env: dict[str, str]) -> tuple[Path, dict]:
    recipe = folder / "recipe.yaml"
    recipe.write_text(RECIPE.format(version=version, url=url))
    done = medcurate("run", recipe, "--json", "--workers", 2, env=env)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    return Path(result["release"]), result["totals"]["row"]["stains"]


def test_a_release_with_written_rows_and_a_rerun_that_asks_nothing(vllm, prefect_env, stains) -> None:
    before = vllm.requests_answered()
    release, rows = _run(stains, "1.0.0", vllm.url, prefect_env)
    asked = vllm.requests_answered() - before
    assert asked == 24
    # One caption per case from the template, and of each answer a description and a question.
    assert sum(rows.values()) == 24 + 24 * 2

    table = pl.read_parquet(release / "data" / "*.parquet")
    provenance = table["provenance"].struct.unnest()
    written = provenance.filter(pl.col("model") != "")
    assert written.height > 0
    assert set(written["model"]) == {"colours"}
    assert written.filter((pl.col("request_digest") == "") | (pl.col("prompt_digest") == "")).is_empty()

    shutil.rmtree(stains / "store")
    again, rows_again = _run(stains, "1.0.0", vllm.url, prefect_env)
    assert vllm.requests_answered() - before == asked, "the rerun asked again"
    assert rows_again == rows
    assert pl.read_parquet(again / "data" / "*.parquet").equals(table)
