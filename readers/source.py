"""Where a dataset's bytes lie: a folder, or a zip or tar that is read in place and never unpacked."""

from collections.abc import Iterator
from typing import Protocol


class Source(Protocol):
    """Paths are relative to the root, with forward slashes, and can never lead out of it."""

    def walk(self, under: str = "") -> Iterator[str]: ...
