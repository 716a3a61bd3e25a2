"""Multi-label: select all that apply, or go through a list of findings with "not mentioned" kept apart from "no"."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from converters.asking import Asker, Common
from converters.choosing import LETTERS, lettered
from converters.drawing import Row
from converters.scenes import Scene, scenes
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction


class MultiLabel:
    """One row for each scene whose labels stand each for itself.

    The options stand in the question only: the ``options`` column is for questions with one right answer.
    """

    name: ClassVar[str] = "multi_label"

    class Options(Common):
        """Options."""

        form: Literal["both", "select", "list"] = "both"
        """``select``: lettered options, several right; ``list``: each finding with yes, no, uncertain or not mentioned;
        ``both``: one of them by the row's hash."""
        choices: int = Field(default=6, ge=3, le=10)

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the rows."""
        ask = Asker(case, context, self.name, self.options)
        for scene in scenes(case, context.spec):
            if not scene.exclusive and (scene.present or scene.absent):
                row = ask.about(scene.variant)
                form = self.options.form
                if form == "both":
                    form = "select" if row.chance() < 0.5 else "list"
                selectable = len(scene.present) + len(scene.absent) > 2 and scene.present and scene.absent
                if form == "select" and selectable:
                    yield self._select(ask, scene, row)
                elif form != "select" and not scene.from_regions:
                    yield self._list(ask, scene, row)

    def _select(self, ask: Asker, scene: Scene, row: Row) -> Instruction:
        # A number of right options that is drawn first, so that it tells nothing about the picture.
        most = min(self.options.choices - 1, len(scene.present))
        right = row.sample(sorted(scene.present), row.randint(1, most))
        wrong = row.sample(sorted(scene.absent), min(self.options.choices - len(right), len(scene.absent)))
        options = [*right, *wrong]
        row.shuffle(options)
        chosen = [option for option in options if option in right]
        template = ask.draw("select", row)
        please = ask.draw("letters", row).fill({})
        letters = ", ".join(LETTERS[options.index(option)] for option in chosen)
        return ask.row(
            row,
            "multi_label",
            "\n".join(
                [
                    template.fill(ask.slots(scene.images)),
                    lettered([ask.words.name(option) for option in options]),
                    please,
                ]
            ),
            letters,
            images=scene.images,
            template=template.id,
            facts=tuple(fact for name in options for fact in (scene.present | scene.absent)[name]),
            short=", ".join(ask.words.name(name) for name in chosen),
            labels=scene.labels,
        )

    def _list(self, ask: Asker, scene: Scene, row: Row) -> Instruction:
        words = ask.words
        every = ask.context.spec.canonical() or [*scene.present, *scene.absent]
        names = row.sample(every, min(self.options.choices, len(every)))
        said = {"present": words.YES, "absent": words.NO} | {
            key: ask.table.fixed(key, ask.language).fill({}) for key in ("uncertain", "unmentioned")
        }
        states = {name: _state(scene, name) for name in names}
        template = ask.draw("list", row)
        facts = [fact for name in names for fact in (scene.present | scene.absent).get(name, (f"no label {name}",))]
        return ask.row(
            row,
            "multi_label",
            template.fill(ask.slots(scene.images) | {"findings": words.COMMA.join(map(words.name, names))}),
            "\n".join(f"{words.name(name)}: {said[state]}" for name, state in states.items()),
            images=scene.images,
            template=template.id,
            facts=tuple(fact for fact in facts if not fact.startswith("no label")) or ("labels",),
            short="; ".join(f"{words.name(name)}: {said[state]}" for name, state in states.items()),
            labels=scene.labels,
        )


def _state(scene: Scene, name: str) -> str:
    if name in scene.present:
        return "present"
    if name in scene.absent:
        return "absent"
    return "uncertain" if name in scene.uncertain else "unmentioned"
