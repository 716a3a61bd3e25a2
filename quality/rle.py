"""COCO run lengths read strictly: pycocotools itself believes any string."""

import re
from functools import lru_cache
from itertools import accumulate

import numpy as np
import numpy.typing as npt

SHORT = 64
"""Characters below which Python's own lists are faster than numpy's fixed cost."""
MORE = 32
"""The bit of a character that says that the run goes on."""
_RUN = re.compile("[P-o]{0,9}[0-O]")
EMPTY = (0.0, 0.0, 0.0, 0.0)
VALUES = np.array([code & 31 if code & MORE else (code ^ 16) - 16 for code in range(64)] + [0] * 192, np.int64)
"""By character: its five bits, those of a run's last one with their sign; characters outside of the coding have 0."""
POWERS = 32 ** np.arange(10, dtype=np.int64)

Runs = npt.NDArray[np.int64]
Measure = tuple[int, tuple[float, float, float, float]]


def runs(rle: str) -> Runs | None:
    """Decode a compressed COCO string to run lengths.

    Returns:
        int64 array of run lengths in column order, background first; ``None`` where the string is not one.

    Source of the coding: ``rleFrString`` of the COCO API: five bits a character, lowest first, bit 5 says that
    more follow, bit 4 of the last is the sign, and from the fourth run on each is a difference to the one
    before the last.
    """
    if len(rle) < SHORT:
        short = _short_runs(rle)
        return None if short is None else np.asarray(short, dtype=np.int64)
    # Eight bits wrap around, so that every character outside of the coding ends above 63.
    raw = np.frombuffer(rle.encode("utf-8", "surrogatepass"), np.uint8) - np.uint8(48)
    ends = (raw < MORE).nonzero()[0]
    if not ends.size or ends[-1] != raw.size - 1 or np.maximum.reduce(raw) > 63:
        return None
    starts = np.zeros_like(ends)
    np.add(ends[:-1], 1, out=starts[1:])
    sizes = ends - starts + 1
    if np.maximum.reduce(sizes) > len(POWERS):
        return None
    places = np.arange(raw.size) - starts.repeat(sizes)
    values = np.add.reduceat(VALUES.take(raw) * POWERS.take(places), starts)
    for part in (values[1::2], values[2::2]):
        np.add.accumulate(part, out=part)
    return values if np.minimum.reduce(values) >= 0 else None


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


def _by_array(found: Runs, height: int, width: int) -> Measure | None:
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
