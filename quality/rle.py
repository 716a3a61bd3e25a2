"""COCO run lengths read strictly: pycocotools itself believes any string."""

from functools import lru_cache
from typing import Any

SHORT = 100
"""Characters below which a plain loop is faster than numpy's fixed cost."""


def runs(rle: str) -> Any:
    """Decode a compressed COCO string to run lengths.

    Returns:
        int64 array of run lengths in column order, background first; ``None`` where the string is not one.

    Source of the coding: ``rleFrString`` of the COCO API: five bits a character, lowest first, bit 5 says that
    more follow, bit 4 of the last is the sign, and from the fourth run on each is a difference to the one
    before the last.
    """
    import numpy as np

    if len(rle) < SHORT:
        short = _short_runs(rle)
        return None if short is None else np.asarray(short, dtype=np.int64)
    try:
        raw = np.frombuffer(rle.encode("ascii"), np.uint8).astype(np.int64) - 48
    except UnicodeEncodeError:
        return None
    if not raw.size or raw.min() < 0 or raw.max() > 63 or raw[-1] & 0x20:
        return None
    ends = np.flatnonzero((raw & 0x20) == 0)
    starts = np.concatenate(([0], ends[:-1] + 1))
    sizes = ends - starts + 1
    if sizes.max() > 10:
        return None
    shifts = 5 * (np.arange(raw.size) - np.repeat(starts, sizes))
    values = np.add.reduceat((raw & 0x1F) << shifts, starts)
    values -= ((raw[ends] >> 4) & 1) << (5 * sizes)
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return values if values.min() >= 0 else None


@lru_cache(maxsize=1024)
def measure(rle: str, height: int, width: int) -> tuple[int, tuple[float, float, float, float]] | None:
    """Pixels covered and the tight half-open box (x0, y0, x1, y1) in pixels of a mask.

    Returns ``None`` where the run lengths do not fill ``height`` by ``width`` exactly.  Remembered, since several
    rows ask about one mask.
    """
    from pycocotools import mask

    found = _short_runs(rle) if len(rle) < SHORT else runs(rle)
    # Python's own sum is the faster one for a short list, numpy's for an array.
    add = sum if isinstance(found, list) else _sum
    if found is None or add(found) != height * width:
        return None
    x, y, across, down = mask.toBbox({"size": [height, width], "counts": rle.encode()})
    return add(found[1::2]), (float(x), float(y), float(x + across), float(y + down))


def _short_runs(rle: str) -> list[int] | None:
    found: list[int] = []
    value = shift = 0
    for letter in rle.encode("ascii", "replace"):
        code = letter - 48
        if not 0 <= code <= 63 or shift > 45:
            return None
        value |= (code & 0x1F) << shift
        shift += 5
        if code & 0x20:
            continue
        if code & 0x10:
            value -= 1 << shift
        if len(found) > 2:
            value += found[-2]
        if value < 0:
            return None
        found.append(value)
        value = shift = 0
    return found if found and not shift else None


def _sum(values: Any) -> int:
    return int(values.sum())
