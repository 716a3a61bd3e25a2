"""The step that runs every row gate over every row of a partition."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from quality.base import RowGate
from quality.release_options import RELEASE_GATES
from schemas import plugins
from schemas.context import Context
from schemas.errors import ReleaseError, UserError, nearest
from schemas.findings import Finding, Severity
from schemas.instruction import Instruction
from schemas.ledger import Status
from schemas.work import Drop, Work
from schemas.yaml_file import validate

STAGE = "gate"

STANDARD = ("placeholders", "turns", "options", "regions", "residue", "lengths", "pictures", "phrases")
"""Gates that run without being named; others, those of other packages too, run where a recipe names them."""

Options = Mapping[str, Mapping[str, Any]]


def open_gates(recipe_gates: Options, spec_gates: Options | None = None) -> list[RowGate]:
    """The row gates of one dataset, in a fixed order.

    Args:
        recipe_gates: ``recipe.gates``: options by gate name; naming a gate turns it on.
        spec_gates: ``spec.gates``: options of the source that go before the recipe's, key by key.

    Raises:
        UserError: unknown gate (with the nearest), unknown option, value out of bounds.
    """
    own = spec_gates or {}
    known = {*plugins.names("gates"), *RELEASE_GATES}
    for name in (*recipe_gates, *own):
        if name not in known:
            raise UserError(f"there is no gate {name!r}{nearest(name, known)}")
        if not isinstance(recipe_gates.get(name, {}), Mapping) or not isinstance(own.get(name, {}), Mapping):
            raise UserError(f"gates.{name} must be a mapping of options, e.g. {{enabled: false}}")
    wanted = dict.fromkeys([*STANDARD, *sorted({*recipe_gates, *own} - set(STANDARD) - set(RELEASE_GATES))])
    gates = (_open(name, {**recipe_gates.get(name, {}), **own.get(name, {})}) for name in wanted)
    return [gate for gate in gates if gate is not None]


def gate(works: Iterable[Work], gates: Sequence[RowGate], context: Context) -> Iterator[Work]:
    """Judge every row: refused rows leave with a reason, flagged ones carry the code in ``flags``.

    Findings of the reader (``case.findings``) and of the decoder (``Rendered.findings``) are treated alike.

    Raises:
        ReleaseError: a gate demands that nothing be published.
    """
    for work in works:
        if work.dropped is None and work.case is not None:
            _judge(work, gates, context)
        yield work


def _open(name: str, options: Mapping[str, Any]) -> RowGate | None:
    kind: type[RowGate] = plugins.load("gates", name)
    known = dict(options)
    if "enabled" not in kind.Options.model_fields and known.pop("enabled", True) is False:
        return None
    checked = validate(kind.Options, known, f"gates.{name}")
    return kind(checked) if getattr(checked, "enabled", True) else None


def _judge(work: Work, gates: Sequence[RowGate], context: Context) -> None:
    assert work.case is not None
    kept: list[Instruction] = []
    for row in work.rows:
        pictures = [work.pictures[ref] for ref in row.images if ref in work.pictures]
        if len(pictures) < len(row.images):
            found = [Finding("picture_missing", "a picture of the row was not rendered", Severity.REFUSE)]
        else:
            found = [*work.case.findings, *(note for picture in pictures for note in picture.findings)]
            for check in gates:
                found.extend(check.check(row, work.case, pictures, context))
        drop = _drop(row, found) if found else None
        if drop is not None:
            work.refused.append((row, drop))
        else:
            kept.append(_flagged(row, found))
    work.rows = kept


def _drop(row: Instruction, found: Sequence[Finding]) -> Drop | None:
    final = next((one for one in found if one.severity == Severity.REFUSE_RELEASE), None)
    if final is not None:
        raise ReleaseError(f"row {row.id}: {final.code}: {final.detail}")
    wrong = [one for one in found if one.severity == Severity.REFUSE]
    if not wrong:
        return None
    others = list(dict.fromkeys(one.code for one in wrong[1:] if one.code != wrong[0].code))
    also = f" (also: {', '.join(others)})" if others else ""
    return Drop(Status.QUARANTINED, STAGE, wrong[0].code, wrong[0].detail + also)


def _flagged(row: Instruction, found: Sequence[Finding]) -> Instruction:
    codes = [one.code for one in found if one.severity == Severity.FLAG and one.code not in row.flags]
    return replace(row, flags=(*row.flags, *dict.fromkeys(codes))) if codes else row
