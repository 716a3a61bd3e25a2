"""The task ``caption``: a grounded description in MedTrinity's five parts, with the checklist of its kind of picture.

MedTrinity-25M names modality, organs, region of interest, texture and relations; Lingshu's captions go by a checklist
per modality.  Both come from one request here.
"""

from typing import ClassVar

from pydantic import Field

from schemas.instruction import Instruction, Provenance
from schemas.instruction import Task as Kind
from synthesis.prompt_file import checklist
from synthesis.prompted import PromptedTask, Setting, Written


class Parts(Written):
    """The five parts of a description."""

    modality: str = Field(min_length=1, max_length=200)
    organs: str = Field(min_length=1, max_length=500)
    findings: str = Field(min_length=1, max_length=800)
    """Which they are and where they lie."""
    texture: str = Field(min_length=1, max_length=500)
    """Colour, signal and texture that go with disease."""
    relations: str = Field(min_length=1, max_length=500)
    """How the findings lie to what is around them."""

    def joined(self) -> str:
        """The parts as one text."""
        parts = (self.modality, self.organs, self.findings, self.texture, self.relations)
        return " ".join(part if part.endswith((".", "!", "?", "。")) else part + "." for part in parts)


class Caption(PromptedTask):
    """Image and annotation in, one description out."""

    name: ClassVar[str] = "caption"
    kind: ClassVar[Kind] = "caption"

    def model(self, setting: Setting) -> type[Written]:
        """Five parts."""
        return Parts

    def words(self, setting: Setting) -> dict[str, str]:
        """What to look at in a picture of this kind."""
        modality = setting.case.acquisition.modality or setting.context.spec.modality
        return {"checklist": checklist(modality)}

    def row(self, variant: str, written: Parts, setting: Setting, provenance: Provenance) -> Instruction:
        """The joined description as an answer to one of the fixed questions."""
        return self.instruction(variant, setting, provenance, [(setting.question, written.joined())])
