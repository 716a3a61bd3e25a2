"""Gate: questions, answers, captions and options are neither too short nor too long."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from pydantic import Field

from quality.base import GateOptions, refuse
from schemas.case import Case
from schemas.context import Context
from schemas.findings import Finding
from schemas.instruction import IMAGE, Instruction
from schemas.rendered import Rendered


class LengthsOptions(GateOptions):
    """Limits in characters and words; words are split at white space."""

    question_min_chars: int = Field(default=3, ge=0)
    """Without ``<image>``.  Ours."""
    question_max_chars: int = Field(default=8000, ge=1)
    """Ours: about 2,000 tokens, what a 4k context leaves beside one image."""
    answer_max_chars: int = Field(default=8000, ge=1)
    """Ours, as above; a whole radiology report is below 4,000."""
    caption_min_words: int = Field(default=3, ge=0)
    """Lingshu keeps captions of 10 to 1,024 tokens; a true caption from one label is shorter than ten."""
    caption_max_words: int = Field(default=1024, ge=1)
    """Lingshu."""
    option_max_chars: int = Field(default=400, ge=1)
    """Ours; the options of a preference are whole answers and may be as long as those."""


class Lengths:
    """Refuses rows whose words are too few or too many.

    Codes: ``question_short``, ``question_long``, ``answer_long``, ``caption_short``, ``caption_long``,
    ``option_long``.
    """

    name: ClassVar[str] = "lengths"
    Options: ClassVar[type[GateOptions]] = LengthsOptions

    def __init__(self, options: LengthsOptions) -> None:
        self.options = options

    def check(self, row: Instruction, case: Case, pictures: Sequence[Rendered], context: Context) -> Iterator[Finding]:
        """Measure every turn."""
        limits = self.options
        for message in row.messages:
            if message.role == "user":
                size = len(message.content.replace(IMAGE, "").strip())
                if not limits.question_min_chars <= size <= limits.question_max_chars:
                    yield from self._question(size, row.task)
            elif len(message.content) > limits.answer_max_chars:
                size = len(message.content)
                yield refuse("answer_long", f"an answer of {size} characters is over {limits.answer_max_chars}")
        if row.task == "caption" and row.messages:
            yield from self._caption(len(row.messages[-1].content.split()))
        if row.options:
            longest = max(map(len, row.options))
            most = limits.answer_max_chars if row.task == "preference" else limits.option_max_chars
            if longest > most:
                yield refuse("option_long", f"an option of {longest} characters is over {most}")

    def _question(self, size: int, task: str) -> Iterator[Finding]:
        limits = self.options
        if size < limits.question_min_chars and task != "interleaved":
            yield refuse("question_short", f"a question of {size} characters is under {limits.question_min_chars}")
        elif size > limits.question_max_chars:
            yield refuse("question_long", f"a question of {size} characters is over {limits.question_max_chars}")

    def _caption(self, words: int) -> Iterator[Finding]:
        limits = self.options
        if words < limits.caption_min_words:
            yield refuse("caption_short", f"a caption of {words} words is under {limits.caption_min_words}")
        elif words > limits.caption_max_words:
            yield refuse("caption_long", f"a caption of {words} words is over {limits.caption_max_words}")
