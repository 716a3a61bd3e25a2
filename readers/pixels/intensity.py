"""How samples of any depth become 8 bits: one stated rule, recorded in the view, never wrapping."""

from typing import Any

import numpy as np

from schemas.view import View

Samples = np.ndarray[Any, Any]
Pixels = np.ndarray[Any, np.dtype[np.uint8]]

LOW, HIGH = 0.5, 99.5
"""Percentiles of the finite values that become black and white where no fixed range is known."""


def choose(samples: Samples) -> tuple[str, float, float]:
    """``(window, centre, width)`` for a raster picture, as `View` records them.

    8 bits stay as they are (``none``).  Unsigned integers of more bits keep their scale: black is 0 and white
    the full range of the fewest bits, at least 8, that hold the picture's largest value, so 12-bit data in a
    16-bit file is divided by 4095 (``range``).  Signed integers and floats run from the 0.5th to the 99.5th
    percentile (``percentile``).
    """
    if samples.dtype == np.uint8:
        return "none", 0.0, 0.0
    if samples.dtype.kind == "u" or (samples.dtype.kind == "i" and samples.min(initial=0) >= 0):
        bits = max(int(samples.max(initial=0)).bit_length(), 8)
        return "range", (2**bits - 1) / 2, float(2**bits - 1)
    finite = samples[np.isfinite(samples)]
    if not finite.size:
        return "percentile", 0.0, 1.0
    low, high = (float(value) for value in np.percentile(finite, (LOW, HIGH)))
    width = high - low
    return "percentile", low + width / 2, width if width > 0 else 1.0


def to_8bit(samples: Samples, view: View) -> Pixels:
    """Samples mapped linearly from ``centre - width/2 .. centre + width/2`` to 0..255, clipped; NaN becomes black."""
    if view.window == "none":
        # Depth unchanged: whoever made the view has seen 8-bit samples.
        pixels = samples if samples.dtype == np.uint8 else np.clip(np.nan_to_num(samples), 0, 255).astype(np.uint8)
    elif samples.dtype == np.uint16:
        pixels = _scale(np.arange(65536, dtype=np.float64), view)[samples]
    else:
        with np.errstate(invalid="ignore", over="ignore"):  # NaN is expected here and becomes black
            pixels = _scale(samples.astype(np.float64), view)
    return np.asarray(255 - pixels if view.invert else pixels, dtype=np.uint8)


def _scale(values: np.ndarray[Any, np.dtype[np.float64]], view: View) -> Pixels:
    low = view.window_center - view.window_width / 2
    scaled = (values * view.slope + view.intercept - low) * (255 / view.window_width)
    cleaned = np.nan_to_num(scaled, nan=0.0, posinf=255.0, neginf=0.0)
    return np.asarray(np.floor(np.clip(cleaned, 0, 255) + 0.5), dtype=np.uint8)


def as_grey(pixels: Pixels) -> Pixels:
    """RGB pixels whose three channels are equal as grey ``(H, W)``; others as they are."""
    if pixels.ndim == 3 and (pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 0] == pixels[..., 2]).all():
        return np.ascontiguousarray(pixels[..., 0])
    return pixels
