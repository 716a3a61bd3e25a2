"""Referring segmentation: a name, or a name with its place, is given; the mask is the target."""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from converters.asking import Asker, PerImage
from converters.geometry_words import Spot, sure, where
from converters.singles import drawn_singles
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction


class ReferringSegmentation:
    """Up to ``per_image`` rows for each image; the mask stands in ``regions``, the answer holds ``token`` for it."""

    name: ClassVar[str] = "referring_segmentation"

    class Options(PerImage):
        """Options."""

        per_image: int = Field(default=2, ge=1)
        token: str = Field(default="[SEG]", min_length=1)
        """What stands for the mask in the answer."""
        place_share: float = Field(default=0.3, ge=0, le=1)
        """Share of rows whose expression also says where the region lies."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the rows."""
        if not any(region.kind == "mask" for region in case.regions):
            return
        ask = Asker(case, context, self.name, self.options)
        for index in range(len(case.images)):
            for label, number, seen in drawn_singles(ask, index, self.options.per_image, _drawn):
                yield self._row(ask, index, label, number, seen)

    def _row(self, ask: Asker, index: int, label: str, number: int, seen: Spot) -> Instruction:
        row = ask.about(f"image{index}/{label}")
        words = ask.words
        place = where(seen, ask.case.images[index].view)
        placed = sure(seen) and row.chance() < self.options.place_share
        slots = ask.slots((index,)) | {
            "thing": words.definite(label),
            "be": words.be(label),
            "place": words.location(place.codes, place.patient, place.wide),
            "token": self.options.token,
        }
        template = ask.draw("placed" if placed else "ask", row)
        return ask.row(
            row,
            "referring_segmentation",
            template.fill(slots),
            ask.draw("answer", row).fill(slots),
            images=(index,),
            template=template.id,
            facts=(f"regions[{number}]",),
            short=words.name(label),
            regions=(seen.place,),
            labels=(label,),
        )


def _drawn(seen: Spot) -> bool:
    """Whether there is a mask to segment."""
    return bool(seen.place.rle)
