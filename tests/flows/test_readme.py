"""The recipes that the README shows are recipes."""

import re
from textwrap import dedent

import yaml

from schemas import plugins
from schemas.recipe import Recipe
from schemas.yaml_file import validate

BASE = {"name": "shown", "version": "1", "datasets": [{"spec": "a.yaml"}]}


def test_every_recipe_in_the_readme_is_valid(root):
    blocks = re.findall(r"```yaml\n(.*?)^ *```", (root / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    shown = [yaml.safe_load(dedent(text)) for text in blocks]
    recipes = [block for block in shown if block.keys() <= set(Recipe.model_fields)]
    assert len(recipes) == 3
    for block in recipes:
        recipe = validate(Recipe, {**BASE, **block}, "README")
        for kind, choices in (("converters", recipe.converters), ("episodes", recipe.episodes.converters)):
            for choice in choices:
                part = plugins.load(kind, choice.type)
                validate(part.Options, choice.options, choice.type)
