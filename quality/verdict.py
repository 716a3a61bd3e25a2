"""What checks of a whole release say, and how a written waiver overrules them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from schemas.findings import Severity
from schemas.recipe import Waiver


@dataclass(frozen=True, slots=True)
class ReleaseFinding:
    """Something found on a release as a whole, or on one of its datasets."""

    gate: str
    """Name of the check; what a waiver names."""
    severity: Severity
    detail: str
    """One sentence with numbers, without contents."""
    dataset: str = ""
    """Empty where it concerns the release as a whole."""
    evidence: tuple[Mapping[str, Any], ...] = ()
    """What it rests on, without contents: ids of rows, cases and splits; goes to ``quality/<gate>.json``."""


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """One line of ``manifest.gates``."""

    gate: str
    passed: bool
    """False refuses the release, unless ``waived_by`` gives a reason."""
    severity: str
    """The worst severity that was found, ``note`` where nothing was."""
    detail: str
    dataset: str = ""
    waived_by: str = ""
    """The written reason of the waiver that lets the release go out all the same."""

    def to_json(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)


def passed(gate: str, detail: str) -> GateVerdict:
    """The verdict of a check that found nothing."""
    return GateVerdict(gate, True, Severity.NOTE.value, detail)


def judge(findings: Iterable[ReleaseFinding], waivers: Sequence[Waiver]) -> list[GateVerdict]:
    """One verdict for each finding; a waiver that names its gate and dataset (or no dataset) is written beside it."""
    return [_verdict(found, waivers) for found in findings]


def _verdict(found: ReleaseFinding, waivers: Sequence[Waiver]) -> GateVerdict:
    refusing = found.severity == Severity.REFUSE_RELEASE
    reason = next((one.reason for one in waivers if refusing and _covers(one, found)), "")
    return GateVerdict(found.gate, not refusing, found.severity.value, found.detail, found.dataset, reason)


def _covers(waiver: Waiver, found: ReleaseFinding) -> bool:
    return waiver.gate == found.gate and waiver.dataset in ("", found.dataset)
