"""Holds the rows of one case against all gates, and says what becomes of each."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

from quality.base import Repairing, RowGate
from quality.carriers import nifti_carried
from quality.costs import Cost
from quality.decided import Decided
from schemas.context import Context
from schemas.errors import ReleaseError
from schemas.findings import Finding, Severity, private
from schemas.instruction import Instruction
from schemas.ledger import Status
from schemas.rendered import Rendered
from schemas.work import Drop, Work

STAGE = "gate"

MISSING = Finding("picture_missing", "a picture of the row was not rendered", Severity.REFUSE)


class Judge:
    """All gates of one dataset, what persons decided, and what each gate has cost so far.

    Args:
        gates: in the order in which they look.
        context: of the dataset.
        decided: decisions about rows that were refused before.
    """

    def __init__(self, gates: Sequence[RowGate], context: Context, decided: Decided | None = None) -> None:
        self.context = context
        self.costs = {one.name: Cost() for one in gates}
        self._decided = decided or Decided()
        # Asking a protocol is slow, so it is asked once and not for every row.
        self._repairing = [one for one in gates if isinstance(one, Repairing)]
        self._private = [one for one in gates if one.name == "identifiers"]
        self._checks = [(one.check, self.costs[one.name]) for one in gates]

    def judge(self, work: Work) -> None:
        """Part the rows of a case into kept and refused ones."""
        assert work.case is not None
        self._decided.restore(work)
        rows = [self._prepared(row, work) for row in work.rows]
        judged: list[tuple[Instruction, list[Rendered], list[Finding], str]] = []
        kept: list[Instruction | None] = []
        shown: dict[int, Rendered | None] = {}
        for row, seen in rows:
            pictures = _pictures(row, work, shown)
            found = [MISSING] if pictures is None else self._given(work, pictures)
            judged.append((row, pictures or [], found, seen))
        self._look([one for one in judged if one[2] != [MISSING]], work)
        for row, _, found, seen in judged:
            if row.volumes and found[:1] != [MISSING]:
                found.extend(_volumes(row, work))
            kept.append(self._settled(work, row, seen, found) if found else row)
        work.rows = [row for row in kept if row is not None]

    def screen(self, work: Work) -> None:
        """Rows that earlier steps refused go to the quarantine, whose readers must not learn a name from it either."""
        assert work.case is not None
        for number, (row, drop) in enumerate(work.refused):
            found = [note for one in self._private for note in one.check(row, work.case, (), self.context)]
            worse = _drop(row, found)
            if worse is not None:
                detail = f"{worse.detail} (refused before: {drop.reason})"
                work.refused[number] = (row, replace(drop, reason=worse.reason, detail=detail))

    def _prepared(self, row: Instruction, work: Work) -> tuple[Instruction, str]:
        """The row, masked and mended, and the digest of what a person saw of it where one decided about it."""
        row = self.repaired(row)
        if not self._decided or not self._decided.concerns(row, work.case_id):
            return row, ""
        seen = self._decided.seen(row)
        mended = self._decided.mend(row, seen)
        return (row if mended is row else self.repaired(mended)), seen

    def repaired(self, row: Instruction) -> Instruction:
        """The row as gates that mend rows leave it."""
        for one in self._repairing:
            row = one.repair(row)
        return row

    def _given(self, work: Work, pictures: Sequence[Rendered]) -> list[Finding]:
        """What reader and decoder found already."""
        assert work.case is not None
        found = list(work.case.findings)
        for picture in pictures:
            found += picture.findings
        return found

    def _look(self, judged: Sequence[tuple[Instruction, list[Rendered], list[Finding], str]], work: Work) -> None:
        """Let every gate look at every row; gate by gate, so that its time is taken once for a case."""
        case, context = work.case, self.context
        assert case is not None
        begin = perf_counter()
        for check, cost in self._checks:
            cost.rows += len(judged)
            for row, pictures, found, _ in judged:
                for one in check(row, case, pictures, context):
                    found.append(one)
                    cost.refused += one.severity is Severity.REFUSE
                    cost.flagged += one.severity is Severity.FLAG
            end = perf_counter()
            cost.seconds += end - begin
            begin = end

    def _settled(self, work: Work, row: Instruction, seen: str, found: list[Finding]) -> Instruction | None:
        if seen:
            row, found = self._decided.overrule(row, work.case_id, seen, found)
        drop = _drop(row, found)
        if drop is None:
            return _flagged(row, found)
        work.refused.append((row, drop))
        return None


def _pictures(row: Instruction, work: Work, shown: dict[int, Rendered | None]) -> list[Rendered] | None:
    """The row's pictures; ``None`` where one was not rendered.

    Rows of a case mostly hold the very same reference; hashing it anew for each of them costs more than most gates.
    """
    pictures: list[Any] = []
    for ref in row.images:
        if id(ref) not in shown:
            shown[id(ref)] = work.pictures.get(ref)
        pictures.append(shown[id(ref)])
    return None if None in pictures else pictures


def _volumes(row: Instruction, work: Work) -> Iterator[Finding]:
    for number, volume in enumerate(row.volumes):
        code = nifti_carried(work.volumes[volume].data) if volume in work.volumes else ""
        if code:
            yield Finding(code, f"volume {number}: its file carries more than the voxels", Severity.REFUSE)


def _drop(row: Instruction, found: Sequence[Finding]) -> Drop | None:
    final = next((one for one in found if one.severity == Severity.REFUSE_RELEASE), None)
    if final is not None:
        raise ReleaseError(f"row {row.id}: {final.code}: {final.detail}")
    wrong = [one for one in found if one.severity == Severity.REFUSE]
    if not wrong:
        return None
    # The first code is the row's reason, and a private one keeps its contents out of the quarantine.
    wrong.sort(key=lambda one: not private(one.code))
    others = list(dict.fromkeys(one.code for one in wrong[1:] if one.code != wrong[0].code))
    also = f" (also: {', '.join(others)})" if others else ""
    return Drop(Status.QUARANTINED, STAGE, wrong[0].code, wrong[0].detail + also)


def _flagged(row: Instruction, found: Sequence[Finding]) -> Instruction:
    codes = [one.code for one in found if one.severity == Severity.FLAG and one.code not in row.flags]
    return replace(row, flags=(*row.flags, *dict.fromkeys(codes))) if codes else row
