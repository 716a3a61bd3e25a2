"""Files for the readers' benchmark: pictures, slices and volumes with the texture of tissue."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SIDE = 512
Maker = Callable[[Path, int], None]


def _plane(number: int, channels: int = 1) -> np.ndarray[Any, np.dtype[np.float64]]:
    """1/f noise, as tissue has, 0..1."""
    random = np.random.default_rng(number)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(SIDE), np.fft.rfftfreq(SIDE), indexing="ij"))
    planes = []
    for _ in range(channels):
        phase = np.exp(2j * np.pi * random.random(frequency.shape))
        field = np.fft.irfft2(phase / np.maximum(frequency, 1 / SIDE), s=(SIDE, SIDE))
        planes.append((field - field.min()) / (field.max() - field.min()))
    return np.stack(planes, -1) if channels > 1 else planes[0]


def pictures(kind: str, channels: int) -> Maker:
    """Writes 8-bit pictures; JPEG of quality 85."""

    def make(folder: Path, number: int) -> None:
        pixels = (_plane(number, channels) * 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:04}.{kind}", quality=85)

    return make


def slices(compressed: bool, series: bool = False) -> Maker:
    """Writes 16-bit slices, 512x512, in the header of a real CT with its 258 attributes."""

    def make(folder: Path, number: int) -> None:
        import pydicom
        from pydicom.data import get_testdata_file
        from pydicom.uid import JPEG2000Lossless, generate_uid

        data = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")))
        data.SOPInstanceUID = generate_uid(entropy_srcs=[str(number)])
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
        data.SeriesInstanceUID = generate_uid(entropy_srcs=["series", "" if series else str(number)])
        data.ImagePositionPatient = [0, 0, 2 * number]
        data.Rows = data.Columns = SIDE
        data.WindowCenter, data.WindowWidth = 40, 400
        pixels = (_plane(number) * 2000).astype(np.int16)
        data.PixelData = pixels.tobytes()
        if compressed:
            data.compress(JPEG2000Lossless, pixels)
        data.save_as(folder / f"{number:04}.dcm")

    return make


def volume(folder: Path, number: int) -> None:
    """Writes a packed NIfTI of 128x128x128 16-bit voxels."""
    import nibabel

    nib: Any = nibabel
    volume = np.random.default_rng(number).integers(0, 60, (128, 128, 128)).astype(np.int16)
    volume[30:90, 30:90, 30:90] += 100
    nib.save(nib.Nifti1Image(volume, np.eye(4)), folder / f"{number:04}.nii.gz")
