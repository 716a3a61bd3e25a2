"""Distractors for a region: it fixes the answer, so every unrelated label of the dataset may stand beside it.

``pool`` adds labels of other datasets (the rule of GMAI-MMBench).  A run fills it by itself with the labels of the
recipe's other datasets that share modality and clinical task (`flows.pools`); the task tells how fine the regions are,
since detection gives boxes and segmentation gives masks.
"""

from dataclasses import dataclass

from pydantic import Field

from converters.asking import Asker
from converters.choosing import Choices, choose, of_one_kind, with_options
from converters.drawing import Row
from schemas.instruction import Task
from schemas.taxonomy.kinship import related


class RegionalChoices(Choices):
    """Options of converters that ask what one region is."""

    choice_share: float = Field(default=0.5, ge=0, le=1)
    """Share of questions that are asked as a choice; the others are open."""
    pool: list[str] | None = None
    """Labels of other datasets that may stand as distractors; a run fills it in where it is not given."""


def regional_distractors(ask: Asker, answer: str, options: RegionalChoices) -> list[str]:
    """What a region that is ``answer`` is surely not: of its kind, and neither part, whole nor other word for it."""
    names = {name.casefold(): name for name in (*(options.pool or ()), *regional(ask))}
    return of_one_kind(answer, [name for name in names.values() if not related(name, answer)])


def regional(ask: Asker) -> list[str]:
    """Labels that name regions: the whole map where the dataset has no image labels, else those seen on this case."""
    if ask.context.spec.label_kind == "none":
        return ask.context.spec.canonical()
    return list(dict.fromkeys(region.label for region in ask.case.regions))


@dataclass(slots=True)
class Asked:
    """A question about what one region is, open or as a choice; not to be changed."""

    task: Task
    question: str
    said: str
    short: str
    options: tuple[str, ...] = ()
    index: int = -1


def asked(
    ask: Asker,
    row: Row,
    label: str,
    question: str,
    said: str,
    options: RegionalChoices,
    true_too: frozenset[str] = frozenset(),
) -> Asked:
    """The question as a choice where the row's hash says so and anything else may stand beside ``label``.

    ``true_too`` are labels that what is shown holds as well, such as a kidney in the box around the liver.
    """
    others: list[str] = []
    if row.chance() < options.choice_share:
        others = [name for name in regional_distractors(ask, label, options) if name not in true_too]
    if others:
        chosen = choose(ask, row, label, others, options)
        lines = with_options(question, chosen.options, ask.language)
        return Asked("mcq", lines, chosen.letter, chosen.right, chosen.options, chosen.index)
    return Asked("region_to_text", question, said, ask.words.name(label))
