"""Applies what persons decided about refused rows (`schemas.decisions`) while the rows are judged again."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from schemas.decisions import Decision, Fix
from schemas.findings import Finding, Severity
from schemas.identity import digest
from schemas.instruction import Instruction, Message, Verdict
from schemas.ledger import Status
from schemas.work import Drop, Work

CHECK = "quarantine"
"""Name of the verdict in ``provenance.verdicts``."""
CONFIRMED = "confirmed"
FIXED = "fixed_by_person"


def seen_digest(row: Any) -> str:
    """Digest of everything that a person can judge of a row: its words, options, answer, labels and places.

    Args:
        row: the published columns, or what ``quarantine.parquet`` holds as JSON.
    """
    places = [[one["label"], one["kind"], list(one["box"]), one["rle"]] for one in row["regions"]]
    turns = [[turn["role"], turn["content"]] for turn in row["messages"]]
    parts = [turns, list(row["options"]), row["answer"], row["answer_index"], list(row["labels"]), places]
    return digest(json.dumps(parts, ensure_ascii=False))[:16]


def seen_of(row: Instruction) -> str:
    """`seen_digest` of a row that is not published yet."""
    return seen_digest({
        "regions": [{"label": p.label, "kind": p.kind, "box": p.box, "rle": p.rle} for p in row.regions],
        "messages": [{"role": turn.role, "content": turn.content} for turn in row.messages],
        "options": row.options, "answer": row.answer, "answer_index": row.answer_index, "labels": row.labels,
    })  # fmt: skip


class Decided:
    """The decisions about one dataset, and how often each was honoured.

    Args:
        decisions: of all datasets.
        dataset: name of this one.
        case_id: gives the published id of a case key.
    """

    def __init__(
        self, decisions: Sequence[Decision] = (), dataset: str = "", case_id: Callable[[str], str] = str
    ) -> None:
        self._case_id = case_id
        self._decisions = decisions
        self._rows: dict[str, list[int]] = {}
        self._cases: dict[str, list[int]] = {}
        for number, one in enumerate(decisions):
            if one.row:
                self._rows.setdefault(one.row, []).append(number)
            elif one.dataset == dataset:
                self._cases.setdefault(one.case, []).append(number)
        self.honoured: Counter[int] = Counter()
        self.outdated: set[int] = set()

    def __bool__(self) -> bool:
        return bool(self._rows or self._cases)

    def to_json(self) -> dict[str, Any]:
        """For the marker of a partition: numbers of decisions that were honoured, and of those that came too late."""
        return {"honoured": sorted(self.honoured), "outdated": sorted(self.outdated)}

    def admit(self, works: Iterator[Work]) -> Iterator[Work]:
        """Step before converting: what a reader would refuse a case for becomes a flag where it was accepted."""
        for work in works:
            if self and work.case is not None and work.dropped is None:
                findings = tuple(self._lowered(one, "", work.case_id, "")[0] for one in work.case.findings)
                if findings != work.case.findings:
                    work.case = replace(work.case, findings=findings)
            yield work

    def close(self, works: Iterator[Work]) -> Iterator[Work]:
        """Last step: what was confirmed to be wrong is filtered, and so no longer asks for anybody's attention."""
        for work in works:
            if self:
                work.refused = [(row, self._silenced(drop, row, work.case_id)) for row, drop in work.refused]
                if work.dropped is not None:
                    work.dropped = self._closed(work, work.dropped)
            yield work

    def restore(self, work: Work) -> None:
        """Take back rows that an earlier step refused and a person accepted or mended."""
        if not self:
            return
        still: list[tuple[Instruction, Drop]] = []
        for row, drop in work.refused:
            number = self._number(row, work.case_id, drop.reason, seen_of(row))
            decision = None if number is None else self._decisions[number]
            if number is None or decision is None or drop.status is not Status.QUARANTINED or decision.do == "confirm":
                still.append((row, drop))
            elif decision.do == "accept":
                self.honoured[number] += 1
                work.rows.append(_marked(row, decision, f"accepted_{drop.reason}"))
            else:
                work.rows.append(row)
        work.refused = still

    def concerns(self, row: Instruction, key: str) -> bool:
        """Whether anything was decided about the row, or about its case."""
        return row.id in self._rows or (bool(self._cases) and self._case_id(key) in self._cases)

    def seen(self, row: Instruction) -> str:
        """`seen_digest` of the row as it is now."""
        return seen_of(row)

    def mend(self, row: Instruction, seen: str) -> Instruction:
        """The row with the words that a person gave it; the same row where nobody did.

        Args:
            row: the row.
            seen: its `seen_digest` as the person saw it.
        """
        for number in self._rows.get(row.id, ()):
            decision = self._decisions[number]
            if decision.fix is None:
                continue
            if decision.seen not in ("", seen) or any(not 0 <= n < len(row.messages) for n in decision.fix.messages):
                self.outdated.add(number)
                continue
            self.honoured[number] += 1
            row = _marked(_fixed(row, decision.fix), decision, FIXED)
        return row

    def overrule(
        self, row: Instruction, key: str, seen: str, found: list[Finding]
    ) -> tuple[Instruction, list[Finding]]:
        """Findings that refuse become flags where a person accepted them; the row then says who, and why.

        Args:
            row: the row.
            key: of its case.
            seen: its `seen_digest` as the person saw it.
            found: everything that was found on it.
        """
        lowered = []
        for one in found:
            changed, decision = self._lowered(one, row.id, key, seen)
            lowered.append(changed)
            if decision is not None:
                row = _marked(row, decision, changed.code)
        return row, lowered

    def _lowered(self, found: Finding, row_id: str, key: str, seen: str) -> tuple[Finding, Decision | None]:
        if found.severity is not Severity.REFUSE:
            return found, None
        for number in self._about(row_id, key, found.code):
            decision = self._decisions[number]
            if decision.do != "accept":
                continue
            if decision.seen and decision.seen != seen:
                self.outdated.add(number)
                continue
            self.honoured[number] += 1
            return replace(found, code=f"accepted_{found.code}", severity=Severity.FLAG), decision
        return found, None

    def _silenced(self, drop: Drop, row: Instruction | None, key: str) -> Drop:
        if drop.status is not Status.QUARANTINED:
            return drop
        number = self._number(row, key, drop.reason, seen_of(row) if row else "")
        if number is None or self._decisions[number].do != "confirm":
            return drop
        self.honoured[number] += 1
        decision = self._decisions[number]
        detail = f"{drop.reason}, confirmed by {decision.by}: {decision.why}"
        return Drop(Status.FILTERED, drop.stage, CONFIRMED, detail)

    def _closed(self, work: Work, dropped: Drop) -> Drop:
        """The case's own drop; a case that lost its last row to a confirmed refusal is confirmed too."""
        silenced = self._silenced(dropped, None, work.case_id)
        drops = [drop for _, drop in work.refused]
        if silenced is dropped and drops and not work.rows and all(drop.reason == CONFIRMED for drop in drops):
            return replace(drops[0], detail=f"no row is left; the first refusal: {drops[0].detail}")
        return silenced

    def _number(self, row: Instruction | None, key: str, reason: str, seen: str) -> int | None:
        for number in self._about(row.id if row else "", key, reason):
            wanted = self._decisions[number].seen
            if not wanted or wanted == seen:
                return number
            self.outdated.add(number)
        return None

    def _about(self, row_id: str, key: str, code: str) -> list[int]:
        numbers = [*self._rows.get(row_id, ()), *(self._cases.get(self._case_id(key), ()) if self._cases else ())]
        return [number for number in numbers if self._decisions[number].reason == code]


def _marked(row: Instruction, decision: Decision, flag: str) -> Instruction:
    said = "fixed" if decision.fix else "accepted"
    detail = f"{decision.by}: {decision.why}"
    if decision.fix:
        detail += f" (new: {', '.join(decision.fix.changes())})"
    if decision.waiver:
        detail += f" (waiver: {decision.waiver})"
    verdicts = (*row.provenance.verdicts, Verdict(CHECK, said, 0.0, detail))
    made = replace(row.provenance, verdicts=verdicts)
    return replace(row, provenance=made, flags=tuple(dict.fromkeys((*row.flags, flag))))


def _fixed(row: Instruction, fix: Fix) -> Instruction:
    turns = tuple(Message(turn.role, fix.messages.get(n, turn.content)) for n, turn in enumerate(row.messages))
    index = row.answer_index if fix.answer_index is None else fix.answer_index
    return replace(
        row, messages=turns, options=fix.options or row.options, answer=fix.answer or row.answer, answer_index=index
    )
