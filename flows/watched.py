"""What a worker process is busy with, written down so that its death has a name, and what is passed over for that."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Watched:
    """The items that a process works through one by one."""

    note: str = ""
    """File that names the item being worked on; none is kept where empty."""
    skip: tuple[str, ...] = ()
    """Items that killed a process before."""

    def lets(self, key: str) -> bool:
        """Note down that ``key`` is next; whether it may be worked on."""
        if key in self.skip:
            return False
        if self.note:
            Path(self.note).write_text(key, "utf-8")
        return True

    def last(self) -> str:
        """What was noted last; empty where nothing was."""
        path = Path(self.note)
        return path.read_text("utf-8") if self.note and path.is_file() else ""
