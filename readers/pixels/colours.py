"""Colour models brought to grey ``(H, W)`` or RGB ``(H, W, 3)``: alpha laid over black, inks and profiles to sRGB."""

import io
from typing import Any

import numpy as np
from PIL import Image

Samples = np.ndarray[Any, Any]


def over_black(samples: Samples) -> Samples:
    """Grey+alpha or RGB+alpha laid over black; the alpha is merely dropped where it is opaque throughout."""
    colour, alpha = samples[..., :-1], samples[..., -1]
    top = np.iinfo(samples.dtype).max if samples.dtype.kind == "u" else 1
    if (alpha != top).any():
        mixed = colour.astype(np.float64) * (alpha[..., None] / top)
        colour = (np.round(mixed) if samples.dtype.kind == "u" else mixed).astype(samples.dtype)
    return colour[..., 0] if colour.shape[2] == 1 else np.ascontiguousarray(colour)


def to_srgb(samples: Samples, icc: bytes) -> Samples:
    """8-bit RGB ``samples`` through their colour profile; others, and those without one, as they are."""
    if not icc or samples.ndim != 3 or samples.dtype != np.uint8:
        return samples
    return through_profile(Image.fromarray(samples), icc)


def from_cmyk(samples: Samples, icc: bytes) -> Samples:
    """RGB of ``(H, W, 4)`` unsigned inks, 0 being none; through their colour profile where they are 8 bits deep."""
    if icc and samples.dtype == np.uint8:
        return through_profile(Image.fromarray(samples, "CMYK"), icc)
    top = np.iinfo(samples.dtype).max
    light = (top - samples.astype(np.float64)) / top
    return np.round(light[..., :3] * light[..., 3:] * 255).astype(np.uint8)


def through_profile(picture: Image.Image, icc: bytes) -> Samples:
    """The picture in sRGB; by Pillow's plain conversion where the profile is broken or of another colour model."""
    from PIL import ImageCms

    try:
        source = ImageCms.getOpenProfile(io.BytesIO(icc))
        target = ImageCms.createProfile("sRGB")
        made = ImageCms.profileToProfile(picture, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        made = None
    return np.asarray(made if made is not None else picture.convert("RGB"))
