"""The addresses of one model: which of them to ask next, and whether they are there at all."""

import logging
import os
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from schemas.errors import UserError, nearest
from schemas.recipe import EngineChoice
from synthesis.channel import Channel, StatusError
from synthesis.named_pictures import Letter, NamedPictures

LOG = logging.getLogger("medcurate.synthesis")
BAD_REQUEST = 400
PAUSE_S = 1.0
"""How long a server that failed is passed over while another one is there; doubled while it goes on failing."""
LONGEST_PAUSE_S = 30.0
QUIET_S = 5.0
"""How long a proxy may say that it does not reach the server before a person is told; busy servers say that too."""


@dataclass(slots=True)
class Server:
    """One address."""

    channel: Channel
    flying: int = 0
    lost_since: float | None = None
    """Monotonic time of the first lost connection since its last answer."""
    passed_over_until: float = 0.0
    failed: int = 0
    """Times that it was passed over since its last answer."""
    told: bool = False
    """Whether a person has been told that it is lost."""
    pictures: NamedPictures = field(default_factory=NamedPictures)
    """Those that it holds under their names."""

    async def complete(self, letter: Letter) -> bytes:
        """The reply to a request, whose pictures are left out where the server holds them."""
        named = self.pictures.holds(letter.pictures)
        if named:
            try:
                said = await self.channel.complete(letter.without_pictures())
            except StatusError as error:
                if error.status != BAD_REQUEST:
                    raise
                self.pictures.refused(letter.pictures)
            else:
                self.pictures.taken()
                return said
        said = await self.channel.complete(letter.whole())
        self.pictures.arrived(letter.pictures)
        return said

    def move(self, url: str) -> None:
        """Note that the server is back, perhaps at another address."""
        self.channel.url = api_address(url)
        self.pictures.clear()
        self.answered()

    @property
    def base_url(self) -> str:
        """Where its API lies."""
        return self.channel.url

    def answered(self) -> None:
        """Note that the server is there."""
        if self.told:
            LOG.warning("the model server at %s answers again", self.base_url)
        self.told = False
        self.lost_since = None
        self.passed_over_until = 0.0
        self.failed = 0

    def failing(self, wait: float | None) -> None:
        """Note that it failed, so that others are asked first: one that fails at once always has the least to do.

        Args:
            wait: seconds that it asked for, if it did.
        """
        now = time.monotonic()
        if now >= self.passed_over_until:  # else this failure was under way when the pause began
            pause = min(LONGEST_PAUSE_S, PAUSE_S * 2.0**self.failed)
            self.passed_over_until = now + (pause if wait is None else wait)
            self.failed += 1

    def lost(self, quiet_s: float = 0.0) -> None:
        """Note that it is not there; a person is told after ``quiet_s``: a run that waits in silence looks hung."""
        now = time.monotonic()
        self.lost_since = now if self.lost_since is None else self.lost_since
        if not self.told and now - self.lost_since >= quiet_s:
            LOG.warning("the model server at %s does not answer; its requests wait or go to another", self.base_url)
            self.told = True


class Servers:
    """Several servers of the same model; used from the engine's event loop only."""

    def __init__(self, choice: EngineChoice) -> None:
        key = os.environ.get(choice.api_key_env) or "none"
        self._all = [Server(Channel(url, key)) for url in map(api_address, choice.base_urls)]

    def pick(self, last: Server | None = None) -> Server:
        """The one with the fewest requests on it, of those that are there, and not the one that was asked ``last``."""
        now = time.monotonic()
        return min(self._all, key=lambda server: (server.passed_over_until > now, server is last, server.flying))

    def another(self, than: Server) -> bool:
        """Whether another one is there."""
        now = time.monotonic()
        return any(server is not than and server.passed_over_until <= now for server in self._all)

    def lost_for(self) -> float:
        """Seconds since the last of all servers was lost; 0 while one is there."""
        since = [server.lost_since for server in self._all]
        return 0.0 if None in since else time.monotonic() - max(moment for moment in since if moment is not None)

    async def close(self) -> None:
        """Close all connections."""
        for server in self._all:
            await server.channel.close()


def api_address(url: str) -> str:
    """The address under which the API lies: ``/v1`` is added where the address has no path."""
    return url.rstrip("/") + ("" if urlsplit(url).path.strip("/") else "/v1")


def check(choice: EngineChoice, wait_s: float = 10.0) -> EngineChoice:
    """Ask every server for its models before anything starts.

    Returns the choice with ``model`` filled in where the recipe leaves it to a server that has only one.

    Raises:
        UserError: no server at an address, the key is refused, or the model is not among those served.
    """
    if not choice.base_urls:
        raise UserError("the engine 'openai' needs base_urls, e.g. ['http://localhost:8000/v1']")
    for url in map(api_address, choice.base_urls):
        if urlsplit(url).scheme not in ("http", "https"):
            raise UserError(f"engine.base_urls: {url} is no address of a server; write http://host:port")
        served = _models(url, choice, wait_s)
        if not choice.model and len(served) == 1:
            choice = choice.model_copy(update={"model": served[0]})
        if not choice.model:
            raise UserError(f"name the engine's model; the server at {url} has {', '.join(served) or 'none to list'}")
        if served and choice.model not in served:
            raise UserError(
                f"the server at {url} has no model {choice.model!r}{nearest(choice.model, served)}; "
                f"it has {', '.join(served[:10])}"
            )
    return choice


def _models(url: str, choice: EngineChoice, wait_s: float) -> list[str]:
    """Names of the models at one address; empty where the server does not list them."""
    import openai

    key = os.environ.get(choice.api_key_env) or "none"
    with openai.OpenAI(base_url=url, api_key=key, timeout=wait_s, max_retries=1) as client:
        try:
            return [model.id for model in client.models.list()]
        except openai.APIConnectionError:
            raise UserError(
                f"no model server answers at {url}; start one there (vllm serve MODEL) or correct engine.base_urls"
            ) from None
        except (openai.AuthenticationError, openai.PermissionDeniedError):
            raise UserError(f"the model server at {url} refuses the key; set {choice.api_key_env}") from None
        except (openai.APIError, AttributeError):  # the client takes a page of HTML for a list
            return []
