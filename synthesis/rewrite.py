"""The task ``rewrite``: a report that came with the case, in better words and without what a picture cannot show.

``form`` says whether it stays a report or becomes a summary (XrayGPT), ``remove`` what is taken out: identity,
comparisons with earlier examinations, history, advice.  What comes back is compared with the report: it may name no
number and no side that does not stand there, and where comparisons were to go, none may be left.  Advice is found by
the checks of every row, identity by the privacy gates.
"""

import re
from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from schemas.instruction import Instruction, Provenance
from schemas.instruction import Task as Kind
from schemas.spec import Strict
from synthesis.base import Failure
from synthesis.checks.kept_words import numbers
from synthesis.checks.laterality import SIDE
from synthesis.checks.terms import plain
from synthesis.prompted import PromptedTask, PromptOptions, Setting, Written

REPORTS = ("report", "findings", "impression", "caption", "section")
Removed = Literal["identity", "priors", "history", "advice"]
EXAM = r"(?:exam\w*|stud\w+|films?|radiographs?|x rays?|cts?|mris?|imaging|images?|scans?|reports?)"
PRIOR = re.compile(
    rf"\b(?:(?:prior|previous|earlier|last|comparison) (?:\w+ )?{EXAM}|compared (?:to|with)|in comparison"
    r"|since (?:the )?(?:last|prior|previous)|(?:previously|again) (?:seen|noted|described|identified|demonstrated)"
    r"|redemonstrat\w+|unchanged|no (?:significant |interval )*change|new since"
    r"|interval (?:\w+ )?(?:change|increase|decrease|development|improvement|worsening|removal|placement|resolution)"
    r"|(?:has|have) (?:\w+ )?(?:increased|decreased|improved|worsened|resolved|progressed|developed|cleared)"
    r"|(?:is|are|remains?|appears?) (?:\w+ )?stable|stable (?:appearance|since|in size|size|position))\b"
)
"""Words that suppose an earlier examination; "previous surgery" and "unstable" do not."""


class RewriteOptions(PromptOptions):
    """Options of the task."""

    form: Literal["report", "summary"] = "report"
    remove: tuple[Removed, ...] = Field(default=("identity", "priors", "history", "advice"), min_length=1)
    """What is left out."""


class Rewritten(Written):
    """The new text; empty where nothing of the old one may stay."""

    text: str = Field(max_length=4000)


class Rewrite(PromptedTask):
    """Report in, rewritten report out; the model does not see the picture."""

    name: ClassVar[str] = "rewrite"
    kind: ClassVar[Kind] = "report"
    Options: ClassVar[type[Strict]] = RewriteOptions
    options: RewriteOptions
    shows_image = False

    def rows_of(self, setting: Setting) -> Sequence[str]:
        """One row of a case with a report."""
        return self.variants if self._report(setting) else ()

    def words(self, setting: Setting) -> dict[str, str]:
        """The report, what to make of it, and what to leave out."""
        chosen = (self.options.form, *self.options.remove)
        form, *removed = (self.part(name, setting) for name in chosen)
        return {"report": self._report(setting), "form": form, "remove": "\n".join(removed)}

    def model(self, setting: Setting) -> type[Written]:
        """One text."""
        return Rewritten

    def row(self, variant: str, written: Rewritten, setting: Setting, provenance: Provenance) -> Instruction | Failure:
        """The rewritten report as an answer to one of the fixed questions."""
        if not written.text:
            return Failure("nothing_left", "nothing of the report may stay", status="filtered")
        added = added_to(self._report(setting), written.text)
        if added:
            return _refused("added_to_report", f"the text names {added} that the report does not", provenance)
        if "priors" in self.options.remove and PRIOR.search(plain(written.text)):
            return _refused("prior_left", "the text still speaks of an earlier examination", provenance)
        return self.instruction(variant, setting, provenance, [(setting.question, written.text)])

    @staticmethod
    def _report(setting: Setting) -> str:
        texts = [text for text in setting.case.texts if text.kind in REPORTS and text.content.strip()]
        return "\n".join(f"{text.title or text.kind}: {text.content.strip()}" for text in texts)


def added_to(report: str, text: str) -> str:
    """What ``text`` names and ``report`` does not: a number, a side; empty where there is nothing."""
    if set(numbers(text)) - set(numbers(report)):
        return "a number"
    both = re.search(r"\b(?:bilateral|both)", report, re.IGNORECASE)
    new_sides = set() if both else set(SIDE.findall(plain(text))) - set(SIDE.findall(plain(report)))
    return "a side" if new_sides else ""


def _refused(code: str, detail: str, provenance: Provenance) -> Failure:
    return Failure(code, detail, provenance.request_digest, status="quarantined")
