"""Stable ids, seeds and orders, drawn from content and never from position or time."""

import hashlib
import hmac
import random
from collections.abc import Iterable


def digest(*parts: str) -> str:
    """A 32-digit hex digest of the parts; unambiguous, since each part is length-prefixed."""
    joined = bytearray()
    for part in parts:
        data = part.encode()
        joined += len(data).to_bytes(8, "little")
        joined += data
    return hashlib.blake2b(joined, digest_size=16).hexdigest()


def row_id(dataset: str, case_key: str, converter: str, variant: str) -> str:
    """The published ``id`` of an instruction."""
    return digest("row", dataset, case_key, converter, variant)


def copy_id(row: str, number: int) -> str:
    """The id of a row's copy in a release that repeats it; copy 0 is the row itself."""
    return digest("copy", row, str(number)) if number else row


def case_order(dataset: str, case_key: str) -> str:
    """The hash by which cases are shuffled: equal on every run and machine."""
    return digest("order", dataset, case_key)


def generator(seed: int, *parts: str) -> random.Random:
    """A random generator for one choice, seeded by the recipe's seed and the row's own id or parts."""
    return random.Random(digest(str(seed), *parts))


def fraction(seed: int, *parts: str) -> float:
    """A number in [0, 1) drawn from the parts, uniform over different parts."""
    return int(digest(str(seed), *parts)[:13], 16) / 16**13


def keyed(key: bytes, *parts: str) -> str:
    """Keyed hash (HMAC-SHA256, 32 hex digits) that hides an identifier from whoever lacks the key."""
    return hmac.new(key, digest(*parts).encode(), hashlib.sha256).hexdigest()[:32]


def combined(digests: Iterable[str]) -> str:
    """One digest of many, independent of their order."""
    return digest(*sorted(digests))
