"""Looks for planted values in any bytes, in every writing in which they could have come out."""

import base64
import hashlib
import urllib.parse
from collections.abc import Iterable, Iterator

import numpy as np

from schemas.identity import case_order, digest, row_id

WINDOW = 8
"""Bytes of a form that are looked for all at once; the rest is then compared."""


def forms(value: str) -> Iterator[bytes]:
    """The value in UTF-8, UTF-16, base64 at every offset, hex, percent-encoded, and its digests as hex and as bytes."""
    plain = value.encode()
    for case in {value, value.lower(), value.upper()}:
        yield from (case.encode(), case.encode("utf-16-le"), case.encode("utf-16-be"))
    # Of three neighbouring bytes base64 makes four letters: what stands before decides which.
    for before in range(3):
        made = base64.b64encode(bytes(before) + plain).rstrip(b"=")
        yield made[(0, 2, 3)[before] : -1]
    yield from (plain.hex().encode(), plain.hex().upper().encode(), urllib.parse.quote(value, safe="").encode())
    for made in (hashlib.md5, hashlib.sha1, hashlib.sha256, hashlib.blake2b):
        yield from (made(plain).hexdigest().encode(), made(plain).digest())
    yield digest(value).encode()


def guessed_ids(datasets: Iterable[str], converters: Iterable[str], key: str) -> list[bytes]:
    """Orders and ids of rows as they would be if nothing but the case's key went into them."""
    made = [case_order(name, key) for name in datasets]
    made += [row_id(name, key, one, "") for name in datasets for one in converters]
    return [one.encode() for one in made]


class Search:
    """Finds any of many values.

    Args:
        values: what was planted.
        more: further forms by value, such as digests that only this project makes.
    """

    def __init__(self, values: Iterable[str], more: dict[str, list[bytes]] | None = None) -> None:
        self._whole: dict[bytes, list[tuple[bytes, str]]] = {}
        for value in values:
            for form in {*forms(value), *(more or {}).get(value, ())}:
                if len(form) >= WINDOW:
                    self._whole.setdefault(form[:WINDOW], []).append((form, value))
        self._heads = np.sort(np.frombuffer(b"".join(self._whole), np.uint64))

    def found(self, data: bytes) -> set[str]:
        """The values that stand in ``data``."""
        values = set()
        for offset in range(min(WINDOW, len(data) - WINDOW + 1)):
            windows = np.frombuffer(data, np.uint64, (len(data) - offset) // WINDOW, offset)
            near = np.searchsorted(self._heads, windows).clip(max=len(self._heads) - 1)
            for index in np.flatnonzero(self._heads[near] == windows):
                at = offset + WINDOW * int(index)
                candidates = self._whole[data[at : at + WINDOW]]
                values |= {value for form, value in candidates if data.startswith(form, at)}
        return values
