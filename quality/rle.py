"""COCO run lengths read strictly: pycocotools itself believes any string."""

from typing import Any


def runs(rle: str) -> Any:
    """Decode a compressed COCO string to run lengths.

    Returns:
        int64 array of run lengths in column order, background first; ``None`` where the string is not one.

    Source of the coding: ``rleFrString`` of the COCO API: five bits a character, lowest first, bit 5 says that
    more follow, bit 4 of the last is the sign, and from the fourth run on each is a difference to the one
    before the last.
    """
    import numpy as np

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


def measure(rle: str, height: int, width: int) -> tuple[int, tuple[float, float, float, float]] | None:
    """Pixels covered and the tight half-open box (x0, y0, x1, y1) in pixels of a mask.

    Returns ``None`` where the run lengths do not fill ``height`` by ``width`` exactly.
    """
    from pycocotools import mask

    found = runs(rle)
    if found is None or int(found.sum()) != height * width:
        return None
    x, y, across, down = mask.toBbox({"size": [height, width], "counts": rle.encode()})
    return int(found[1::2].sum()), (float(x), float(y), float(x + across), float(y + down))
