"""What each gate costs and finds, counted while it works."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(slots=True)
class Cost:
    """One gate over many rows."""

    rows: int = 0
    """Rows it looked at."""
    refused: int = 0
    """Findings that refuse, whether or not another gate refused the row too."""
    flagged: int = 0
    seconds: float = 0.0
    """Wall time in the worker process."""

    def to_json(self) -> dict[str, Any]:
        """For the marker of a partition."""
        return asdict(self)


def summed(parts: Iterable[Mapping[str, Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    """The costs of several partitions by gate, in the order in which the gates ran; seconds to the millisecond."""
    total: dict[str, dict[str, Any]] = {}
    for part in parts:
        for name, cost in part.items():
            sums = total.setdefault(name, dict.fromkeys(cost, 0))
            for key, value in cost.items():
                sums[key] += value
    return {name: {**sums, "seconds": round(sums["seconds"], 3)} for name, sums in total.items()}
