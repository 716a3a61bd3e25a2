"""Gate: as many ``<image>`` as the row has pictures, and all where a trainer looks for them."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from quality.base import GateOptions, refuse
from schemas.case import Case
from schemas.context import Context
from schemas.findings import Finding
from schemas.instruction import IMAGE, Instruction
from schemas.rendered import Rendered


class PlaceholdersOptions(GateOptions):
    """No thresholds: the rule is the format's own (LLaVA, ShareGPT; FIELD.md section 19 "placeholder count")."""


class Placeholders:
    """Refuses rows whose ``<image>`` do not match their pictures.

    Codes: ``placeholder_count`` (too few or too many), ``placeholder_place`` (outside the first user turn of
    a row that is not interleaved; an assistant never writes one).
    """

    name: ClassVar[str] = "placeholders"
    Options: ClassVar[type[GateOptions]] = PlaceholdersOptions

    def __init__(self, options: PlaceholdersOptions) -> None:
        self.options = options

    def check(self, row: Instruction, case: Case, pictures: Sequence[Rendered], context: Context) -> Iterator[Finding]:
        """Count placeholders by turn."""
        counts = [message.content.count(IMAGE) for message in row.messages]
        total, images = sum(counts), len(row.images)
        if total != images:
            yield refuse("placeholder_count", f"the turns hold {total} {IMAGE} for {images} pictures")
        elif total and row.task != "interleaved" and total != _asked(row, counts):
            yield refuse("placeholder_place", f"an {IMAGE} stands outside the first user turn")


def _asked(row: Instruction, counts: Sequence[int]) -> int:
    """How many stand in the first user turn."""
    for message, count in zip(row.messages, counts, strict=True):
        if message.role == "user":
            return count
    return 0
