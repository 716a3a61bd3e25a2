"""What went wrong with one request, and what to do about it: ask again, give up on the request, or stop the run."""

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any

from synthesis.channel import StatusError


class Cure(Enum):
    """What helps."""

    AGAIN = "ask again, a few times"
    LATER = "ask again once the server lets us"
    ELSEWHERE = "the server is not there: ask another, or wait until it is back"
    NONE = "this request will never be answered"
    STOP = "no request will be answered"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One failed try."""

    code: str
    detail: str
    cure: Cure
    wait: float | None = None
    """Seconds that the server asked us to wait."""
    gone: bool = False
    """Whether the server was not there, or whoever stands before it could not reach it."""
    struck: bool = False
    """Whether the server went away while it had the request, which may have been the cause."""


NOT_THERE = Trouble("connection", "there is no connection to the server", Cure.ELSEWHERE, gone=True)
WENT_AWAY = Trouble("connection", "the server went away while it had it", Cure.ELSEWHERE, gone=True, struck=True)


class BadReplyError(Exception):
    """The server said 200 but not a chat completion."""


def classify(error: Exception, timeout_s: float) -> Trouble | None:
    """The trouble behind an exception of the client; ``None`` where it is not the server's (a bug of ours)."""
    import aiohttp

    if isinstance(error, StatusError):
        return _of_status(error)
    if isinstance(error, aiohttp.ClientPayloadError):
        return Trouble("bad_reply", "the server's reply is cut off", Cure.AGAIN)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.InvalidURL):
        return NOT_THERE
    if isinstance(error, aiohttp.ClientError):
        return WENT_AWAY
    if isinstance(error, TimeoutError):
        return Trouble("timeout", f"the server gave no answer within {timeout_s:g} s", Cure.AGAIN)
    if isinstance(error, BadReplyError):
        return Trouble("bad_reply", f"the server's reply is no chat completion: {error}", Cure.AGAIN)
    return None


def _of_status(error: StatusError) -> Trouble:
    status = error.status
    if status == 429:
        if error.code == "insufficient_quota":
            return Trouble("quota", "the account's quota at the model server is used up", Cure.STOP)
        wait = retry_after(error.headers)
        return Trouble("rate_limited", "the server still answers 'too many requests'", Cure.LATER, wait)
    if status in (401, 403):
        return Trouble("no_access", f"the model server refuses the key (HTTP {status})", Cure.STOP)
    if status == 404:
        return Trouble("not_found", "the model server knows no such model or address (HTTP 404)", Cure.STOP)
    if status in (502, 503):
        # a proxy says so while the server behind it starts, which takes minutes
        wait = retry_after(error.headers)
        return Trouble("server_error", f"the server answers with HTTP {status}", Cure.LATER, wait, gone=True)
    if status in (408, 409, 425) or status >= 500:
        wait = retry_after(error.headers)
        return Trouble("server_error", f"the server answers with HTTP {status}", Cure.AGAIN, wait)
    return Trouble("refused_request", f"the server refuses the request (HTTP {status})", Cure.NONE)


def retry_after(headers: Any) -> float | None:
    """Seconds of a Retry-After header in any of its forms, ``None`` without one."""
    from datetime import UTC, datetime

    milliseconds = headers.get("retry-after-ms")
    if milliseconds is not None and milliseconds.replace(".", "", 1).isdigit():
        return float(milliseconds) / 1000
    text = (headers.get("retry-after") or "").strip()
    if text.replace(".", "", 1).isdigit():
        return float(text)
    try:
        when = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
