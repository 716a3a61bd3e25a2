"""What checks say: a code for machines, a sentence for people, a severity for the pipeline."""

from dataclasses import dataclass
from enum import StrEnum

PRIVATE = ("privacy", "phi", "burned_in", "identifier")
"""How codes begin that are about people; a row refused for one leaves no contents in the quarantine."""

GUARDED = (*PRIVATE, "licence", "license", "access")
"""How codes begin that a person may only overrule with a written waiver."""


def private(code: str) -> bool:
    """Whether a code is about people."""
    return code.startswith(PRIVATE)


def guarded(code: str) -> bool:
    """Whether a code takes a written waiver to be overruled."""
    return code.startswith(GUARDED)


class Severity(StrEnum):
    """What a finding does to what it was found on."""

    NOTE = "note"
    """Kept in the report only."""
    FLAG = "flag"
    """The row or case is kept, its ``quality.flags`` carry the code."""
    REFUSE = "refuse"
    """The row or case goes to quarantine."""
    REFUSE_RELEASE = "refuse_release"
    """Nothing is published."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found by a reader, a gate or a check."""

    code: str
    """Machine-readable, lower_snake_case, stable across versions."""
    detail: str
    """One sentence, without contents of the data."""
    severity: Severity = Severity.FLAG
