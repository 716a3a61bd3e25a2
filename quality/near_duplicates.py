"""Pictures that look the same: 64-bit perceptual hashes within a Hamming radius, found by an index, never all pairs.

Multi-index hashing (Norouzi et al., 2012): cut each hash into three parts.  Two hashes within radius r differ by at
most ``r // 3`` bits in one of the parts, so it is enough to look, for every part, at the hashes whose part differs by
that few bits.  A part of 21 or 22 bits has room for millions of hashes, so the work grows with their number.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

PARTS = ((0, 21), (21, 21), (42, 22))
"""Shift and bits of each part."""
MAX_RADIUS = 11
BLOCK = 4_000_000
"""Candidate pairs in memory at once."""

Hashes = npt.NDArray[np.uint64]
Whole = npt.NDArray[np.int64]


def near_pairs(hashes: Hashes, radius: int) -> Iterator[tuple[Whole, Whole]]:
    """Pairs of positions whose hashes differ by 1 to ``radius`` bits, in blocks; a pair may come more than once.

    Args:
        hashes: distinct uint64 values, in any order.
        radius: 0 to 11.

    Memory is bounded by the hashes and a fixed block.
    """
    if not 0 <= radius <= MAX_RADIUS:
        raise ValueError(f"the radius {radius} is outside 0..{MAX_RADIUS}")
    if len(hashes) < 2 or radius == 0:
        return
    for shift, bits in PARTS:
        yield from _by_part(hashes, radius, shift, bits)


def clusters(hashes: Hashes, radius: int) -> Whole:
    """For each hash the first position of those that it is linked to by steps of at most ``radius`` bits.

    Args:
        hashes: uint64 values, which may repeat; equal ones are always linked.
        radius: 0 to 11 bits.
    """
    from quality.components import components

    distinct, first, where = np.unique(hashes, return_index=True, return_inverse=True)
    edges = ((int(a), int(b)) for one, other in near_pairs(distinct, radius) for a, b in zip(one, other, strict=True))
    roots = np.asarray(components(len(distinct), edges), dtype=np.int64)
    earliest = np.full(len(distinct), len(hashes), dtype=np.int64)
    np.minimum.at(earliest, roots, first.astype(np.int64))
    return np.asarray(earliest[roots][where], dtype=np.int64) if len(hashes) else np.zeros(0, np.int64)


def is_likeness(hashes: Hashes) -> Any:
    """Where a hash says anything: those of flat pictures are noise around their median, 0 was not computed.

    A perceptual hash has half its bits set by construction, theirs has not.
    """
    bits = np.bitwise_count(hashes)
    return (bits >= 16) & (bits <= 48)


def _by_part(hashes: Hashes, radius: int, shift: int, bits: int) -> Iterator[tuple[Whole, Whole]]:
    keys = ((hashes >> np.uint64(shift)) & np.uint64((1 << bits) - 1)).astype(np.int64)
    # In the order of their keys the look-ups below walk through memory instead of jumping about.
    order = np.argsort(keys, kind="stable")
    keys, ordered = keys[order], hashes[order]
    begin = np.searchsorted(keys, np.arange((1 << bits) + 1)).astype(np.int32)
    for flip in _flips(bits, radius // len(PARTS)):
        wanted = keys ^ flip
        start, count = begin[wanted], begin[wanted + 1] - begin[wanted]
        asking = np.flatnonzero(count)
        for block in _blocks(asking, count[asking]):
            one, other = _expanded(block, start, count)
            close = (one < other) & (np.bitwise_count(ordered[one] ^ ordered[other]) <= radius)
            if close.any():
                yield order[one[close]], order[other[close]]


def _flips(bits: int, most: int) -> Iterator[int]:
    for size in range(most + 1):
        for places in combinations(range(bits), size):
            yield sum(1 << place for place in places)


def _blocks(asking: Whole, counts: Any) -> Iterator[Whole]:
    """The asking positions in pieces that have at most `BLOCK` candidates, or are single."""
    total = np.cumsum(counts, dtype=np.int64)
    at = 0
    while at < len(asking):
        before = int(total[at - 1]) if at else 0
        end = max(at + 1, int(np.searchsorted(total, before + BLOCK, side="right")))
        yield asking[at:end]
        at = end


def _expanded(asking: Whole, start: Any, count: Any) -> tuple[Whole, Whole]:
    """Each asking position beside each of its candidates."""
    counts = count[asking].astype(np.int64)
    one = np.repeat(asking, counts)
    ends = np.cumsum(counts)
    within = np.arange(int(ends[-1])) - np.repeat(ends - counts, counts)
    return one, np.repeat(start[asking].astype(np.int64), counts) + within
