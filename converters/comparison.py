"""Comparison of two visits: what is new, resolved, unchanged, worse or better, from the labels of each picture.

For datasets whose cases hold two pictures of one patient, the earlier one first, with labels for each
(``Label.image_index`` 0 and 1).  Two views of one visit look the same, so a recipe names this converter only where it
fits.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from converters.asking import Asker, Common
from converters.choosing import LETTERS, options_of, with_options
from converters.drawing import generator
from converters.scenes import Scene, label_scenes
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction

Change = Literal["new", "resolved", "unchanged", "absent", "worse", "better"]


class Comparison:
    """Up to ``per_case`` questions about findings, or one about the grade of an ordinal dataset."""

    name: ClassVar[str] = "comparison"

    class Options(Common):
        """Options."""

        per_case: int = Field(default=2, ge=1)
        choice_share: float = Field(default=0.5, ge=0, le=1)

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions."""
        scenes = {scene.images: scene for scene in label_scenes(case, context.spec)}
        if len(case.images) != 2 or (0,) not in scenes or (1,) not in scenes:
            return
        ask = Asker(case, context, self.name, self.options)
        before, after = scenes[0,], scenes[1,]
        if context.spec.label_kind == "ordinal":
            change = _grades(before, after, context.spec.canonical())
            if change is not None:
                yield self._row(ask, "", change, (*_all(before), *_all(after)))
            return
        changes = {label: change for label in _both(before, after) if (change := _change(before, after, label))}
        draw = generator(context.seed, ask.id("case"), "labels")
        for label in draw.sample(sorted(changes), min(self.options.per_case, len(changes))):
            proof = (*_proof(before, label), *_proof(after, label))
            yield self._row(ask, label, changes[label], proof)

    def _row(self, ask: Asker, label: str, change: Change, proof: tuple[str, ...]) -> Instruction:
        row = ask.id(label or "grade")
        words = ask.words
        every: tuple[Change, ...] = (
            ("new", "resolved", "unchanged", "absent") if label else ("worse", "better", "unchanged")
        )
        said = {name: ask.table.choose(f"word_{name}", ask.language, 0, "").fill({}) for name in every}
        template = ask.draw("ask" if label else "grade", row)
        slots = (
            {"thing": words.definite(label), "label": words.name(label), "change": said[change]}
            if label
            else {"change": said[change]}
        )
        question = template.fill(slots)
        answer = ask.draw(f"{change}" if label else "grade_answer", row).fill(slots)
        options: tuple[str, ...] = ()
        right = -1
        if ask.chance(row, "choice") < self.options.choice_share:
            others = [said[name] for name in every if name != change]
            options, right = options_of(ask, row, said[change], others, 4)
            question, answer = with_options(question, options, ask.language), LETTERS[right]
        return ask.row(
            row,
            "comparison",
            question,
            answer,
            images=(0, 1),
            template=template.id,
            facts=proof,
            short=said[change],
            options=options,
            answer_index=right,
            labels=(label,) if label and change not in ("absent",) else (),
        )


def _both(before: Scene, after: Scene) -> list[str]:
    known = [set(scene.present) | set(scene.absent) for scene in (before, after)]
    return sorted(known[0] & known[1])


def _change(before: Scene, after: Scene, label: str) -> Change:
    then, now = label in before.present, label in after.present
    if then and now:
        return "unchanged"
    if then:
        return "resolved"
    return "new" if now else "absent"


def _grades(before: Scene, after: Scene, scale: list[str]) -> Change | None:
    if not (len(before.present) == len(after.present) == 1):
        return None
    then, now = (scale.index(next(iter(scene.present))) for scene in (before, after))
    return "unchanged" if then == now else "worse" if now > then else "better"


def _proof(scene: Scene, label: str) -> tuple[str, ...]:
    return (scene.present | scene.absent)[label]


def _all(scene: Scene) -> tuple[str, ...]:
    return tuple(fact for facts in scene.present.values() for fact in facts)
