"""A region painted over: exactly its pixels are tinted, holes and parts included, and the question says so."""

import numpy as np
import pytest

from converters.marked_region import MarkedRegion
from converters.marking import styles_of
from converters.outline import outlines
from readers.pixels.marks import draw
from schemas.case import Mark


def painted(mask: np.ndarray) -> np.ndarray:
    """A grey of 100 with the mask in red over it."""
    loops = outlines(mask)
    mark = Mark("mask", tuple(value for path in loops for value in (*path, *path[:2])))
    return draw(np.full(mask.shape, 100, np.uint8), (mark,))


def test_a_ring_keeps_its_hole() -> None:
    ring = np.ones((5, 5), bool)
    ring[2, 2] = False
    got = painted(ring)
    assert got[2, 2].tolist() == [100, 100, 100]
    assert got[0, 0].tolist() == got[2, 1].tolist() == [162, 60, 60]  # 0.6 * 100 + 0.4 * (255, 0, 0)


@pytest.mark.parametrize("seed", range(40))
def test_any_mask_is_painted_exactly(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random(rng.integers(1, 14, 2)) < 0.5
    mask[0, 0] = True
    assert ((painted(mask) == [162, 60, 60]).all(axis=-1) == mask).all()


def test_only_masks_can_be_painted_and_only_where_the_recipe_says() -> None:
    from types import SimpleNamespace

    def seen(kind: str, rle: str = "") -> SimpleNamespace:
        return SimpleNamespace(place=SimpleNamespace(kind=kind, rle=rle))

    assert [styles_of(seen(kind, rle))[-1] for kind, rle in (("mask", "x"), ("contour", ""), ("box", ""))] == [  # type: ignore[arg-type]
        "mask", "point", "box",
    ]  # fmt: skip
    assert "mask" not in MarkedRegion.Options().styles
