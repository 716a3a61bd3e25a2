"""The task ``rewrite``: a report that came with the case, in better words and without what a picture cannot show.

Removes names, dates and identifiers, comparisons with earlier examinations, and advice, as one prompt asks for; the
privacy gates look at the result all the same.
"""

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from schemas.instruction import Instruction, Provenance
from schemas.instruction import Task as Kind
from synthesis.base import Failure
from synthesis.prompted import PromptedTask, Setting, Written

REPORTS = ("report", "findings", "impression", "caption", "section")


class Rewritten(Written):
    """The new text; empty where nothing of the old one may stay."""

    text: str = Field(max_length=4000)


class Rewrite(PromptedTask):
    """Report in, rewritten report out; the model does not see the picture."""

    name: ClassVar[str] = "rewrite"
    kind: ClassVar[Kind] = "report"
    shows_image = False

    def rows_of(self, setting: Setting) -> Sequence[str]:
        """One row of a case with a report."""
        return self.variants if self._report(setting) else ()

    def words(self, setting: Setting) -> dict[str, str]:
        """The report."""
        return {"report": self._report(setting)}

    def model(self, setting: Setting) -> type[Written]:
        """One text."""
        return Rewritten

    def row(self, variant: str, written: Rewritten, setting: Setting, provenance: Provenance) -> Instruction | Failure:
        """The rewritten report as an answer to one of the fixed questions."""
        if not written.text:
            return Failure("nothing_left", "nothing of the report may stay", status="filtered")
        return self.instruction(variant, setting, provenance, [(setting.question, written.text)])

    @staticmethod
    def _report(setting: Setting) -> str:
        texts = [text for text in setting.case.texts if text.kind in REPORTS and text.content.strip()]
        return "\n".join(f"{text.title}: {text.content}".removeprefix(": ").strip() for text in texts)
