"""Random draws of a row, seeded by its id: as many as needed out of one digest, far cheaper than `random.Random`."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, TypeVar

from schemas.identity import digest

Item = TypeVar("Item")
_BITS = 128


def chance(seed: int, row: str, *purpose: str) -> float:
    """A number in [0, 1), uniform over rows and over purposes."""
    own = _shared(seed, purpose).copy()
    own.update(row.encode())
    return (int.from_bytes(own.digest()[:8], "little") >> 11) / 2**53


class Draw:
    """Uniform draws from a seed, a row and a purpose; equal in every process.

    A digest's 128 bits are used up by division, and replaced by the digest's own digest before the rest of a division
    could be uneven by more than one part in 2**32.
    """

    __slots__ = ("_bits", "_digest", "_state")

    def __init__(self, seed: int, row: str, *purpose: str) -> None:
        own = _shared(seed, purpose).copy()
        own.update(row.encode())
        self._digest = own.digest()
        self._state, self._bits = int.from_bytes(self._digest, "little"), _BITS

    def randrange(self, below: int) -> int:
        """A whole number in ``range(below)``."""
        need = below.bit_length()
        if self._bits < need + 32:
            self._digest = hashlib.blake2b(self._digest, digest_size=16).digest()
            self._state, self._bits = int.from_bytes(self._digest, "little"), _BITS
        self._state, value = divmod(self._state, below)
        self._bits -= need
        return value

    def randint(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return low + self.randrange(high - low + 1)

    def choice(self, items: Sequence[Item]) -> Item:
        """One of the items."""
        return items[self.randrange(len(items))]

    def sample(self, items: Sequence[Item], count: int) -> list[Item]:
        """``count`` different items in random order."""
        pool = list(items)
        for place in range(count):
            other = place + self.randrange(len(pool) - place)
            pool[place], pool[other] = pool[other], pool[place]
        return pool[:count]

    def each(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items in the order in which `sample` gives all of them, each drawn when it is asked for."""
        pool = list(items)
        for place in range(len(pool)):
            other = place + self.randrange(len(pool) - place)
            pool[place], pool[other] = pool[other], pool[place]
            yield pool[place]

    def shuffle(self, items: list[Item]) -> None:
        """Put the items into random order."""
        items[:] = self.sample(items, len(items))


generator = Draw


@cache
def _shared(seed: int, purpose: tuple[str, ...]) -> Any:
    """The hash of what is common to all rows, to be copied."""
    return hashlib.blake2b(digest(str(seed), *purpose).encode(), digest_size=16)
