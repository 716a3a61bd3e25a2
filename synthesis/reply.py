"""A server's reply: first down to the record that is stored, then to a typed answer or failure."""

import json
import re
from typing import Any

from schemas.recipe import EngineChoice
from synthesis.base import Answer, Failure
from synthesis.trouble import BadReplyError

BROKEN_OFF = ("abort", "error")
"""Ends that are the server's own failing and no answer of the model's: vLLM's and SGLang's words."""
DATED = re.compile(r"[-@:]v?\d[\d.-]*")
"""What hosted servers add to a model's name: the version that a name without one stands for."""


def parse_reply(body: bytes, model: str) -> dict[str, Any]:
    """The record of a chat completion: texts, why each ended, tokens.

    Raises:
        BadReplyError: the body is cut off, is no JSON, is no chat completion, or is another model's, or the server
            broke the answer off.
    """
    try:
        data = json.loads(body)
        choices = sorted(data["choices"], key=lambda choice: choice.get("index", 0))
        texts = [_text(choice["message"].get("content") or "") for choice in choices]
        ends = [_text(_end(choice)) for choice in choices]
        usage = data.get("usage") or {}
        cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens")
        tokens = [int(count or 0) for count in (usage.get("prompt_tokens"), usage.get("completion_tokens"), cached)]
        served = _text(data.get("model") or model)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        raise BadReplyError("it is cut off or not JSON of that kind") from None
    if not texts:
        raise BadReplyError("it holds no choice")
    if any(end in BROKEN_OFF for end in ends):
        raise BadReplyError("the server broke the answer off")
    if not _same(served, model):
        raise BadReplyError("it comes from another model")
    return {
        "model": served,
        "texts": texts,
        "ends": ends,
        "tokens_in": tokens[0],
        "tokens_out": tokens[1],
        "tokens_cached": tokens[2],
    }


def usable(record: dict[str, Any]) -> bool:
    """Whether a stored record is an answer; what was stored before these ends were known is asked again."""
    return not any(end in BROKEN_OFF for end in record["ends"])


def _text(said: Any) -> str:
    """What is said where it is text that can be stored; raises where it is something else."""
    if not isinstance(said, str):
        raise TypeError("not a text")
    said.encode()  # half of a surrogate pair is none
    return said


def _same(served: str, model: str) -> bool:
    """Whether the name that a server gives its model is the one asked for: without its folder, or with its version."""
    asked = model.rpartition("/")[2] if "/" not in served else model
    return served.rpartition("/")[2] == model or (
        served.startswith(asked) and DATED.fullmatch(served[len(asked) :] or "-0") is not None
    )


def _end(choice: dict[str, Any]) -> str:
    return "refusal" if choice["message"].get("refusal") else str(choice.get("finish_reason") or "stop")


def understand(
    record: dict[str, Any], digest: str, choice: EngineChoice, sampling: str, samples: int, stored: bool
) -> Answer | Failure:
    """The answer that a record holds, or why it holds none: an answer never has an empty text."""
    whole = [text for text, end in zip(record["texts"], record["ends"], strict=True) if end == "stop" and text.strip()]
    if not whole:
        return _failure(record, digest)
    return Answer(
        tuple(whole),
        digest,
        choice.model,
        choice.revision,
        sampling,
        stored,
        record["tokens_in"],
        record["tokens_out"],
        record["tokens_cached"],
        samples,
    )


def _failure(record: dict[str, Any], digest: str) -> Failure:
    end = next((end for end in record["ends"] if end != "stop"), "stop")
    if end == "length":
        return Failure("truncated", "the answer reached the token limit; raise engine.max_tokens", digest)
    if end in ("refusal", "content_filter"):
        return Failure("refused_answer", "the model or its server refused to answer", digest)
    if end == "stop":
        return Failure("empty_answer", "the model answered nothing", digest)
    return Failure("unfinished", f"the answer ended by {end!r}", digest)
