"""Image quality: how good the picture is, where the dataset's labels say so.

Only datasets whose clinical task is of the kind ``quality`` (``schemas/taxonomy/tasks.yaml``) are asked about: a label
such as "good" says something else elsewhere.
"""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from converters.asking import Asker
from converters.choosing import Choices, choose, with_options
from converters.drawing import Row
from converters.scenes import Scene, label_scenes, of_quality
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction


class ImageQualityOptions(Choices):
    """Options."""

    choice_share: float = Field(default=0.5, ge=0, le=1)
    """Share of questions with all grades as options; the others ask about one grade, with balanced answers."""


class ImageQuality:
    """One question for each scene with one grade of quality."""

    name: ClassVar[str] = "image_quality"
    Options = ImageQualityOptions

    def __init__(self, options: ImageQualityOptions) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions."""
        if not of_quality(context.spec.clinical_task):
            return
        ask = Asker(case, context, self.name, self.options)
        for scene in label_scenes(case, context.spec):
            if len(scene.present) == 1 and scene.absent and not scene.uncertain:
                yield self._row(ask, scene)

    def _row(self, ask: Asker, scene: Scene) -> Instruction:
        row = ask.about(scene.variant)
        ((grade, facts),) = scene.present.items()
        if row.chance() >= self.options.choice_share:
            return _one_grade(ask, scene, row, grade, facts)
        chosen = choose(ask, row, grade, list(scene.absent), self.options)
        template = ask.draw("which", row)
        return ask.row(
            row,
            "mcq",
            with_options(template.fill(ask.slots(scene.images)), chosen.options, ask.language),
            chosen.letter,
            images=scene.images,
            template=template.id,
            facts=facts,
            short=chosen.right,
            options=chosen.options,
            answer_index=chosen.index,
            labels=(grade,),
        )


def _one_grade(ask: Asker, scene: Scene, row: Row, grade: str, facts: tuple[str, ...]) -> Instruction:
    others = sorted(scene.absent)
    true = row.chance() < 0.5
    asked = grade if true else others[row.randrange(len(others))]
    template = ask.draw("rated", row)
    return ask.row(
        row,
        "yes_no",
        template.fill(ask.slots(scene.images) | {"label": ask.words.name(asked)}),
        ask.words.YES if true else ask.words.NO,
        images=scene.images,
        template=template.id,
        facts=facts,
        labels=(grade,),
    )
