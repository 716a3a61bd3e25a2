"""Open question: what does the picture show?  The answer names every label that is true of it."""

from collections.abc import Iterator
from typing import ClassVar

from converters.asking import Asker, Common
from converters.caption import several_of
from converters.scenes import Scene, scenes
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction


class OpenQuestion:
    """One question for each scene with a true label."""

    name: ClassVar[str] = "open_question"

    class Options(Common):
        """Options."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions."""
        ask = Asker(case, context, self.name, self.options)
        for scene in scenes(case, context.spec):
            if scene.present:
                yield _row(ask, scene)


def _row(ask: Asker, scene: Scene) -> Instruction:
    row = ask.about(scene.variant)
    words = ask.words
    labels = scene.labels
    kinds = set(map(words.kind, labels))
    which = "class" if scene.exclusive else "structures" if scene.from_regions else "findings"
    question = ask.draw_class(which, row)
    several = {label for label in labels if several_of(ask, scene, label)} if scene.from_regions else set()
    classed = "state" in kinds or (scene.exclusive and "clear" not in kinds)
    things = [
        words.name(label) if classed else words.plural(label) if label in several else words.phrase(label)
        for label in labels
    ]
    slots = ask.slots(scene.images)
    template = ask.draw("answer_class" if classed else "answer", row)
    return ask.row(
        row,
        "open",
        question.fill(slots),
        template.fill(slots | {"content": words.listed(things)}),
        images=scene.images,
        template=question.id,
        facts=scene.proofs,
        short=", ".join(map(words.name, labels)),
        labels=labels,
    )
