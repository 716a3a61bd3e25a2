"""Which image: in which of several pictures of one case something is seen, or which of them is the odd one out."""

from collections.abc import Iterator
from functools import cache
from typing import ClassVar

from pydantic import Field

from converters.asking import Asker, Common
from converters.choosing import LETTERS, with_options
from converters.scenes import Scene, label_scenes, region_scenes
from converters.speech.english import kind
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction
from schemas.taxonomy.kinship import concept


class WhichImage:
    """One question for each case with at least two pictures of which exactly one differs in one label."""

    name: ClassVar[str] = "which_image"

    class Options(Common):
        """Options."""

        images: int = Field(default=4, ge=2, le=8)
        """At most so many pictures in a row."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the question."""
        if len(case.images) < 2:
            return
        single = [
            scene
            for scene in (*label_scenes(case, context.spec), *region_scenes(case, context.spec))
            if len(scene.images) == 1
        ]
        ask = Asker(case, context, self.name, self.options)
        draw = ask.generator("case", "choice")
        labels = sorted({label for scene in single for label in (*scene.present, *scene.absent)})
        sides = {label: _sides(single, label) for label in labels if _seen(label)}
        choices = [(label, odd) for label, found in sides.items() for odd in (False, True) if _enough(*found, odd)]
        if choices:
            label, odd = draw.choice(choices)
            yield self._row(ask, sides[label], label, odd)

    def _row(self, ask: Asker, sides: tuple[list[Scene], list[Scene]], label: str, odd: bool) -> Instruction:
        row = ask.about("odd" if odd else "which")
        with_it, without = sides
        one, many = (without, with_it) if odd else (with_it, without)
        target = row.choice(one)
        shown = row.sample(many, min(self.options.images - 1, len(many)))
        index = row.randrange(len(shown) + 1)
        shown.insert(index, target)
        words = ask.words
        options = tuple(ask.table.fixed("option", ask.language).fill({"number": str(n + 1)}) for n in range(len(shown)))
        template = ask.draw("odd" if odd else "which", row)
        slots = {"thing": words.phrase(label), "be": words.be(label)}
        return ask.row(
            row,
            "comparison",
            with_options(template.fill(slots), options, ask.language),
            LETTERS[index],
            images=tuple(scene.images[0] for scene in shown),
            template=template.id,
            facts=tuple(fact for scene in shown for fact in (scene.present | scene.absent)[label]),
            short=options[index],
            options=options,
            answer_index=index,
            labels=(label,),
        )


@cache
def _seen(label: str) -> bool:
    """Whether a picture shows it, as it shows a thing; what a picture is (a grade, ``normal``) is none."""
    known = concept(label)
    return kind(label) not in ("state", "clear") and not (known and known.kind in ("state", "grade"))


def _sides(scenes: list[Scene], label: str) -> tuple[list[Scene], list[Scene]]:
    """Scenes with the label and scenes without it, one for each picture: its labels go before its regions."""
    told: dict[int, Scene] = {}
    for scene in scenes:
        if label in scene.present or label in scene.absent or label in scene.uncertain:
            told.setdefault(scene.images[0], scene)
    return (
        [scene for scene in told.values() if label in scene.present],
        [scene for scene in told.values() if label in scene.absent],
    )


def _enough(with_it: list[Scene], without: list[Scene], odd: bool) -> bool:
    """Whether one picture can stand against others; an odd one out needs at least two that agree."""
    return len(with_it) >= 2 and bool(without) if odd else bool(with_it) and bool(without)
