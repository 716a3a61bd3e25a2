"""Slice series: several slices of one volume, as pictures in patient order or as a montage; which of them show what."""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from converters.asking import Asker, Common
from converters.slice_stack import Stack, areas, described, faint, stacks
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction


class SliceSeries:
    """Up to ``per_stack`` questions for each stack of slices; the question says their order and their millimetres."""

    name: ClassVar[str] = "slice_series"

    class Options(Common):
        """Options."""

        per_stack: int = Field(default=2, ge=1)
        most: int = Field(default=8, ge=2)
        """Stacks of more pictures than this are not asked about; a montage may hold any number of slices."""
        margin: float = Field(default=1.2, ge=1)
        """The largest area must be this many times as large as the next."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions; none where the annotation is not complete."""
        if not case.complete_regions or not case.regions:
            return
        ask = Asker(case, context, self.name, self.options)
        for stack in stacks(case, self.options.most):
            variant = f"images{stack.images[0]}"
            clear = {
                label: found
                for label, found in areas(case, stack).items()
                if not any(faint(area, view) for area, view in zip(found[0], stack.views, strict=True))
            }
            asked = [(way, label) for label, (line, _) in clear.items() for way in self._ways(line)]
            order = ask.generator(variant, "asked")
            for way, label in order.sample(asked, min(self.options.per_stack, len(asked))):
                yield self._row(ask, stack, way, label, *clear[label])

    def _ways(self, line: list[float]) -> Iterator[str]:
        """``which`` where some slices show it and some do not, ``largest`` where one clearly shows most of it."""
        first, second = sorted(line, reverse=True)[:2]
        if min(line) == 0 < first:
            yield "which"
        if second > 0 and first >= self.options.margin * second:
            yield "largest"

    def _row(
        self, ask: Asker, stack: Stack, way: str, label: str, line: list[float], regions: list[int]
    ) -> Instruction:
        row = ask.about(f"images{stack.images[0]}/{way}/{label}")
        chosen = [at for at, area in enumerate(line) if area > 0] if way == "which" else [line.index(max(line))]
        numbers = ", ".join(str(at + 1) for at in chosen)
        short = ask.table.fixed("short_several" if chosen[1:] else "short", ask.language).fill({"numbers": numbers})
        template = ask.draw(way, row)
        slots = {"thing": ask.words.definite(label), "be": ask.words.be(label)}
        slots |= {"numbers": ask.words.listed([str(at + 1) for at in chosen])}
        return ask.row(
            row,
            "open",
            ask.words.SPACE.join([described(ask, stack), template.fill(slots)]),
            ask.draw(f"{way}_answer", row).fill(slots),
            images=stack.images,
            template=template.id,
            facts=tuple(f"regions[{number}]" for number in regions),
            short=short,
            labels=(label,),
        )
