"""Gate: the options of a question are different, hold the answer, and index, letter and text agree."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import ClassVar

from pydantic import Field

from quality.base import GateOptions, refuse
from schemas.case import Case
from schemas.context import Context
from schemas.findings import Finding
from schemas.instruction import Instruction
from schemas.rendered import Rendered

_LETTER = re.compile(
    r"^\W*(?:(?:the )?(?:correct )?(?:answer|option)(?: is)?\W*)?([A-Z])(?:\s*[.):,]\s*|\W*$)(.*)$",
    re.IGNORECASE | re.DOTALL,
)
_TAGGED = re.compile(r"<answer>(.*?)</answer>", re.DOTALL)


class OptionsOptions(GateOptions):
    """How many options a multiple choice question may have."""

    min_options: int = Field(default=2, ge=2)
    """Ours; GMAI-MMBench asks for at least 2."""
    max_options: int = Field(default=10, ge=2)
    """MedVLSynther and most benchmarks use 4 or 5; MMMU goes up to 10."""


class Options:
    """Refuses rows whose options, answer, index and assistant's words do not agree.

    Codes: ``options_few``, ``options_many``, ``options_repeated`` (equal but for case and spaces),
    ``option_empty``, ``option_not_shown`` (a multiple choice question that does not list it), ``answer_index``
    (outside the options), ``answer_not_the_option`` (``answer`` differs from the option at its index),
    ``letter_disagrees`` (the assistant names another letter), ``reply_disagrees`` (the assistant's text is not
    the answer), ``answer_index_without_options``.
    """

    name: ClassVar[str] = "options"
    Options: ClassVar[type[GateOptions]] = OptionsOptions

    def __init__(self, options: OptionsOptions) -> None:
        self.options = options

    def check(self, row: Instruction, case: Case, pictures: Sequence[Rendered], context: Context) -> Iterator[Finding]:
        """Compare all places where the answer stands."""
        if row.options:
            yield from self._list(row)
            yield from _answer(row)
        elif row.task == "mcq":
            yield refuse("options_few", "a multiple choice question without options")
        elif row.answer_index != -1:
            yield refuse("answer_index_without_options", f"answer_index is {row.answer_index} but there are no options")

    def _list(self, row: Instruction) -> Iterator[Finding]:
        count, low, high = len(row.options), self.options.min_options, self.options.max_options
        if count < low:
            yield refuse("options_few", f"{count} options are fewer than min_options = {low}")
        if count > high:
            yield refuse("options_many", f"{count} options are more than max_options = {high}")
        plain = _plainly(row.options)
        if "" in plain:
            yield refuse("option_empty", f"option {plain.index('')} is empty")
        if len(set(plain)) != count:
            yield refuse("options_repeated", "two options are the same")
        if row.task == "mcq" and row.messages:
            asked = _plain(row.messages[0].content)
            missing = next((i for i, option in enumerate(plain) if option not in asked), None)
            if missing is not None:
                yield refuse("option_not_shown", f"the question does not show option {missing}")


def _answer(row: Instruction) -> Iterator[Finding]:
    index, options = row.answer_index, row.options
    if not 0 <= index < len(options):
        yield refuse("answer_index", f"answer_index {index} is outside the {len(options)} options")
        return
    truth = options[index]
    if row.answer != truth:
        yield refuse("answer_not_the_option", f"answer is not the text of option {index}")
    if row.messages and row.messages[-1].role == "assistant":
        yield from _reply(row.messages[-1].content, index, options)


def _reply(said: str, index: int, options: tuple[str, ...]) -> Iterator[Finding]:
    tagged = _TAGGED.search(said) if "<answer>" in said else None
    said = tagged[1] if tagged else said
    plain, right = _plain(said), _plainly(options)[index]
    # An option may itself look like a letter ("C.", "A: ..."), so equality with its text is looked at first.
    if plain in (right, right + "."):
        return
    letter = _LETTER.match(said)
    if letter is None:
        if not _says(plain, right):
            yield refuse("reply_disagrees", f"the assistant's words do not hold the answer, option {index}")
    elif ord(letter[1].upper()) - 65 != index:
        yield refuse("letter_disagrees", f"the assistant's letter is not {chr(65 + index)}, that of option {index}")
    elif _names_another(_plain(letter[2]), right, options):
        yield refuse("reply_disagrees", f"the assistant's letter is right, but its words are not option {index}")


def _names_another(rest: str, right: str, options: tuple[str, ...]) -> bool:
    if not rest or rest.startswith(right):
        return False
    return any(map(rest.startswith, _plainly(options)))


def _says(text: str, words: str) -> bool:
    """Whether ``words`` stand in ``text`` as whole words."""
    at = text.find(words)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(words) : at + len(words) + 1]
        if not before.isalnum() and not after.isalnum():
            return True
        at = text.find(words, at + 1)
    return False


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


@lru_cache(maxsize=1024)
def _plainly(options: tuple[str, ...]) -> tuple[str, ...]:
    """The options without case and spaces; questions of one template have the same ones."""
    return tuple(map(_plain, options))
