"""The commands around a release, the catalog and other people's converters, run as a user runs them."""

import json
import os
from pathlib import Path

import pytest

from tests.flows.tiny import RECIPE, SPEC
from tests.prefect_server import medcurate

ENV = dict(os.environ)


@pytest.fixture(scope="module")
def made(prefect_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a spec, a recipe, and the release that came of them; one picture is too small."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("tiny")
    for name, value in (("normal", 60), ("sick", 160)):
        (folder / "data" / name).mkdir(parents=True)
        for index in range(4):
            picture = Image.effect_noise((64 + index, 64), 40 + value // 4)
            picture.save(folder / "data" / name / f"{name}_{index}.png")
    Image.effect_noise((24, 24), 50).save(folder / "data" / "sick" / "small.png")
    (folder / "tiny.yaml").write_text(SPEC)
    (folder / "recipe.yaml").write_text(RECIPE)
    done = medcurate("run", folder / "recipe.yaml", "--json", env=prefect_env)
    assert done.returncode == 0, done.stderr
    return folder


def _release(folder: Path) -> Path:
    return folder / "store" / "tiny" / "1.0.0"


def test_report_is_a_page_that_names_what_was_refused(made: Path, tmp_path: Path) -> None:
    done = medcurate("report", _release(made), "--to", tmp_path / "page.html", env=ENV)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.html").read_text()
    assert "<svg" in page
    assert "picture_small" in page


def test_quarantine_counts_reasons_and_shows_rows(made: Path) -> None:
    shown = json.loads(medcurate("quarantine", _release(made), "--json", env=ENV).stdout)
    (line,) = shown["reasons"]
    assert [gate["gate"] for gate in shown["gates"] if gate["refused"]] == ["pictures"]
    assert (line["reason"], line["rows"], line["cases"]) == ("picture_small", 2, 1)
    rows = json.loads(medcurate("quarantine", _release(made), "--reason", "picture_small", "--json", env=ENV).stdout)
    assert [row["case"] for row in rows] == ["sick/small.png"] * 2
    assert all(row["said"].startswith("user: <image>") for row in rows)


def test_export_writes_every_kept_row(made: Path, tmp_path: Path) -> None:
    done = medcurate("export", _release(made), "--format", "llava", "--to", tmp_path / "llava", "--json", env=ENV)
    assert done.returncode == 0, done.stderr
    assert sum(json.loads(done.stdout)["rows"].values()) == 16


def test_releases_and_pull_of_one_split(made: Path, tmp_path: Path) -> None:
    (line,) = json.loads(medcurate("releases", made / "store", "--json", env=ENV).stdout)
    assert (line["name"], line["version"]) == ("tiny", "1.0.0")
    done = medcurate("pull", "tiny@1.0.0", "--store", made / "store", "--to", tmp_path, "--split", "train", env=ENV)
    assert done.returncode == 0, done.stderr
    copy = Path(done.stdout.strip())
    assert {path.name.split("-")[0] for path in (copy / "data").iterdir()} == {"train"}
    assert medcurate("verify", copy, env=ENV).returncode == 0
    wrong = medcurate("pull", "tiny@2.0.0", "--store", made / "store", "--to", tmp_path, env=ENV)
    assert wrong.returncode == 2
    assert "Traceback" not in wrong.stderr


def test_catalog_filters() -> None:
    found = json.loads(medcurate("catalog", "--search", "bccd", "--json", env=ENV).stdout)
    assert {line["name"] for line in found} >= {"det_voc_bccd", "cls_multilabel_csv_bccd"}
    assert {line["license"] for line in found if line["name"].endswith("_bccd")} == {"MIT"}
    layouts = json.loads(medcurate("catalog", "--readers", "--json", env=ENV).stdout)
    assert {"class_folders", "coco", "voc", "decathlon", "dicom_series"} <= {line["reader"] for line in layouts}
    assert all(line["reads"] for line in layouts)


def test_diff_names_what_changed(made: Path, prefect_env: dict[str, str]) -> None:
    assert "16 rows are the same" in medcurate("diff", _release(made), _release(made), env=ENV).stdout
    recipe = made / "next.yaml"
    recipe.write_text(RECIPE.replace("1.0.0", "1.1.0").replace(", {type: yes_no}", ""))
    assert medcurate("run", recipe, env=prefect_env).returncode == 0
    found = json.loads(medcurate("diff", _release(made), made / "store" / "tiny" / "1.1.0", "--json", env=ENV).stdout)
    assert found["removed"] == {"tiny/yes_no": 8}
    assert (found["same"], found["added"], found["changed"]) == (8, {}, {})


def test_check_converter_passes_our_own_and_names_what_is_unknown() -> None:
    assert medcurate("check-converter", "multiple_choice", env=ENV).returncode == 0
    wrong = medcurate("check-converter", "multiple_chioce", env=ENV)
    assert wrong.returncode == 2
    assert "did you mean 'multiple_choice'?" in wrong.stderr


def test_a_dry_run_counts_requests_and_asks_nobody(made: Path, tmp_path: Path) -> None:
    synthesis = """\
synthesis:
  tasks: [{type: unblinded}]
  engine: {type: openai, model: m, base_urls: ["http://127.0.0.1:9/v1"], max_tokens: 100}
"""
    recipe = made / "asking.yaml"
    recipe.write_text(RECIPE.replace("name: tiny", "name: asking", 1) + synthesis)
    done = medcurate("run", recipe, "--dry-run", "--json", env=ENV)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["all"]
    assert (found["cases"], found["requests"], found["stored"], found["tokens_out"]) == (9, 9, 0, 900)
    assert found["tokens_in"] > 9 * 50
    recipe.write_text(recipe.read_text().replace("type: openai", "type: template"))
    done = medcurate("run", recipe, "--dry-run", env=ENV)
    assert (done.returncode, "asks no model" in done.stderr) == (2, True)
