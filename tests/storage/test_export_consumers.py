"""Exports of the demo, read by the code of those who train on them (``make test-consumers`` sets that up)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".vllm" / "bin" / "python"
PACKAGES = ROOT / ".consumers"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.vllm,
    pytest.mark.skipif(not (PACKAGES / ".ready").exists(), reason="no consumers here: make test-consumers"),
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("demo")
    subprocess.run([Path(sys.executable).with_name("medcurate"), "demo", place], check=True, cwd=ROOT)
    return place / "releases" / "demo" / "1.0"


@pytest.mark.parametrize("kind", ["trl", "llama_factory", "llava", "qwen", "openai"])
def test_consumer_gets_every_row_and_picture(kind, demo, tmp_path):
    medcurate = Path(sys.executable).with_name("medcurate")
    subprocess.run([medcurate, "export", demo, "--format", kind, "--to", tmp_path / kind], check=True)
    quiet = {"HF_HUB_OFFLINE": "1", "USE_HF": "1", "DISABLE_VERSION_CHECK": "1", "HOME": str(tmp_path)}
    run = subprocess.run(
        [PYTHON, ROOT / "scripts" / "consumers" / "load.py", kind, tmp_path / kind],
        env={**os.environ, **quiet, "PYTHONPATH": str(PACKAGES)}, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-2000:]
    rows = pl.read_parquet(demo / "data" / "*.parquet", columns=["id", "images"])
    pictures = rows["images"].list.len().sum()
    assert rows.height > 1500 and pictures > 1500
    assert json.loads(run.stdout.splitlines()[-1]) == {"rows": rows.height, "pictures": pictures}
