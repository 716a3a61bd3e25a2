"""The connection to one server: a request's bytes out, a reply's bytes in.

The openai package lists the models and is what users know the protocol by, but its client takes three times the
processor time of the bare connection per request (measured, `benchmarks.synthesis`), and that time is the model's where
both share a machine.  So requests go over aiohttp, which that client uses underneath.
"""

from typing import Any


class StatusError(Exception):
    """The server answered with an HTTP status of 400 or more."""

    def __init__(self, status: int, headers: Any, code: str) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.headers = headers
        """Case-insensitive mapping."""
        self.code = code
        """The protocol's own word for what is wrong, e.g. ``insufficient_quota``; often empty."""


class Channel:
    """Connections to one address, kept open between requests; belongs to one event loop."""

    def __init__(self, url: str, key: str) -> None:
        """Prepare, without connecting; ``url`` ends in the path under which the API lies."""
        import aiohttp

        self.url = url
        # the engine limits how many requests fly and how long each may take
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=None),
            headers={"content-type": "application/json", "authorization": f"Bearer {key}"},
            trust_env=_through_proxy(url),
        )

    async def complete(self, body: bytes) -> bytes:
        """The body of the reply to a chat completion.

        Raises:
            StatusError: the server refuses.
            aiohttp.ClientError: the connection cannot be made or breaks.
        """
        async with self._session.post(f"{self.url}/chat/completions", data=body) as reply:
            said = await reply.read()
            if reply.status >= 400:
                raise StatusError(reply.status, reply.headers, _code(said))
            return said

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()


def _through_proxy(url: str) -> bool:
    """Whether the environment names a proxy for the address; aiohttp would look it up with every request."""
    from urllib.parse import urlsplit
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    return parts.scheme in getproxies() and not proxy_bypass(parts.hostname or "")


def _code(said: bytes) -> str:
    import json

    try:
        return str(json.loads(said)["error"].get("code") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
