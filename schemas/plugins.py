"""Finds readers, converters, gates, tasks and export formats through entry points, the built-in ones too."""

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal, get_args

from schemas.errors import UserError, nearest

Kind = Literal["readers", "converters", "episodes", "gates", "tasks", "exports"]


@cache
def _entries(kind: Kind) -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=f"medcurate.{kind}")}


def names(kind: Kind) -> list[str]:
    """Sorted names of everything registered under ``medcurate.<kind>``."""
    return sorted(_entries(kind))


def modules() -> set[str]:
    """Names of the top-level packages and modules that hold a registered part."""
    return {entry.module.partition(".")[0] for kind in get_args(Kind) for entry in _entries(kind).values()}


@cache
def load(kind: Kind, name: str) -> Any:
    """Import and return one registered part; `UserError` with the nearest name where there is none."""
    entries = _entries(kind)
    if name not in entries:
        raise UserError(f"there is no {kind.removesuffix('s')} {name!r}{nearest(name, entries)}")
    entry = entries[name]
    try:
        return entry.load()
    except Exception as error:
        package = entry.dist.name if entry.dist else "its package"
        raise UserError(
            f"the {kind.removesuffix('s')} {name!r} of {package} cannot be loaded from {entry.value} "
            f"({type(error).__name__}: {error}); mend or uninstall that package"
        ) from error
