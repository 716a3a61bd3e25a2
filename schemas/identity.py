"""Stable ids, seeds and orders, drawn from content and never from position or time."""

import hashlib
import hmac
import random
from collections.abc import Iterable
from functools import lru_cache


def digest(*parts: str) -> str:
    """A 32-digit hex digest of the parts; unambiguous, since each part is length-prefixed."""
    return hashlib.blake2b(_framed(parts), digest_size=16).hexdigest()


def _framed(parts: Iterable[str]) -> bytes:
    encoded = [part.encode() for part in parts]
    return b"".join([len(data).to_bytes(8, "little") + data for data in encoded])


def row_id(dataset: str, case: str, converter: str, variant: str) -> str:
    """The published ``id`` of an instruction; ``case`` is `Case.identity`, which is not always the key."""
    return digest("row", dataset, case, converter, variant)


def row_name(dataset: str, case: str, converter: str, variant: str) -> bytes:
    """The 16 bytes of `row_id`; what the rows of one case share is hashed once."""
    own = _hashed(dataset, case).copy()
    data = variant.encode()
    own.update(_before(converter, len(data)) + data)
    return own.digest()


def copy_id(row: str, number: int) -> str:
    """The id of a row's copy in a release that repeats it; copy 0 is the row itself."""
    return digest("copy", row, str(number)) if number else row


@lru_cache(maxsize=4096)
def _before(converter: str, length: int) -> bytes:
    """What is hashed before a variant of ``length`` bytes."""
    return _framed((converter,)) + length.to_bytes(8, "little")


@lru_cache(maxsize=8)
def _hashed(dataset: str, case: str) -> "hashlib.blake2b":
    return hashlib.blake2b(_framed(("row", dataset, case)), digest_size=16)


def case_order(dataset: str, case: str) -> str:
    """The hash by which cases are shuffled: equal on every run and machine; ``case`` is `Case.identity`."""
    return digest("order", dataset, case)


def generator(seed: int, *parts: str) -> random.Random:
    """A random generator for one choice, seeded by the recipe's seed and the row's own id or parts."""
    return random.Random(digest(str(seed), *parts))


def fraction(seed: int, *parts: str) -> float:
    """A number in [0, 1) drawn from the parts, uniform over different parts."""
    return int(digest(str(seed), *parts)[:13], 16) / 16**13


def keyed(key: bytes, *parts: str) -> str:
    """Keyed hash (HMAC-SHA256, 32 hex digits) that hides an identifier from whoever lacks the key."""
    return hmac.new(key, digest(*parts).encode(), hashlib.sha256).hexdigest()[:32]
