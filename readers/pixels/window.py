"""Grey values to 8 bits: the windows of PS3.3 C.11.2, presets by anatomy, percentiles.

All values are in modality units (HU for CT), after slope and intercept.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from schemas.view import View

Values = np.ndarray[Any, Any]
Pixels = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True, slots=True)
class Window:
    """What goes into `schemas.view.View`: kind, centre and width."""

    kind: str
    center: float
    width: float


def between(low: float, high: float, kind: str = "range") -> Window:
    """The window that shows ``low`` as black and ``high`` as white."""
    return Window(kind, (low + high) / 2, high - low)


# Centre and width as radiologists set them; the second half as BiomedParse clips (FIELD.md section 13).
PRESETS: dict[str, Window] = {
    "lung": Window("linear", -600, 1500),
    "mediastinum": Window("linear", 40, 400),
    "soft_tissue": Window("linear", 40, 400),
    "bone": Window("linear", 400, 1800),
    "brain": Window("linear", 40, 80),
    "subdural": Window("linear", 75, 215),
    "stroke": Window("linear", 40, 40),
    "angio": Window("linear", 300, 600),
    "abdomen": between(-150, 250),
    "lung_wide": between(-1000, 1000),
    "pelvis": between(-55, 200),
    "liver": between(-25, 230),
    "colon": between(-68, 187),
    "pancreas": between(-100, 200),
}

_BY_ANATOMY = {
    "head and neck": "soft_tissue",
    "lung": "lung",
    "chest": "soft_tissue",
    "brain": "brain",
    "head": "brain",
    "bone": "bone",
    "spine": "bone",
    "vertebra": "bone",
    "skeleton": "bone",
    "rib": "bone",
    "teeth": "bone",
    "ear": "bone",
    "hip": "bone",
    "knee": "bone",
    "hand": "bone",
    "abdomen": "abdomen",
    "pelvis": "pelvis",
    "liver": "liver",
    "colon": "colon",
    "pancreas": "pancreas",
}


def for_anatomy(anatomy: str) -> Window:
    """The CT preset for a body part named in free words; soft tissue where none fits."""
    words = f" {anatomy.lower()}"
    name = next((preset for word, preset in _BY_ANATOMY.items() if f" {word}" in words), "soft_tissue")
    return PRESETS[name]


def percentile(values: Values, low: float = 0.5, high: float = 99.5) -> Window:
    """The window between two percentiles of the finite positive values; of all where none is positive."""
    kept = values[np.isfinite(values)] if values.dtype.kind == "f" else values.ravel()
    positive = kept[kept > 0]
    kept = positive if positive.size else kept
    if not kept.size:
        return Window("percentile", 0.0, 1.0)
    bottom, top = (float(edge) for edge in np.percentile(kept, (low, high)))
    return _spanning(bottom, top, float(kept.min()), float(kept.max()))


def stored_percentile(stored: Values, slope: float, intercept: float, low: float = 0.5, high: float = 99.5) -> Window:
    """`percentile` of the modality values of ``stored`` ones; 8 and 16 bits are counted, a tenth of sorting's cost."""
    if stored.dtype.kind not in "iu" or stored.dtype.itemsize > 2 or not stored.size:
        return percentile(stored.astype(np.float64) * slope + intercept, low, high)
    native = stored.astype(stored.dtype.newbyteorder("="), copy=False).ravel(order="K")
    lowest = int(np.iinfo(native.dtype).min)
    counts = np.bincount(native.view(native.dtype.str.replace("i", "u")))
    half = -lowest  # of a signed type: as unsigned, its negative values stand behind the others
    counts = np.roll(np.pad(counts, (0, 2 * half - len(counts))), half) if half else counts
    present = np.flatnonzero(counts)
    values, weights = (present + lowest) * slope + intercept, counts[present]
    if slope < 0:
        values, weights = values[::-1], weights[::-1]
    if (values > 0).any():
        values, weights = values[values > 0], weights[values > 0]
    ends = np.cumsum(weights)
    bottom, top = (_counted(values, ends, share / 100) for share in (low, high))
    return _spanning(bottom, top, float(values[0]), float(values[-1]))


def _counted(values: Values, ends: Values, share: float) -> float:
    """The quantile ``share`` of rising ``values`` that repeat up to place ``ends``, interpolated as numpy does."""
    place = share * (int(ends[-1]) - 1)
    before = int(place)
    below, above = (float(values[np.searchsorted(ends, at, side="right")]) for at in (before, math.ceil(place)))
    return below + (above - below) * (place - before)


def _spanning(bottom: float, top: float, least: float, most: float) -> Window:
    """The percentile window from ``bottom`` to ``top``, or over all values where that is nothing."""
    if top <= bottom:
        bottom, top = least, most
    return between(bottom, top if top > bottom else bottom + 1, "percentile")


def to_eight_bits(stored: Values, view: View, padding: Values | None = None) -> Pixels:
    """``stored`` through the view's slope, intercept, window and inversion; NaN and ``padding`` become black."""
    if stored.dtype == np.uint8 and padding is None:
        # 256 levels are worked out once each.
        picked: Pixels = _curve(np.arange(256, dtype=np.uint8), view)[stored]
        return picked
    if stored.dtype.kind == "f":
        bad = ~np.isfinite(stored)
        if bad.any():
            stored = np.where(bad, 0, stored)
            padding = bad if padding is None else padding | bad
    shown = _curve(stored, view)
    if padding is not None:
        shown[padding] = 0
    return shown


def through_table(stored: Values, first: int, table: Sequence[int] | Values, bits: int) -> Pixels:
    """A DICOM LUT applied to whole numbers: entry 0 stands for ``first`` and below, the last for all above."""
    entries = np.asarray(table, dtype=np.float64)
    scaled = np.floor(entries * (255 / (2**bits - 1)) + 0.5).clip(0, 255).astype(np.uint8)
    index = np.clip(np.rint(stored).astype(np.int64) - first, 0, len(entries) - 1)
    picked: Pixels = scaled[index]
    return picked


def _curve(stored: Values, view: View) -> Pixels:
    center, width = view.window_center, view.window_width
    if view.window == "sigmoid":
        modal = stored.astype(np.float32) * np.float32(view.slope) + np.float32(view.intercept)
        steep = 4 if view.invert else -4
        exponent = np.clip(steep * (modal - np.float32(center)) / np.float32(width), -80, 80)
        return _rounded(255 / (1 + np.exp(exponent)))
    if view.window == "linear":
        return _linear(stored, view, center - 0.5, width - 1)
    if view.window == "none":
        return _linear(stored, view, 127.5, 255.0)
    return _linear(stored, view, center, width)


def _linear(stored: Values, view: View, center: float, width: float) -> Pixels:
    if width <= 0:
        modal = stored * view.slope + view.intercept
        return np.where((modal > center) != view.invert, np.uint8(255), np.uint8(0))
    # One multiplication and one addition per pixel; the constants are worked out in double precision.  The grey
    # scale is reversed before rounding, so that a MONOCHROME1 picture equals its MONOCHROME2 twin to the last bit.
    sign = -1 if view.invert else 1
    scale = sign * 255 * view.slope / width
    shift = 255 * (sign * (view.intercept - center) / width + 0.5)
    precise = np.float64 if stored.dtype.itemsize > 2 else np.float32
    shown = np.multiply(stored, precise(scale), dtype=precise)
    shown += precise(shift)
    return _rounded(shown)


def _rounded(values: Values) -> Pixels:
    np.clip(values, 0, 255, out=values)
    values += 0.5
    rounded: Pixels = values.astype(np.uint8)
    return rounded
