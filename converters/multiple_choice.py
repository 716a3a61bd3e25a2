"""Multiple choice: which label is true of the picture; the others come from the same dataset's label map."""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from converters.asking import Asker
from converters.choosing import Choices, choose, of_one_kind, with_options
from converters.scenes import Scene, scenes
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction
from schemas.taxonomy.kinship import nested, related


class MultipleChoiceOptions(Choices):
    """Options."""

    per_scene: int = Field(default=1, ge=1)
    """Questions for each scene with several true labels."""


class MultipleChoice:
    """One question for each scene with a true label and at least one that is known to be false."""

    name: ClassVar[str] = "multiple_choice"

    Options = MultipleChoiceOptions

    def __init__(self, options: MultipleChoiceOptions) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions."""
        ask = Asker(case, context, self.name, self.options)
        for scene in scenes(case, context.spec):
            if scene.absent:
                order = ask.generator(scene.variant, "answers")
                for label in order.sample(list(scene.present), min(self.options.per_scene, len(scene.present))):
                    row = self._row(ask, scene, label)
                    if row is not None:
                        yield row

    def _row(self, ask: Asker, scene: Scene, answer: str) -> Instruction | None:
        row = ask.about(f"{scene.variant}/{answer}")
        close = nested if scene.exclusive else related
        wrong = [name for name in scene.absent if not close(name, answer)]
        if scene.from_regions:
            wrong = of_one_kind(answer, wrong)
        if not wrong:
            return None
        chosen = choose(ask, row, answer, wrong, self.options)
        things = all(ask.words.kind(label) not in ("state", "clear") for label in chosen.labels)
        template = ask.draw_class("one_of" if things and not scene.exclusive else "which", row)
        return ask.row(
            row,
            "mcq",
            with_options(template.fill(ask.slots(scene.images)), chosen.options, ask.language),
            chosen.letter,
            images=scene.images,
            template=template.id,
            facts=(*scene.present[answer], *(fact for name in chosen.labels for fact in scene.absent.get(name, ()))),
            short=chosen.right,
            options=chosen.options,
            answer_index=chosen.index,
            labels=scene.labels,
        )
