"""What a converter is: one way of asking about a case, pure and deterministic."""

from collections.abc import Iterator
from typing import Any, ClassVar, Protocol

from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction
from schemas.spec import Strict


class Converter(Protocol):
    """Case in, rows out.  Registered by entry point under ``medcurate.converters``; one file each.

    The same case, context and options give the same rows, in the same order, in any process.  Every random
    choice is drawn by `converters.drawing` from the seed and the row's own id.
    """

    name: ClassVar[str]
    Options: ClassVar[type[Strict]]

    def __init__(self, options: Any) -> None: ...

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the rows; none where the case lacks what this converter asks about."""
        ...
