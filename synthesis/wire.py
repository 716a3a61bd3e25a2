"""A request as it goes over the wire (OpenAI chat completions), and the digest under which its answer is kept."""

import json
from base64 import b64encode
from functools import lru_cache
from typing import Any

from schemas import identity
from schemas.recipe import EngineChoice
from schemas.rendered import Rendered
from synthesis.base import Request

PLAIN = json.JSONEncoder(ensure_ascii=False)
"""Made once: `json.dumps` makes an encoder per call where it is given options."""
SORTED = json.JSONEncoder(ensure_ascii=False, sort_keys=True)
COMPACT = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def sampling_of(choice: EngineChoice, request: Request) -> dict[str, Any]:
    """The sampling parameters that this request is asked with."""
    return {
        "temperature": choice.temperature if request.temperature is None else request.temperature,
        "top_p": choice.top_p,
        "max_tokens": choice.max_tokens if request.max_tokens is None else request.max_tokens,
        "seed": choice.seed,
        "n": request.samples,
    }


def sampling_text(choice: EngineChoice, request: Request) -> str:
    """The sampling parameters as the JSON that provenance carries, with what else is in the request's body."""
    further = choice.options.get("extra_body")
    return _sampling_text(COMPACT.encode(further) if further else "", **sampling_of(choice, request))


@lru_cache(maxsize=256)
def _sampling_text(further: str, **sampling: Any) -> str:
    return COMPACT.encode({**sampling, "extra_body": json.loads(further)} if further else sampling)


def request_digest(choice: EngineChoice, request: Request) -> str:
    """32 hex digits over everything that the answer depends on; the server's address is not part of it."""
    return identity.digest(
        "request",
        choice.model,
        choice.revision,
        sampling_text(choice, request),
        PLAIN.encode(request.messages),
        PLAIN.encode([picture.sha256 for picture in request.images]),
        _schema_text(request.schema),
    )


_schema_texts: dict[int, tuple[dict[str, Any], str]] = {}


def _schema_text(schema: dict[str, Any] | None) -> str:
    """The schema as JSON; a task gives the same object with every request, so its text is made once."""
    if schema is None:
        return "null"
    known = _schema_texts.get(id(schema))
    if known is None or known[0] is not schema:
        if len(_schema_texts) > 1000:
            _schema_texts.clear()
        known = _schema_texts[id(schema)] = (schema, SORTED.encode(schema))
    return known[1]


def chat_body(
    choice: EngineChoice, request: Request, named: bool = False, pictures_go_with: bool = True
) -> dict[str, Any]:
    """The body of a chat completion; pictures stand before the text of the first user turn.

    Args:
        choice: whom to ask and how.
        request: what.
        named: whether each picture has its digest as a name under which the server may keep it (vLLM's ``uuid``).
        pictures_go_with: whether the pictures themselves are in it, or only their names.
    """
    pictures = [_picture_part(image, named, pictures_go_with) for image in request.images]
    messages: list[dict[str, Any]] = []
    for role, text in request.messages:
        if role == "user" and pictures:
            messages.append({"role": role, "content": [*pictures, {"type": "text", "text": text}]})
            pictures = []
        else:
            messages.append({"role": role, "content": text})
    body: dict[str, Any] = {"model": choice.model, "messages": messages, **sampling_of(choice, request)}
    if request.schema is not None:
        schema = {"name": "answer", "schema": request.schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return body


def _picture_part(image: Rendered, named: bool, goes_with: bool) -> dict[str, Any]:
    url = f"data:{image.media_type};base64,{b64encode(image.data).decode('ascii')}" if goes_with else ""
    part: dict[str, Any] = {"type": "image_url", "image_url": {"url": url} if goes_with else None}
    return {**part, "uuid": image.sha256} if named else part
