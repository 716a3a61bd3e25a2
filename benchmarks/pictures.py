"""Generated JPEGs with labels, in class folders: texture, ellipses and noise, all different, about 44 kB each."""

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

LABELS = ("eosinophil", "lymphocyte", "monocyte", "neutrophil")
SIZE = 512


def make_pictures(folder: Path, count: int, seed: int = 0) -> int:
    """Write ``count`` JPEGs of 512x512 into ``folder/<label>/``; returns their bytes.  What is there is kept."""
    random = np.random.default_rng(seed)
    textures = [_texture(random) for _ in range(16)]
    total = 0
    for number in range(count):
        path = folder / LABELS[number % len(LABELS)] / f"{number:06d}.jpg"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_jpeg(textures, np.random.default_rng([seed, number])))
        total += path.stat().st_size
    return total


def _texture(random: np.random.Generator) -> npt.NDArray[np.float32]:
    """1/f noise, as tissue has, between 0 and 1."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(SIZE), np.fft.rfftfreq(SIZE), indexing="ij"))
    phase = np.exp(2j * np.pi * random.random(frequency.shape))
    field = np.fft.irfft2(phase / np.maximum(frequency, 1 / SIZE), s=(SIZE, SIZE))
    scaled: npt.NDArray[np.float32] = ((field - field.min()) / (field.max() - field.min())).astype(np.float32)
    return scaled


def _jpeg(textures: list[npt.NDArray[np.float32]], random: np.random.Generator) -> bytes:
    plane = np.roll(textures[random.integers(len(textures))], random.integers(0, SIZE, 2), (0, 1))
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    for _ in range(6):
        cy, cx, ry, rx = random.integers(40, SIZE - 40, 2).tolist() + random.integers(15, 60, 2).tolist()
        plane = np.where(((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1, plane * 0.5 + 0.1, plane)
    noisy = plane * 220 + random.normal(0, 2.5, plane.shape)
    colour = np.stack([noisy, noisy * 0.7 + 30, noisy * 0.8 + 40], axis=-1).clip(0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(colour).save(stream, "JPEG", quality=70)
    return stream.getvalue()
