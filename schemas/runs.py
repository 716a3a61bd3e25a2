"""Masks as COCO run lengths, read and written without pixels where these are not asked for."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from schemas.errors import CaseError

Mask = np.ndarray[Any, np.dtype[np.bool_]]
Whole = np.ndarray[Any, np.dtype[np.int64]]

LONGEST = 8
"""Characters of one count: forty bits, more than any picture has pixels."""
_MORE = 32
"""The bit of a character that says that the count goes on."""
_VALUES = np.array([code & 31 if code & _MORE else (code ^ 16) - 16 for code in range(64)] + [0] * 192, np.int64)
"""By character: its five bits, those of a count's last one with their sign; characters outside of the coding have 0."""
_POWERS = 32 ** np.arange(10, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """A mask's pixels as runs down columns, in column-major order: three arrays of one length, not to be changed."""

    columns: Whole
    tops: Whole
    bottoms: Whole
    """Exclusive."""

    @property
    def pixels(self) -> int:
        """How many there are."""
        return int((self.bottoms - self.tops).sum())

    @property
    def edges(self) -> tuple[int, int, int, int] | None:
        """(left, top, right, bottom) of the smallest box around them, half-open; None where there are none."""
        if not self.columns.size:
            return None
        return int(self.columns[0]), int(self.tops.min()), int(self.columns[-1]) + 1, int(self.bottoms.max())

    @property
    def centre(self) -> tuple[float, float]:
        """The centroid (x, y) in pixels, whose centres lie at halves."""
        lengths = self.bottoms - self.tops
        number = int(lengths.sum())
        left, top = int(self.columns[0]), int(self.tops.min())
        across = int(np.dot(self.columns - left, lengths))
        down = int(np.dot(self.tops + self.bottoms - (2 * top + 1), lengths)) // 2
        return across / number + left + 0.5, down / number + top + 0.5

    def cut(self) -> Mask:
        """The mask between its `edges`."""
        left, top, right, bottom = self.edges or (0, 0, 0, 0)
        height = bottom - top
        before = (self.columns - left) * height - top
        ends = np.stack([before + self.tops, before + self.bottoms], axis=1).ravel()
        return _filled(ends, (right - left) * height).reshape(right - left, height).T


@lru_cache(maxsize=64)
def runs(rle: str, size: tuple[int, int]) -> Runs:
    """The runs of a mask; `CaseError` where the string does not fill the ``(height, width)`` grid."""
    height = size[0]
    ends = np.cumsum(run_lengths(rle, size))
    first, last = ends[:-1:2], ends[1::2] - 1
    if (first > last).any():
        first, last = first[first <= last], last[first <= last]
    columns, tops = np.divmod(first, height)
    others, bottoms = np.divmod(last, height)
    if (columns == others).all():
        return Runs(columns, tops, bottoms + 1)
    # A run that goes on in the next column is one of each column.
    parts = others - columns + 1
    place = np.arange(parts.sum()) - np.repeat(np.cumsum(parts) - parts, parts)
    tops = np.where(place == 0, np.repeat(tops, parts), 0)
    bottoms = np.where(place == np.repeat(parts, parts) - 1, np.repeat(bottoms + 1, parts), height)
    return Runs(np.repeat(columns, parts) + place, tops, bottoms)


def decode(rle: str, size: tuple[int, int]) -> Mask:
    """The ``(height, width)`` mask of a COCO run-length string; `CaseError` where the two do not agree."""
    ends = np.cumsum(run_lengths(rle, size))
    return _filled(ends[:-1], size[0] * size[1]).reshape(size[1], size[0]).T


def _filled(ends: Whole, total: int) -> Mask:
    """``total`` values that are false before the first of ``ends``, and change at each."""
    counts = np.empty(len(ends) + 1, np.int64)
    counts[0], counts[-1] = (ends[0], total - ends[-1]) if len(ends) else (total, total)
    counts[1:-1] = ends[1:] - ends[:-1]
    values = np.zeros(len(counts), bool)
    values[1::2] = True
    return values.repeat(counts)


def encode_cut(cut: Mask, left: int, top: int, size: tuple[int, int]) -> str:
    """The string of a mask of which all pixels stand in a part of its ``(height, width)`` grid.

    Args:
        cut: the part.
        left: of the part on the grid.
        top: likewise.
        size: of the grid.
    """
    from pycocotools.mask import frPyObjects

    wide = np.zeros((cut.shape[1], cut.shape[0] + 2), bool)
    wide[:, 1:-1] = cut.T
    flat = wide.ravel()
    column, row = np.divmod(np.flatnonzero(flat[1:] != flat[:-1]), wide.shape[1])
    ends = (column + left) * size[0] + row + top
    # A run that reaches the bottom goes on at the top of the next column.
    apart = ends[1:-1:2] != ends[2::2]
    if not apart.all():
        ends = np.concatenate([ends[:1], ends[1:-1].reshape(-1, 2)[apart].ravel(), ends[-1:]])
    counts = np.diff(ends, prepend=0, append=size[0] * size[1])
    packed = frPyObjects({"size": list(size), "counts": counts[: len(counts) - (counts[-1] == 0)].tolist()}, *size)
    return str(packed["counts"], "ascii")


def run_lengths(rle: str, size: tuple[int, int]) -> Whole:
    """Pixels outside, inside, outside ... column by column; `CaseError` where they are not the grid's."""
    height, width = size
    counts = counts_of(rle)
    if counts is None or counts.sum() != height * width or counts.min(initial=0) < 0:
        raise CaseError("bad_mask", f"a mask's run lengths do not fill its {width}x{height} grid")
    return counts


def counts_of(rle: str, longest: int = LONGEST) -> Whole | None:
    """The counts behind COCO's string; None where it is not one.  pycocotools' own reader does not check its input.

    The coding is that of ``rleFrString`` of the COCO API: five bits a character, lowest first, bit 5 says that more
    follow, bit 4 of the last is the sign.

    Args:
        rle: the string.
        longest: characters that one count may have, 10 at most.

    Returns:
        Pixels outside, inside, outside ... column by column; they may be negative.
    """
    # Eight bits wrap around, so that every character outside of the coding ends above 63.
    codes = np.frombuffer(rle.encode("utf-8", "surrogatepass"), np.uint8) - np.uint8(48)
    ends = (codes < _MORE).nonzero()[0]
    if not ends.size or ends[-1] != codes.size - 1 or np.maximum.reduce(codes) > 63:
        return None
    starts = np.zeros_like(ends)
    np.add(ends[:-1], 1, out=starts[1:])
    sizes = ends - starts + 1
    if np.maximum.reduce(sizes) > longest:
        return None
    places = np.arange(codes.size) - starts.repeat(sizes)
    values: Whole = np.add.reduceat(_VALUES.take(codes) * _POWERS.take(places), starts)
    # From the fourth on, a count is stored as its difference to the one two before.
    for part in (values[1::2], values[2::2]):
        np.add.accumulate(part, out=part)
    return values
