"""Marked region: a region is drawn on the picture, and the question asks what it is; as a choice or open."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import ClassVar

from converters.asking import Asker, PerImage
from converters.geometry_words import Spot
from converters.marking import Style, marks, styles_of
from converters.regional import RegionalChoices, asked
from converters.visible import clear_regions, within_box
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
            fit = ((number, seen) for number, seen in clear_regions(ask, index) if self._styles(seen))
            for number, seen in islice(fit, self.options.per_image):
                yield self._row(ask, index, number, seen)

    def _styles(self, seen: Spot) -> list[Style]:
        return [style for style in styles_of(seen) if style in self.options.styles]

    def _row(self, ask: Asker, index: int, number: int, seen: Spot) -> Instruction:
        label = ask.case.regions[number].label
        row = ask.about(f"image{index}/region{number}")
        styles = self._styles(seen)
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
