"""The task ``instructions``: a question with an informative and a precise answer, merged into one (AdaMLLM)."""

from typing import ClassVar

from pydantic import Field

from schemas.instruction import Instruction, Provenance
from synthesis.prompted import PromptedTask, Setting, Written


class Pair(Written):
    """A question answered twice."""

    question: str = Field(min_length=1, max_length=400)
    informative: str = Field(min_length=1, max_length=1200)
    """With reasons."""
    precise: str = Field(min_length=1, max_length=120)
    """A word or a phrase."""


class Instructions(PromptedTask):
    """Image and annotation in; a question, its reasons and its short answer out."""

    name: ClassVar[str] = "instructions"

    def model(self, setting: Setting) -> type[Written]:
        """Question, informative answer, precise answer."""
        return Pair

    def row(self, variant: str, written: Pair, setting: Setting, provenance: Provenance) -> Instruction:
        """The reasons, then the short answer, which is the row's ``answer``."""
        said = f"{written.informative}\n\nAnswer: {written.precise}"
        return self.instruction(
            variant, setting, provenance, [(written.question, said)], answer=written.precise, task="open"
        )
