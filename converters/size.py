"""Size: how big a region is on the picture, in millimetres where the spacing is known, else as its share."""

from collections.abc import Iterator
from typing import ClassVar

from converters.asking import Asker, PerImage
from converters.geometry_words import Spot, cut_off, millimetres
from converters.singles import drawn_singles
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction


class Size:
    """Up to ``per_image`` questions for each image, about regions that lie wholly on it.

    Shares are told of masks and contours only: a box is not covered by what it holds.
    """

    name: ClassVar[str] = "size"

    class Options(PerImage):
        """Options."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions."""
        if not case.regions:
            return
        ask = Asker(case, context, self.name, self.options)
        for index, image in enumerate(case.images):
            measurable = _spaced if min(image.view.spacing) > 0 else _covered
            for label, number, seen in drawn_singles(ask, index, self.options.per_image, measurable):
                yield _row(ask, index, label, number, seen)


def _spaced(seen: Spot) -> bool:
    """Whether a region has a size in millimetres."""
    return not cut_off(seen) and seen.place.kind != "point"


def _covered(seen: Spot) -> bool:
    """Whether a region has an area."""
    return not cut_off(seen) and bool(seen.place.rle)


def _row(ask: Asker, index: int, label: str, number: int, seen: Spot) -> Instruction:
    row = ask.about(f"image{index}/{label}")
    words = ask.words
    big = words.size(millimetres(seen, ask.case.images[index].view), seen.share)
    template = ask.draw("ask", row)
    known = min(ask.case.images[index].view.spacing) > 0
    slots = ask.slots((index,)) | {"thing": words.definite(label), "be": words.be(label), "size": big}
    return ask.row(
        row,
        "open",
        template.fill(slots),
        ask.draw("answer_mm" if known else "answer_share", row).fill(slots),
        images=(index,),
        template=template.id,
        facts=(f"regions[{number}]",),
        short=big,
        regions=(seen.place,),
        labels=(label,),
    )
