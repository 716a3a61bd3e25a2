"""Prompts are data: a YAML file with a version, whose digest is carried by every row that it led to."""

import re
import string
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field

from schemas import identity
from schemas.errors import UserError, nearest
from schemas.spec import Strict
from schemas.yaml_file import load_yaml

FOLDER = Path(__file__).parent / "prompts"


class Scene(Strict):
    """One way of talking, drawn per row."""

    name: str
    text: str


class Style(Strict):
    """One wording of the prompt; ``{facts}``, ``{scene}`` and other words in braces are filled in."""

    system: str = ""
    user: str
    scenes: list[Scene] = Field(default_factory=list)
    """None: no scene is filled in."""
    questions: list[str] = Field(default_factory=list)
    """Wordings of the question to which a description is the answer."""
    parts: dict[str, str] = Field(default_factory=dict)
    """Wordings that options of the task choose among, by the option's word."""


class PromptFile(Strict):
    """A task's prompt in several styles."""

    version: int
    styles: dict[str, Style]


@cache
def load_style(path: Path, name: str) -> Style:
    """One style of a prompt file; `UserError` where the file or the style is wrong."""
    styles = load_yaml(path, PromptFile).styles
    if name not in styles:
        raise UserError(f"{path}: there is no style {name!r}{nearest(name, styles)}; it has {', '.join(styles)}")
    return styles[name]


def built_in(task: str) -> Path:
    """The prompt file that comes with a task."""
    return FOLDER / f"{task}.yaml"


class Checklists(Strict):
    """``checklists.yaml``: what to look at, by kind of picture."""

    version: int
    default: str
    modalities: dict[str, str]
    """By a regular expression for the beginning of a word in the modality's name."""


def checklist(modality: str) -> str:
    """What an expert looks at in a picture of this modality."""
    lists = _checklists()
    name = modality.lower()
    return next((text for word, text in lists.modalities.items() if re.search(rf"\b{word}", name)), lists.default)


@cache
def _checklists() -> Checklists:
    return load_yaml(FOLDER / "checklists.yaml", Checklists)


def style_digest(style: Style, schema: dict[str, Any] | None) -> str:
    """Digest of everything in the prompt that is the same for all rows, and of the schema."""
    import json

    return identity.digest("prompt", style.model_dump_json(), json.dumps(schema, sort_keys=True))


def fill(template: str, where: str, **words: str) -> str:
    """``template`` with its words in braces replaced; `UserError` where it names one that there is not."""
    unknown = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None and name not in words]
    if unknown:
        raise UserError(f"{where}: {{{unknown[0]}}} cannot be filled in; there are {', '.join(sorted(words))}")
    return template.format(**words).strip()
