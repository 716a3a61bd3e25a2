"""An export format of one's own: question and answer, one pair a line."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar

from schemas.spec import Strict
from storage.exports.base import Row, without_images, write_lines


class PairsOptions(Strict):
    """Options of ``pairs``, given as ``--option key=value``."""

    upper: bool = False
    """Answers in capital letters."""


class Pairs:
    """Writes ``<split>.jsonl``."""

    name: ClassVar[str] = "pairs"
    Options: ClassVar[type[Strict]] = PairsOptions

    def __init__(self, options: PairsOptions) -> None:
        self._options = options

    def write(self, rows: Iterable[Row], split: str, folder: Path) -> int:
        """One split; returns how many rows went in."""
        return write_lines(folder / f"{split}.jsonl", map(self._pair, rows))

    def finish(self, splits: Mapping[str, int], release: str, folder: Path) -> None:
        """Called once, when all splits are written."""
        (folder / "source.txt").write_text(f"{release}\n", "utf-8")

    def _pair(self, row: Row) -> dict[str, str]:
        answer = row["answer"].upper() if self._options.upper else row["answer"]
        return {"question": without_images(row["messages"][0]["content"]), "answer": answer}
