"""What a plain script does with a folder of files: the loops that the readers are measured against."""

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Array = np.ndarray[Any, Any]
Pixels = np.ndarray[Any, np.dtype[np.uint8]]
LOW, HIGH = -160.0, 240.0
"""The window of every loop: centre 40, width 400."""


def pillow(path: Path) -> Pixels:
    """Pillow's decoding."""
    with Image.open(path) as picture:
        return np.asarray(picture)


def jpeg8(path: Path) -> Pixels:
    """imagecodecs' libjpeg-turbo, which the readers use."""
    import imagecodecs

    return np.asarray(imagecodecs.jpeg8_decode(path.read_bytes()))


def png(path: Path) -> Pixels:
    """imagecodecs' libpng, which the readers use."""
    import imagecodecs

    return np.asarray(imagecodecs.png_decode(path.read_bytes()))


def pydicom_slice(path: Path) -> Pixels:
    """pydicom's parsing and decoding, a float32 window."""
    import pydicom

    data = pydicom.dcmread(path)
    slope, intercept = np.float32(data.RescaleSlope), np.float32(data.RescaleIntercept)
    return windowed(data.pixel_array * slope + intercept)


def nibabel_slice(path: Path) -> Pixels:
    """nibabel's loading of the whole volume, a float32 window on the middle slice."""
    import nibabel

    volume: Any = nibabel
    return windowed(np.asarray(volume.load(path).dataobj)[:, :, 64].T.astype(np.float32))


def isal_slice(path: Path) -> Pixels:
    """The same with Intel's gunzip, which the readers use."""
    import nibabel
    from isal import igzip

    volume: Any = nibabel
    gunzip: Any = igzip.decompress
    image = volume.Nifti1Image.from_bytes(gunzip(path.read_bytes()))
    return windowed(np.asarray(image.dataobj)[:, :, 64].T.astype(np.float32))


def windowed(plane: Array) -> Pixels:
    """Values in float32 to 8 bits."""
    plane -= np.float32(LOW)
    plane *= np.float32(255 / (HIGH - LOW))
    np.clip(plane, 0, 255, out=plane)
    return plane.astype(np.uint8)


def passed_on(path: Path) -> None:
    """A picture that is published as it is: decoded once to see that it can be, and hashed."""
    data = path.read_bytes()
    hashlib.sha256(data).hexdigest()
    with Image.open(io.BytesIO(data)) as picture:
        np.asarray(picture)


def published(path: Path, pixels: Pixels) -> None:
    """A picture that is encoded: Pillow's PNG at level 1; source and result hashed."""
    hashlib.sha256(path.read_bytes()).hexdigest()
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", compress_level=1)
    hashlib.sha256(stream.getvalue()).hexdigest()
