"""Existing questions and answers that came with the case, cleaned: types told apart, stray spaces and "NULL" gone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from converters.asking import Asker, Common
from converters.choosing import LETTERS, with_options
from converters.scenes import true_labels
from converters.templating import load_table
from schemas.case import Case, QuestionAnswer
from schemas.context import Context
from schemas.instruction import IMAGE, Instruction, Message, Provenance, Task

_NOTHING = frozenset({"", "null", "nan", "none given", "n/a", "undefined"})
_YES_NO = {"yes": "Yes", "y": "Yes", "true": "Yes", "no": "No", "n": "No", "false": "No"}
_LETTER = re.compile(r"^\s*\(?([A-J])\)?\s*[:.)]\s*")


@dataclass(frozen=True, slots=True)
class _Clean:
    task: Task
    question: str
    said: str
    answer: str
    options: tuple[str, ...] = ()
    index: int = -1


class ExistingQa:
    """One row for each usable pair; pairs without a question or an answer give none."""

    name: ClassVar[str] = "existing_qa"

    class Options(Common):
        """Options."""

        most_images: int = 8
        """Cases with more images are not asked about, since a pair does not say which one it means."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the rows."""
        if len(case.images) > self.options.most_images or _about_a_text(case):
            return
        keys: set[str] = set()
        for number, pair in enumerate(case.questions):
            ask = Asker(case, context, self.name, self.options)
            key = f"question/{pair.key or number}"
            # Sources give one id to a question in two languages, or twice by mistake.
            row = ask.id(key if key not in keys else f"{key}/{number}")
            keys.add(key)
            turns = [(tidy(question), tidy(answer)) for question, answer in pair.turns]
            if len(turns) > 1:
                if not any(says_nothing(part) for turn in turns for part in turn):
                    yield _dialogue(ask, row, number, pair, turns)
                continue
            clean = _clean(pair, ask)
            if clean is not None:
                yield _row(ask, row, number, pair, clean)


def tidy(text: object) -> str:
    """One line without stray spaces and placeholders of pictures; whatever the source held (a number, say) as text."""
    return " ".join(str(text).replace(IMAGE, " ").split())


def says_nothing(text: str) -> bool:
    """Whether a tidied text is empty or one of the words by which sources write that there is none (``NULL``)."""
    return text.lower() in _NOTHING


def _about_a_text(case: Case) -> bool:
    """Whether the questions need a text that they do not hold; the converter ``text_task`` asks them with it."""
    return not case.images and not case.volumes and any(text.kind == "text" for text in case.texts)


def _clean(pair: QuestionAnswer, ask: Asker) -> _Clean | None:
    question, answer = tidy(pair.question), tidy(pair.answer)
    if says_nothing(question):
        return None
    if pair.options:
        return _choice(pair, question, answer, ask)
    if says_nothing(answer):
        return None
    plain = _YES_NO.get(answer.lower().rstrip(". !"))
    if plain is not None and pair.answer_type != "open":
        return _Clean("yes_no", question, plain, plain)
    return _Clean("open", question, answer, answer)


def _choice(pair: QuestionAnswer, question: str, answer: str, ask: Asker) -> _Clean | None:
    options = tuple(_LETTER.sub("", tidy(option)) for option in pair.options)
    index = pair.answer_index
    if not 0 <= index < len(options):
        index = _index(answer, options)
    different = len({option.casefold() for option in options}) == len(options)
    usable = different and len(options) <= len(LETTERS) and all(not says_nothing(option) for option in options)
    if index < 0 or not usable:
        return None
    asked = with_options(question, options, _spoken(pair, ask))
    return _Clean("mcq", asked, LETTERS[index], options[index], options, index)


def _spoken(pair: QuestionAnswer, ask: Asker) -> str:
    """The pair's own language where there is a sentence for it, else the recipe's."""
    return pair.language if load_table("multiple_choice").speaks("letter", pair.language) else ask.language


def _index(answer: str, options: tuple[str, ...]) -> int:
    """Which option the answer means: its text, or its letter; -1 for neither."""
    bare = _LETTER.sub("", answer).lower()
    texts = [option.lower() for option in options]
    if bare in texts:
        return texts.index(bare)
    letter = LETTERS.find(answer.rstrip(":.) ").lstrip("(").upper()) if len(answer) <= 3 and answer else -1
    return letter if letter < len(options) else -1


def _row(ask: Asker, row: str, number: int, pair: QuestionAnswer, clean: _Clean) -> Instruction:
    images = tuple(range(len(ask.case.images)))
    messages = (
        Message("user", f"{IMAGE}\n" * len(images) + clean.question),
        Message("assistant", clean.said),
    )
    return _built(ask, row, number, pair, clean.task, messages, clean.answer, clean.options, clean.index)


def _dialogue(ask: Asker, row: str, number: int, pair: QuestionAnswer, turns: list[tuple[str, str]]) -> Instruction:
    opening = f"{IMAGE}\n" * len(ask.case.images)
    messages: list[Message] = []
    for turn, (question, answer) in enumerate(turns):
        messages += [Message("user", (opening if turn == 0 else "") + question), Message("assistant", answer)]
    return _built(ask, row, number, pair, "dialogue", tuple(messages), turns[-1][1])


def _built(
    ask: Asker, row: str, number: int, pair: QuestionAnswer, task: Task, messages: tuple[Message, ...],
    answer: str, options: tuple[str, ...] = (), index: int = -1,
) -> Instruction:  # fmt: skip
    return Instruction(
        id=row,
        task=task,
        messages=messages,
        provenance=Provenance(ask.converter, "", ask.context.seed, pair.language, (f"questions[{number}]",)),
        images=ask.case.images,
        options=options,
        answer=answer,
        answer_index=index,
        labels=true_labels(ask.case),
    )
