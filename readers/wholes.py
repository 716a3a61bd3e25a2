"""Organs made whole: the regions of a structure's parts and lesions united under its own name.

Segmentation sets often mark only parts (left kidney, right kidney, kidney tumour), or the organ without its lesion.
SAT's rule makes a parent anatomically complete: kidney is left and right kidney, tumour and cyst together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from readers.base import Item, Reader, Refusal
from schemas.case import Case, Label, Region
from schemas.errors import UserError
from schemas.masks import mask_region, source_mask
from schemas.spec import DatasetSpec
from schemas.taxonomy import labels, parts, propose


class Wholes:
    """A reader whose cases have the wholes of ``spec.wholes`` too."""

    def __init__(self, reader: Reader, spec: DatasetSpec) -> None:
        self._reader = reader
        self._wholes = tuple(spec.wholes)
        for name in self._wholes:
            if name not in labels():
                near = " or ".join(repr(each) for each in propose(name))
                raise UserError(
                    f"{spec.name}: wholes has {name!r}, which is no canonical label{near and '; write '}{near}"
                )
            if not parts(name):
                raise UserError(f"{spec.name}: wholes has {name!r}, of which the taxonomy knows no parts")

    def items(self) -> Iterator[Item | Refusal]:
        """See `Reader.items`."""
        return self._reader.items()

    def read(self, item: Item) -> Case:
        """See `Reader.read`."""
        return with_wholes(self._reader.read(item), self._wholes)


def with_wholes(case: Case, names: Sequence[str]) -> Case:
    """The case with one mask for each of ``names`` on each image that marks it or any of its parts.

    Masks of the whole itself are replaced by the union; the parts stay.  Regions that are no masks, and regions in
    space, stay as they are: boxes do not add up to a shape.  A whole is present where any of its parts is.
    """
    regions, stated = list(case.regions), list(case.labels)
    for name in names:
        kin = {name, *parts(name)}
        own = [region for region in regions if region.kind == "mask" and region.label in kin]
        united = [_united(name, [r for r in own if r.image_index == index]) for index in _images(own)]
        regions = [region for region in regions if not (region.kind == "mask" and region.label == name)]
        regions += [region for region in united if region is not None]
        present = own or any(label.name in kin and label.polarity == "present" for label in stated)
        if present and not any(label.name == name and label.polarity == "present" for label in stated):
            stated = [label for label in stated if label.name != name] + [Label(name, name)]
    return replace(case, regions=tuple(regions), labels=tuple(stated))


def _images(regions: Sequence[Region]) -> list[int]:
    return sorted({region.image_index for region in regions})


def _united(name: str, regions: Sequence[Region]) -> Region | None:
    mask = np.logical_or.reduce([source_mask(region) for region in regions])
    # Without an instance: the union may be two kidneys, and is not counted as one.
    return mask_region(mask, name, name, regions[0].image_index)
