"""The tasks ``mcq`` (MedVLSynther) and ``report_qa`` (M3D): questions with options that a model writes.

The right option is brought to a place that is drawn from the row's id, so that letters are balanced whatever the
model prefers.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field, model_validator

from schemas import identity
from schemas.instruction import Instruction, Provenance
from schemas.instruction import Task as Kind
from synthesis.base import Failure
from synthesis.checks.wording import gives_away
from synthesis.prompted import PromptedTask, Setting, Written

LETTERS = "ABCDEFGHIJ"


class Question(Written):
    """A question with its right answer and four wrong ones."""

    question: str = Field(min_length=1, max_length=500)
    right: str = Field(min_length=1, max_length=150)
    wrong: list[str] = Field(min_length=3, max_length=4)

    @model_validator(mode="after")
    def _different(self) -> "Question":
        options = [option.strip().casefold() for option in (self.right, *self.wrong)]
        if len(set(options)) != len(options) or "" in options:
            raise ValueError("two options are equal")
        return self


def shuffled(question: Question, seed: int, row_id: str) -> tuple[tuple[str, ...], int]:
    """The options in drawn order, and where the right one stands."""
    draw = identity.generator(seed, row_id, "options")
    options = [option.strip() for option in question.wrong]
    draw.shuffle(options)
    place = draw.randrange(len(options) + 1)
    options.insert(place, question.right)
    return tuple(options), place


class Mcq(PromptedTask):
    """Image and annotation in, one multiple-choice question out."""

    name: ClassVar[str] = "mcq"
    kind: ClassVar[Kind] = "mcq"

    def model(self, setting: Setting) -> type[Written]:
        """One question."""
        return Question

    def row(self, variant: str, written: Any, setting: Setting, provenance: Provenance) -> Instruction | Failure:
        """The question with lettered options."""
        return self.choice(variant, written, setting, provenance)

    def choice(
        self, variant: str, written: Question, setting: Setting, provenance: Provenance
    ) -> Instruction | Failure:
        """A row of one question; none where the question itself names its answer."""
        if gives_away(written.question, written.right):
            detail = "the question names the right option"
            return Failure("answer_in_question", detail, provenance.request_digest, status="quarantined")
        options, place = shuffled(written, setting.context.seed, self.row_id(setting.case, variant))
        asked = "\n".join([written.question, *(f"{LETTERS[i]}. {option}" for i, option in enumerate(options))])
        return self.instruction(
            variant, setting, provenance, [(asked, f"{LETTERS[place]}. {options[place]}")],
            options=options, answer=options[place], answer_index=place,
        )  # fmt: skip


class Five(Written):
    """One question of each of M3D's types; null where the report does not tell."""

    plane: Question | None
    phase: Question | None
    organ: Question | None
    abnormality: Question | None
    position: Question | None


class ReportQa(Mcq):
    """Report in, up to five multiple-choice questions out; the model reads and does not see."""

    name: ClassVar[str] = "report_qa"
    variants: ClassVar[tuple[str, ...]] = ("plane", "phase", "organ", "abnormality", "position")
    shows_image = False

    def rows_of(self, setting: Setting) -> Sequence[str]:
        """Five rows of a case with a report."""
        return self.variants if any(text.content.strip() for text in setting.case.texts) else ()

    def model(self, setting: Setting) -> type[Written]:
        """Five questions or nulls."""
        return Five

    def row(self, variant: str, written: Any, setting: Setting, provenance: Provenance) -> Instruction | Failure:
        """The question of one type."""
        question: Question | None = getattr(written, variant)
        if question is None:
            return Failure("not_in_report", f"the report does not tell the {variant}", status="filtered")
        return self.choice(variant, question, setting, provenance)
