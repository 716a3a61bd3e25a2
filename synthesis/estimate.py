"""What a recipe will take before anything is asked: requests, tokens, money."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.context import Context
from schemas.errors import CaseError
from schemas.recipe import EngineChoice
from schemas.rendered import Rendered
from schemas.work import Work
from schemas.yaml_file import validate
from synthesis import wire
from synthesis.accounting import Counts
from synthesis.answers import AnswerStore
from synthesis.asking import AnyTask, abouts
from synthesis.base import Request
from synthesis.chain import Chain
from synthesis.checks.rows import CheckOptions, RowChecker
from synthesis.judging import Judge
from synthesis.pictures import fitted
from synthesis.pipeline import judges_of
from synthesis.reply import usable
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
    """Different requests, of which ``stored`` are already answered; of a chain as many as it has stages."""
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
    judging = _Judging(judges_of(validate(CheckOptions, dict(checks or {}), "synthesis.checks")), choice)
    digests: set[str] = set()
    sending = Sending(choice)
    cases = later = tokens_in = tokens_out = stored = known_out = 0
    for work in works:
        cases += 1
        for task, request in _requests(work, tasks, context):
            prepared = _sent(sending, request)
            if prepared is None:
                continue
            judging.count(task, request, work)
            request = prepared
            stages = task.stages if isinstance(task, Chain) else 1
            digest = wire.request_digest(choice, request)
            first = digest not in digests
            digests.add(digest)
            later += stages - 1  # of each row, though the first stages of several rows may be one request
            record = store.get(digest)
            if record is None:
                asked = first + stages - 1
                tokens_in += asked * prompt_tokens(request)
                tokens_out += asked * request.samples * (request.max_tokens or choice.max_tokens)
            elif first:
                stored += 1
                known_out += record["tokens_out"]
    store.close()
    if stored:
        tokens_out = round((len(digests) - stored) * known_out / stored)
    cost = Counts(tokens_in=tokens_in, tokens_out=tokens_out).cost(choice.price) + judging.cost
    tokens_in, tokens_out = tokens_in + judging.tokens_in, tokens_out + judging.tokens_out
    return Estimate(
        cases, len(digests) + later, stored, judging.requests, tokens_in, tokens_out, round(cost, 4)
    )  # fmt: skip


def _requests(work: Work, tasks: Sequence[AnyTask], context: Context) -> Iterator[tuple[AnyTask, Request]]:
    """The first request of every row; of those that start from rows, only from those of the converters."""
    if work.case is None or work.dropped is not None:
        return
    checker = RowChecker(CheckOptions(), context)
    for task in tasks:
        try:
            yield from ((task, request) for request in _first(task, work, context, checker))
        except CaseError:
            continue  # the run makes a line of the ledger of it, and asks nothing


def _first(task: AnyTask, work: Work, context: Context, checker: RowChecker) -> Iterator[Request]:
    assert work.case is not None
    if not isinstance(task, Chain):
        yield from (request for _, request in task.prompt(work.case, work.pictures, context))
        return
    for about in abouts(task, work, context, checker):
        yield from (request for _, request in task.start(about))


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
