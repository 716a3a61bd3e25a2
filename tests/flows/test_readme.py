"""What README and docs show can be pasted: recipes are recipes, commands and their options exist."""

import re
from textwrap import dedent

import typer
import yaml

from flows import cli, cli_more  # noqa: F401 - the second registers its commands
from quality.release import check_recipe
from quality.row_gates import open_gates
from schemas import plugins
from schemas.recipe import Recipe
from schemas.yaml_file import validate
from synthesis.checks.rows import CheckOptions
from synthesis.pipeline import open_tasks

BLOCK = re.compile(r"```yaml\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
PAGES = ("converters", "gates", "layouts", "mixtures", "releases", "synthesis", "volumes")
BASE = {"name": "shown", "version": "1", "datasets": [{"spec": "a.yaml"}]}


def test_every_recipe_in_the_readme_is_valid(root):
    shown = _shown(root / "README.md")
    recipes = [block for block in shown if block.keys() <= set(Recipe.model_fields)]
    assert len(recipes) == 3
    for block in recipes:
        recipe = validate(Recipe, {**BASE, **block}, "README")
        for kind, choices in (("converters", recipe.converters), ("episodes", recipe.episodes.converters)):
            for choice in choices:
                part = plugins.load(kind, choice.type)
                validate(part.Options, choice.options, choice.type)


def test_every_yaml_in_the_docs_says_what_can_be_said(root):
    recipes = 0
    for page in PAGES:
        for block in _shown(root / "docs" / f"{page}.md"):
            if block.keys() & {"engine", "checks"}:  # of `synthesis:`
                block = {"synthesis": {"tasks": [{"type": "unblinded"}], "engine": {"type": "openai"}, **block}}
            if block.keys() <= set(Recipe.model_fields) and not isinstance(block.get("decisions"), list):
                recipes += 1
                _check(validate(Recipe, {**BASE, **block}, page))
    assert recipes >= 11


def _check(recipe):
    check_recipe(recipe)
    open_gates(recipe.gates)
    for choice in recipe.episodes.converters:
        validate(plugins.load("episodes", choice.type).Options, choice.options, choice.type)
    if recipe.synthesis is not None:
        open_tasks(recipe.synthesis.tasks)
        validate(CheckOptions, recipe.synthesis.checks, "synthesis.checks")


def test_every_command_and_option_that_the_docs_name_exists(root):
    commands = typer.main.get_command(cli.app).commands
    known = {name: {word for one in command.params for word in one.opts} for name, command in commands.items()}
    named = 0
    for path in (root / "README.md", *(root / "docs").glob("*.md")):
        for name, rest in re.findall(r"(?:`|    |run: )medcurate ([a-z][a-z-]+)([^`\n]*)", path.read_text()):
            named += 1
            assert name in known, (path.name, name)
            assert set(re.findall(r"--[a-z-]+", rest.partition("#")[0])) <= known[name], (path.name, name, rest)
    assert named > 30


def _shown(page):
    """The YAML blocks of a page; three dots stand for what is left out."""
    texts = (dedent(text).replace("{..., ", "{") for text in BLOCK.findall(page.read_text()))
    return [yaml.safe_load(text) for text in texts]
