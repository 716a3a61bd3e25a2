"""What a recipe will take before anything is asked: requests, tokens, money."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.context import Context
from schemas.errors import CaseError
from schemas.recipe import EngineChoice
from schemas.rendered import Rendered
from schemas.work import Work
from schemas.yaml_file import validate
from synthesis import wire
from synthesis.accounting import Counts, spent_by_model
from synthesis.answers import AnswerStore
from synthesis.asking import AnyTask, abouts
from synthesis.base import Answer, Failure, Request
from synthesis.chain import About, Chain
from synthesis.checks.rows import CheckOptions, RowChecker
from synthesis.judging import Judge
from synthesis.pictures import fitted
from synthesis.pipeline import judges_of, judges_prices
from synthesis.reply import understand, usable
from synthesis.sending import Sending

CHARACTERS_PER_TOKEN = 4.0
"""English prose under common tokenizers."""
PIXELS_PER_TOKEN = 28 * 28
"""One token per 28x28 pixels: Qwen2.5-VL's merge; others differ, some by a factor of four."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What asking about some cases will take; tokens are estimated, requests counted."""

    cases: int
    requests: int
    """Different requests, of which ``stored`` are already answered; of a chain as many as it has
    stages, once an answer is missing that the next one is made of."""
    stored: int
    judging: int
    """Requests of judges: at most, as if every row were written and passed the checks before them."""
    tokens_in: int
    tokens_out: int
    """At most: every answer as long as allowed; the mean of the stored answers where there are some."""
    cost: float


@dataclass(slots=True)
class _Judging:
    """What the judges will take, summed up row by row."""

    kinds: Sequence[tuple[str, type[Judge], Any]]
    writer: EngineChoice
    requests: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0

    def count(self, task: AnyTask, request: Request, work: Work) -> None:
        """Add what a row of ``task`` may be asked about."""
        for _, kind, options in self.kinds:
            of_rows = isinstance(task, Chain) and task.reads_rows
            if of_rows or (kind.tasks and task.name not in kind.tasks):
                continue
            engine = options.engine or self.writer
            requests, samples = kind.most(options)
            seen = sum(_picture_tokens(one, engine) for one in work.pictures.values()) if kind.sees(options) else 0
            tokens_in = requests * round(_text_tokens(request) + seen)
            tokens_out = samples * engine.max_tokens
            self.requests += requests
            self.tokens_in += tokens_in
            self.tokens_out += tokens_out
            self.cost += Counts(tokens_in=tokens_in, tokens_out=tokens_out).cost(engine.price)


@dataclass(slots=True)
class _Asking:
    """What the writer will be asked, summed up request by request."""

    choice: EngineChoice
    store: AnswerStore
    sending: Sending
    digests: set[str] = field(default_factory=set)
    stored: int = 0
    later: int = 0
    """Requests of chains that are made of answers which are not there yet."""
    tokens_in: int = 0
    tokens_out: int = 0
    known_out: int = 0
    """Tokens of the stored answers."""

    def count(self, first: "_First") -> bool:
        """Add a row's request, and those that follow from it; whether its pictures can be sent at all."""
        stages = first.task.stages if isinstance(first.task, Chain) else 1
        request: Request | None = first.request
        answers: list[Answer] = []
        for left in range(stages - 1, -1, -1):
            sent = _sent(self.sending, request) if request is not None else None
            if sent is None:
                return bool(answers)
            answer = self._one(sent, left)
            if not isinstance(answer, Answer) or not left:
                return True
            answers.append(answer)
            request = first.following(answers)
        return True

    def _one(self, request: Request, left: int) -> Answer | Failure | None:
        """Add a request and, where it has no answer yet, the ``left`` ones that will be made of it."""
        digest = wire.request_digest(self.choice, request)
        record, new = self.store.get(digest), digest not in self.digests
        self.digests.add(digest)
        if record is None:
            asked = new + left
            self.later += left  # of each row, though the first stages of several rows may be one request
            self.tokens_in += asked * prompt_tokens(request)
            self.tokens_out += asked * request.samples * (request.max_tokens or self.choice.max_tokens)
            return None
        self.stored += new
        self.known_out += new * record["tokens_out"]
        sampling = wire.sampling_text(self.choice, request)
        return understand(record, digest, self.choice, sampling, request.samples, stored=True)

    @property
    def requests(self) -> int:
        """Different ones."""
        return len(self.digests) + self.later

    def answers_tokens(self) -> int:
        """Of the answers to come: as long as the stored ones in the mean, else as allowed."""
        return round((self.requests - self.stored) * self.known_out / self.stored) if self.stored else self.tokens_out


