"""What a row gate is: findings on one row, from its text, its regions and its pictures."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

from schemas.case import Case
from schemas.context import Context
from schemas.findings import Finding, Severity
from schemas.instruction import Instruction
from schemas.rendered import Rendered
from schemas.spec import Strict


class GateOptions(Strict):
    """What every gate can be told in ``recipe.gates`` and, per source, in ``spec.gates``."""

    enabled: bool = True
    """``false`` turns the gate off."""


class RowGate(Protocol):
    """Registered by entry point under ``medcurate.gates``; one file each; must not keep state between rows."""

    name: ClassVar[str]
    Options: ClassVar[type[Strict]]

    def __init__(self, options: Any) -> None: ...

    def check(self, row: Instruction, case: Case, pictures: Sequence[Rendered], context: Context) -> Iterator[Finding]:
        """Yield what is wrong with the row; ``pictures`` are those of ``row.images``, in order."""
        ...


@runtime_checkable
class Repairing(Protocol):
    """A row gate that may also mend a row before it is checked (masking what names a person)."""

    def repair(self, row: Instruction) -> Instruction:
        """The row as it shall be, the very same object where nothing is to be mended."""
        ...


def refuse(code: str, detail: str) -> Finding:
    """A finding that sends the row to quarantine."""
    return Finding(code, detail, Severity.REFUSE)
