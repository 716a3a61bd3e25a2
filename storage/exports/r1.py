"""R1-style rows for reinforcement learning with checkable answers: ``image``, ``problem``, ``solution``, ``answer``."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from schemas.spec import Strict
from storage.exports.base import Pictures, Row, without_images, write_lines

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CHECKABLE = ("mcq", "yes_no", "count", "open", "multi_label", "ordinal", "region_to_text", "reasoning")


class R1:
    """Single-turn rows with a short answer: letters where there are options, else the words.

    ``solution`` is ``<answer>...</answer>``; where a model's reasoning was kept (task ``reasoning``), it stands
    before it as ``<think>...</think>``.
    """

    name: ClassVar[str] = "r1"

    class Options(Strict):
        """Options."""

        tasks: tuple[str, ...] = CHECKABLE
        """Tasks whose answers can be checked by comparison."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def write(self, rows: Iterable[Row], split: str, folder: Path) -> int:
        """Write one split as ``<split>.jsonl``."""
        pictures = Pictures(folder)

        def lines() -> Iterator[dict[str, Any]]:
            for row in rows:
                if row["task"] in self.options.tasks and len(row["messages"]) == 2 and row["answer"]:
                    yield _item(row, pictures.paths(row))

        return write_lines(folder / f"{split}.jsonl", lines())

    def finish(self, splits: Mapping[str, int], release: str, folder: Path) -> None:
        """Nothing describes the splits."""


def _item(row: Row, paths: list[str]) -> dict[str, Any]:
    said = row["messages"][1]["content"]
    answer = LETTERS[row["answer_index"]] if row["answer_index"] >= 0 and row["options"] else row["answer"]
    if row["task"] == "multi_label":  # asks for letters, or a line for each finding, and has names in its answer column
        answer = said
    solution = f"<answer>{answer}</answer>"
    if row["task"] == "reasoning":
        thought = said.split("<answer>")[0].strip()
        solution = (thought if thought.startswith("<think>") else f"<think>{thought}</think>") + solution
    return {
        "id": row["id"], "image": paths, "problem": without_images(row["messages"][0]["content"]),
        "solution": solution, "options": list(row["options"]), "answer": answer, "answer_text": row["answer"],
    }  # fmt: skip
