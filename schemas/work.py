"""Work: a case on its way through a partition's list of steps, with everything made of it so far."""

from dataclasses import dataclass, field

from schemas.case import Case, ImageRef, VolumeRef
from schemas.instruction import Instruction
from schemas.ledger import Status
from schemas.rendered import Carried, Rendered


@dataclass(frozen=True, slots=True)
class Drop:
    """A row or case that goes no further, and why."""

    status: Status
    stage: str
    reason: str
    """Machine-readable code."""
    detail: str
    """One sentence without contents."""


@dataclass(slots=True)
class Work:
    """One case between reading and staging.  Steps fill it; none removes anything without a `Drop`."""

    case_id: str
    """The case key; known even where reading failed."""
    case: Case | None = None
    """``None`` where reading failed; then ``dropped`` says why."""
    dropped: Drop | None = None
    """Set once the whole case is out; later steps pass it by."""
    rows: list[Instruction] = field(default_factory=list)
    """Rows still in."""
    refused: list[tuple[Instruction, Drop]] = field(default_factory=list)
    """Rows that are out, kept for the quarantine file."""
    lost: list[tuple[str, Drop]] = field(default_factory=list)
    """Ids of rows that never came to be (a failed request), for the ledger."""
    pictures: dict[ImageRef, Rendered] = field(default_factory=dict)
    """Every picture that a row shows, rendered once."""
    volumes: dict[VolumeRef, Carried] = field(default_factory=dict)
    """Every volume and mask that a row carries, made once."""

    def drop(self, status: Status, stage: str, reason: str, detail: str) -> None:
        """Take the whole case out; its rows go with it."""
        self.dropped = Drop(status, stage, reason, detail)
        self.refused += [(row, self.dropped) for row in self.rows]
        self.rows = []

    def refuse(self, row: Instruction, drop: Drop) -> None:
        """Take one row out."""
        self.rows.remove(row)
        self.refused.append((row, drop))
