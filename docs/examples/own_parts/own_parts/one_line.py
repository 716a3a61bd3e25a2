"""A task of one's own: a model writes a caption of one line.  The prompt is in ``one_line.yaml`` beside it."""

from pathlib import Path
from typing import ClassVar

from schemas.instruction import Instruction, Provenance
from schemas.instruction import Task as Kind
from synthesis.base import Failure
from synthesis.prompted import PromptedTask, Setting, Written


class Line(Written):
    """What the model must answer; its JSON schema is sent along."""

    line: str


class OneLine(PromptedTask):
    """One row for each case; what it says is checked against the annotation like that of any other task."""

    name: ClassVar[str] = "one_line"
    kind: ClassVar[Kind] = "caption"
    prompts: ClassVar[Path] = Path(__file__).parent

    def model(self, setting: Setting) -> type[Written]:
        """The class of the answer."""
        return Line

    def row(self, variant: str, written: Line, setting: Setting, provenance: Provenance) -> Instruction | Failure:
        """The row of one answer."""
        return self.instruction(variant, setting, provenance, [(setting.question, written.line)])
