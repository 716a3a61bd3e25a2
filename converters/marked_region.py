"""Marked region: a region is drawn on the picture, and the question asks what it is; as a choice or open."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import ClassVar

from converters.asking import Asker, PerImage
from converters.cutout import cutout
from converters.geometry_words import Spot
from converters.marking import Style, anchor, marks, styles_of
from converters.regional import RegionalChoices, asked
from converters.visible import clear_regions, every_spot, within_box
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction


class MarkedRegionOptions(PerImage, RegionalChoices):
    """Options."""

    styles: tuple[Style, ...] = ("box", "contour", "point")
    """How regions may be drawn; a region that allows none of them is passed over."""
    keep_clean: bool = False
    """Show the clean picture before the marked one."""


class MarkedRegion:
    """Up to ``per_image`` questions for each image."""

    name: ClassVar[str] = "marked_region"
    Options = MarkedRegionOptions

    def __init__(self, options: MarkedRegionOptions) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions."""
        if not case.regions:
            return
        ask = Asker(case, context, self.name, self.options)
        for index in range(len(case.images)):
            fit = ((number, seen) for number, seen in clear_regions(ask, index) if self._styles(case, index, seen))
            for number, seen in islice(fit, self.options.per_image):
                yield self._row(ask, index, number, seen)

    def _styles(self, case: Case, index: int, seen: Spot) -> list[Style]:
        """How the region may be drawn; a point in a lung that lies on its nodule marks the nodule."""
        styles = [style for style in styles_of(seen) if style in self.options.styles]
        if "point" in styles and _covered(case, index, seen):
            styles.remove("point")
        return styles

    def _row(self, ask: Asker, index: int, number: int, seen: Spot) -> Instruction:
        label = ask.case.regions[number].label
        row = ask.about(f"image{index}/region{number}")
        styles = self._styles(ask.case, index, seen)
        style = styles[row.randrange(len(styles))]
        clean = ask.case.images[index]
        marked = replace(clean, marks=clean.marks + marks(seen, clean.view, style))
        template, words = ask.draw(style, row), ask.words
        slots = ask.slots((index,)) | {"thing": words.phrase(label)}
        held = within_box(ask.case, index, number) if style == "box" else frozenset[str]()
        said = ask.draw("answer", row).fill(slots)
        made = asked(ask, row, label, template.fill(slots), said, self.options, held)
        return ask.row(
            row,
            made.task,
            made.question,
            made.said,
            images=(index,),
            template=template.id,
            facts=(f"regions[{number}]",),
            short=made.short,
            options=made.options,
            answer_index=made.index,
            regions=(replace(seen.place, image_index=1) if self.options.keep_clean else seen.place,),
            labels=(label,),
            pictures=(clean, marked) if self.options.keep_clean else (marked,),
        )


def _covered(case: Case, index: int, seen: Spot) -> bool:
    """Whether something smaller lies at the point that would mark the region."""
    view = case.images[index].view
    x, y = anchor(seen, view)
    smaller = (other for other in every_spot(case, index).values() if other.share < seen.share)
    return any(_holds(other, x, y, x / view.width, y / view.height) for other in smaller)


def _holds(seen: Spot, x: float, y: float, across: float, down: float) -> bool:
    """Whether a region holds a point, given in pixels of the view and as fractions: by its mask, else by its box."""
    x0, y0, x1, y1 = seen.place.box
    boxed = x0 <= across < x1 and y0 <= down < y1
    if not boxed or not seen.place.rle:
        return boxed
    mask, left, top = cutout(seen.place)
    return bool(mask[int(y) - top, int(x) - left])
