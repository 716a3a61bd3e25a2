"""Two judges that ask a row's question once more: without the picture, and with it.

``image_needed``: who answers right without the picture more often than chance has not needed it, and the question is
dropped (GMAI-MMBench drops such questions by hand, MMStar by models).  ``agreement``: asked again with the picture and
without the reference, the answer should come back; the share in which it does is the row's agreement.

Only answers that can be compared are asked for: choices, yes or no, and short answers.
"""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from math import ceil, comb
from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationError, create_model

from schemas.instruction import IMAGE, Instruction, Verdict
from schemas.recipe import EngineChoice
from schemas.spec import Strict
from schemas.work import Drop, Work
from synthesis.base import Answer, Engine, Failure, Request
from synthesis.checks.same_answer import same_answer
from synthesis.judging import Judge, Outcome, quarantined, with_verdicts
from synthesis.mcq import LETTERS
from synthesis.prompted import Written, schema_of

SHORT = 8
"""Words of an open answer that can still be compared."""
SYSTEM = "You answer questions about medical pictures. You answer with one JSON object with the key answer."
BLIND = "The picture is not shown. Choose or say what is most likely."


class AskAgainOptions(Strict):
    """What both judges have."""

    engine: EngineChoice | None = None
    """Who is asked; the writer where not given."""
    tries: int = Field(default=5, ge=1, le=32)
    """How often; the options of a choice are turned by one place from try to try."""
    temperature: float = 0.7


class ImageNeededOptions(AskAgainOptions):
    """``synthesis.checks.image_needed``."""

    significance: float = Field(default=0.05, gt=0, lt=1)
    """A choice is dropped where guessing gets as many tries right with at most this probability; an open question
    where more than half of the tries are right."""


class AgreementOptions(AskAgainOptions):
    """``synthesis.checks.agreement``."""

    minimum: float = Field(default=0.6, ge=0, le=1)
    """Share of the tries that must give the row's answer."""


class Reply(Written):
    """A short answer."""

    answer: str = Field(min_length=1, max_length=300)


class AskAgain(Judge):
    """Asks a row's question ``tries`` times and counts the right answers."""

    shows_image: ClassVar[bool]

    def __init__(self, options: AskAgainOptions, engine: Engine) -> None:
        self._engine = engine
        self._tries, self._temperature = options.tries, options.temperature

    @classmethod
    def most(cls, options: AskAgainOptions) -> tuple[int, int]:
        """As many requests as a choice has options, or tries."""
        return min(options.tries, len(LETTERS)), options.tries

    @classmethod
    def sees(cls, options: AskAgainOptions) -> bool:
        """Agreement does."""
        return cls.shows_image

    def requests(self, work: Work, row: Instruction) -> Sequence[Request]:
        """One request per order of the options, with as many samples as it is tried."""
        if not row.images or not comparable(row):
            return []
        images = tuple(work.pictures[ref] for ref in row.images) if self.shows_image else ()
        stem, count = stem_of(row), max(1, len(row.options))
        turns = Counter(number % count for number in range(self._tries))
        return [self._request(stem, turned(row.options, turn), images, tries) for turn, tries in turns.items()]

    def _request(self, stem: str, options: tuple[str, ...], images: Any, tries: int) -> Request:
        lines = [f"{LETTERS[number]}. {option}" for number, option in enumerate(options)]
        asked = "\n".join([*([] if self.shows_image else [BLIND]), stem, *lines])
        schema = schema_of(reply_model(options))
        return Request((("system", SYSTEM), ("user", asked)), images, schema, tries, self._temperature)

    def right(self, row: Instruction, outcomes: Sequence[Outcome]) -> int | Failure:
        """How many tries gave the row's answer; a failure where a request had no answer at all."""
        count = 0
        model = reply_model(tuple(row.options))
        for outcome in outcomes:
            if isinstance(outcome, Failure):
                return outcome
            count += sum(_agrees(said, row) for said in _replies(model, outcome))
        return count


