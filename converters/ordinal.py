"""Ordinal: which grade, and whether it is more severe than another; the label map gives the order, rising."""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from converters.asking import Asker, Common
from converters.scenes import label_scenes
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction


class Ordinal:
    """One row for each scene of a dataset whose ``label_kind`` is ordinal."""

    name: ClassVar[str] = "ordinal"

    class Options(Common):
        """Options."""

        compare_share: float = Field(default=0.5, ge=0, le=1)
        """Share of questions that compare with another grade; the others ask for the grade."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the rows."""
        scale = context.spec.canonical()
        if context.spec.label_kind != "ordinal" or len(scale) < 2:
            return
        ask = Asker(case, context, self.name, self.options)
        for scene in label_scenes(case, context.spec):
            if len(scene.present) == 1 and not scene.uncertain:
                ((grade, facts),) = scene.present.items()
                if grade in scale:
                    yield self._row(ask, scene.variant, scene.images, scale, grade, facts)

    def _row(
        self, ask: Asker, variant: str, images: tuple[int, ...], scale: list[str], grade: str, facts: tuple[str, ...]
    ) -> Instruction:
        row = ask.about(variant)
        here = scale.index(grade)
        slots = ask.slots(images) | {"scale": ask.words.COMMA.join(map(ask.words.name, scale))}
        compare = row.chance() < self.options.compare_share
        # The answer is drawn before a grade that gives it, so that yes and no stay balanced.  Nothing is asked whose
        # answer is plain without the picture: whether it is above the highest grade, or below the lowest.
        more = row.chance() < 0.5
        true = row.chance() < 0.5
        grades = (
            {True: scale[:here], False: scale[here:-1]}
            if more
            else {True: scale[here + 1 :], False: scale[1 : here + 1]}
        )
        others = grades[true] or grades[not true]
        other = others[row.randrange(len(others))]
        holds = here > scale.index(other) if more else here < scale.index(other)
        said = ask.words.YES if holds else ask.words.NO
        template = ask.draw(("more" if more else "less") if compare else "grade", row)
        return ask.row(
            row,
            "ordinal",
            template.fill(slots | {"other": ask.words.name(other)}),
            said if compare else ask.words.name(grade),
            images=images,
            template=template.id,
            facts=facts,
            labels=(grade,),
        )
