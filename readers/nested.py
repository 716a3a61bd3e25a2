"""Files inside files: ``shard.tar!/000001.jpg``, ``part.parquet!/image/17``, ``a.tsv!/image/0`` are paths too."""

from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast
from weakref import WeakKeyDictionary

from schemas.errors import CaseError, UserError

if TYPE_CHECKING:
    from readers.source import Source

MARK = "!/"
"""Stands between a file and the name of something inside it."""

KEPT = 8
"""Files of one source that stay open."""

Method = TypeVar("Method", bound=Callable[..., Any])

_open: "WeakKeyDictionary[Source, OrderedDict[str, Source]]" = WeakKeyDictionary()


def reaches_inside(method: Method) -> Method:
    """Let a method ``(self, path)`` of a source also take a path with `MARK` in it."""

    @wraps(method)
    def call(self: "Source", path: str, *rest: Any) -> Any:
        if MARK not in path:
            return method(self, path, *rest)
        outer, _, inner = path.partition(MARK)
        try:
            return getattr(_opened(self, outer), method.__name__)(inner, *rest)
        except CaseError:
            if method.__name__ == "exists":
                return False
            raise

    return cast("Method", call)


def _opened(source: "Source", outer: str) -> "Source":
    kept = _open.setdefault(source, OrderedDict())
    if outer not in kept:
        kept[outer] = _container(source, outer)
        if len(kept) > KEPT:
            kept.popitem(last=False)
    kept.move_to_end(outer)
    return kept[outer]


def _container(source: "Source", outer: str) -> "Source":
    lower = outer.lower()
    try:
        if lower.endswith((".parquet", ".arrow")):
            from readers.columns import Columns

            return Columns(source, outer)
        if lower.endswith((".csv", ".tsv", ".jsonl", ".ndjson")):
            from readers.embedded import TableCells

            return TableCells(source, outer)
        if lower.endswith(".json"):
            from readers.embedded import LabelMePicture

            return LabelMePicture(source, outer)
        from readers.archive import open_archive

        return open_archive(source.local(outer))
    except UserError as error:
        raise CaseError("corrupt_archive", str(error)) from None
