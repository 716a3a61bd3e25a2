"""Random draws of a row: its id is a digest already, so one multiplication makes of it all that the row draws."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TypeVar

from schemas.identity import digest

Item = TypeVar("Item")
_MASK = 2**128 - 1
_USABLE = 96
"""Of 128 bits."""
_FACTOR = 0x9E3779B97F4A7C15F39CC0605CEDC835
"""Odd, the digits of the golden ratio: the upper half of a product depends on every bit of what is multiplied."""
_FINE = 2**24
"""Steps of a share."""


class Draw:
    """Uniform draws in turn, equal in every process.

    128 bits are used up by division, and replaced by their digest before the rest of a division could be uneven by more
    than one part in 2**32.
    """

    __slots__ = ("_bits", "_origin", "_state")
    _bits: int
    _origin: int
    _state: int

    def __init__(self, origin: int) -> None:
        """Of 128 bits: the digest of a row or a case, with `purpose` by exclusive or."""
        mixed = origin * _FACTOR & _MASK
        # Division takes the lower half first, whose own bits are poorly mixed.
        self._origin = self._state = mixed ^ mixed >> 64
        self._bits = _USABLE

    def randrange(self, below: int) -> int:
        """A whole number in ``range(below)``."""
        self._bits -= below.bit_length()
        if self._bits < 0:
            self._renew(below)
        self._state, value = divmod(self._state, below)
        return value

    def chance(self) -> float:
        """A number in [0, 1), in steps of 2**-24."""
        return self.randrange(_FINE) / _FINE

    def randint(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return low + self.randrange(high - low + 1)

    def choice(self, items: Sequence[Item]) -> Item:
        """One of the items."""
        return items[self.randrange(len(items))] if len(items) > 1 else items[0]

    def sample(self, items: Iterable[Item], count: int) -> list[Item]:
        """``count`` different items in random order."""
        pool = list(items)
        left = len(pool)
        if count > left:
            raise ValueError(f"{count} different items were to be drawn of {left}")
        for place in range(min(count, left - 1)):
            other = place + self.randrange(left - place)
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

    def _renew(self, below: int) -> None:
        """Go on with the digest of what was used up."""
        further = hashlib.blake2b(self._origin.to_bytes(16, "little"), digest_size=16).digest()
        self._origin = self._state = int.from_bytes(further, "little")
        self._bits = _USABLE - below.bit_length()


class Row(Draw):
    """The id of a row, and all that it draws."""

    __slots__ = ("id",)

    def __init__(self, name: bytes, seed: int) -> None:
        """Of the id's 16 bytes."""
        # There are so many that `super` would be felt.
        Draw.__init__(self, int.from_bytes(name, "little") ^ purpose(seed))
        self.id = name.hex()


def generator(seed: int, *parts: str) -> Draw:
    """Draws from the digest of anything."""
    return Draw(int(digest(*parts), 16) ^ purpose(seed))


@lru_cache(maxsize=65536)
def purpose(seed: int, *parts: str) -> int:
    """What tells the draws of a seed and a purpose from those of others; there are few, however many the rows."""
    return int(digest(str(seed), *parts), 16)
