"""What an episode converter is: one way of asking about several cases at once, pure and deterministic."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Protocol

from schemas.context import Context
from schemas.episode import Episode, Lent
from schemas.spec import Strict


class EpisodeConverter(Protocol):
    """Cases in, rows out.  Registered by entry point under ``medcurate.episodes``; one file each.

    The cases are a pool that the flow made of kept cases of one dataset and split; each case is in one pool.  The same
    pool, context and options give the same rows, in the same order, in any process.  Ids are made from the key of
    the case that owns the row, as in `converters.base.Converter`.
    """

    name: ClassVar[str]
    Options: ClassVar[type[Strict]]

    def __init__(self, options: Any) -> None: ...

    def convert_many(self, cases: Sequence[Lent], context: Context) -> Iterator[Episode]:
        """Yield the rows; none where the pool lacks what this converter asks about."""
        ...
