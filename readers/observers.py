"""Several people marked one image: their marks kept apart, or brought to one by a stated rule."""

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np

from readers.boxes import mean_box, overlap
from schemas.case import Region
from schemas.masks import mask_region, source_mask

Agreement = Literal["apart", "any", "majority", "all"]
"""``apart``: every observer's marks are regions of their own, so nothing is known of counts; ``any``, ``majority``
(more than half) and ``all``: one mark where so many of the image's observers marked it."""

SAME = 0.5
"""Boxes of two observers mean one object where they overlap (intersection over union) at least so much: the bar that
VOC set for a hit."""


def needed(agreement: Agreement, observers: int) -> int:
    """How many observers of an image must agree."""
    return {"apart": 1, "any": 1, "majority": observers // 2 + 1, "all": observers}[agreement]


def agreed_masks(marked: Iterable[tuple[str, Region]], observers: int, agreement: Agreement) -> list[Region]:
    """Masks of ``(object, region)`` where enough of the observers marked the same label and object; pixel by pixel.

    An observer whose mask of an object is empty has voted against it.
    """
    votes: dict[tuple[str, str, int, str], list[Region]] = {}
    for instance, region in marked:
        votes.setdefault((region.label, region.original, region.image_index, instance), []).append(region)
    found = []
    for (label, word, index, instance), regions in votes.items():
        count = np.sum([source_mask(region).astype(np.uint8) for region in regions], axis=0)
        found.append(mask_region(count >= needed(agreement, observers), label, word, index, instance))
    return [region for region in found if region is not None]


def agreed_boxes(marked: Sequence[tuple[str, Region]], observers: int, agreement: Agreement) -> list[Region]:
    """The mean box of every object that enough observers marked; ``marked`` holds ``(observer, region)``.

    Boxes of one label are one object where each overlaps the first by `SAME`; one observer counts once.
    """
    groups: list[list[tuple[str, Region]]] = []
    for observer, region in marked:
        home = next((group for group in groups if _same(group, observer, region)), None)
        if home is None:
            groups.append([(observer, region)])
        else:
            home.append((observer, region))
    found = []
    for group in groups:
        first = group[0][1]
        if len(group) >= needed(agreement, observers):
            box = mean_box([region.box for _, region in group])
            found.append(Region(first.label, first.original, "box", first.image_index, box))
    return found


def _same(group: list[tuple[str, Region]], observer: str, region: Region) -> bool:
    first = group[0][1]
    alike = (first.label, first.image_index) == (region.label, region.image_index)
    return alike and observer not in [who for who, _ in group] and overlap(first.box, region.box) >= SAME
