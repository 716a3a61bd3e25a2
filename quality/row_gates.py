"""The step that runs every row gate over every row of a partition."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, cast

from quality.base import GateOptions, RowGate
from quality.judge import Judge
from quality.release_options import RELEASE_GATES
from schemas import plugins
from schemas.context import Context
from schemas.errors import UserError, nearest
from schemas.findings import Finding
from schemas.work import Work
from schemas.yaml_file import validate

STANDARD = (
    "identifiers", "carriers", "placeholders", "turns", "options", "regions", "residue", "lengths", "pictures",
    "phrases",
)  # fmt: skip
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
    """`judging` with a judge of these gates."""
    return judging(works, Judge(gates, context))


def judging(works: Iterable[Work], judge: Judge) -> Iterator[Work]:
    """Judge every row: refused rows leave with a reason, flagged ones carry the code in ``flags``.

    Findings of the reader (``case.findings``) and of the decoder (``Rendered.findings``) are treated alike.

    Raises:
        ReleaseError: a gate demands that nothing be published.
    """
    for work in works:
        if work.case is not None:
            judge.screen(work)
            if work.dropped is None:
                judge.judge(work)
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
