"""YAML in, pydantic model out; a mistake is named with its file, line and the nearest right key."""

from collections.abc import Sequence
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from schemas.errors import UserError, nearest

Model = TypeVar("Model", bound=BaseModel)
Place = tuple[str | int, ...]


def load_yaml(path: Path, model: type[Model]) -> Model:
    """Read ``path`` as a ``model``; every mistake becomes a `UserError` of one sentence."""
    root = _compose(path)
    if root is None and (needed := [name for name, field in model.model_fields.items() if field.is_required()]):
        raise UserError(f"{path} is empty; it needs {', '.join(needed)}")
    data = yaml.SafeLoader("").construct_document(root) if root is not None else {}
    if not isinstance(data, dict):
        raise UserError(f"{path}: the file holds a {type(data).__name__}, but a mapping of keys is needed")
    return validate(model, data, str(path), lines_of(root))


def validate(model: type[Model], data: dict[str, Any], where: str, lines: dict[Place, int] | None = None) -> Model:
    """Validate ``data`` as ``model``; ``where`` names the file in messages, ``lines`` gives the line of each place."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        told = [item for item in error.errors() if not _follows(item, error.errors())]
        raise UserError("; ".join(_sentence(model, item, where, lines or {}) for item in told)) from None


def lines_of(node: yaml.Node | None) -> dict[Place, int]:
    """The 1-based line of every key and item below ``node``."""
    found: dict[Place, int] = {}

    def walk(here: yaml.Node, place: Place) -> None:
        if isinstance(here, yaml.MappingNode):
            for key, value in here.value:
                found[(*place, key.value)] = key.start_mark.line + 1
                walk(value, (*place, key.value))
        elif isinstance(here, yaml.SequenceNode):
            for index, value in enumerate(here.value):
                found[(*place, index)] = value.start_mark.line + 1
                walk(value, (*place, index))

    if node is not None:
        walk(node, ())
    return found


def _compose(path: Path) -> yaml.Node | None:
    try:
        root = yaml.compose(path.read_text("utf-8"), Loader=yaml.SafeLoader)
    except FileNotFoundError:
        raise UserError(f"there is no file {path}; check the path") from None
    except IsADirectoryError:
        raise UserError(f"{path} is a folder; name the YAML file in it") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not text in UTF-8; save it so") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}; check who may read it") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise UserError(f"{path}{line}: not valid YAML: {getattr(error, 'problem', None) or error}") from None
    _refuse_repeated_keys(root, path)
    return root


def _refuse_repeated_keys(node: yaml.Node | None, path: Path) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise UserError(f"{path}, line {key.start_mark.line + 1}: the key {key.value!r} stands twice; keep one")
            seen.add(key.value)
            _refuse_repeated_keys(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_repeated_keys(item, path)


def _sentence(model: type[BaseModel], error: Any, where: str, lines: dict[Place, int]) -> str:
    place: Place = tuple(part for part in error["loc"] if part != "[key]")
    line = next((lines[place[:n]] for n in range(len(place), 0, -1) if place[:n] in lines), None)
    at = f"{where}, line {line}" if line else where
    key = ".".join(str(part) for part in place)
    if error["type"] == "extra_forbidden":
        known = _fields_at(model, place[:-1])
        return f"{at}: unknown key {key!r}{nearest(str(place[-1]), known) or _all_of(known)}"
    if error["type"] == "missing":
        return f"{at}: the key {key!r} is missing"
    return f"{at}: {key}: {_wanted(error)}"


def _wanted(error: Any) -> str:
    """What should stand there, where pydantic's own words would leave a newcomer at a loss."""
    given = error["input"]
    if error["type"] == "string_type" and isinstance(given, int | float) and not isinstance(given, bool):
        return f"YAML reads what stands there as the number {given}; put quotes around it"
    words: str = error["msg"].removeprefix("Value error, ")
    return words


def _all_of(known: Sequence[str]) -> str:
    """What may stand there instead, where that is soon said."""
    if not known:
        return "; there are none"
    return f"; known are {', '.join(known)}" if len(known) <= 8 else ""


def _follows(error: Any, errors: Sequence[Any]) -> bool:
    """Whether a list only counts as too short because an item of it is wrong, which is told already."""
    depth = len(error["loc"])
    return error["type"] == "too_short" and any(
        len(other["loc"]) > depth and other["loc"][:depth] == error["loc"] for other in errors
    )


def _fields_at(model: type[BaseModel], place: Place) -> list[str]:
    """Field names of the model that stands at ``place`` inside ``model``."""
    here: Any = model
    for part in place:
        models = _models_in(here)
        if isinstance(part, int) or not models:
            continue
        inner = next((m.model_fields[part].annotation for m in models if part in m.model_fields), None)
        here = inner if inner is not None else here
    return [name for found in _models_in(here) for name in found.model_fields]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (list, dict, tuple, Union, UnionType) or get_args(annotation):
        return [found for arg in get_args(annotation) for found in _models_in(arg)]
    return []
