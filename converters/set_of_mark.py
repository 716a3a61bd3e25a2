"""Set of mark: several regions carry numbers; the question asks which number is what, or what a number is."""

from collections.abc import Iterator
from dataclasses import replace
from math import ceil
from typing import ClassVar

from pydantic import Field

from converters.asking import Asker, Common
from converters.geometry_words import Spot, spot
from converters.marking import COLOURS, anchor, marks, number
from converters.visible import clear_regions, spots_on
from schemas.case import Case, ImageRef, Mark
from schemas.context import Context
from schemas.instruction import Instruction
from schemas.view import View


class SetOfMark:
    """One question for each image with at least two regions that can be numbered apart."""

    name: ClassVar[str] = "set_of_mark"

    class Options(Common):
        """Options."""

        most: int = Field(default=6, ge=2, le=9)
        """At most so many numbers on a picture."""
        apart: float = Field(default=24, ge=1)
        """Numbers are at least this many pixels apart."""
        shorter: int = Field(default=300, ge=1)
        """Smaller pictures are enlarged by a whole factor until their shorter side has this many pixels."""
        keep_clean: bool = False
        """Show the clean picture before the marked one."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions."""
        if len(case.regions) < 2:
            return
        ask = Asker(case, context, self.name, self.options)
        for index, image in enumerate(case.images):
            shown = self._large(image)
            seen = spots_on(case, index) if shown is image else _spots(case, index, shown.view)
            order = [region for region, _ in clear_regions(ask, index) if region in seen]
            chosen = self._apart(order, seen, shown.view)
            if len({case.regions[region].label for region in chosen}) > 1:
                yield self._row(ask, index, shown, chosen, seen)

    def _large(self, image: ImageRef) -> ImageRef:
        """The picture, enlarged by a whole factor where numbers would hide what they mark."""
        view = image.view
        factor = ceil(self.options.shorter / min(view.width, view.height))
        return image if factor < 2 else replace(image, view=view.resized(view.width * factor, view.height * factor))

    def _apart(self, order: list[int], seen: dict[int, Spot], view: View) -> list[int]:
        kept: list[int] = []
        points: list[tuple[float, float]] = []
        for region in order:
            x, y = anchor(seen[region], view)
            if all(abs(x - u) + abs(y - v) >= self.options.apart for u, v in points):
                kept.append(region)
                points.append((x, y))
            if len(kept) == self.options.most:
                break
        return kept

    def _row(self, ask: Asker, index: int, clean: ImageRef, chosen: list[int], seen: dict[int, Spot]) -> Instruction:
        row = ask.about(f"image{index}")
        words = ask.words
        drawn: tuple[Mark, ...] = clean.marks
        for place, region in enumerate(chosen):
            style = "contour" if seen[region].place.rle else "box"
            drawn += marks(seen[region], clean.view, style, COLOURS[place])  # type: ignore[arg-type]
            drawn += (number(seen[region], clean.view, str(place + 1), COLOURS[place]),)
        labels = [ask.case.regions[region].label for region in chosen]
        asked = row.randrange(len(chosen))
        label = labels[asked]
        numbers = [str(place + 1) for place, name in enumerate(labels) if name == label]
        naming = row.chance() < 0.5
        which = "what" if naming else "which" if len(numbers) == 1 else "all"
        template = ask.draw(which, row)
        slots = ask.slots((index,)) | {
            "number": str(asked + 1),
            "be": words.be(label),
            "thing": words.definite(label) if len(numbers) == 1 and ask.case.complete_regions else words.phrase(label),
            "things": words.plural(label),
            "named": words.phrase(label),
            "numbers": words.listed(numbers),
        }
        marked = replace(clean, marks=drawn)
        return ask.row(
            row,
            "region_to_text" if naming else "text_to_region",
            template.fill(slots),
            ask.draw(f"answer_{which}", row).fill(slots),
            images=(index,),
            template=template.id,
            facts=tuple(f"regions[{region}]" for region in chosen),
            short=words.name(label) if naming else ", ".join(numbers),
            regions=tuple(
                replace(seen[region].place, image_index=1) if self.options.keep_clean else seen[region].place
                for region in chosen
            ),
            labels=tuple(dict.fromkeys(labels)),
            pictures=(clean, marked) if self.options.keep_clean else (marked,),
        )


def _spots(case: Case, index: int, view: View) -> dict[int, Spot]:
    """The regions that can be seen on one image, on another view of it."""
    found = {number: spot(case.regions[number], view) for number in spots_on(case, index)}
    return {number: seen for number, seen in found.items() if seen is not None}
