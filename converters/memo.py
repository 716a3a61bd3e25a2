"""What was worked out for the case that was asked about last: one converter after another asks about the same one.

A case and its dataset's spec are told by identity, since hashing one costs as much as asking about it.  What is
remembered is given to all who ask, and must not be changed.
"""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar, TypeVarTuple

from schemas.case import Case
from schemas.spec import DatasetSpec

Found = TypeVar("Found")
Keys = TypeVarTuple("Keys")


def of_last_case(make: Callable[[Case, *Keys], Found]) -> Callable[[Case, *Keys], Found]:
    """``make``, which works it out once for each of its further arguments, until another case is asked about."""
    last: Case | None = None
    found: dict[tuple[*Keys], Found] = {}

    @wraps(make)
    def remembering(case: Case, *keys: *Keys) -> Found:
        nonlocal last
        if last is not case:
            last = case
            found.clear()
        if keys not in found:
            found[keys] = make(case, *keys)
        return found[keys]

    return remembering


def of_last_case_and_spec(
    make: Callable[[Case, DatasetSpec, *Keys], Found],
) -> Callable[[Case, DatasetSpec, *Keys], Found]:
    """`of_last_case` for what a case says as a part of its dataset."""
    last: Case | None = None
    of: DatasetSpec | None = None
    found: dict[tuple[*Keys], Found] = {}

    @wraps(make)
    def remembering(case: Case, spec: DatasetSpec, *keys: *Keys) -> Found:
        nonlocal last, of
        if last is not case or of is not spec:
            last, of = case, spec
            found.clear()
        if keys not in found:
            found[keys] = make(case, spec, *keys)
        return found[keys]

    return remembering
