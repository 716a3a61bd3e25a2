"""The task ``unblinded``: the model sees the picture and everything annotated, writes as if it saw the picture only.

PubMedVision's method (arXiv 2406.19280): one request yields a description, a question in one of ten scenes and its
answer.  Two rows come of it, a caption and an open question.  The option ``arm`` gives the other arms of that paper's
ablation on the same cases: ``text_only`` (the reference without the picture) and ``image_only`` (the picture without
the reference); the native arm, captions as they came, needs no model and is the converter ``caption``.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field

from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction, Provenance
from schemas.spec import Strict
from synthesis.facts import about_the_case
from synthesis.prompted import PromptedTask, PromptOptions, Setting, Written

Variant = Literal["description", "question"]
Arm = Literal["unblinded", "text_only", "image_only"]


class UnblindedOptions(PromptOptions):
    """Options of the task."""

    rows: tuple[Variant, ...] = ("description", "question")
    """Which of the two rows to make."""
    arm: Arm = "unblinded"
    """What the model is given; the prompt file's style of that name is used for the other arms."""


class Triple(Written):
    """Description, question and answer."""

    description: str = Field(min_length=1, max_length=2000)
    question: str = Field(min_length=1, max_length=400)
    answer: str = Field(min_length=1, max_length=1200)


class Unblinded(PromptedTask):
    """Image and reference in, description, question and answer out."""

    name: ClassVar[str] = "unblinded"
    Options: ClassVar[type[Strict]] = UnblindedOptions

    def __init__(self, options: UnblindedOptions) -> None:
        arm = options.arm
        super().__init__(options if arm == "unblinded" else options.model_copy(update={"style": arm}))
        self._rows, self._arm = options.rows, arm
        self.shows_image = arm != "text_only"

    def model(self, setting: Setting) -> type[Written]:
        """One object of three texts."""
        return Triple

    def rows_of(self, setting: Setting) -> Sequence[str]:
        """A description and a question; without a reference only the arm that needs none."""
        return self._rows if about_the_case(setting.known) or self._arm == "image_only" else ()

    def setting(self, case: Case, context: Context) -> Setting:
        """As for every task; the arm ``image_only`` knows nothing."""
        setting = super().setting(case, context)
        return replace(setting, known=()) if self._arm == "image_only" else setting

    def row_id(self, case: Case, variant: str) -> str:
        """Id of one row; the arms have ids of their own."""
        return super().row_id(case, variant if self._arm == "unblinded" else f"{self._arm}-{variant}")

    def row(self, variant: str, written: Triple, setting: Setting, provenance: Provenance) -> Instruction:
        """The description as an answer to one of the fixed questions, or the question that the model wrote."""
        if variant == "description":
            turns = [(setting.question, written.description)]
            return self.instruction(variant, setting, provenance, turns, task="caption")
        return self.instruction(variant, setting, provenance, [(written.question, written.answer)], task="open")
