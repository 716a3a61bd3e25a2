"""Every spec and recipe that ships loads, says its licence and speaks the taxonomy's words."""

import re
from pathlib import Path

import pytest

from schemas import plugins
from schemas.recipe import load_recipe
from schemas.spec import load_spec
from schemas.taxonomy import labels, propose, scale_of, scales, triplet_problems
from schemas.yaml_file import validate

ROOT = Path(__file__).resolve().parents[2]
SPECS = sorted((ROOT / "catalog").rglob("*.yaml"))
RECIPES = sorted(path for path in (ROOT / "recipes").rglob("*.yaml") if path.parent.name != "terms")
SPDX = re.compile(
    r"(CC0-1\.0|CC-BY(-NC)?(-SA|-ND)?-[1-4]\.\d|MIT|Apache-2\.0|BSD-[23]-Clause|GPL-[23]\.0-only|PDDL-1\.0"
    r"|LicenseRef-[A-Za-z0-9.-]+)"
)


@pytest.fixture(params=SPECS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_a_spec_loads_and_is_named_as_its_file(path: Path) -> None:
    spec = load_spec(path)
    assert spec.name == path.stem
    assert SPDX.fullmatch(spec.license), spec.license
    assert triplet_problems(spec) == []


def test_a_specs_reader_takes_its_options(path: Path) -> None:
    spec = load_spec(path)
    reader = plugins.load("readers", spec.reader.type)
    validate(reader.Options, spec.reader.options, str(path))


def test_label_kind_and_labels_agree(path: Path) -> None:
    spec = load_spec(path)
    if spec.label_kind in ("multi_class", "ordinal", "multi_label"):
        assert len(spec.canonical()) >= 2 or not spec.labels
    assert not set(spec.labels) & set(spec.ignore_labels)
    assert [f"{word}: {propose(word)}" for word in spec.canonical() if word not in labels()] == []
    if spec.label_kind == "ordinal" and spec.labels:
        grades = scales()[scale_of(spec.canonical()[0])].grades
        assert spec.canonical() == [grade for grade in grades if grade in spec.canonical()]


def test_a_catalog_of_unknown_licence_gives_nothing_away(path: Path) -> None:
    spec = load_spec(path)
    assert spec.license != "LicenseRef-unknown" or spec.access != "open"


def test_what_is_not_known_of_labels_is_said(path: Path) -> None:
    spec = load_spec(path)
    if not spec.labels and spec.label_kind != "none":
        assert "still to be listed" in spec.notes or "not checked" in spec.notes, spec.name


def test_a_pattern_of_groups_compiles_and_has_a_group(path: Path) -> None:
    rule = load_spec(path).group
    assert (rule.by == "pattern") == bool(rule.pattern)
    assert not rule.pattern or re.compile(rule.pattern).groups == 1
    assert (rule.by == "field") == bool(rule.field)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_loads_and_names_what_exists(path: Path) -> None:
    recipe = load_recipe(path)
    for choice in recipe.datasets:
        load_spec(Path(choice.spec))
        for converter in recipe.converters if choice.converters is None else choice.converters:
            kind = plugins.load("converters", converter.type)
            validate(kind.Options, converter.options, str(path))
