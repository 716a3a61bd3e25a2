"""Options of a choice: the answer among distractors, at a place drawn by the row's hash, and the question's text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from operator import add
from typing import Literal

from pydantic import Field

from converters.asking import Asker, Common
from converters.drawing import Row
from converters.kinship import lesion, nearness
from converters.templating import load_table

LETTERS = "ABCDEFGHIJ"
_LEADS = [f"{letter}: " for letter in LETTERS]


class Choices(Common):
    """Options of every converter that asks a choice."""

    choices: int = Field(default=4, ge=2, le=10)
    """At most so many options; fewer where fewer distractors are known to be false."""
    distractors: Literal["uniform", "hard"] = "uniform"
    """``hard`` takes the most easily confused: as ``confusions`` says, then the nearest by taxonomy and words."""
    confusions: dict[str, list[str]] = Field(default_factory=dict)
    """Label -> labels it is taken for, worst first, e.g. from a model's confusion matrix."""
    none_share: float = Field(default=0.0, ge=0, le=1)
    """Share of choices whose last option is "none of the above"; it is right as often as any other."""


@dataclass(slots=True)
class Choice:
    """The options of one question; not to be changed."""

    labels: tuple[str, ...]
    """Canonical words of the options, without "none of the above"."""
    options: tuple[str, ...]
    index: int
    """Of the right one."""

    @property
    def right(self) -> str:
        """The right option as it is written."""
        return self.options[self.index]

    @property
    def letter(self) -> str:
        """Of the right option."""
        return LETTERS[self.index]


def choose(
    ask: Asker,
    row: Row,
    answer: str,
    others: Sequence[str],
    options: Choices,
    write: Callable[[str], str] | None = None,
    near: Callable[[str, str], float] | None = None,
) -> Choice:
    """The options of one question.

    Args:
        ask: at work on the case.
        row: id of the row, which draws everything.
        answer: what is right, in canonical words.
        others: what is known to be wrong, and may stand beside it.
        options: of the converter.
        write: how a canonical word is written; the language's word for a label where left out.
        near: how easily two are confused, for ``hard``; by `nearest` where left out.
    """
    write = write or ask.words.name
    pool = others
    if options.distractors == "hard":
        pool = nearest(answer, others, options, near or alike)
    if options.none_share and row.chance() < options.none_share:
        labels, index = _with_none(row, answer, pool, options.choices)
        none = load_table("multiple_choice").fixed("none", ask.language).fill({})
        return Choice(labels, (*map(write, labels), none), index)
    labels, index = options_of(row, answer, pool, options.choices)
    return Choice(labels, tuple(map(write, labels)), index)


def _with_none(row: Row, answer: str, pool: Sequence[str], choices: int) -> tuple[tuple[str, ...], int]:
    size = min(choices, len(pool) + 1)
    if row.chance() < 1 / size:
        return tuple(row.sample(sorted(pool), size - 1)), size - 1
    return options_of(row, answer, pool, size - 1)


def nearest(answer: str, others: Sequence[str], options: Choices, near: Callable[[str, str], float]) -> list[str]:
    """The ``choices - 1`` that are most easily taken for the answer."""
    known = options.confusions.get(answer, [])
    rank = {name: place for place, name in enumerate(known)}
    order = sorted(others, key=lambda name: (rank.get(name, len(known)), -near(answer, name), name))
    return order[: options.choices - 1]


@cache
def alike(one: str, other: str) -> float:
    """How near two labels are: by what holds both in the taxonomy, then by shared words, then by shared letters."""
    words, others = set(one.lower().split()), set(other.lower().split())
    shared = len(words & others) / len(words | others)
    letters = SequenceMatcher(None, one.lower(), other.lower()).ratio()
    return nearness(one, other) + (shared + letters) / 2


def of_one_kind(answer: str, others: Sequence[str]) -> list[str]:
    """Those that are a structure if the answer is one, a lesion or object if it is."""
    return [name for name in others if lesion(name) == lesion(answer)]


def options_of(row: Row, answer: str, others: Sequence[str], choices: int) -> tuple[tuple[str, ...], int]:
    """At most ``choices`` options and the answer's index, uniform over rows; ``others`` are drawn without order."""
    distractors = row.sample(sorted(others), min(choices - 1, len(others)))
    index = row.randrange(len(distractors) + 1)
    return (*distractors[:index], answer, *distractors[index:]), index


def lettered(options: Sequence[str]) -> str:
    """One option a line: ``A: platelet``."""
    return "\n".join(map(add, _LEADS, options))


@cache
def letter_please(language: str) -> str:
    """The fixed sentence that asks for the letter alone."""
    return load_table("multiple_choice").fixed("letter", language).fill({})


def with_options(question: str, options: Sequence[str], language: str) -> str:
    """The question, its options, and the sentence that asks for the letter."""
    return f"{question}\n{lettered(options)}\n{letter_please(language)}"
