"""The tasks ``dialogue`` and ``blinded``: a conversation of several turns about a picture.

``dialogue`` shows the model the picture; ``blinded`` is LLaVA-Med's way: the model reads the texts that came with the
case and never sees the picture.
"""

from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from schemas.instruction import Instruction, Provenance
from schemas.instruction import Task as Kind
from synthesis.prompted import PromptedTask, Setting, Written


class Turn(Written):
    """One question with its answer."""

    question: str = Field(min_length=1, max_length=400)
    answer: str = Field(min_length=1, max_length=1000)


class Turns(Written):
    """The conversation."""

    turns: Annotated[list[Turn], Field(min_length=2, max_length=5)]


class Dialogue(PromptedTask):
    """Image and annotation in, a conversation out."""

    name: ClassVar[str] = "dialogue"
    kind: ClassVar[Kind] = "dialogue"

    def model(self, setting: Setting) -> type[Written]:
        """Two to five turns."""
        return Turns

    def row(self, variant: str, written: Turns, setting: Setting, provenance: Provenance) -> Instruction:
        """All turns in one row."""
        turns = [(turn.question, turn.answer) for turn in written.turns]
        return self.instruction(variant, setting, provenance, turns)


class Blinded(Dialogue):
    """Texts in, a conversation about the unseen picture out."""

    name: ClassVar[str] = "blinded"
    shows_image = False

    def rows_of(self, setting: Setting) -> Sequence[str]:
        """One row of a case that came with words."""
        return self.variants if any(text.content.strip() for text in setting.case.texts) else ()
