"""Who is told how far a run is: the command line shows bars, a deployment logs."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One event: ``done`` of ``total`` units of a phase."""

    phase: str
    done: int
    total: int
    unit: str = "cases"


Listener = Callable[[Step], None]
_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Call ``listener`` for every step of runs in this process."""
    _listeners.append(listener)


def tell(phase: str, done: int, total: int, unit: str = "cases") -> None:
    """Tell every listener."""
    for listener in _listeners:
        listener(Step(phase, done, total, unit))
