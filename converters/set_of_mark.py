"""Set of mark: several regions carry numbers; the question asks which number is what, or what a number is."""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from converters.asking import Asker, Common
from converters.geometry_words import Spot
from converters.marking import COLOURS, anchor, marks, number
from converters.region_to_text import ambiguous, spots_on
from schemas.case import Case, Mark
from schemas.context import Context
from schemas.identity import generator
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
            seen = spots_on(case, index)
            order = generator(context.seed, ask.id(f"image{index}"), "regions").sample(list(seen), len(seen))
            chosen = self._apart([name for name in order if not ambiguous(name, seen, case)], seen, image.view)
            if len({case.regions[region].label for region in chosen}) > 1:
                yield self._row(ask, index, chosen, seen)

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

    def _row(self, ask: Asker, index: int, chosen: list[int], seen: dict[int, Spot]) -> Instruction:
        row = ask.id(f"image{index}")
        clean, words = ask.case.images[index], ask.words
        drawn: tuple[Mark, ...] = clean.marks
        for place, region in enumerate(chosen):
            style = "contour" if seen[region].place.rle else "box"
            drawn += marks(seen[region], clean.view, style, COLOURS[place])  # type: ignore[arg-type]
            drawn += (number(seen[region], clean.view, str(place + 1), COLOURS[place]),)
        labels = [ask.case.regions[region].label for region in chosen]
        asked = ask.number(row, "asked", len(chosen))
        label = labels[asked]
        numbers = [str(place + 1) for place, name in enumerate(labels) if name == label]
        naming = ask.chance(row, "form") < 0.5
        which = "what" if naming else "which" if len(numbers) == 1 else "all"
        template = ask.draw(which, row)
        slots = ask.slots((index,)) | {
            "number": str(asked + 1),
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
            short=label if naming else ", ".join(numbers),
            regions=tuple(replace(seen[r].place, image_index=int(self.options.keep_clean)) for r in chosen),
            labels=tuple(dict.fromkeys(labels)),
            pictures=(clean, marked) if self.options.keep_clean else (marked,),
        )
