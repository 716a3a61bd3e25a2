"""Random draws of a row, seeded by its id: as many as needed out of one digest, far cheaper than `random.Random`."""

from collections.abc import Sequence
from typing import TypeVar

from schemas.identity import digest

Item = TypeVar("Item")
_BITS = 128


class Draw:
    """Uniform draws from a seed and parts; equal in every process.

    A digest's 128 bits are used up by division, and replaced by the digest's own digest before the rest of a division
    could be uneven by more than one part in 2**32.
    """

    __slots__ = ("_bits", "_hex", "_state")

    def __init__(self, seed: int, *parts: str) -> None:
        self._hex = digest(str(seed), *parts)
        self._state, self._bits = int(self._hex, 16), _BITS

    def randrange(self, below: int) -> int:
        """A whole number in ``range(below)``."""
        need = below.bit_length()
        if self._bits < need + 32:
            self._hex = digest(self._hex)
            self._state, self._bits = int(self._hex, 16), _BITS
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

    def shuffle(self, items: list[Item]) -> None:
        """Put the items into random order."""
        items[:] = self.sample(items, len(items))


generator = Draw
