"""The task ``reasoning``: steps that lead to the annotated label, several samples, kept only where they arrive there.

The question is which of the dataset's labels the picture shows.  With ``hint`` the model is told the label and writes
as if it found it out (Lingshu); without, it must find it.  Either way a sample counts only if its own final answer is
the annotated one; the share of such samples is the row's score ``pass_rate``, a measure of difficulty.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar, Literal

from pydantic import Field, create_model

from schemas import identity
from schemas.instruction import Instruction, Provenance
from schemas.instruction import Task as Kind
from schemas.spec import Strict
from synthesis.base import Answer, Failure
from synthesis.mcq import LETTERS
from synthesis.prompted import PromptedTask, PromptOptions, Setting, Written


class ReasoningOptions(PromptOptions):
    """Options of the task."""

    hint: bool = True
    """Whether the model is told the answer."""
    choices: int = Field(default=5, ge=2, le=8)
    """How many labels to choose from."""
    minimum_pass_rate: float = Field(default=0.0, ge=0, le=1)


class Reasoned(Written):
    """Steps and where they lead."""

    reasoning: str = Field(min_length=1, max_length=3000)


@lru_cache(maxsize=4096)
def answer_model(options: tuple[str, ...]) -> type[Reasoned]:
    """`Reasoned` with a final answer that is one of ``options``."""
    fields: dict[str, Any] = {"answer": (Literal[options], ...)}
    return create_model("Reasoned", __base__=Reasoned, **fields)


class Reasoning(PromptedTask):
    """Image in, reasoning out that arrives at the annotation."""

    name: ClassVar[str] = "reasoning"
    kind: ClassVar[Kind] = "reasoning"
    Options: ClassVar[type[Strict]] = ReasoningOptions
    options: ReasoningOptions

    def rows_of(self, setting: Setting) -> Sequence[str]:
        """One row where exactly one of several labels is true."""
        several = len(setting.context.spec.canonical()) > 1
        return self.variants if several and len(setting.case.present()) == 1 else ()

    def choices(self, setting: Setting) -> tuple[str, ...]:
        """The true label among others of the dataset that are not true of the case, in drawn order."""
        truth = setting.case.present()[0]
        open_labels = {label.name for label in setting.case.labels if label.polarity == "uncertain"}
        others = [name for name in setting.context.spec.canonical() if name != truth and name not in open_labels]
        draw = identity.generator(setting.context.seed, self.row_id(setting.case, "choices"))
        found = [truth, *draw.sample(others, min(len(others), self.options.choices - 1))]
        draw.shuffle(found)
        return tuple(found)

    def model(self, setting: Setting) -> type[Written]:
        """Reasoning, and one of the choices."""
        return answer_model(self.choices(setting))

    def words(self, setting: Setting) -> dict[str, str]:
        """The choices, and what the model is told of them."""
        truth = setting.case.present()[0]
        told = f"The right answer is {truth}; reason towards it as if nobody had told you." if self.options.hint else ""
        return {"options": ", ".join(self.choices(setting)), "hint": told}

    def of_samples(
        self, variant: str, written: Sequence[Written], answer: Answer, setting: Setting
    ) -> Instruction | Failure:
        """The first sample that arrives at the annotation, with the share of those that do."""
        truth = setting.case.present()[0]
        right = [sample for sample in written if getattr(sample, "answer", "") == truth]
        rate = len(right) / answer.samples
        if not right or rate < self.options.minimum_pass_rate:
            detail = f"{len(right)} of {answer.samples} samples arrived at the annotated answer"
            return Failure("wrong_answer", detail, answer.digest, status="quarantined")
        return self._row(variant, right[0], setting, self.provenance(answer, setting), rate)

    def row(self, variant: str, written: Any, setting: Setting, provenance: Provenance) -> Instruction | Failure:
        """A row of one sample."""
        return self._row(variant, written, setting, provenance, 1.0)

    def _row(self, variant: str, written: Any, setting: Setting, provenance: Provenance, rate: float) -> Instruction:
        options = self.choices(setting)
        place = options.index(written.answer)
        asked = "\n".join([setting.question, *(f"{LETTERS[i]}. {option}" for i, option in enumerate(options))])
        said = f"{written.reasoning}\n\nAnswer: {LETTERS[place]}. {written.answer}"
        return self.instruction(
            variant, setting, provenance, [(asked, said)],
            options=options, answer=written.answer, answer_index=place, scores=(("pass_rate", rate),),
        )  # fmt: skip
