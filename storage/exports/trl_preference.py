"""TRL's preference rows: Parquet with ``images``, ``prompt``, ``chosen`` and ``rejected``, as `DPOTrainer` takes."""

from collections.abc import Iterator
from typing import Any, ClassVar

from storage.exports.base import Row
from storage.exports.trl import Trl, shown, turn


class TrlPreference(Trl):
    """One line for each rejected answer of a row of task ``preference``; rows of other tasks are left out.

    Such a row lists its answers in ``options``, the chosen one at ``answer_index``.  ``prompt`` holds all turns before
    the last answer, the placeholders of the pictures among them; ``chosen`` and ``rejected`` hold one turn each.
    """

    name: ClassVar[str] = "trl_preference"
    turns: ClassVar[tuple[str, ...]] = ("prompt", "chosen", "rejected")

    def items(self, row: Row) -> Iterator[dict[str, Any]]:
        """One line for each rejected answer."""
        if row["task"] != "preference" or not 0 <= row["answer_index"] < len(row["options"]):
            return
        prompt = [turn(said["role"], said["content"]) for said in row["messages"][:-1]]
        chosen = row["options"][row["answer_index"]]
        for place, rejected in enumerate(row["options"]):
            if place != row["answer_index"]:
                yield {
                    **shown(row),
                    "prompt": prompt,
                    "chosen": [turn("assistant", chosen)],
                    "rejected": [turn("assistant", rejected)],
                }
