"""A deployment, registered on a real server, picked up and run by a real worker."""

import json
import subprocess
from pathlib import Path

from tests.prefect_server import BIN, medcurate

TINY = """\
name: deployed
version: 1.0.0
datasets: [{{spec: {spec}, limit: 4}}]
converters: [{{type: caption}}]
store: {store}
"""


def test_a_worker_runs_what_was_deployed(
    prefect_env: dict[str, str], hospital: Path, tmp_path: Path, root: Path
) -> None:
    env = prefect_env | {"MEDCURATE_DEMO": str(hospital)}
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(TINY.format(spec=root / "catalog" / "phantom_cxr_folders.yaml", store=tmp_path / "store"))
    done = medcurate("deploy", recipe, "--cron", "0 2 * * *", "--pool", "tests", "--workers", 1, env=env)
    assert done.returncode == 0, done.stderr
    assert "registered medcurate/deployed" in done.stdout

    listed = subprocess.run(
        [BIN / "prefect", "deployment", "inspect", "medcurate/deployed", "--output", "json"],
        env=env, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    deployment = json.loads(listed.stdout)
    assert deployment["schedules"][0]["schedule"]["cron"] == "0 2 * * *"

    subprocess.run([BIN / "prefect", "deployment", "run", "medcurate/deployed"], env=env, check=True, timeout=120)
    worker = subprocess.run(
        [BIN / "prefect", "worker", "start", "--pool", "tests", "--run-once"],
        env=env, capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    assert (tmp_path / "store" / "deployed" / "1.0.0" / "manifest.json").is_file(), worker.stderr[-2000:]


def test_a_wrong_cron_is_one_sentence(prefect_env: dict[str, str], tmp_path: Path, root: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(TINY.format(spec=root / "catalog" / "phantom_cxr_folders.yaml", store=tmp_path / "store"))
    done = medcurate("deploy", recipe, "--cron", "every night", "--pool", "tests", env=prefect_env)
    assert done.returncode == 2, done.stderr
    assert "five fields" in done.stderr
    assert "Traceback" not in done.stderr
