"""``engine.options`` of the type ``openai``."""

from typing import Any

from pydantic import Field

from schemas.spec import Strict


class OpenAIOptions(Strict):
    """``engine.options`` of the type ``openai``."""

    retries: int = Field(default=5, ge=0)
    """How often a request is asked again after a server error, a timeout or half an answer."""
    backoff_s: float = Field(default=0.5, ge=0)
    """First pause; it doubles with every try."""
    patience_s: float = Field(default=600, ge=0)
    """How long a rate limit is waited out, and how long all servers may be gone before the run stops."""
    keeps_pictures: bool = False
    """Whether the server keeps pictures under names that requests give them, as vLLM does, so that one that several
    requests share is sent once."""
    extra_body: dict[str, Any] = Field(default_factory=dict)
    """Further fields of the request body, e.g. ``{chat_template_kwargs: {enable_thinking: false}}``."""
