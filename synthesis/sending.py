"""A request in the form in which an engine sends it: pictures no larger than the model uses, in the order asked for."""

from dataclasses import replace

from schemas.recipe import EngineChoice
from schemas.rendered import Rendered
from synthesis.base import AHEAD, Request
from synthesis.pictures import shrunk

KEPT = 256
"""Resized pictures that are held at least; else as many as cases are (`synthesis.base.AHEAD`), for later stages."""


class Sending:
    """Prepares the requests of one engine; a picture that several requests share is resized once."""

    def __init__(self, choice: EngineChoice) -> None:
        self._pixels, self._side, self._first = choice.max_pixels, choice.image_side, choice.picture_first
        self._most = max(KEPT, 2 * AHEAD * choice.concurrency)
        self._made: dict[str, Rendered] = {}

    def prepared(self, request: Request) -> Request:
        """What is sent, and what the request's digest is made of."""
        if not request.images or not (self._pixels or self._side or self._first):
            return request
        images = request.images
        if self._pixels or self._side:
            images = tuple(map(self._shrunk, images))
        messages = _picture_first(request.messages) if self._first else request.messages
        changed = tuple(new for old, new in zip(request.images, images, strict=True) if new is not old)
        notes = tuple(f"{picture.width}x{picture.height}:{picture.sha256}" for picture in changed)
        return replace(request, images=images, messages=messages, resized=notes)

    def _shrunk(self, picture: Rendered) -> Rendered:
        made = self._made.get(picture.sha256)
        if made is None:
            made = shrunk(picture, self._pixels, self._side)
            if len(self._made) >= self._most:
                self._made.pop(next(iter(self._made)), None)
            self._made[picture.sha256] = made
        return made


def _picture_first(messages: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    if len(messages) < 2 or messages[0][0] != "system" or messages[1][0] != "user":
        return messages
    return (("user", f"{messages[0][1]}\n\n{messages[1][1]}"), *messages[2:])
