"""The task ``label_captions``: several different captions of a labelled picture by a model that reads its labels only.

UniMed-CLIP's way to turn classification datasets into picture-text pairs (arXiv 2412.10372): about ten captions per
picture, of which training draws one.  Each is a row of its own here, instead of one text with separators.
"""

from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from schemas.instruction import Instruction, Provenance
from schemas.instruction import Task as Kind
from schemas.spec import Strict
from synthesis.base import Failure
from synthesis.prompted import PromptedTask, PromptOptions, Setting, Written


class LabelCaptionsOptions(PromptOptions):
    """Options of the task."""

    count: int = Field(default=10, ge=1, le=20)
    """Captions per picture."""


class Captions(Written):
    """Captions of one picture."""

    captions: Annotated[list[str], Field(min_length=1, max_length=20)]


class LabelCaptions(PromptedTask):
    """Labels in, captions out; the model does not see the picture."""

    name: ClassVar[str] = "label_captions"
    kind: ClassVar[Kind] = "caption"
    Options: ClassVar[type[Strict]] = LabelCaptionsOptions
    options: LabelCaptionsOptions
    shows_image = False

    def model(self, setting: Setting) -> type[Written]:
        """A list of captions."""
        return Captions

    def rows_of(self, setting: Setting) -> Sequence[str]:
        """So many captions of a case with a label."""
        return [str(number) for number in range(1, self.options.count + 1)] if setting.case.present() else ()

    def words(self, setting: Setting) -> dict[str, str]:
        """How many are asked for."""
        return {"count": str(self.options.count)}

    def row(self, variant: str, written: Captions, setting: Setting, provenance: Provenance) -> Instruction | Failure:
        """One caption; those that repeat another, and those that were not written, are no rows."""
        found: dict[str, str] = {}
        for caption in written.captions:
            found.setdefault(caption.strip().casefold(), caption.strip())
        different = [caption for caption in found.values() if caption]
        place = int(variant) - 1
        if place >= len(different):
            detail = f"the model wrote {len(different)} different captions"
            return Failure("fewer_captions", detail, status="filtered")
        return self.instruction(variant, setting, provenance, [(setting.question, different[place])])
