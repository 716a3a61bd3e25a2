"""What asking has taken so far and what a recipe will take: requests, tokens, seconds, money."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from schemas.context import Context
from schemas.recipe import EngineChoice, Price
from schemas.work import Work
from synthesis import wire
from synthesis.answers import AnswerStore
from synthesis.asking import AnyTask, abouts
from synthesis.base import Request
from synthesis.chain import Chain
from synthesis.checks.rows import CheckOptions, RowChecker
from synthesis.remote_folder import local_folder
from synthesis.sending import Sending

CHARACTERS_PER_TOKEN = 4.0
"""English prose under common tokenizers."""
PIXELS_PER_TOKEN = 28 * 28
"""One token per 28x28 pixels: Qwen2.5-VL's merge; others differ, some by a factor of four."""


@dataclass(slots=True)
class Counts:
    """What an engine has done."""

    asked: int = 0
    """Requests that went to a server, each once however often it was tried."""
    stored: int = 0
    """Requests answered from the store."""
    retries: int = 0
    failures: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    seconds: float = 0.0
    """In which at least one request was in flight."""

    def cost(self, price: Price) -> float:
        """In the currency of the price."""
        fresh = self.tokens_in - self.tokens_cached
        cached = price.cached if price.cached is not None else price.input
        return (fresh * price.input + self.tokens_cached * cached + self.tokens_out * price.output) / 1e6

    def summary(self, price: Price) -> dict[str, Any]:
        """Everything, with rates, for people and machines."""
        rate = self.tokens_out / self.seconds if self.seconds else 0.0
        return {**asdict(self), "tokens_out_per_second": round(rate, 1), "cost": round(self.cost(price), 4)}


class Account:
    """One process's counts, kept beside the answers so that they outlive it."""

    def __init__(self, answers: str | Path, token: str) -> None:
        self._path = Path(answers) / "accounts" / f"{token}.json"

    def write(self, counts: Counts) -> None:
        """Put the counts so far under the process's name, whole or not at all."""
        if counts.asked:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            part = self._path.with_suffix(f".{os.getpid()}.part")
            part.write_text(json.dumps(asdict(counts)))
            part.replace(self._path)


def spent(answers: str | Path) -> Counts:
    """What all processes together took to fill the answer store; ``seconds`` is the sum over processes."""
    total = Counts()
    for path in sorted((local_folder(answers) / "accounts").glob("*.json")):
        counts = json.loads(path.read_text())
        for name in (field.name for field in fields(Counts)):
            setattr(total, name, getattr(total, name) + counts[name])
    return total


@dataclass(frozen=True, slots=True)
class Estimate:
    """What asking about some cases will take; tokens are estimated, requests counted."""

    cases: int
    requests: int
    """Different requests, of which ``stored`` are already answered; of a chain as many as it has stages."""
    stored: int
    tokens_in: int
    tokens_out: int
    """At most: every answer as long as allowed; the mean of the stored answers where there are some."""
    cost: float


def estimate(
    works: Iterator[Work], tasks: Sequence[AnyTask], choice: EngineChoice, answers: str | Path, context: Context
) -> Estimate:
    """Prepare every request for ``works`` and ask none; scale up from a sample of cases for a large recipe."""
    store = AnswerStore(answers)
    digests: set[str] = set()
    sending = Sending(choice)
    cases = later = tokens_in = tokens_out = stored = known_out = 0
    for work in works:
        cases += 1
        for request, stages in _requests(work, tasks, context):
            request = sending.prepared(request)
            later += stages - 1
            digest = wire.request_digest(choice, request)
            if digest in digests:
                continue
            digests.add(digest)
            record = store.get(digest)
            if record is not None:
                stored += 1
                known_out += record["tokens_out"]
            else:
                tokens_in += stages * prompt_tokens(request)
                tokens_out += stages * request.samples * (request.max_tokens or choice.max_tokens)
    store.close()
    if stored:
        tokens_out = round((len(digests) - stored) * known_out / stored)
    cost = Counts(tokens_in=tokens_in, tokens_out=tokens_out).cost(choice.price)
    return Estimate(cases, len(digests) + later, stored, tokens_in, tokens_out, round(cost, 4))


def _requests(work: Work, tasks: Sequence[AnyTask], context: Context) -> Iterator[tuple[Request, int]]:
    """First requests, each with the number of stages that it begins; of rows, only those of the converters."""
    if work.case is None or work.dropped is not None:
        return
    checker = RowChecker(CheckOptions(), context)
    for task in tasks:
        if not isinstance(task, Chain):
            yield from ((request, 1) for _, request in task.prompt(work.case, work.pictures, context))
            continue
        for about in abouts(task, work, context, checker):
            yield from ((request, task.stages) for _, request in task.start(about))


def prompt_tokens(request: Request) -> int:
    """About how many tokens a prompt has."""
    text = sum(len(text) for _, text in request.messages) / CHARACTERS_PER_TOKEN
    pictures = sum(picture.width * picture.height for picture in request.images) / PIXELS_PER_TOKEN
    return round(text + pictures)
