"""How many requests fly at once: grows while the server keeps up, shrinks when it says that it is too much."""

import asyncio
from collections import deque


class Limiter:
    """Additive increase, multiplicative decrease between 1 and ``most``; used from one event loop.

    It starts with ``most``, which the recipe's author has chosen for the server, so that an engine's batch is full from
    the beginning; half of it after an overload, and from there one more per round trip.  Requests that started before
    the last cut do not cut again.
    """

    def __init__(self, most: int) -> None:
        self.limit = float(most)
        self._most = most
        self._flying = 0
        self._cuts = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> int:
        """Wait for a turn; returns the token for `leave` and `overloaded`."""
        if self._flying < int(self.limit) and not self._waiting:
            self._flying += 1
        else:
            await self._turn()
        return self._cuts

    async def _turn(self) -> None:
        """Stand in line; the turn is taken by whoever gives it, so that nobody who comes later can have it."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._waiting.remove(turn)
            else:
                self.leave()
            raise

    def leave(self) -> None:
        """Give the turn back."""
        self._flying -= 1
        self._wake()

    def answered(self) -> None:
        """Note that the server kept up."""
        self.limit = min(float(self._most), self.limit + 1.0 / self.limit)
        self._wake()

    def overloaded(self, token: int) -> None:
        """Note that a request that entered with ``token`` was too much."""
        if token == self._cuts:
            self._cuts += 1
            self.limit = max(1.0, self.limit / 2)

    def _wake(self) -> None:
        while self._waiting and self._flying < int(self.limit):
            turn = self._waiting.popleft()
            if not turn.done():
                self._flying += 1
                turn.set_result(None)
