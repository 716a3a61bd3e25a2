"""How many rows each dataset gives to a draw in proportion, without any row being taken twice."""

from collections.abc import Mapping
from fractions import Fraction
from math import floor, inf


def quotas(
    rows: Mapping[str, int],
    weights: Mapping[str, float],
    repeats: Mapping[str, int],
    temperature: float,
    most: int | None,
) -> dict[str, int]:
    """Distinct rows to take of each dataset.

    A dataset's share is ``weight * n ** (1 / temperature)`` over the sum of that, where ``n`` are its rows times its
    repeats.  The total is the largest, up to ``most``, that no dataset falls short of; fractions go to the largest
    remainders, ties by name.

    Args:
        rows: those there are, by dataset.
        weights: 1 where not named.
        repeats: times that each row will be published; 1 where not named.
        temperature: from 1 (by size) to ``inf`` (by weight alone).
        most: rows in all.
    """
    published = {name: count * repeats.get(name, 1) for name, count in rows.items() if count}
    power = 0.0 if temperature == inf else 1 / temperature
    pull = {name: Fraction(weights.get(name, 1.0) * count**power) for name, count in published.items()}
    whole = sum(pull.values())
    if not whole:
        return dict.fromkeys(rows, 0)
    total = min(floor(count * whole / pull[name]) for name, count in published.items())
    total = total if most is None else min(total, most)
    exact = {name: total * pull[name] / whole for name in pull}
    given = {name: floor(part) for name, part in exact.items()}
    short = total - sum(given.values())
    for name in sorted(exact, key=lambda one: (given[one] - exact[one], one))[:short]:
        given[name] = min(given[name] + 1, published[name])
    return {name: given.get(name, 0) // repeats.get(name, 1) for name in rows}
