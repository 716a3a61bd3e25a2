"""Comparison of two visits: what is new, resolved, worse, better or the same, from labels or the later report.

For datasets whose cases hold two pictures of one patient, the earlier one first, with labels for each
(``Label.image_index`` 0 and 1) or with the report of the later one.  Two views of one visit look the same, so a recipe
names this converter only where it fits.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from converters.asking import Asker, Common
from converters.choosing import LETTERS, options_of, with_options
from converters.reported_changes import reported_changes
from converters.scenes import Scene, label_scenes, true_labels
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction

Change = Literal["new", "resolved", "unchanged", "both", "absent", "worse", "better"]
"""``both``: present at both visits, of which labels do not say whether it is the same; ``unchanged``: it is."""
_FROM_LABELS: tuple[Change, ...] = ("new", "resolved", "both", "absent")
_FROM_REPORT: tuple[Change, ...] = ("new", "resolved", "worse", "better", "unchanged")
_OF_GRADES: tuple[Change, ...] = ("worse", "better", "unchanged")
_Found = tuple[Change, tuple[str, ...]]
"""A change, and the paths of what proves it."""


class Comparison:
    """Up to ``per_case`` questions about findings, or one about the grade of an ordinal dataset."""

    name: ClassVar[str] = "comparison"

    class Options(Common):
        """Options."""

        source: Literal["labels", "report"] = "labels"
        """``report``: what the texts of the later visit say has changed (`converters.reported_changes`)."""
        per_case: int = Field(default=2, ge=1)
        choice_share: float = Field(default=0.5, ge=0, le=1)

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions."""
        if len(case.images) != 2:
            return
        ask = Asker(case, context, self.name, self.options)
        before, after = _visits(case, context)
        if self.options.source == "report":
            yield from self._sample(
                ask, _reported(case, after, case.acquisition.anatomy or context.spec.anatomy), _FROM_REPORT
            )
        elif context.spec.label_kind == "ordinal" and before and after:
            change = _grades(before, after, context.spec.canonical())
            if change is not None:
                yield self._row(ask, "", change, (*before.proofs, *after.proofs), _OF_GRADES)
        elif before and after:
            found = {label: _labelled(before, after, label) for label in _both(before, after)}
            yield from self._sample(ask, found, _FROM_LABELS)

    def _sample(self, ask: Asker, found: dict[str, _Found], every: tuple[Change, ...]) -> Iterator[Instruction]:
        draw = ask.generator("case", "labels")
        for label in draw.sample(sorted(found), min(self.options.per_case, len(found))):
            change, proof = found[label]
            yield self._row(ask, label, change, proof, every)

    def _row(
        self, ask: Asker, label: str, change: Change, proof: tuple[str, ...], every: tuple[Change, ...]
    ) -> Instruction:
        row = ask.about(label or "grade")
        words = ask.words
        said = {name: ask.table.fixed(f"word_{name}", ask.language).fill({}) for name in every}
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
        if row.chance() < self.options.choice_share:
            others = [said[name] for name in every if name != change]
            options, right = options_of(row, said[change], others, 4)
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
            labels=(label,) if label in true_labels(ask.case) else (),
        )


def _both(before: Scene, after: Scene) -> list[str]:
    known = [set(scene.present) | set(scene.absent) for scene in (before, after)]
    return sorted(known[0] & known[1])


def _labelled(before: Scene, after: Scene, label: str) -> _Found:
    then, now = label in before.present, label in after.present
    change: Change = "both" if then and now else "resolved" if then else "new" if now else "absent"
    return change, (*_proof(before, label), *_proof(after, label))


def _reported(case: Case, after: Scene | None, anatomy: str) -> dict[str, _Found]:
    """What the texts say, less what the later picture's labels contradict."""
    found: dict[str, _Found] = {}
    for label, (change, text) in reported_changes(case.texts, anatomy).items():
        denied = after is not None and label in (after.present if change == "resolved" else after.absent)
        if not denied:
            found[label] = (change, (f"texts[{text}]",))
    return found


def _visits(case: Case, context: Context) -> tuple[Scene | None, Scene | None]:
    scenes = {scene.images: scene for scene in label_scenes(case, context.spec)}
    return scenes.get((0,)), scenes.get((1,))


def _grades(before: Scene, after: Scene, scale: list[str]) -> Change | None:
    if not (len(before.present) == len(after.present) == 1):
        return None
    then, now = (scale.index(next(iter(scene.present))) for scene in (before, after))
    return "unchanged" if then == now else "worse" if now > then else "better"


def _proof(scene: Scene, label: str) -> tuple[str, ...]:
    return (scene.present | scene.absent)[label]
