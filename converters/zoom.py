"""Zoom: a crop around a region is shown beside the whole picture, with its place in the whole."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from math import ceil, floor
from typing import ClassVar

import numpy as np
from pydantic import Field

from converters.asking import Asker, PerImage
from converters.boxes import BoxStyle, box_note, numbers
from converters.cutout import Edges, within
from converters.geometry_words import Spot, spot
from converters.visible import clear_regions, spots_on
from schemas.case import Case, Region
from schemas.context import Context
from schemas.instruction import Instruction, Place
from schemas.view import Box, View

_NOTICED = 0.02
"""Share of a crop that must be covered by something else for it to be what is asked about."""


class Zoom:
    """Up to ``per_image`` questions for each image: what the crop shows, or where in the whole it lies."""

    name: ClassVar[str] = "zoom"

    class Options(PerImage):
        """Options."""

        margin: float = Field(default=0.25, ge=0)
        """Added on each side, as part of the region's width and height."""
        smallest: int = Field(default=32, ge=1)
        """The crop's least width and height in view pixels."""
        enlarge: int = Field(default=224, ge=0)
        """Crops are enlarged by a whole factor to at least this many pixels; 0 leaves them."""
        largest_share: float = Field(default=0.25, gt=0, le=1)
        """Regions that cover more of the picture need no zoom."""
        box: BoxStyle = "fraction"

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions."""
        if not case.regions:
            return
        ask = Asker(case, context, self.name, self.options)
        for index, image in enumerate(case.images):
            clear = clear_regions(ask, index)
            cropped = ((region, seen, self._crop(seen, image.view)) for region, seen in clear)
            fit = (found for found in cropped if self._fits(case, found[0], found[2], index))
            for region, seen, crop in islice(fit, self.options.per_image):
                yield self._row(ask, index, region, seen, crop)

    def _fits(self, case: Case, region: int, crop: Edges, index: int) -> bool:
        """Whether the region is the only thing whose name the crop could be asked for."""
        view = case.images[index].view
        if (crop[2] - crop[0]) * (crop[3] - crop[1]) > self.options.largest_share * view.width * view.height:
            return False
        label, window = case.regions[region].label, view.normalised(crop)
        near = (
            (other, there)
            for other, there in spots_on(case, index).items()
            if case.regions[other].label != label and _meets(there.place.box, window)
        )
        return not any(_share(case.regions[other], there, view, crop) > _NOTICED for other, there in near)

    def _crop(self, seen: Spot, view: View) -> Edges:
        """The crop in whole view pixels, inside the view."""
        edges = []
        for axis, side in ((0, view.width), (1, view.height)):
            low, high = seen.place.box[axis] * side, seen.place.box[axis + 2] * side
            half = max((high - low) * (0.5 + self.options.margin), self.options.smallest / 2)
            middle = (low + high) / 2
            edges.append((max(floor(middle - half), 0), min(ceil(middle + half), side)))
        return edges[0][0], edges[1][0], edges[0][1], edges[1][1]

    def _row(self, ask: Asker, index: int, region: int, seen: Spot, crop: Edges) -> Instruction:
        label = ask.case.regions[region].label
        row = ask.about(f"image{index}/region{region}")
        whole, words = ask.case.images[index], ask.words
        view = whole.view.cropped(crop)
        factor = ceil(self.options.enlarge / min(view.width, view.height))
        if factor > 1:
            view = view.resized(view.width * factor, view.height * factor)
        window = Place(label, "box", whole.view.normalised(crop))
        naming = row.chance() < 0.5
        template = ask.draw("what" if naming else "where", row)
        slots = ask.slots((index,)) | {
            "thing": words.phrase(label),
            "box": numbers(window, self.options.box, whole.view),
        }
        return ask.row(
            row,
            "region_to_text" if naming else "text_to_region",
            words.SPACE.join([template.fill(slots), box_note(ask, self.options.box, named=False)]),
            ask.draw("answer_what" if naming else "answer_where", row).fill(slots),
            images=(index,),
            template=template.id,
            facts=(f"regions[{region}]",),
            short=words.name(label) if naming else slots["box"],
            regions=(seen.place, Place("crop", "box", window.box)),
            labels=(label,),
            pictures=(whole, replace(whole, view=view)),
        )


def _share(region: Region, there: Spot, view: View, crop: Edges) -> float:
    """How much of a crop another region covers, 0..1: its mask's pixels, else its box."""
    if there.place.rle:
        mask = within(there.place, crop)
        return float(np.count_nonzero(mask) / mask.size)
    if there.place.kind == "contour":
        seen = spot(region, view.cropped(crop))
        return seen.share if seen else 0.0
    x0, y0, x1, y1 = view.normalised(crop)
    u0, v0, u1, v1 = there.place.box
    return max(min(x1, u1) - max(x0, u0), 0) * max(min(y1, v1) - max(y0, v0), 0) / ((x1 - x0) * (y1 - y0))


def _meets(one: Box, other: Box) -> bool:
    """Whether two boxes share anything."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
