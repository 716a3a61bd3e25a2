"""What an engine and a task are: a request in, a typed answer or a typed failure out."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

from schemas.case import Case, ImageRef
from schemas.context import Context
from schemas.instruction import Instruction
from schemas.rendered import Rendered
from schemas.spec import Strict

AHEAD = 2
"""Cases that a step holds for each request that its engine takes: results keep the order of the cases."""


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a model; its digest is the key under which the answer is stored."""

    messages: tuple[tuple[str, str], ...]
    """(role, text) pairs; images stand before the text of the first user turn."""
    images: tuple[Rendered, ...]
    schema: dict[str, Any] | None = None
    """JSON schema that the answer must follow."""
    samples: int = 1
    temperature: float | None = None
    """Instead of the engine's."""
    max_tokens: int | None = None
    """Instead of the engine's."""
    resized: tuple[str, ...] = ()
    """``<width>x<height>:<sha256>`` of every picture that is sent in another size than it is published in."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said, raw."""

    texts: tuple[str, ...]
    """One per sample that came to its end; never empty, and none of them is."""
    digest: str
    """Of the exact request."""
    model: str
    revision: str
    sampling: str
    stored: bool
    """True where it came from the answer store and nothing was asked."""
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    """Of ``tokens_in``, those that the server had in its prefix cache."""
    samples: int = 1
    """How many were asked for; those cut off by the token limit are not in ``texts``."""
    resized: tuple[str, ...] = ()
    """As of the request."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer."""

    code: str
    """rate_limited, server_error, timeout, connection, refused_request, truncated, invalid_json, ..."""
    detail: str
    """One sentence without contents."""
    digest: str = ""
    status: Literal["failed", "filtered", "quarantined"] = "failed"
    """Where the row that it would have been ends: ``filtered`` where there was nothing to write."""


class Engine(Protocol):
    """Answers requests concurrently; one per process, shared by its partitions."""

    capacity: int
    """How many requests it takes before ``submit`` blocks."""
    answers: str
    """Folder or address of its answer store."""

    def submit(self, request: Request) -> "Future[Answer | Failure]":
        """Queue one request; blocks while too many are in flight.

        The future holds an answer or a failure of this one request.  Where no request can be answered any more (the
        server is gone for good, the key is refused) it raises `schemas.errors.UserError`, so that the run stops and
        can be taken up again instead of failing row by row.
        """
        ...

    def account(self) -> None:
        """Write down what was asked so far."""
        ...

    def close(self) -> None:
        """Let go of connections and processes."""
        ...


class Task(Protocol):
    """A prompt, a schema and a parse.  Registered by entry point under ``medcurate.tasks``; one file each."""

    name: ClassVar[str]
    Options: ClassVar[type[Strict]]

    def __init__(self, options: Any) -> None: ...

    def prompt(
        self, case: Case, pictures: Mapping[ImageRef, Rendered], context: Context
    ) -> Iterator[tuple[str, Request]]:
        """Yield (row id, request) for what should be written about the case."""
        ...

    def parse(self, row_id: str, answer: Answer, case: Case, context: Context) -> Instruction | Failure:
        """Turn the answer into a row, or say why it cannot be one."""
        ...
