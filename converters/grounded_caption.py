"""Grounded caption in up to five parts: kind of picture, organs, findings with place and size, appearance, relations.

Appearance comes from the case's own text (a section titled ``appearance``); where there is none, the part is left out,
since nothing annotated proves it.
"""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from converters.asking import Asker, Common
from converters.boxes import BoxStyle, box_note, written
from converters.drawing import Row
from converters.geometry_words import Spot, clear, cut_off, millimetres, where
from converters.kinship import lesion
from converters.singles import separated, singles
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction

_MOST_RELATIONS = 2


class GroundedCaption:
    """One caption for each image with regions that are alone with their label."""

    name: ClassVar[str] = "grounded_caption"

    class Options(Common):
        """Options."""

        boxes: bool = False
        """Also write each region's box."""
        box: BoxStyle = "fraction"
        most: int = Field(default=6, ge=1)
        """Pictures with more regions are left to the plain caption."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the captions."""
        if not case.regions:
            return
        ask = Asker(case, context, self.name, self.options)
        for index in range(len(case.images)):
            found = singles(case, index)
            labels = {region.label for region in case.regions if region.image_index == index}
            if 0 < len(found) <= self.options.most and set(found) == labels:
                yield self._row(ask, index, found)

    def _row(self, ask: Asker, index: int, found: dict[str, tuple[int, Spot]]) -> Instruction:
        row = ask.about(f"image{index}")
        slots = ask.slots((index,))
        words = ask.words
        organs = [label for label in found if not lesion(label)]
        template = ask.draw("kind", row)
        parts = [template.fill(slots)]
        if organs:
            named = words.listed([words.phrase(label) for label in organs])
            parts.append(ask.draw("organs", row).fill(slots | {"content": named}))
        for label, (_, seen) in found.items():
            parts += self._region(ask, row, label, seen, index)
        looks = [number for number, text in enumerate(ask.case.texts) if text.title.lower() == "appearance"]
        parts += [" ".join(ask.case.texts[number].content.split()) for number in looks]
        pairs = separated(ask.case, index)
        for one, two, code in sorted(pairs, key=lambda pair: not lesion(pair[0]))[:_MOST_RELATIONS]:
            told = {
                "one": words.definite(one),
                "two": words.definite(two),
                "be": words.be(one),
                "side": words.beside(code),
            }
            parts.append(ask.draw("relation", row).fill(told))
        question = ask.draw("ask", row).fill(slots)
        if self.options.boxes:
            question = words.SPACE.join([question, box_note(ask, self.options.box)])
        return ask.row(
            row,
            "caption",
            question,
            words.SPACE.join(parts),
            images=(index,),
            template=template.id,
            facts=(*(f"regions[{number}]" for number, _ in found.values()), *(f"texts[{number}]" for number in looks)),
            regions=tuple(seen.place for _, seen in found.values()),
            labels=tuple(found),
        )

    def _region(self, ask: Asker, row: Row, label: str, seen: Spot, index: int) -> list[str]:
        """The sentence about one region; none of a structure that is named already and whose place is in no words."""
        view, words = ask.case.images[index].view, ask.words
        place = where(seen, view)
        slots = {
            "thing": words.definite(label) if not lesion(label) else words.phrase(label),
            "be": words.be(label),
            "place": words.location(place.codes, place.patient, place.wide),
        }
        size = millimetres(seen, view) if lesion(label) and not cut_off(seen) and seen.place.kind != "point" else None
        # Beside a border of thirds, either place would be half true.
        placed = clear(seen)
        if not (placed or size or lesion(label) or self.options.boxes):
            return []
        which = ("region_size" if size else "region") if placed else "unplaced_size" if size else "unplaced"
        text = ask.draw(which, row).fill(slots | {"size": words.size(size, seen.share)})
        if self.options.boxes:
            text = f"{text[:-1]} {written(words.name(label), (seen.place,), self.options.box, view)}{text[-1]}"
        return [text]
