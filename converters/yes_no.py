"""Yes or no: is this label true of the picture?  Answers are balanced, and nothing uncertain is asked about."""

from collections.abc import Collection, Iterator
from typing import ClassVar

from pydantic import Field

from converters.asking import Asker, Common
from converters.scenes import Scene, scenes
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction
from schemas.taxonomy.kinship import nested


class YesNo:
    """Questions for each scene, yes and no equally often by the row's hash.

    A scene is asked about only where both answers are possible, since otherwise its answer would follow from the
    dataset's habits; ``one_sided`` lifts that.
    """

    name: ClassVar[str] = "yes_no"

    class Options(Common):
        """Options."""

        per_scene: int = Field(default=1, ge=1)
        """Questions for each scene, each with its own coin."""
        negated: float = Field(default=0.0, ge=0, le=1)
        """Share of questions that ask whether something is absent; their answers are balanced too."""
        one_sided: bool = False
        """Also ask scenes in which all labels are present, or all absent."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions."""
        ask = Asker(case, context, self.name, self.options)
        for scene in scenes(case, context.spec):
            yield from self._scene(ask, scene)

    def _scene(self, ask: Asker, scene: Scene) -> Iterator[Instruction]:
        # Of several classes one is true, but a class may hold it: COVID-19 is a pneumonia, whatever the dataset says.
        absent: Collection[str] = scene.absent
        if scene.exclusive:
            absent = [name for name in absent if not any(nested(name, true) for true in scene.present)]
        sides = {True: scene.present, False: absent}
        if not (sides[True] and sides[False]) and not self.options.one_sided:
            return
        left: dict[bool, list[str]] = {}
        for turn in range(self.options.per_scene):
            side = ask.generator(f"{scene.variant}/{turn}", "side").chance() < 0.5
            if not left.get(side, sides[side]) and self.options.one_sided:
                side = not side
            if side not in left:
                left[side] = ask.generator(scene.variant, str(side)).sample(sorted(sides[side]), len(sides[side]))
            if not left[side]:
                return
            yield self._row(ask, scene, left[side].pop(), side)

    def _row(self, ask: Asker, scene: Scene, label: str, present: bool) -> Instruction:
        row = ask.about(f"{scene.variant}/{label}")
        words = ask.words
        negated = row.chance() < self.options.negated
        kind = words.kind(label)
        which = kind if kind in ("state", "clear") else "class" if scene.exclusive else "visible"
        template = ask.draw(f"{which}_negated" if negated else which, row)
        slots = ask.slots(scene.images) | {
            "label": words.name(label),
            "thing": words.phrase(label),
            "be": words.be(label),
        }
        said = words.YES if present != negated else words.NO
        return ask.row(
            row,
            "yes_no",
            template.fill(slots),
            said,
            images=scene.images,
            template=template.id,
            facts=scene.present[label] if present else scene.absent[label],
            labels=scene.labels,
        )
