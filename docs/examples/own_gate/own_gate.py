"""A gate of one's own: one function, registered by the entry point in pyproject.toml.

Install it beside medcurate (``pip install docs/examples/own_gate``) and name it in a recipe::

    gates:
      one_side: {}
"""

from collections.abc import Iterator, Sequence

from schemas.case import Case
from schemas.context import Context
from schemas.findings import Finding, Severity
from schemas.instruction import Instruction
from schemas.rendered import Rendered


def one_side(row: Instruction, case: Case, pictures: Sequence[Rendered], context: Context) -> Iterator[Finding]:
    """Refuse an answer that names the side opposite to the one that the case is labelled with."""
    side = case.acquisition.laterality
    other = {"left": "right", "right": "left"}.get(side)
    if other and other in row.messages[-1].content.lower().split():
        yield Finding("side_contradicts", f"the answer says {other}, but the case is a {side} one", Severity.REFUSE)
