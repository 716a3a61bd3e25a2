"""VQA-RAD under its official split: refused with the number, published with a written reason."""

import json
from collections import defaultdict
from pathlib import Path

import pytest

from tests.prefect_server import medcurate

CATALOG = Path(__file__).resolve().parents[2] / "catalog"
REASON = "the official split shares its pictures; published only to compare with older work"

RECIPE = f"""\
name: official
version: "1"
datasets:
  - spec: {CATALOG}/vqa_rad.yaml
    split: {{policy: shipped}}
converters: [{{type: existing_qa}}]
output: {{formats: [parquet]}}
store: store
"""
WAIVER = f'waivers: [{{gate: split_leak, dataset: vqa_rad, reason: "{REASON}"}}]\n'


@pytest.fixture
def counted(shared_data: Path) -> tuple[int, int]:
    """How many pictures have a test question, and how many of those have another question too; from the JSON alone."""
    asked = json.loads((shared_data / "vqa_rad" / "VQA_RAD Dataset Public.json").read_text("utf-8"))
    kinds = defaultdict(set)
    for one in asked:
        kinds[one["image_name"]].add("test" if one["phrase_type"].startswith("test_") else "train")
    tested = [found for found in kinds.values() if "test" in found]
    return sum(found == {"train", "test"} for found in tested), len(tested)


def test_the_official_split_is_refused_until_someone_says_why(
    counted: tuple[int, int], shared_data: Path, prefect_env: dict[str, str], tmp_path: Path
) -> None:
    assert counted == (32, 33)  # of the 50 pictures in ../shared/data; of all 315, it is 202 of 203
    env = prefect_env | {"MEDCURATE_DATA": str(shared_data)}
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE)
    refused = medcurate("run", recipe, "--workers", 1, env=env)
    assert refused.returncode == 1, refused.stderr
    assert "gate split_leak refuses the release: " in refused.stderr
    assert "vqa_rad: 32 of 33 pictures in test are in train too" in refused.stderr
    assert not list((tmp_path / "store").glob("official/*/manifest.json"))

    recipe.write_text(RECIPE + WAIVER)
    done = medcurate("run", recipe, "--workers", 1, "--json", env=env)
    assert done.returncode == 0, done.stderr
    release = Path(json.loads(done.stdout)["release"])
    verdicts = json.loads((release / "manifest.json").read_text("utf-8"))["gates"]
    leaks = [one for one in verdicts if one["gate"] == "split_leak"]
    assert "vqa_rad: 32 of 33 pictures in test are in train too" in [one["detail"] for one in leaks]
    assert {(one["passed"], one["waived_by"]) for one in leaks} == {(False, REASON)}
    assert REASON in (release / "README.md").read_text("utf-8")
