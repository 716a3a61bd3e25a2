"""Gate: every region lies on its picture, is not empty, and its mask has the picture's size."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from pydantic import Field

from quality.base import GateOptions, refuse
from quality.rle import measure
from schemas.case import Case
from schemas.context import Context
from schemas.findings import Finding
from schemas.instruction import Instruction, Place
from schemas.rendered import Rendered


class RegionsOptions(GateOptions):
    """How exact a region must be."""

    tolerance: float = Field(default=1e-6, ge=0, le=0.1)
    """How far a coordinate may lie outside 0..1: rounding of the geometry, not of the annotation."""
    box_slack: float = Field(default=1.0, ge=0)
    """Picture pixels by which a mask's own box may differ from the region's box (a resize rounds by up to one)."""
    min_side: float = Field(default=0.0, ge=0)
    """Smallest side of a box in picture pixels; 0 asks only that it is not empty.  Ours."""


class Regions:
    """Refuses rows whose regions cannot be drawn on the published picture.

    Codes: ``region_image_index``, ``region_unordered``, ``region_outside``, ``region_empty``, ``region_small``,
    ``region_point_outside``, ``region_without_mask``, ``region_mask_size``, ``region_mask_broken``,
    ``region_mask_empty``, ``region_box_off_mask``.  Source: FIELD.md section 19 "mask".
    """

    name: ClassVar[str] = "regions"
    Options: ClassVar[type[GateOptions]] = RegionsOptions

    def __init__(self, options: RegionsOptions) -> None:
        self.options = options

    def check(self, row: Instruction, case: Case, pictures: Sequence[Rendered], context: Context) -> Iterator[Finding]:
        """Look at every region of the row."""
        for number, place in enumerate(row.regions):
            if not 0 <= place.image_index < len(pictures):
                yield refuse(
                    "region_image_index",
                    f"region {number} is on picture {place.image_index}, but the row has {len(pictures)}",
                )
                continue
            picture = pictures[place.image_index]
            yield from self._box(number, place, picture)
            if place.kind == "mask" or place.rle:
                yield from self._mask(number, place, picture)

    def _box(self, number: int, place: Place, picture: Rendered) -> Iterator[Finding]:
        x0, y0, x1, y1 = place.box
        low, high = -self.options.tolerance, 1 + self.options.tolerance
        # Written so that NaN, which compares false with everything, is refused too.
        if not (low <= x0 <= high and low <= x1 <= high and low <= y0 <= high and low <= y1 <= high):
            yield refuse("region_outside", f"region {number}: its box leaves the picture")
        elif x1 < x0 or y1 < y0:
            yield refuse("region_unordered", f"region {number}: its box is not x0 <= x1 and y0 <= y1")
        elif place.kind != "point":
            side = min((x1 - x0) * picture.width, (y1 - y0) * picture.height)
            if side <= 0:
                yield refuse("region_empty", f"region {number}: its box has no area")
            elif side < self.options.min_side - 1e-6:
                limit = self.options.min_side
                yield refuse("region_small", f"region {number}: a side of {side:.1f} pixels is below {limit:g}")
        if not all(low <= value <= high for value in place.points):
            yield refuse("region_point_outside", f"region {number}: one of its points leaves the picture")

    def _mask(self, number: int, place: Place, picture: Rendered) -> Iterator[Finding]:
        if not place.rle:
            yield refuse("region_without_mask", f"region {number} is a mask without run lengths")
            return
        if place.size != (picture.height, picture.width):
            (height, width), seen = place.size, f"{picture.width} x {picture.height}"
            yield refuse(
                "region_mask_size", f"region {number}: its mask is {width} x {height}, but the picture is {seen}"
            )
            return
        measured = measure(place.rle, *place.size)
        if measured is None:
            yield refuse("region_mask_broken", f"region {number}: its run lengths do not fill the mask")
        elif measured[0] == 0:
            yield refuse("region_mask_empty", f"region {number}: its mask covers nothing")
        elif self._off(measured[1], place, picture):
            yield refuse("region_box_off_mask", f"region {number}: its box is not the one around its mask")

    def _off(self, tight: tuple[float, float, float, float], place: Place, picture: Rendered) -> bool:
        scale = (picture.width, picture.height, picture.width, picture.height)
        slack = self.options.box_slack + 1e-6
        return any(abs(a - b * side) > slack for a, b, side in zip(tight, place.box, scale, strict=True))
