"""The task ``reasoning``: steps that lead to the annotated label, several samples, kept only where they arrive there.

The question is which of the dataset's labels the picture shows.  With ``hint`` the model is told the label and writes
as if it found it out (Lingshu); without, it must find it.  Either way a sample counts only if its own final answer is
the annotated one.  The score ``pass_rate`` is the share of samples that arrive there without having been told, a
measure of difficulty; with ``hint`` a second request asks for it, since who is told arrives nearly always.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, ClassVar, Literal

from pydantic import Field, create_model

from schemas import identity
from schemas.instruction import Instruction, Provenance
from schemas.instruction import Task as Kind
from schemas.spec import Strict
from schemas.taxonomy.kinship import related
from synthesis.base import Answer, Failure, Request
from synthesis.chain import About, Chain, parsed
from synthesis.checks.known import known_of
from synthesis.mcq import LETTERS
from synthesis.prompted import PromptedTask, PromptOptions, Setting, Written


class ReasoningOptions(PromptOptions):
    """Options of the task."""

    hint: bool = True
    """Whether the model is told the answer."""
    difficulty: bool = True
    """Whether a model that was told is asked as many samples once more without being told, for ``pass_rate``."""
    choices: int = Field(default=5, ge=2, le=8)
    """How many labels to choose from."""
    minimum_pass_rate: float = Field(default=0.0, ge=0, le=1)
    """Of samples that were not told, where there are any; else of those that were."""


class Reasoned(Written):
    """Steps and where they lead."""

    reasoning: str = Field(min_length=1, max_length=3000)


@lru_cache(maxsize=4096)
def answer_model(options: tuple[str, ...]) -> type[Reasoned]:
    """`Reasoned` with a final answer that is one of ``options``."""
    fields: dict[str, Any] = {"answer": (Literal[options], ...)}
    return create_model("Reasoned", __base__=Reasoned, **fields)


class Reasoning(PromptedTask, Chain):
    """Image in, reasoning out that arrives at the annotation; told first, where it is, and then untold."""

    name: ClassVar[str] = "reasoning"
    kind: ClassVar[Kind] = "reasoning"
    Options: ClassVar[type[Strict]] = ReasoningOptions
    options: ReasoningOptions

    def __init__(self, options: ReasoningOptions) -> None:
        super().__init__(options)
        asks_again = options.hint and options.difficulty
        self._untold = Reasoning(options.model_copy(update={"hint": False})) if asks_again else None
        self.stages: int = 2 if asks_again else 1  # type: ignore[misc]

    def start(self, about: About) -> Iterator[tuple[str, Request]]:
        """One question about a case with one true label."""
        return self.prompt(about.case, about.pictures, about.context)

    def follow(self, row_id: str, answers: Sequence[Answer], about: About) -> Request | Failure | None:
        """The same question without the answer, once the reasons for it are there."""
        if self._untold is None or len(answers) > 1:
            return None
        told = self.parse(row_id, answers[0], about.case, about.context)
        if isinstance(told, Failure):
            return told
        return next(self._untold.prompt(about.case, about.pictures, about.context))[1]

    def finish(self, row_id: str, answers: Sequence[Answer], about: About) -> Instruction | Failure:
        """The row, with the share of untold samples that arrive at the annotation."""
        row = self.parse(row_id, answers[0], about.case, about.context)
        if isinstance(row, Failure) or len(answers) == 1:
            return row
        untold = answers[1]
        found = parsed(self.model(self.setting(about.case, about.context)), untold)
        count = sum(getattr(sample, "answer", "") == row.answer for sample in found)
        if count < self.options.minimum_pass_rate * untold.samples:
            return self._wrong(count, untold)
        made = replace(row.provenance, steps=(*row.provenance.steps, f"untold:{untold.digest}"))
        return replace(row, provenance=made, scores=(*row.scores, ("pass_rate", count / untold.samples)))

    def rows_of(self, setting: Setting) -> Sequence[str]:
        """One row where exactly one label is true and another is known to be false."""
        one = len(setting.case.present()) == 1
        return self.variants if one and len(self.choices(setting)) > 1 else ()

    def choices(self, setting: Setting) -> tuple[str, ...]:
        """The true label among others of the dataset that are known not to be true of the case, in drawn order."""
        truth = setting.case.present()[0]
        polarity = known_of(setting.case, setting.context.spec, setting.shown).polarity
        absent = sorted(name for name, said in polarity.items() if said == "absent")
        exclusive = setting.context.spec.label_kind in ("multi_class", "ordinal")
        others = [name for name in absent if exclusive or not related(name, truth)]
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
        least = 0.0 if self._untold else self.options.minimum_pass_rate
        if not right or rate < least:
            return self._wrong(len(right), answer)
        return self._row(variant, right[0], setting, self.provenance(answer, setting), rate)

    @staticmethod
    def _wrong(count: int, answer: Answer) -> Failure:
        detail = f"{count} of {answer.samples} samples arrived at the annotated answer"
        return Failure("wrong_answer", detail, answer.digest, status="quarantined")

    def provenance(self, answer: Answer, setting: Setting) -> Provenance:
        """As of every task; of the facts, the model was told the label at most."""
        truth = setting.case.present()[0]
        path = next(f"labels[{index}]" for index, label in enumerate(setting.case.labels) if label.name == truth)
        return replace(super().provenance(answer, setting), facts=(path,))

    def row(self, variant: str, written: Any, setting: Setting, provenance: Provenance) -> Instruction | Failure:
        """A row of one sample."""
        return self._row(variant, written, setting, provenance, 1.0)

    def _row(self, variant: str, written: Any, setting: Setting, provenance: Provenance, rate: float) -> Instruction:
        options, rated = self.choices(setting), "told_pass_rate" if self.options.hint else "pass_rate"
        place = options.index(written.answer)
        asked = "\n".join([setting.question, *(f"{LETTERS[i]}. {option}" for i, option in enumerate(options))])
        said = f"{written.reasoning}\n\nAnswer: {LETTERS[place]}. {written.answer}"
        return self.instruction(
            variant, setting, provenance, [(asked, said)],
            options=options, answer=written.answer, answer_index=place, scores=((rated, rate),),
        )  # fmt: skip
