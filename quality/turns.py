"""Gate: user and assistant take turns, the assistant has the last word, and nobody is silent."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from quality.base import GateOptions, refuse
from schemas.case import Case
from schemas.context import Context
from schemas.findings import Finding
from schemas.instruction import IMAGE, Instruction
from schemas.rendered import Rendered

ROLES = ("user", "assistant")


class TurnsOptions(GateOptions):
    """Limits of a dialogue."""

    max_turns: int = 64
    """Messages in one row; ours: longer than any published dialogue set (LLaVA-Med stays below 20)."""


class Turns:
    """Refuses rows that a chat template cannot take.

    Codes: ``no_turns``, ``turns_order`` (not user, assistant, user, ...), ``turns_open`` (the last turn is the
    user's), ``empty_turn``, ``too_many_turns``.
    """

    name: ClassVar[str] = "turns"
    Options: ClassVar[type[GateOptions]] = TurnsOptions

    def __init__(self, options: TurnsOptions) -> None:
        self.options = options

    def check(self, row: Instruction, case: Case, pictures: Sequence[Rendered], context: Context) -> Iterator[Finding]:
        """Walk through the turns once."""
        turns = row.messages
        if not turns:
            yield refuse("no_turns", "the row has no messages")
            return
        if [turn.role for turn in turns] != list(ROLES * len(turns))[: len(turns)]:
            yield refuse("turns_order", "user and assistant do not take turns, the user first")
        if turns[-1].role != "assistant":
            yield refuse("turns_open", "the last turn is not the assistant's")
        if len(turns) > self.options.max_turns:
            yield refuse("too_many_turns", f"{len(turns)} turns are more than max_turns = {self.options.max_turns}")
        for index, message in enumerate(turns):
            if _silent(message.content, row.task):
                yield refuse("empty_turn", f"turn {index} ({message.role}) says nothing")
                return


def _silent(content: str, task: str) -> bool:
    if not content or content.isspace():
        return True
    return IMAGE in content and task != "interleaved" and not content.replace(IMAGE, "").strip()
