"""The task ``caption``: a grounded description in MedTrinity's five parts, with the checklist of its kind of picture.

MedTrinity-25M names modality, organs, region of interest, texture and relations; Lingshu's captions go by a checklist
per modality.  Both come from one request here.
"""

from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from schemas.instruction import Instruction, Provenance
from schemas.instruction import Task as Kind
from schemas.spec import Strict
from synthesis.knowledge import KnowledgeOptions, Snippet, open_knowledge, query_of
from synthesis.prompt_file import checklist
from synthesis.prompted import PromptedTask, PromptOptions, Setting, Written


class CaptionOptions(PromptOptions):
    """Options of the task."""

    knowledge: KnowledgeOptions | None = None
    """Texts of yours in which the findings are looked up."""


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
    Options: ClassVar[type[Strict]] = CaptionOptions

    def __init__(self, options: CaptionOptions) -> None:
        super().__init__(options)
        self._knowledge = open_knowledge(options.knowledge) if options.knowledge else None

    def model(self, setting: Setting) -> type[Written]:
        """Five parts."""
        return Parts

    def words(self, setting: Setting) -> dict[str, str]:
        """What to look at in a picture of this kind, and what is written about its findings."""
        modality = setting.case.acquisition.modality or setting.context.spec.modality
        found = "\n".join(f"- {snippet.text}" for snippet in self._snippets(setting))
        return {"checklist": checklist(modality), "knowledge": found or "none"}

    def row(self, variant: str, written: Parts, setting: Setting, provenance: Provenance) -> Instruction:
        """The joined description as an answer to one of the fixed questions."""
        steps = tuple(f"knowledge:{snippet.id}" for snippet in self._snippets(setting))
        made = replace(provenance, steps=(*provenance.steps, *steps)) if steps else provenance
        return self.instruction(variant, setting, made, [(setting.question, written.joined())])

    def _snippets(self, setting: Setting) -> tuple[Snippet, ...]:
        return self._knowledge.find(query_of(setting.case, setting.context.spec)) if self._knowledge else ()
