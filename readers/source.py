"""Where a dataset's bytes lie: a folder, or a zip or tar that is read in place and never unpacked."""

from collections.abc import Iterator
from typing import Protocol


class Source(Protocol):
    """Paths are relative to the root, with forward slashes, and can never lead out of it."""

    @classmethod
    def open(cls, root: str) -> "Source":
        """The folder, zip or tar at ``root``; `UserError` where there is none."""
        ...

    def walk(self, under: str = "") -> Iterator[str]:
        """Every file below ``under``, sorted within each folder, junk left out, streaming."""
        ...
