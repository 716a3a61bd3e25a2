"""The PNG writer and the facts about pixels."""

import io

import imagehash
import numpy as np
import pytest
from PIL import Image

from readers.pixels.encode import encode_png, facts, png_bytes

RNG = np.random.default_rng(5)
RAMP = np.add.outer(np.arange(90), np.arange(70)).astype(np.uint8)
PICTURES = [
    RAMP,
    np.dstack([RAMP, RAMP.T[:1].repeat(90, 0)[:, :70], 255 - RAMP]),
    RNG.integers(0, 256, (33, 47), dtype=np.uint8),
    RNG.integers(0, 256, (1, 1, 3), dtype=np.uint8),
    np.zeros((40, 50), np.uint8),
]


@pytest.mark.parametrize("array", PICTURES)
def test_png_gives_the_same_pixels_back(array):
    with Image.open(io.BytesIO(png_bytes(array))) as picture:
        assert (np.asarray(picture) == array).all()


@pytest.mark.parametrize("array", PICTURES)
def test_perceptual_hash_is_that_of_imagehash(array):
    assert facts(array).phash == int(str(imagehash.phash(Image.fromarray(array))), 16)


def test_perceptual_hash_of_a_large_picture_is_at_most_two_bits_from_imagehash(shared_data):
    for path in sorted(shared_data.glob("vqa_rad/*/*.jpg"))[:20]:
        luma = Image.open(path).convert("L")
        assert (facts(np.asarray(luma)).phash ^ int(str(imagehash.phash(luma)), 16)).bit_count() <= 2


def test_statistics_are_of_the_luma():
    grey = np.array([[0, 10], [20, 30]], np.uint8)
    known = facts(grey)
    assert (known.minimum, known.maximum, known.mean) == (0, 30, 15)
    assert known.std == pytest.approx(125**0.5)
    red = np.full((2, 2, 3), (255, 0, 0), np.uint8)
    assert facts(red).mean == 76  # 0.299 * 255 rounded


def test_digest_tells_mode_size_and_pixels_apart():
    grey = np.zeros((2, 6), np.uint8)
    others = [grey.reshape(6, 2), np.zeros((2, 2, 3), np.uint8), grey + 1]
    assert len({facts(array).pixel_digest for array in [grey, *others]}) == 4
    assert facts(grey).pixel_digest == facts(np.zeros((4, 12), np.uint8)[::2, ::2]).pixel_digest


def test_encode_png_reports_what_it_wrote():
    done = encode_png(RAMP, ("ab",))
    assert (done.width, done.height, done.media_type, done.source_sha256) == (70, 90, "image/png", ("ab",))


def test_other_arrays_are_refused():
    with pytest.raises(TypeError):
        png_bytes(np.zeros((2, 2), np.uint16))
    with pytest.raises(TypeError):
        png_bytes(np.zeros((2, 2, 4), np.uint8))


def test_luma_of_a_large_picture_is_whole_number_arithmetic_on_every_second_row():
    picture = RNG.integers(0, 256, (600, 40, 3), dtype=np.uint8)
    red, green, blue = np.moveaxis(picture[::2].astype(int), -1, 0)
    luma = (9798 * red + 19235 * green + 3735 * blue + 16384) >> 15
    known = facts(picture)
    assert (known.minimum, known.maximum) == (luma.min(), luma.max())
    assert known.mean == pytest.approx(luma.mean(), abs=1e-9)
    assert known.std == pytest.approx(luma.std(), abs=1e-9)
