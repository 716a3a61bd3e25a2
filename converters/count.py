"""Count: how many of one thing are on the picture, from instances that are annotated one by one and completely."""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from converters.asking import Asker, Common
from converters.kinship import may_be
from converters.memo import of_last_case
from converters.scenes import regions_on
from converters.visible import every_spot
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction, Place


class Count:
    """One question for each image and label, where `Case.complete_regions` holds; absent labels by a stated share."""

    name: ClassVar[str] = "count"

    class Options(Common):
        """Options."""

        zero_share: float = Field(default=0.1, ge=0, le=1)
        """Share of images that are also asked about one label that is absent."""
        kinds: tuple[str, ...] = ("countable", "plural", "unknown")
        """Which nouns are counted (`converters.speech`): not organs, of which the body has one or two, nor masses."""
        most: int = Field(default=200, ge=1)
        """Images with more instances than this are not asked about."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions."""
        if not case.complete_regions or not case.regions:
            return
        ask = Asker(case, context, self.name, self.options)
        for index, image in enumerate(case.images):
            if image.tiles:  # one thing, cut by several slices of a montage, is not several
                continue
            counted = instances(case, index)
            for label, numbers in counted.items():
                if len(numbers) <= self.options.most and ask.words.kind(label) in self.options.kinds:
                    yield self._row(ask, index, label, numbers)
            if counted:
                yield from self._zero(ask, index)

    def _zero(self, ask: Asker, index: int) -> Iterator[Instruction]:
        spec = ask.context.spec
        draw = ask.generator(f"image{index}", "zero")
        if spec.label_kind != "none" or draw.chance() >= self.options.zero_share:
            return
        present = {region.label for _, region in regions_on(ask.case, index)}
        absent = [
            name
            for name in spec.canonical()
            if ask.words.kind(name) in self.options.kinds and not any(may_be(name, other) for other in present)
        ]
        if absent:
            yield self._row(ask, index, draw.choice(absent), ())

    def _row(self, ask: Asker, index: int, label: str, numbers: tuple[int, ...]) -> Instruction:
        row = ask.about(f"image{index}/{label}")
        words, amount = ask.words, len(numbers)
        template = ask.draw("ask", row)
        slots = ask.slots((index,)) | {"things": words.plural(label)}
        told = {"counted": words.counted(amount, label), "be": "is" if amount == 1 else "are"}
        which = "answer" if amount else "answer_none"
        return ask.row(
            row,
            "count",
            template.fill(slots),
            ask.draw(which, row).fill(slots | told),
            images=(index,),
            template=template.id,
            facts=tuple(f"regions[{number}]" for number in numbers) or ("complete_regions",),
            short=str(amount),
            regions=_places(ask.case, index, numbers),
            labels=tuple(dict.fromkeys(region.label for _, region in regions_on(ask.case, index))),
        )


@of_last_case
def instances(case: Case, index: int) -> dict[str, tuple[int, ...]]:
    """Label -> region indices, for labels whose every region on the image is one instance and visible there.

    A mask without an instance id may hold several objects, and an instance may be drawn by several regions; labels
    with such regions are left out.
    """
    found: dict[str, tuple[int, ...]] = {}
    vague: set[str] = set()
    every = every_spot(case, index)
    for number, region in regions_on(case, index):
        single = region.kind in ("box", "point") or region.instance
        if not single or number not in every:
            vague.add(region.label)
        found[region.label] = (*found.get(region.label, ()), number)
    for label, numbers in found.items():
        named = [case.regions[number].instance for number in numbers if case.regions[number].instance]
        if len(set(named)) < len(named):
            vague.add(label)
    return {label: numbers for label, numbers in found.items() if label not in vague}


def _places(case: Case, index: int, numbers: tuple[int, ...]) -> tuple[Place, ...]:
    every = every_spot(case, index)
    return tuple(every[number].place for number in numbers)
