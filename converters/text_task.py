"""Text-only corpora to instructions, by the table in ``templates/text_task.yaml``: one set for each task."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from converters.asking import Asker, Common
from converters.existing_qa import says_nothing, tidy
from converters.scenes import labels_of, true_labels
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction

TextTask = Literal["classification", "nli", "summary", "qa", "mentions", "relations"]


class TextTaskOptions(Common):
    """Options."""

    task: TextTask = "classification"
    """``classification``: the first text has the case's labels; ``nli``: two texts and one label; ``summary``: the
    second text sums up the first; ``qa``: the first text is the context of the case's questions; ``mentions`` and
    ``relations``: the case's questions name a type, their answers list what the text holds of it."""
    longest: int = Field(default=8000, ge=1)
    """Characters; cases with a longer text are passed over."""


class TextTaskConverter:
    """Rows without pictures."""

    name: ClassVar[str] = "text_task"
    Options: ClassVar[type[Common]] = TextTaskOptions

    def __init__(self, options: TextTaskOptions) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the rows."""
        texts = [tidy(text.content) for text in case.texts]
        if not texts or case.images or any(says_nothing(text) or len(text) > self.options.longest for text in texts):
            return
        task = self.options.task
        ask = Asker(case, context, self.name, self.options).speaking(case.texts[0].language, task)
        if task in ("classification", "nli"):
            yield from self._labelled(ask, texts)
        elif task == "summary" and len(texts) > 1:
            yield self._row(ask, "summary", {"text": texts[0]}, texts[1], ("texts[0]", "texts[1]"))
        elif task in ("qa", "mentions", "relations"):
            for number, pair in enumerate(case.questions):
                asked, answer = tidy(pair.question), tidy(pair.answer)
                if not says_nothing(asked) and not says_nothing(answer):
                    proof = ("texts[0]", f"questions[{number}]")
                    variant = pair.key or str(number)
                    yield self._row(ask, variant, {"text": texts[0], "asked": asked}, answer, proof)

    def _labelled(self, ask: Asker, texts: list[str]) -> Iterator[Instruction]:
        present = true_labels(ask.case)
        known = ask.context.spec.canonical()
        nli = self.options.task == "nli"
        if not present or not known or (nli and (len(texts) < 2 or len(present) != 1)):
            return
        slots = {"text": texts[0], "labels": ask.words.COMMA.join(known)} | ({"other": texts[1]} if nli else {})
        proof = tuple(f"labels[{n}]" for n, label in enumerate(labels_of(ask.case)) if label.polarity == "present")
        yield self._row(ask, self.options.task, slots, ", ".join(present), proof)

    def _row(self, ask: Asker, variant: str, slots: dict[str, str], answer: str, proof: tuple[str, ...]) -> Instruction:
        row = ask.about(f"{self.options.task}/{variant}")
        template = ask.draw(self.options.task, row)
        return ask.row(
            row,
            "text",
            template.fill(slots),
            answer,
            images=(),
            template=template.id,
            facts=proof,
            labels=true_labels(ask.case),
        )
