"""What was worked out for the case that was asked about last: one converter after another asks about the same one."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from schemas.case import Case

Found = TypeVar("Found")


class OfLastCase(Generic[Found]):
    """A memory of one case; a case is told by identity, since hashing one costs as much as asking about it."""

    def __init__(self) -> None:
        self._case: Case | None = None
        self._found: dict[Hashable, Found] = {}

    def get(self, case: Case, key: Hashable, make: Callable[[], Found]) -> Found:
        """What ``make`` gave for this case and key, which is never None; callers must not change it."""
        if self._case is not case:
            self._case, self._found = case, {}
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = make()
        return found
