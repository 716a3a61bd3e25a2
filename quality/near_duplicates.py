"""Pictures that look the same: 64-bit perceptual hashes within a Hamming radius, found by an index, never all pairs.

Multi-index hashing (Norouzi et al., 2012): cut each hash into three parts.  Two hashes within radius r differ by at
most ``r // 3`` bits in one of the parts, so it is enough to look, for every part, at the hashes whose part differs by
that few bits.  A part of 21 or 22 bits has room for millions of hashes, so the work grows with their number.

Of two parts that differ only the one asks whose highest differing bit is 0, so no pair is looked at twice within a
part; and the hashes ask in the order of their part, a chunk at a time, so that what is read lies in the cache.
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
CHUNK = 32_768
"""Hashes that ask at once: what is made of them stays in a core's own cache."""
EDGES = 2_000_000
"""Links in memory before they are joined to clusters."""

Hashes = npt.NDArray[np.uint64]
Whole = npt.NDArray[np.int64]
Positions = npt.NDArray[np.int32]


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
    distinct, first, where = np.unique(hashes, return_index=True, return_inverse=True)
    if not len(distinct):
        return np.zeros(0, np.int64)
    roots = np.arange(len(distinct))
    for one, other in _gathered(near_pairs(distinct, radius)):
        roots = _joined(roots, one, other)
    earliest = np.full(len(distinct), len(hashes), dtype=np.int64)
    np.minimum.at(earliest, roots, first.astype(np.int64))
    return np.asarray(earliest[roots][where], dtype=np.int64)


def is_likeness(hashes: Hashes) -> Any:
    """Where a hash says anything: those of flat pictures are noise around their median, 0 was not computed.

    A perceptual hash has half its bits set by construction, theirs has not.
    """
    bits = np.bitwise_count(hashes)
    return (bits >= 16) & (bits <= 48)


def _by_part(hashes: Hashes, radius: int, shift: int, bits: int) -> Iterator[tuple[Whole, Whole]]:
    keys = ((hashes >> np.uint64(shift)) & np.uint64((1 << bits) - 1)).astype(np.int32)
    order = np.argsort(keys, kind="stable")
    keys, ordered = keys[order], hashes[order]
    begin = np.zeros((1 << bits) + 1, np.int32)
    np.cumsum(np.bincount(keys, minlength=1 << bits), out=begin[1:])
    flips = _flips(bits, radius // len(PARTS))
    for low in range(0, len(keys), CHUNK):
        some = keys[low : low + CHUNK]
        places = np.arange(low, low + len(some), dtype=np.int32)
        for one, other in _asked(some, places, begin, flips):
            close = np.bitwise_count(ordered[one] ^ ordered[other]) <= radius
            if close.any():
                yield order[one[close]], order[other[close]]


def _asked(
    keys: Positions, places: Positions, begin: Positions, flips: dict[int, list[int]]
) -> Iterator[tuple[Positions, Positions]]:
    """Candidates for the hashes of one chunk: those behind them with the same part, then those whose part differs."""
    yield from _candidates(places, places + 1, begin[keys + 1] - places - 1)
    for top, masks in flips.items():
        asking = np.flatnonzero((keys >> top) & 1 == 0)
        own, at = keys[asking], places[asking]
        for mask in masks:
            wanted = own ^ mask
            start = begin[wanted]
            yield from _candidates(at, start, begin[wanted + 1] - start)


def _flips(bits: int, most: int) -> dict[int, list[int]]:
    """All ways to flip 1 to ``most`` bits, by the highest bit that is flipped."""
    found: dict[int, list[int]] = {}
    for size in range(1, most + 1):
        for places in combinations(range(bits), size):
            found.setdefault(places[-1], []).append(sum(1 << place for place in places))
    return found


def _candidates(places: Positions, start: Positions, count: Positions) -> Iterator[tuple[Positions, Positions]]:
    """Each place beside each of the ``count`` places from ``start`` on, in blocks."""
    asking = np.flatnonzero(count)
    for block in _blocks(asking, count[asking]):
        counts = count[block]
        ends = np.cumsum(counts, dtype=np.int32)
        behind = np.repeat(start[block] - (ends - counts), counts)
        yield np.repeat(places[block], counts), behind + np.arange(int(ends[-1]), dtype=np.int32)


def _gathered(pairs: Iterator[tuple[Whole, Whole]]) -> Iterator[tuple[Whole, Whole]]:
    """The same pairs in blocks of `EDGES` or a little more."""
    waiting: list[tuple[Whole, Whole]] = []
    count = 0
    for pair in pairs:
        waiting.append(pair)
        count += len(pair[0])
        if count >= EDGES:
            yield np.concatenate([one for one, _ in waiting]), np.concatenate([other for _, other in waiting])
            waiting, count = [], 0
    if waiting:
        yield np.concatenate([one for one, _ in waiting]), np.concatenate([other for _, other in waiting])


def _joined(roots: Whole, one: Whole, other: Whole) -> Whole:
    """The clusters after the links between ``one`` and ``other`` are added."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    links = coo_matrix((np.ones(len(one), np.int8), (roots[one], roots[other])), shape=(len(roots), len(roots)))
    _, labels = connected_components(links, directed=False)
    return np.asarray(labels[roots], dtype=np.int64)


def _blocks(asking: Whole, counts: Any) -> Iterator[Whole]:
    """The asking positions in pieces that have at most `BLOCK` candidates, or are single."""
    total = np.cumsum(counts, dtype=np.int64)
    at = 0
    while at < len(asking):
        before = int(total[at - 1]) if at else 0
        end = max(at + 1, int(np.searchsorted(total, before + BLOCK, side="right")))
        yield asking[at:end]
        at = end
