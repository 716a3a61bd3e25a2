"""Options of a choice: the answer put among distractors at a place drawn by the row's hash, and the question's text."""

from collections.abc import Sequence

from converters.asking import Asker
from converters.drawing import generator
from converters.templating import load_table

LETTERS = "ABCDEFGHIJ"


def options_of(ask: Asker, row: str, answer: str, others: Sequence[str], choices: int) -> tuple[tuple[str, ...], int]:
    """At most ``choices`` options and the answer's index, uniform over rows; ``others`` are drawn without order."""
    draw = generator(ask.context.seed, row, "options")
    distractors = draw.sample(sorted(others), min(choices - 1, len(others)))
    index = draw.randrange(len(distractors) + 1)
    return (*distractors[:index], answer, *distractors[index:]), index


def lettered(options: Sequence[str]) -> str:
    """One option a line: ``A: platelet``."""
    return "\n".join(f"{letter}: {option}" for letter, option in zip(LETTERS, options, strict=False))


def letter_please(language: str) -> str:
    """The fixed sentence that asks for the letter alone."""
    return load_table("multiple_choice").choose("letter", language, 0, "").fill({})


def with_options(question: str, options: Sequence[str], language: str) -> str:
    """The question, its options, and the sentence that asks for the letter."""
    return "\n".join([question, lettered(options), letter_please(language)])
