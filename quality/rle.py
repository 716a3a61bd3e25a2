"""COCO run lengths read strictly: pycocotools itself believes any string."""

import re
from functools import lru_cache
from itertools import accumulate

import numpy as np

from schemas.runs import Whole, counts_of

SHORT = 64
"""Characters below which Python's own lists are faster than numpy's fixed cost."""
_RUN = re.compile("[P-o]{0,9}[0-O]")
EMPTY = (0.0, 0.0, 0.0, 0.0)
LONGEST = 10
"""Characters of one run."""

Measure = tuple[int, tuple[float, float, float, float]]


def runs(rle: str) -> Whole | None:
    """Decode a compressed COCO string to run lengths.

    Returns:
        int64 array of run lengths in column order, background first; ``None`` where the string is not one
        (`schemas.runs.counts_of` says how it is coded).
    """
    if len(rle) < SHORT:
        short = _short_runs(rle)
        return None if short is None else np.asarray(short, dtype=np.int64)
    values = counts_of(rle, LONGEST)
    return values if values is not None and np.minimum.reduce(values) >= 0 else None


@lru_cache(maxsize=1024)
def measure(rle: str, height: int, width: int) -> Measure | None:
    """Pixels covered and the tight half-open box (x0, y0, x1, y1) in pixels of a mask.

    Returns ``None`` where the run lengths do not fill ``height`` by ``width`` exactly.  Remembered, since several
    rows ask about one mask.
    """
    found = _short_runs(rle) if len(rle) < SHORT else runs(rle)
    if found is None:
        return None
    return _by_list(found, height, width) if isinstance(found, list) else _by_array(found, height, width)


def _by_list(found: list[int], height: int, width: int) -> Measure | None:
    after = list(accumulate(found))
    if after[-1] != height * width:
        return None
    marked = [(end - run, run) for end, run in zip(after[1::2], found[1::2], strict=True) if run]
    if not marked:
        return 0, EMPTY
    top, bottom = height, 0
    for start, run in marked:
        first = start % height
        if first < top:
            top = first
        if first + run > bottom:
            bottom = first + run
    edges = marked[0][0] // height, top, (sum(marked[-1]) - 1) // height + 1, bottom
    return sum(found[1::2]), _box(*edges, height)


def _by_array(found: Whole, height: int, width: int) -> Measure | None:
    after = np.add.accumulate(found)
    if after[-1] != height * width:
        return None
    lengths = found[1::2]
    first = after[::2][: lengths.size]
    if not lengths.all():
        first, lengths = first[lengths > 0], lengths[lengths > 0]
    if not lengths.size:
        return 0, EMPTY
    top = first % height
    edges = int(first[0]) // height, int(np.minimum.reduce(top)), int(first[-1] + lengths[-1] - 1) // height + 1
    return int(np.add.reduce(lengths)), _box(*edges, int(np.maximum.reduce(top + lengths)), height)


def _box(left: int, top: int, right: int, bottom: int, height: int) -> tuple[float, float, float, float]:
    # A run that goes on in the next column touches the lower and the upper edge.
    if bottom > height:
        top, bottom = 0, height
    return float(left), float(top), float(right), float(bottom)


def _short_runs(rle: str) -> list[int] | None:
    words = _RUN.findall(rle)
    if not words or sum(map(len, words)) != len(rle):
        return None
    found = list(map(_number, words))
    found[1::2] = accumulate(found[1::2])
    found[2::2] = accumulate(found[2::2])
    return found if min(found) >= 0 else None


@lru_cache(maxsize=4096)
def _number(word: str) -> int:
    """One run or difference; small ones come again and again."""
    codes = [ord(letter) - 48 for letter in word]
    value = sum((code & 0x1F) << 5 * place for place, code in enumerate(codes))
    return value - (1 << 5 * len(codes)) if codes[-1] & 0x10 else value
