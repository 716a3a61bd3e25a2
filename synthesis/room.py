"""Room for requests: how many may be under way before whoever asks has to wait."""

import threading


class Room:
    """Places; whoever has waited for one goes on when several are free, since being woken costs more than asking.

    On cores that a model keeps busy a thread waits some milliseconds for its turn each time it is woken (measured,
    `benchmarks.synthesis`: 4 ms for half a millisecond's work).
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._several = max(1, places // 8)
        self._changed = threading.Condition()

    def enter(self) -> None:
        """Take a place."""
        with self._changed:
            if not self._free:
                self._changed.wait_for(lambda: self._free >= self._several)
            self._free -= 1

    def leave(self) -> None:
        """Give it back."""
        with self._changed:
            self._free += 1
            if self._free >= self._several:
                self._changed.notify_all()
