"""Benchmarks in a recipe, with planted copies: of a folder, a spec and a release; refused, left out, or waived."""

import io
import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from flows.benchmarks import (
    Hashes,
    check_benchmark,
    pictures_of_release,
    pictures_of_spec,
    questions_of_release,
    questions_of_spec,
)
from flows.preflight import load
from schemas.errors import UserError
from schemas.recipe import BenchmarkChoice
from tests.prefect_server import medcurate

SPEC = """\
name: {name}
title: Films
license: CC0-1.0
access: open
root: {root}
reader: {{type: class_folders}}
modality: X-ray
anatomy: chest
clinical_task: disease diagnosis
label_kind: multi_class
labels: {{normal: normal, sick: pneumonia}}
group: {{by: case}}
"""

RECIPE = """\
name: {name}
version: "1"
datasets: [{{spec: {spec}.yaml}}]
converters: [{{type: caption}}]
output: {{formats: [parquet]}}
store: store
"""


def jpeg(seed: int) -> bytes:
    """A grey 64 x 64 picture of eight by eight random tiles."""
    tiles = np.random.default_rng(seed).integers(40, 220, (8, 8), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(np.kron(tiles, np.ones((8, 8), np.uint8))).save(file, "JPEG", quality=90)
    return file.getvalue()


def as_png(data: bytes) -> bytes:
    file = io.BytesIO()
    Image.open(io.BytesIO(data)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A dataset ``films`` of six pictures; ``bench`` has two of them, one as another file; ``folder`` a third."""
    files = {f"films/{kind}/{seed}.jpg": jpeg(seed) for seed, kind in enumerate(["normal", "sick"] * 3)}
    files |= {
        "bench/sick/copy.jpg": jpeg(0),
        "bench/sick/other.png": as_png(jpeg(1)),
        "bench/normal/own.jpg": jpeg(100),
        "folder/deep/in/it.png": as_png(jpeg(2)),
        "folder/broken.png": as_png(jpeg(3))[:60],
        "folder/own.jpg": jpeg(101),
    }
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    for name in ("films", "bench"):
        (tmp_path / f"{name}.yaml").write_text(SPEC.format(name=name, root=name))
    return tmp_path


def test_a_folder_a_spec_and_a_release_give_the_same_hashes(home: Path, prefect_env: dict[str, str]) -> None:
    (home / "bench-recipe.yaml").write_text(RECIPE.format(name="bench", spec="bench"))
    done = medcurate("run", home / "bench-recipe.yaml", "--workers", 1, "--json", env=prefect_env)
    assert done.returncode == 0, done.stderr
    by_spec = set(pictures_of_spec(BenchmarkChoice(name="b", spec=str(home / "bench.yaml"))))
    by_folder = set(pictures_of_spec(BenchmarkChoice(name="b", folder=str(home / "bench"))))
    address = json.loads(done.stdout)["release"]
    by_address = set(pictures_of_release(BenchmarkChoice(name="b", release=address), str(home / "store")))
    by_name = set(pictures_of_release(BenchmarkChoice(name="b", release="bench@1"), str(home / "store")))
    assert len(by_spec) == 3
    assert Hashes() not in by_spec
    assert by_spec == by_folder == by_address == by_name
    asked = list(questions_of_release(BenchmarkChoice(name="b", release="bench@1"), str(home / "store")))
    assert len(asked) == 3
    assert not any("<image>" in one or not one for one in asked)
    nowhere = BenchmarkChoice(name="b", release="bench@1", splits=["nowhere"])
    assert list(pictures_of_release(nowhere, str(home / "store"))) == []

    films = RECIPE.format(name="films", spec="films") + "benchmarks: [{name: vqa, release: bench@1}]\n"
    (home / "films-recipe.yaml").write_text(films)
    refused = medcurate("run", home / "films-recipe.yaml", "--workers", 1, env=prefect_env)
    assert refused.returncode == 1, refused.stderr
    said = "gate benchmark_leak refuses the release: films: 2 of 6 cases show pictures of the benchmark vqa"
    assert said in refused.stderr

    reason = "whoever trains on it does not report on this benchmark"
    waiver = f'waivers: [{{gate: benchmark_leak, reason: "{reason}"}}]\n'
    # captions are asked for in some forty ways: of eighty, some are asked as the benchmark's three are
    often = ", ".join(f"{{type: caption, options: {{variant: v{number}}}}}" for number in range(14))
    (home / "films-recipe.yaml").write_text(films.replace("{type: caption}", often) + waiver)
    waived = medcurate("run", home / "films-recipe.yaml", "--workers", 1, "--json", env=prefect_env)
    assert waived.returncode == 0, waived.stderr
    manifest = json.loads((Path(json.loads(waived.stdout)["release"]) / "manifest.json").read_text("utf-8"))
    assert "benchmark_questions" in {one["gate"] for one in manifest["gates"]}
    assert reason in (Path(json.loads(waived.stdout)["release"]) / "README.md").read_text("utf-8")


def test_copies_are_left_out_where_the_recipe_says_so(home: Path, prefect_env: dict[str, str]) -> None:
    recipe = home / "films-recipe.yaml"
    recipe.write_text(
        RECIPE.format(name="films", spec="films")
        + "benchmarks: [{name: by-spec, spec: bench.yaml}, {name: by-folder, folder: folder}]\n"
        + "gates: {benchmark_leak: {action: drop}}\n"
    )
    done = medcurate("run", recipe, "--workers", 1, "--json", env=prefect_env)
    assert done.returncode == 0, done.stderr
    release = Path(json.loads(done.stdout)["release"])
    out = pl.read_parquet(release / "ledger.parquet").filter((pl.col("kind") == "case") & (pl.col("status") != "kept"))
    assert out.sort("case_id").select("case_id", "status", "stage", "reason", "detail").rows() == [
        (f"{kind}/{seed}.jpg", "filtered", "resolve", "benchmark_leak", f"it shows a picture of the benchmark {name}")
        for kind, seed, name in [("normal", 0, "by-spec"), ("normal", 2, "by-folder"), ("sick", 1, "by-spec")]
    ]
    manifest = json.loads((release / "manifest.json").read_text("utf-8"))
    assert [one["detail"] for one in manifest["gates"] if one["gate"] == "benchmark_leak"] == [
        "1 of 3 pictures of the benchmark by-folder could not be read and were not compared",
        "films: 1 of 6 cases showed pictures of the benchmark by-folder and were left out",
        "films: 2 of 6 cases showed pictures of the benchmark by-spec and were left out",
    ]
    assert str(home) not in (release / "manifest.json").read_text("utf-8")


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("[{name: b}]", "needs one of spec, release and folder"),
        ("[{name: b, spec: bench.yaml, folder: bench}]", "needs one of spec, release and folder"),
        ("[{name: b, folder: bench, splits: [test]}]", "has no splits"),
        ("[{name: b, folder: bench}, {name: b, spec: bench.yaml}]", "two benchmarks have the same name"),
        ("[{name: b, folder: nowhere}]", "there is nothing at"),
        ("[{name: b, spec: nowhere.yaml}]", "there is no file"),
        ("[{name: b, release: bench@9}]", "there is no release bench@9"),
        ("[{name: b, release: bench}]", "is no release"),
    ],
)
def test_a_mistake_is_told_before_work_starts(home: Path, lines: str, sentence: str) -> None:
    recipe = home / "recipe.yaml"
    recipe.write_text(RECIPE.format(name="films", spec="films") + f"benchmarks: {lines}\n")
    with pytest.raises(UserError, match=sentence):
        load(recipe)
    assert not (home / "store").exists()


def test_a_spec_can_be_held_to_its_test_split(home: Path) -> None:
    for kind in ("normal", "sick"):
        target = home / "split" / ("test" if kind == "sick" else "train") / kind
        target.parent.mkdir(parents=True)
        shutil.move(home / "bench" / kind, target)
    (home / "split.yaml").write_text(SPEC.format(name="split", root="split"))
    choice = BenchmarkChoice(name="b", spec=str(home / "split.yaml"), splits=["test"])
    check_benchmark(choice, "")
    whole = list(pictures_of_spec(choice.model_copy(update={"splits": []})))
    assert (len(list(pictures_of_spec(choice))), len(whole)) == (2, 3)


def test_questions_come_with_the_cases(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDCURATE_DATA", str(shared_data))
    spec = Path(__file__).resolve().parents[2] / "catalog" / "vqa_rad.yaml"
    asked = json.loads((shared_data / "vqa_rad" / "VQA_RAD Dataset Public.json").read_text("utf-8"))
    wanted = {one["question"].strip() for one in asked if one["phrase_type"].startswith("test_")}
    found = set(questions_of_spec(BenchmarkChoice(name="b", spec=str(spec), splits=["test"])))
    assert found
    assert found <= wanted
