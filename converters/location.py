"""Location: where a region lies, in words of the patient's frame or of the picture's; open or as a choice."""

from collections.abc import Iterator
from functools import cache, partial
from typing import ClassVar

from pydantic import Field

from converters.asking import Asker, PerImage
from converters.choosing import Choices, choose, with_options
from converters.geometry_words import Spot, opposite, ordered, sure, where
from converters.singles import drawn_singles
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction


class LocationOptions(PerImage, Choices):
    """Options."""

    choice_share: float = Field(default=0.5, ge=0, le=1)
    """Share of questions that are asked as a choice; ``hard`` offers the neighbouring places."""


class Location:
    """Up to ``per_image`` questions for each image, about regions that are alone with their label."""

    name: ClassVar[str] = "location"
    Options = LocationOptions

    def __init__(self, options: LocationOptions) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions."""
        if not case.regions:
            return
        ask = Asker(case, context, self.name, self.options)
        for index in range(len(case.images)):
            for label, number, seen in drawn_singles(ask, index, self.options.per_image, sure):
                yield self._row(ask, index, label, number, seen)

    def _row(self, ask: Asker, index: int, label: str, number: int, seen: Spot) -> Instruction:
        row = ask.about(f"image{index}/{label}")
        view, words = ask.case.images[index].view, ask.words
        place = where(seen, view)
        right = words.location(place.codes, place.patient, place.wide)
        template = ask.draw("ask", row)
        slots = ask.slots((index,)) | {"thing": words.definite(label), "be": words.be(label), "place": right}
        question, answer = template.fill(slots), ask.draw("answer", row).fill(slots)
        options: tuple[str, ...] = ()
        right_index = -1
        if row.chance() < self.options.choice_share:
            others = [codes for codes in all_codes(view.orientation) if not _true_too(codes, place.codes)]
            write = partial(words.location, patient=place.patient, wide=False)
            chosen = choose(ask, row, place.codes, others, self.options, write, near)
            options, right_index = chosen.options, chosen.index
            question, answer, right = with_options(question, options, ask.language), chosen.letter, chosen.right
        return ask.row(
            row,
            "mcq" if options else "open",
            question,
            answer,
            images=(index,),
            template=template.id,
            facts=(f"regions[{number}]",),
            short=right,
            options=options,
            answer_index=right_index,
            regions=(seen.place,),
            labels=(label,),
        )


@cache
def all_codes(orientation: str) -> tuple[str, ...]:
    """The nine places that `where` tells apart on a view."""
    across, down = list(orientation if len(orientation) == 2 else ">v")
    rows, columns = (down, opposite(down), ""), (across, opposite(across), "")
    return tuple(ordered(x, y) for y in rows for x in columns)


def _true_too(codes: str, right: str) -> bool:
    """Whether a place is true of what lies at ``right``: the same, or the coarser ``left`` of ``upper left``."""
    return codes == right or (codes != "" and set(codes) < set(right))


def near(one: str, other: str) -> float:
    """How near two places are to each other: the share of their codes that both have."""
    return len(set(one) & set(other)) - len(set(one) ^ set(other)) / 4
