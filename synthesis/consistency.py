"""The consistency filter of AdaMLLM: does a row's short answer follow from the reasons that stand before it?

A model that sees no picture reads question, reasons and short answer and says yes, no, or open where several answers
would be right; only yes is kept (arXiv 2411.19930, where that raises consistency from 30 % to 92 %).
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

from schemas.instruction import Instruction, Verdict
from schemas.recipe import EngineChoice
from schemas.spec import Strict
from schemas.work import Drop, Work
from synthesis.base import Engine, Failure, Request
from synthesis.chain import StagedPrompt, parsed
from synthesis.judging import Judge, Outcome, quarantined, said_by, with_verdicts
from synthesis.prompted import Written, schema_of

MARK = "\n\nAnswer: "
"""Between reasons and short answer, in rows of ``instructions`` and ``reasoning``."""
MEANING = {"no": "does not follow from its reasons", "open": "is one of several that would be right"}


class ConsistencyOptions(Strict):
    """``synthesis.checks.consistency``."""

    engine: EngineChoice | None = None
    """Who judges; the writer where not given."""
    prompt: str = ""
    """Path of a prompt file instead of the built-in one."""


class Said(Written):
    """The verdict."""

    verdict: Literal["yes", "no", "open"]


class Consistency(Judge):
    """Keeps rows whose short answer follows from their reasons."""

    tasks: ClassVar[tuple[str, ...]] = ("instructions", "reasoning")

    def __init__(self, options: ConsistencyOptions, engine: Engine) -> None:
        self._engine = engine
        self._prompt = StagedPrompt("consistency", options.prompt, ("judge",))

    def requests(self, work: Work, row: Instruction) -> Sequence[Request]:
        """One request for a row that gives reasons and then a short answer."""
        reasons, mark, short = said_by(row, "assistant").rpartition(MARK)
        if not mark:
            return []
        messages = self._prompt.messages("judge", question=said_by(row, "user"), reasons=reasons, short=short)
        return [Request(messages, (), schema_of(Said))]

    def verdict(self, row: Instruction, outcomes: Sequence[Outcome]) -> tuple[Instruction, Drop | None]:
        """Yes is kept."""
        (outcome,) = outcomes
        if isinstance(outcome, Failure):
            return row, quarantined("not_verified", f"no verdict on consistency: {outcome.detail}")
        said = parsed(Said, outcome)
        if not said:
            return row, quarantined("not_verified", "the verdict on consistency does not follow the schema")
        verdict = said[0].verdict
        judged = with_verdicts(row, [Verdict("consistency", verdict, float(verdict == "yes"), outcome.model)])
        return judged, None if verdict == "yes" else quarantined("inconsistent", f"the answer {MEANING[verdict]}")
