"""Pictures that a server holds already: a request names them instead of sending them again.

vLLM keeps the pictures that it has prepared under the names that requests give them (``uuid``).  A later request that
only names them spares both sides the bytes, and the server the decoding.  What it no longer holds it refuses, and then
the request is sent with its pictures.
"""

import json
from collections.abc import Sequence
from typing import Any

from schemas.recipe import EngineChoice
from schemas.rendered import Rendered
from synthesis import wire
from synthesis.base import Request

KEPT = 4096
"""Names that are remembered; a server's cache holds fewer pictures of some size."""
TRIED = 16
"""Refusals after which a server that refuses more than it takes is thought to keep nothing."""


class Letter:
    """One request as bytes, with its pictures or with their names only; each form is made when it is first needed."""

    def __init__(self, choice: EngineChoice, request: Request, further: dict[str, Any], named: bool) -> None:
        """As `wire.chat_body`; ``further`` are fields of the body, ``named`` whether the pictures have names."""
        self._choice, self._request, self._further, self._named = choice, request, further, named
        self._whole: bytes | None = None
        self.pictures: Sequence[Rendered] = request.images if named else ()
        """Those with a name."""

    def whole(self) -> bytes:
        """With the pictures."""
        if self._whole is None:
            self._whole = self._bytes(True)
        return self._whole

    def without_pictures(self) -> bytes:
        """With their names."""
        return self._bytes(False)

    def _bytes(self, pictures: bool) -> bytes:
        body = wire.chat_body(self._choice, self._request, self._named, pictures)
        return json.dumps({**body, **self._further}).encode()


class NamedPictures:
    """What one server is known to hold; used from one event loop."""

    def __init__(self) -> None:
        self._names: dict[str, None] = {}
        self._taken = self._refused = 0

    def holds(self, pictures: Sequence[Rendered]) -> bool:
        """Whether a request about them may leave them out."""
        keeps = self._refused < TRIED or self._taken > self._refused
        return bool(pictures) and keeps and all(picture.sha256 in self._names for picture in pictures)

    def arrived(self, pictures: Sequence[Rendered]) -> None:
        """Note that a request that brought them was answered."""
        for picture in pictures:
            self._names.pop(picture.sha256, None)
            self._names[picture.sha256] = None
        while len(self._names) > KEPT:
            del self._names[next(iter(self._names))]

    def taken(self) -> None:
        """Note that names were enough."""
        self._taken += 1

    def refused(self, pictures: Sequence[Rendered]) -> None:
        """Note that names were not enough."""
        self._refused += 1
        for picture in pictures:
            self._names.pop(picture.sha256, None)

    def clear(self) -> None:
        """Note that the server is another one."""
        self._names.clear()
