"""Multiple choice: which label is true of the picture; the others come from the same dataset's label map."""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from converters.asking import Asker, Common
from converters.scenes import Scene, scenes
from converters.templating import load_table
from schemas.case import Case
from schemas.context import Context
from schemas.identity import generator
from schemas.instruction import Instruction

LETTERS = "ABCDEFGHIJ"


class MultipleChoice:
    """One question for each scene with a true label and at least one that is known to be false."""

    name: ClassVar[str] = "multiple_choice"

    class Options(Common):
        """Options."""

        choices: int = Field(default=4, ge=2, le=10)
        """At most so many options; fewer where the dataset has fewer labels that are known to be false."""
        per_scene: int = Field(default=1, ge=1)
        """Questions for each scene with several true labels."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions."""
        ask = Asker(case, context, self.name, self.options)
        for scene in scenes(case, context.spec):
            if scene.absent:
                order = generator(context.seed, ask.id(scene.variant), "answers")
                for label in order.sample(list(scene.present), min(self.options.per_scene, len(scene.present))):
                    yield self._row(ask, scene, label)

    def _row(self, ask: Asker, scene: Scene, answer: str) -> Instruction:
        row = ask.id(f"{scene.variant}/{answer}")
        draw = generator(ask.context.seed, row, "options")
        distractors = draw.sample(sorted(scene.absent), min(self.options.choices - 1, len(scene.absent)))
        index = draw.randrange(len(distractors) + 1)
        options = (*distractors[:index], answer, *distractors[index:])
        template = ask.draw("which" if scene.exclusive else "one_of", row)
        question = "\n".join([template.fill(ask.slots(scene.images)), lettered(options), letter_please(ask.language)])
        return ask.row(
            row,
            "mcq",
            question,
            LETTERS[index],
            images=scene.images,
            template=template.id,
            facts=(*scene.present[answer], *(fact for name in distractors for fact in scene.absent[name])),
            short=answer,
            options=options,
            answer_index=index,
            labels=tuple(scene.present),
        )


def lettered(options: tuple[str, ...]) -> str:
    """One option a line: ``A: platelet``."""
    return "\n".join(f"{letter}: {option}" for letter, option in zip(LETTERS, options, strict=False))


def letter_please(language: str) -> str:
    """The fixed sentence that asks for the letter alone."""
    return load_table("multiple_choice").choose("letter", language, 0, "").fill({})
