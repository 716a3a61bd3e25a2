"""Marked region: a region is drawn on the picture, and the question asks what it is; as a choice or open."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import ClassVar

from pydantic import Field

from converters.asking import Asker, Common
from converters.choosing import LETTERS, options_of, with_options
from converters.drawing import generator
from converters.geometry_words import Spot
from converters.kinship import related
from converters.marking import Style, marks, styles_of
from converters.region_to_text import ambiguous, spots_on
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction


class MarkedRegion:
    """Up to ``per_image`` questions for each image.

    The region fixes the answer, so every unrelated label of the dataset may stand beside it, and ``pool`` may add
    labels of other datasets of the same modality, task and granularity (the rule of GMAI-MMBench).
    """

    name: ClassVar[str] = "marked_region"

    class Options(Common):
        """Options."""

        per_image: int = Field(default=1, ge=1)
        styles: tuple[Style, ...] = ("box", "contour", "point")
        """How regions may be drawn; a region that allows none of them is passed over."""
        choice_share: float = Field(default=0.5, ge=0, le=1)
        choices: int = Field(default=4, ge=2, le=10)
        pool: list[str] = Field(default_factory=list)
        keep_clean: bool = False
        """Show the clean picture before the marked one."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions."""
        if not case.regions:
            return
        ask = Asker(case, context, self.name, self.options)
        for index in range(len(case.images)):
            seen = spots_on(case, index)
            order = generator(context.seed, ask.id(f"image{index}"), "regions").sample(list(seen), len(seen))
            fit = (number for number in order if self._styles(seen[number]) and not ambiguous(number, seen, case))
            for number in islice(fit, self.options.per_image):
                yield self._row(ask, index, number, seen[number])

    def _styles(self, seen: Spot) -> list[Style]:
        return [style for style in styles_of(seen) if style in self.options.styles]

    def _row(self, ask: Asker, index: int, number: int, seen: Spot) -> Instruction:
        label = ask.case.regions[number].label
        row = ask.id(f"image{index}/region{number}")
        styles = self._styles(seen)
        style = styles[ask.number(row, "style", len(styles))]
        clean = ask.case.images[index]
        marked = replace(clean, marks=clean.marks + marks(seen, clean.view, style))
        template, words = ask.draw(style, row), ask.words
        slots = ask.slots((index,)) | {"thing": words.phrase(label)}
        question, answer = template.fill(slots), ask.draw("answer", row).fill(slots)
        others = [name for name in [*regional(ask), *self.options.pool] if not related(name, label)]
        options: tuple[str, ...] = ()
        right = -1
        if others and ask.chance(row, "choice") < self.options.choice_share:
            options, right = options_of(ask, row, label, list(dict.fromkeys(others)), self.options.choices)
            question, answer = with_options(question, options, ask.language), LETTERS[right]
        return ask.row(
            row,
            "mcq" if options else "region_to_text",
            question,
            answer,
            images=(index,),
            template=template.id,
            facts=(f"regions[{number}]",),
            short=label,
            options=options,
            answer_index=right,
            regions=(replace(seen.place, image_index=int(self.options.keep_clean)),),
            labels=(label,),
            pictures=(clean, marked) if self.options.keep_clean else (marked,),
        )


def regional(ask: Asker) -> list[str]:
    """Labels that name regions: the whole map where the dataset has no image labels, else those seen on this case."""
    if ask.context.spec.label_kind == "none":
        return ask.context.spec.canonical()
    return list(dict.fromkeys(region.label for region in ask.case.regions))