@dataclass(frozen=True, slots=True)
class _First:
    """The first request of a row."""

    task: AnyTask
    request: Request
    row_id: str
    about: About | None = None

    def following(self, answers: Sequence[Answer]) -> Request | None:
        """What a chain asks after these answers, if anything."""
        assert isinstance(self.task, Chain)
        assert self.about is not None
        try:
            found = self.task.follow(self.row_id, answers, self.about)
        except CaseError:
            return None
        return found if isinstance(found, Request) else None


def estimate(
    works: Iterator[Work],
    tasks: Sequence[AnyTask],
    choice: EngineChoice,
    answers: str,
    context: Context,
    checks: Mapping[str, Any] | None = None,
) -> Estimate:
    """Prepare every request for ``works`` and ask none; scale up from a sample of cases for a large recipe."""
    store = AnswerStore(answers, usable)
    choice = _named(choice, answers, checks or {})
    judging = _Judging(judges_of(validate(CheckOptions, dict(checks or {}), "synthesis.checks")), choice)
    asking = _Asking(choice, store, Sending(choice))
    cases = 0
    for work in works:
        cases += 1
        for first in _requests(work, tasks, context):
            if asking.count(first):
                judging.count(first.task, first.request, work)
    store.close()
    tokens_in, tokens_out = asking.tokens_in, asking.answers_tokens()
    cost = Counts(tokens_in=tokens_in, tokens_out=tokens_out).cost(choice.price) + judging.cost
    tokens_in, tokens_out = tokens_in + judging.tokens_in, tokens_out + judging.tokens_out
    return Estimate(
        cases, asking.requests, asking.stored, judging.requests, tokens_in, tokens_out, round(cost, 4)
    )  # fmt: skip


def _named(choice: EngineChoice, answers: str, checks: Mapping[str, Any]) -> EngineChoice:
    """The engine with its model, which is part of every request's digest.

    A recipe may leave it to the server, which a dry run does not ask; the accounts of earlier runs know it.
    """
    models = {*spent_by_model(answers)} - {*judges_prices(checks)}
    return choice.model_copy(update={"model": models.pop()}) if not choice.model and len(models) == 1 else choice


def _requests(work: Work, tasks: Sequence[AnyTask], context: Context) -> Iterator[_First]:
    """The first request of every row; of those that start from rows, only from those of the converters."""
    if work.case is None or work.dropped is not None:
        return
    checker = RowChecker(CheckOptions(), context)
    for task in tasks:
        try:
            yield from _of_task(task, work, context, checker)
        except CaseError:
            continue  # the run makes a line of the ledger of it, and asks nothing


def _of_task(task: AnyTask, work: Work, context: Context, checker: RowChecker) -> Iterator[_First]:
    assert work.case is not None
    if not isinstance(task, Chain):
        for row_id, request in task.prompt(work.case, work.pictures, context):
            yield _First(task, request, row_id)
        return
    for about in abouts(task, work, context, checker):
        for row_id, request in task.start(about):
            yield _First(task, request, row_id, about)


def _sent(sending: Sending, request: Request) -> Request | None:
    """The request as it is sent; ``None`` where a picture of it cannot be."""
    try:
        return sending.prepared(request)
    except CaseError:
        return None


def prompt_tokens(request: Request) -> int:
    """About how many tokens a prompt has."""
    sent_as_they_are = EngineChoice()
    return round(_text_tokens(request) + sum(_picture_tokens(one, sent_as_they_are) for one in request.images))


def _text_tokens(request: Request) -> float:
    return sum(len(text) for _, text in request.messages) / CHARACTERS_PER_TOKEN


def _picture_tokens(picture: Rendered, choice: EngineChoice) -> float:
    width, height = fitted(picture.width, picture.height, choice.max_pixels, choice.image_side)
    return width * height / PIXELS_PER_TOKEN
