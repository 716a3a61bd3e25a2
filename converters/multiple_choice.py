"""Multiple choice: which label is true of the picture; the others come from the same dataset's label map."""

from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import cache
from typing import ClassVar, Literal

from pydantic import Field

from converters.asking import Asker, Common
from converters.choosing import LETTERS, options_of, with_options
from converters.drawing import generator
from converters.kinship import related, same
from converters.scenes import Scene, scenes
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction


class MultipleChoice:
    """One question for each scene with a true label and at least one that is known to be false."""

    name: ClassVar[str] = "multiple_choice"

    class Options(Common):
        """Options."""

        choices: int = Field(default=4, ge=2, le=10)
        """At most so many options; fewer where the dataset has fewer labels that are known to be false."""
        per_scene: int = Field(default=1, ge=1)
        """Questions for each scene with several true labels."""
        distractors: Literal["uniform", "hard"] = "uniform"
        """``hard`` takes those that are most easily confused: as ``confusions`` says, then by the words they share."""
        confusions: dict[str, list[str]] = Field(default_factory=dict)
        """Label -> labels it is taken for, worst first, e.g. from a model's confusion matrix."""
        none_share: float = Field(default=0.0, ge=0, le=1)
        """Share of questions whose last option is "none of the above"; it is right as often as any other."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions."""
        ask = Asker(case, context, self.name, self.options)
        for scene in scenes(case, context.spec):
            if scene.absent:
                order = generator(context.seed, ask.id(scene.variant), "answers")
                for label in order.sample(list(scene.present), min(self.options.per_scene, len(scene.present))):
                    row = self._row(ask, scene, label)
                    if row is not None:
                        yield row

    def _row(self, ask: Asker, scene: Scene, answer: str) -> Instruction | None:
        row = ask.id(f"{scene.variant}/{answer}")
        close = same if scene.exclusive else related
        wrong = sorted(name for name in scene.absent if not close(name, answer))
        if not wrong:
            return None
        labels, index = self._options(ask, row, answer, wrong)
        things = all(ask.words.kind(label) not in ("state", "clear") for label in labels)
        options = tuple(ask.words.name(label) for label in labels)
        template = ask.draw("one_of" if things and not scene.exclusive else "which", row)
        right = options[index]
        return ask.row(
            row,
            "mcq",
            with_options(template.fill(ask.slots(scene.images)), options, ask.language),
            LETTERS[index],
            images=scene.images,
            template=template.id,
            facts=(*scene.present[answer], *(fact for name in labels for fact in scene.absent.get(name, ()))),
            short=right,
            options=options,
            answer_index=index,
            labels=tuple(scene.present),
        )

    def _options(self, ask: Asker, row: str, answer: str, absent: list[str]) -> tuple[tuple[str, ...], int]:
        pool = self._nearest(answer, absent) if self.options.distractors == "hard" else absent
        if ask.chance(row, "none") >= self.options.none_share:
            return options_of(ask, row, answer, pool, self.options.choices)
        size = min(self.options.choices, len(pool) + 1)
        none = ask.table.choose("none", ask.language, 0, "").fill({})
        if ask.chance(row, "none is right") < 1 / size:
            drawn = generator(ask.context.seed, row, "options").sample(pool, size - 1)
            return (*drawn, none), size - 1
        options, index = options_of(ask, row, answer, pool, size - 1)
        return (*options, none), index

    def _nearest(self, answer: str, absent: list[str]) -> list[str]:
        """The ``choices - 1`` labels that are most easily taken for the answer."""
        known = self.options.confusions.get(answer, [])
        rank = {name: place for place, name in enumerate(known)}
        order = sorted(absent, key=lambda name: (rank.get(name, len(known)), -alike(answer, name), name))
        return order[: self.options.choices - 1]


@cache
def alike(one: str, other: str) -> float:
    """How much two labels look alike, 0..1: shared words, then shared letters."""
    words, others = set(one.lower().split()), set(other.lower().split())
    shared = len(words & others) / len(words | others)
    return (shared + SequenceMatcher(None, one.lower(), other.lower()).ratio()) / 2