class ImageNeeded(AskAgain):
    """Drops what can be answered without the picture."""

    shows_image = False

    def __init__(self, options: ImageNeededOptions, engine: Engine) -> None:
        super().__init__(options, engine)
        self._significance = options.significance

    def verdict(self, row: Instruction, outcomes: Sequence[Outcome]) -> tuple[Instruction, Drop | None]:
        """``needed`` or ``answerable``, with the share of tries that were right."""
        count = self.right(row, outcomes)
        if isinstance(count, Failure):
            return row, quarantined("not_verified", f"not asked without the picture: {count.detail}")
        answerable = count >= least_right(self._tries, len(row.options), self._significance)
        detail = f"{count} of {self._tries} tries without the picture gave the answer"
        said = Verdict("image_needed", "answerable" if answerable else "needed", count / self._tries, detail)
        return with_verdicts(row, [said]), quarantined("answerable_blind", detail) if answerable else None


class Agreement(AskAgain):
    """Drops what is not answered the same again."""

    shows_image = True

    def __init__(self, options: AgreementOptions, engine: Engine) -> None:
        super().__init__(options, engine)
        self._minimum = options.minimum

    def verdict(self, row: Instruction, outcomes: Sequence[Outcome]) -> tuple[Instruction, Drop | None]:
        """``agrees`` or ``disagrees``, with the share of tries that gave the row's answer."""
        count = self.right(row, outcomes)
        if isinstance(count, Failure):
            return row, quarantined("not_verified", f"not asked again: {count.detail}")
        detail = f"{count} of {self._tries} tries gave the answer again"
        agrees = count >= self._minimum * self._tries
        said = Verdict("agreement", "agrees" if agrees else "disagrees", count / self._tries, detail)
        return with_verdicts(row, [said]), None if agrees else quarantined("no_agreement", detail)


def comparable(row: Instruction) -> bool:
    """Whether the row has one question whose answer is a choice or short."""
    one = len(row.messages) == 2 and row.task != "preference"
    return one and (len(row.options) > 1 or (row.task in ("open", "yes_no", "count") and _short(row.answer)))


def _short(answer: str) -> bool:
    return 0 < len(answer.split()) <= SHORT


def least_right(tries: int, options: int, significance: float) -> int:
    """The least number of right tries that guessing among ``options`` reaches with at most ``significance``.

    ``tries + 1``, which is never reached, where even all right could be luck.  Open questions (no options): more than
    half.
    """
    if options < 2:
        return ceil((tries + 1) / 2)
    chance = 1 / options
    tail = 0.0
    for count in range(tries, -1, -1):
        tail += comb(tries, count) * chance**count * (1 - chance) ** (tries - count)
        if tail > significance:
            return count + 1
    return 0


def stem_of(row: Instruction) -> str:
    """The question without pictures and option lines."""
    shown = {f"{LETTERS[number]}. {option}" for number, option in enumerate(row.options[: len(LETTERS)])}
    lines = row.messages[0].content.replace(IMAGE, "").strip().split("\n")
    return "\n".join(line for line in lines if line.strip() not in shown).strip()


def turned(options: Sequence[str], turn: int) -> tuple[str, ...]:
    """The options, each moved up by ``turn`` places."""
    return (*options[turn:], *options[:turn])


@lru_cache(maxsize=1024)
def reply_model(options: tuple[str, ...]) -> type[Written]:
    """A short answer, or one of the options in their words."""
    if not options:
        return Reply
    fields: dict[str, Any] = {"answer": (Literal[options], ...)}
    return create_model("Chosen", __base__=Written, **fields)


def _replies(model: type[Written], answer: Answer) -> list[str]:
    found = []
    for text in answer.texts:
        try:
            found.append(str(model.model_validate_json(text).model_dump()["answer"]))
        except ValidationError:
            continue
    return found


def _agrees(said: str, row: Instruction) -> bool:
    return said == row.answer if row.options else same_answer(said, row.answer)
