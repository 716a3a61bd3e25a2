"""The step that runs every row gate over every row of a partition."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, cast

from quality.base import GateOptions, Repairing, RowGate
from quality.carriers import nifti_carried
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

STANDARD = (
    "identifiers", "carriers", "placeholders", "turns", "options", "regions", "residue", "lengths", "pictures",
    "phrases",
)  # fmt: skip
"""Gates that run without being named; others, those of other packages too, run where a recipe names them."""

PRIVATE = ("privacy", "phi", "burned_in", "identifier")
"""How codes begin that are about people; a row refused for one leaves no contents in the quarantine."""

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
    # Asking a protocol is slow, so it is asked once and not for every row.
    repairing = [one for one in gates if isinstance(one, Repairing)]
    private = [one for one in gates if one.name == "identifiers"]
    for work in works:
        if work.case is not None:
            _screen(work, private, context)
            if work.dropped is None:
                _judge(work, gates, repairing, context)
        yield work


class FunctionGate:
    """A plain function as a gate: ``(row, case, pictures, context) -> findings``; its only option is ``enabled``."""

    Options: ClassVar[type[GateOptions]] = GateOptions

    def __init__(self, name: str, check: Callable[..., Iterator[Finding]]) -> None:
        self.name = name
        self.check = check


def _open(name: str, options: Mapping[str, Any]) -> RowGate | None:
    registered: Any = plugins.load("gates", name)
    if not isinstance(registered, type):
        wanted = validate(GateOptions, dict(options), f"gates.{name}")
        return cast(RowGate, FunctionGate(name, registered)) if wanted.enabled else None
    kind = cast(type[RowGate], registered)
    known = dict(options)
    if "enabled" not in kind.Options.model_fields and known.pop("enabled", True) is False:
        return None
    checked = validate(kind.Options, known, f"gates.{name}")
    return kind(checked) if getattr(checked, "enabled", True) else None


def _screen(work: Work, private: Sequence[RowGate], context: Context) -> None:
    """Rows that earlier steps refused go to the quarantine, whose readers must not learn a name from it either."""
    assert work.case is not None
    for number, (row, drop) in enumerate(work.refused):
        found = [note for one in private for note in one.check(row, work.case, (), context)]
        worse = _drop(row, found)
        if worse is not None:
            detail = f"{worse.detail} (refused before: {drop.reason})"
            work.refused[number] = (row, replace(drop, reason=worse.reason, detail=detail))


def _judge(work: Work, gates: Sequence[RowGate], repairing: Sequence[Repairing], context: Context) -> None:
    assert work.case is not None
    kept: list[Instruction] = []
    for row in work.rows:
        for one in repairing:
            row = one.repair(row)
        pictures = [work.pictures[ref] for ref in row.images if ref in work.pictures]
        if len(pictures) < len(row.images):
            found = [Finding("picture_missing", "a picture of the row was not rendered", Severity.REFUSE)]
        else:
            found = [*work.case.findings, *(note for picture in pictures for note in picture.findings)]
            for check in gates:
                found.extend(check.check(row, work.case, pictures, context))
            found.extend(_volumes(row, work))
        drop = _drop(row, found) if found else None
        if drop is not None:
            work.refused.append((row, drop))
        else:
            kept.append(_flagged(row, found))
    work.rows = kept


def _volumes(row: Instruction, work: Work) -> Iterator[Finding]:
    for number, volume in enumerate(row.volumes):
        code = nifti_carried(work.volumes[volume.files[0]]) if volume.files[0] in work.volumes else ""
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
    wrong.sort(key=lambda one: not one.code.startswith(PRIVATE))
    others = list(dict.fromkeys(one.code for one in wrong[1:] if one.code != wrong[0].code))
    also = f" (also: {', '.join(others)})" if others else ""
    return Drop(Status.QUARANTINED, STAGE, wrong[0].code, wrong[0].detail + also)


def _flagged(row: Instruction, found: Sequence[Finding]) -> Instruction:
    codes = [one.code for one in found if one.severity == Severity.FLAG and one.code not in row.flags]
    return replace(row, flags=(*row.flags, *dict.fromkeys(codes))) if codes else row
