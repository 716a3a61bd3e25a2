"""The whole pipeline on the phantom hospital, run as a user runs it, against a real Prefect server."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import polars as pl
import pytest

from tests.prefect_server import BIN, medcurate

RECIPE = Path(__file__).resolve().parents[2] / "recipes" / "demo.yaml"


def _digests(release: Path) -> dict[str, str]:
    """sha256 of every file of a release."""
    files = [path for path in sorted(release.rglob("*")) if path.is_file()]
    return {path.relative_to(release).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def demo_env(prefect_env: dict[str, str], hospital: Path) -> dict[str, str]:
    return prefect_env | {"MEDCURATE_DEMO": str(hospital)}


@pytest.fixture(scope="module")
def result(demo_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict:
    store = tmp_path_factory.mktemp("store")
    done = medcurate("run", RECIPE, "--store", store, "--workers", 2, "--json", env=demo_env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_case_and_row_is_accounted_for(result: dict) -> None:
    release = Path(result["release"])
    ledger = pl.read_parquet(release / "ledger.parquet")
    for kind, sets in result["totals"].items():
        for name, found in sets.items():
            lines = ledger.filter((pl.col("kind") == kind) & (pl.col("dataset") == name))
            assert lines.height == sum(found.values())
    kept = ledger.filter((pl.col("kind") == "row") & (pl.col("status") == "kept"))["row_id"].to_list()
    rows = pl.read_parquet(release / "data" / "*.parquet", columns=["id"])["id"].to_list()
    assert sorted(kept) == sorted(rows)
    assert (
        ledger.filter(pl.col("status") != "kept").filter((pl.col("reason") == "") | (pl.col("detail") == "")).is_empty()
    )


def test_the_demo_shows_every_way_a_case_can_end(result: dict) -> None:
    ends = {status for sets in result["totals"].values() for found in sets.values() for status in found}
    assert ends >= {"kept", "filtered", "quarantined", "duplicate", "failed"}


def test_without_a_model_the_provenance_says_so(result: dict) -> None:
    rows = pl.read_parquet(Path(result["release"]) / "data" / "*.parquet", columns=["provenance"])["provenance"]
    assert set(rows.struct.field("model").to_list()) == {""}
    assert "" not in set(rows.struct.field("converter").to_list())


def test_verify_finds_one_flipped_byte(result: dict, demo_env: dict[str, str], tmp_path: Path) -> None:
    assert medcurate("verify", result["release"], env=demo_env).returncode == 0
    copy = tmp_path / "copy"
    shutil.copytree(result["release"], copy)
    shard = sorted((copy / "data").glob("*.parquet"))[0]
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    done = medcurate("verify", copy, env=demo_env)
    assert done.returncode == 1
    assert shard.name in done.stderr


def test_no_group_is_in_two_splits(result: dict) -> None:
    rows = pl.read_parquet(Path(result["release"]) / "data" / "*.parquet", columns=["group_id", "split"])
    assert rows.group_by("group_id").agg(pl.col("split").n_unique())["split"].max() == 1


def test_a_published_version_is_refused(result: dict, demo_env: dict[str, str]) -> None:
    store = Path(result["release"]).parents[1]
    done = medcurate("run", RECIPE, "--store", store, env=demo_env)
    assert done.returncode == 2
    assert "already published" in done.stderr


def test_prefect_shows_the_run_with_its_artifacts(result: dict, demo_env: dict[str, str]) -> None:
    import httpx

    found = httpx.post(f"{demo_env['PREFECT_API_URL']}/artifacts/filter", json={}, timeout=30).json()
    assert {"ledger", "release"} <= {artifact["key"] for artifact in found}
    tables = [json.loads(artifact["data"]) for artifact in found if artifact["key"] == "ledger"]
    table = next(lines for lines in tables if {line["dataset"] for line in lines} == set(result["totals"]["case"]))
    kept = sum(line["kept"] for line in table if line["kind"] == "case")
    assert kept == sum(sets.get("kept", 0) for sets in result["totals"]["case"].values())


def test_killed_in_the_middle_and_started_again_gives_the_same_bytes(
    result: dict, demo_env: dict[str, str], tmp_path: Path
) -> None:
    command = [BIN / "medcurate", "run", RECIPE, "--store", tmp_path, "--workers", "1", "--keep-work"]
    running = subprocess.Popen(
        command, env=demo_env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    finished: dict[Path, int] = {}
    until = time.monotonic() + 200
    while len(finished) < 3 and time.monotonic() < until and running.poll() is None:
        finished = {path: path.stat().st_mtime_ns for path in tmp_path.glob(".work/*/stage/*/done.json")}
        time.sleep(0.02)
    assert running.poll() is None, "the run ended before it could be killed"
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    finished = {path: path.stat().st_mtime_ns for path in tmp_path.glob(".work/*/stage/*/done.json")}
    assert len(finished) >= 3
    assert not list(tmp_path.glob("*/*/manifest.json")), "the run had published before it was killed"

    time.sleep(1.5)  # the orphaned worker notices within half a second that its flow is gone
    again = subprocess.run(command, env=demo_env, capture_output=True, text=True, timeout=280)
    assert again.returncode == 0, again.stderr
    assert {path: path.stat().st_mtime_ns for path in finished} == finished, "a finished partition was done again"
    (manifest,) = tmp_path.glob("*/*/manifest.json")
    assert _digests(manifest.parent) == _digests(Path(result["release"]))
