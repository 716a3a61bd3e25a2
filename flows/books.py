"""Holds every step of a partition to its promise: no row leaves a case without a `Drop`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from schemas.errors import ReleaseError
from schemas.work import Work

if TYPE_CHECKING:
    from flows.steps import Step


def balanced(step: "Step") -> "Step":
    """The step, watched: each row that went in comes out as kept, refused or lost.

    Raises:
        ReleaseError: it did not; the sentence names the step, and not the case, whose key may be a name.
    """

    def watched(works: Iterator[Work]) -> Iterator[Work]:
        inside: dict[int, list[str]] = {}

        def entering() -> Iterator[Work]:
            for work in works:
                inside[id(work)] = _rows(work)
                yield work

        for work in step(entering()):
            before, after = inside.pop(id(work), []), _rows(work)
            if len(after) < len(before) or not set(before) <= set(after):
                missing = max(len(set(before) - set(after)), len(before) - len(after))
                raise ReleaseError(f"the step {_name(step)} lost {missing} rows of a case without a reason")
            yield work

    return watched


def _rows(work: Work) -> list[str]:
    ids = [row.id for row in work.rows]
    ids += [row.id for row, _ in work.refused]
    ids += [row_id for row_id, _ in work.lost]
    return ids


def _name(step: "Step") -> str:
    """``convert`` of ``convert.<locals>.step``; of any other function its own name."""
    *outer, own = getattr(step, "__qualname__", "step").replace("<locals>.", "").split(".")
    return outer[-1] if own in ("step", "<lambda>") and outer else own
