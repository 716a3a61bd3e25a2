"""Copies of real pictures: what their look tells and what it does not, as docs/gates.md says."""

from pathlib import Path

import pytest

from benchmarks.looks import CHANGES, SHOWN, Pixels, ct_slices, found, pictures, windowed
from quality.release_options import NearDuplicatesOptions

RADIUS = NearDuplicatesOptions().radius


@pytest.fixture(scope="module")
def originals(shared_data: Path) -> list[Pixels]:
    """The smaller ones of the first four pictures of each source."""
    return [one for one in pictures(each=4) if one.size < 2_000_000]


@pytest.mark.parametrize(
    ("change", "least", "most"),
    [
        ("JPEG of quality 50", 0.9, 1),
        ("half the size", 0.9, 1),
        ("twice the size", 1, 1),
        ("30 levels brighter", 0.9, 1),
        ("5 % cut off each edge", 0, 0.2),
        ("inverted", 0, 0),
    ],
)
def test_share_of_copies_found(originals: list[Pixels], change: str, least: float, most: float) -> None:
    pairs = [(one, CHANGES[change](one)) for one in originals]
    assert least <= found(pairs, RADIUS) <= most


def test_a_slice_of_ct_looks_the_same_in_near_windows_only(shared_data: Path) -> None:
    slices = list(ct_slices())[::10]
    for name, wide, share in (("abdomen", RADIUS, 1.0), ("lung", RADIUS, 0.0)):
        assert found([(windowed(one, SHOWN), windowed(one, name)) for one in slices], wide) == share
