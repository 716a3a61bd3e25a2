"""The quarantine end to end: refused rows are looked at, decided about, and the next run does as it was told."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from PIL import Image

from schemas.decisions import load_decisions
from schemas.errors import UserError
from tests.prefect_server import medcurate

SPEC = """\
name: films
title: Films
license: CC0-1.0
access: open
root: data
reader: {type: class_folders}
modality: X-ray
anatomy: chest
clinical_task: disease diagnosis
label_kind: multi_class
labels: {normal: normal, sick: pneumonia of Dr. John Smith}
group: {by: case}
"""

RECIPE = """\
name: films
version: "VERSION"
datasets: [{spec: films.yaml}]
converters: [{type: caption}, {type: open_question}]
gates: {lengths: {caption_min_words: 20}, pictures: {min_side: 65}}
output: {formats: [parquet]}
store: store
"""

LONG = " ".join(["This chest film shows a normal heart and clear lungs."] * 3)
WHY = "looked at together with the publisher"


def write(home: Path, version: int) -> Path:
    recipe = home / "recipe.yaml"
    recipe.write_text(RECIPE.replace("VERSION", str(version)))
    return recipe


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four pictures of normal films, the first too small; one sick film, whose label names a physician."""
    folder = tmp_path_factory.mktemp("films")
    for number, (kind, side) in enumerate(
        [("normal", 64), ("normal", 96), ("normal", 96), ("normal", 96), ("sick", 96)]
    ):
        tiles = np.random.default_rng(number).integers(40, 220, (8, 8), dtype=np.uint8)
        path = folder / "data" / kind / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.kron(tiles, np.ones((side // 8, side // 8), np.uint8))).save(path)
    (folder / "films.yaml").write_text(SPEC)
    return folder


@pytest.fixture(scope="module")
def first(home: Path, prefect_env: dict[str, str]) -> Path:
    done = medcurate("run", write(home, 1), "--workers", 1, "--json", env=prefect_env)
    assert done.returncode == 0, done.stderr
    costs = json.loads(done.stdout)["gates"]
    assert costs["lengths"]["rows"] == 10
    assert costs["lengths"]["refused"] == 5  # every caption, the small and the named one too
    assert costs["pictures"]["refused"] == 2
    assert costs["lengths"]["seconds"] >= 0
    return Path(json.loads(done.stdout)["release"])


def quarantined(release: Path) -> list[dict[str, Any]]:
    return pl.read_parquet(release / "quarantine.parquet").to_dicts()


def test_the_page_shows_pictures_but_not_what_may_name_somebody(
    first: Path, home: Path, tmp_path: Path, prefect_env: dict[str, str]
) -> None:
    told = json.loads(medcurate("quarantine", first, "--json", env=prefect_env).stdout)
    assert {line["reason"]: line["rows"] for line in told["reasons"]} == {
        "caption_short": 4, "picture_small": 1, "identifier_person": 2,
    }  # fmt: skip
    assert {line["gate"]: line["refused"] for line in told["gates"]}["lengths"] == 5
    assert all("seconds" in line for line in told["gates"])
    assert "seconds" not in (first / "quality" / "gates.json").read_text()

    pages = {}
    for name, more in (("plain", []), ("recipe", ["--recipe", home / "recipe.yaml"]), ("all", ["--private"])):
        more = ["--recipe", home / "recipe.yaml", *more] if name == "all" else more
        done = medcurate("quarantine", first, "--page", tmp_path / name, *more, env=prefect_env)
        assert done.returncode == 0, done.stderr
        pages[name] = (tmp_path / name).read_text("utf-8")
    pictures = {name: page.count("<svg") for name, page in pages.items()}
    assert pictures == {"plain": 0, "recipe": 5, "all": 7}
    assert "John Smith" not in pages["recipe"]
    assert "Withheld" in pages["recipe"]
    assert "John Smith" in pages["all"]
    assert "Do not pass it on" in pages["all"]


def test_the_next_run_does_what_was_decided(
    first: Path, home: Path, tmp_path: Path, prefect_env: dict[str, str]
) -> None:
    path = home / "recipe.decisions.yaml"
    for expected in ("7 decisions", "0 decisions"):
        drafted = medcurate(
            "quarantine", first, "--draft", path, "--recipe", home / "recipe.yaml", "--private", env=prefect_env
        )
        assert drafted.stdout.startswith(expected), drafted.stderr
    assert load_decisions(str(path)) == []  # all of them undecided

    rows = {(row["reason"], row["case_id"]): row["row_id"] for row in quarantined(first)}
    fixed, confirmed = (rows["caption_short", f"normal/{n}.png"] for n in (1, 2))
    (named,) = (
        row["row_id"]
        for row in quarantined(first)
        if row["reason"] == "identifier_person" and "also" not in row["detail"]
    )
    drafts = {one["row"]: one for one in yaml.safe_load(path.read_text("utf-8"))["decisions"]}
    signed = {"by": "A. Reader", "why": WHY}
    decided = [
        {"case": "normal/0.png", "dataset": "films", "reason": "picture_small", "do": "accept", **signed},
        {**drafts[fixed], "do": "fix", **signed, "fix": {"messages": {1: LONG}}},
        {**drafts[confirmed], "do": "confirm", **signed},
        {**drafts[named], "do": "accept", **signed, "waiver": "Smith is the eponym of a sign here"},
        {**drafts[rows["caption_short", "normal/3.png"]], "do": "confirm", **signed, "seen": "0" * 16},
        {"row": "f" * 32, "reason": "picture_dark", "do": "accept", **signed},
    ]
    path.write_text(yaml.safe_dump({"decisions": decided}))
    done = medcurate("run", write(home, 2), "--workers", 1, "--json", env=prefect_env)
    assert done.returncode == 0, done.stderr
    release = Path(json.loads(done.stdout)["release"])

    shards = pl.read_parquet(sorted((release / "data").glob("*.parquet")))
    kept = {row["id"]: row for row in shards.to_dicts()}
    small = [row for row in kept.values() if row["case_id"] == "normal/0.png"]
    assert [row["task"] for row in small] == ["open"]  # its caption is too short as well, and that nobody accepted
    assert small[0]["quality"]["flags"] == ["accepted_picture_small"]
    assert small[0]["provenance"]["verdicts"] == [
        {"check": "quarantine", "verdict": "accepted", "score": 0.0, "detail": f"A. Reader: {WHY}"}
    ]
    assert kept[fixed]["messages"][1]["content"] == LONG
    assert kept[fixed]["quality"]["flags"] == ["fixed_by_person"]
    assert kept[fixed]["provenance"]["verdicts"][0]["detail"] == f"A. Reader: {WHY} (new: messages[1])"
    assert kept[named]["quality"]["flags"] == ["accepted_identifier_person"]
    assert "(waiver: Smith is" in kept[named]["provenance"]["verdicts"][0]["detail"]

    ledger = pl.read_parquet(release / "ledger.parquet").filter(pl.col("row_id") == confirmed).row(0, named=True)
    assert (ledger["status"], ledger["reason"]) == ("filtered", "confirmed")
    assert {row["row_id"] for row in quarantined(release)} & {fixed, confirmed, named} == set()
    findings = [one["detail"] for one in json.loads((release / "manifest.json").read_text())["gates"]]
    assert any("1 of 6 decisions are about rows that read otherwise now" in one for one in findings)
    assert any(one.startswith("1 of 6 decisions match nothing") and "f" * 32 in one for one in findings)
    told = json.loads((release / "quality" / "decisions.json").read_text())
    assert sorted(one["do"] for one in told) == ["accept", "accept", "confirm", "fix"]
    assert str(home) not in (release / "manifest.json").read_text()


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ("{row: a, case: b, reason: r}", "exactly one"),
        ("{case: b, reason: r}", "must name its dataset"),
        ("{row: a, reason: r, do: accept, why: long enough a reason}", "needs `by`"),
        ("{row: a, reason: r, do: accept, by: me, why: short}", "ten letters"),
        ("{row: a, reason: r, do: fix, by: me, why: long enough a reason}", "at least one new text"),
        ("{row: a, reason: identifier_date, do: accept, by: me, why: long enough a reason, seen: x}", "`waiver`"),
        ("{row: a, reason: burned_in_text, do: accept, by: me, why: long enough, waiver: because}", "`waiver`"),
        ("{row: a, reason: licence_nd, do: accept, by: me, why: long enough a reason}", "`waiver`"),
        ("{row: a, reason: phi_name, do: accept, by: me, why: ten letters, waiver: it is none at all}", "`seen`"),
        ("{row: a, reason: r}, {row: a, reason: r}", "two decisions"),
        ("{row: a, reason: r, do: acept}", "undecided"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_told(tmp_path: Path, entry: str, sentence: str) -> None:
    path = tmp_path / "d.yaml"
    path.write_text(f"decisions: [{entry}]\n")
    with pytest.raises(UserError, match=sentence):
        load_decisions(str(path))
