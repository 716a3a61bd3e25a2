"""Text to region: a name is given, the answer gives the boxes of all its instances on the picture."""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from converters.asking import Asker, Common
from converters.boxes import BoxStyle, box_note, written
from converters.geometry_words import Spot, clear, where
from converters.scenes import region_scene, regions_on
from converters.visible import spots_on
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction


class TextToRegion:
    """Up to ``per_image`` questions for each image, where `Case.complete_regions` holds."""

    name: ClassVar[str] = "text_to_region"

    class Options(Common):
        """Options."""

        per_image: int = Field(default=2, ge=1)
        most: int = Field(default=10, ge=1)
        """Labels with more instances than this on the picture are not asked for."""
        box: BoxStyle = "fraction"
        absent_share: float = Field(default=0.1, ge=0, le=1)
        """Share of pictures for which also a region is asked for that is known to be absent."""
        places: bool = True
        """Say also in words where a single region lies."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions."""
        if not case.regions or not case.complete_regions:
            return
        ask = Asker(case, context, self.name, self.options)
        for index, image in enumerate(case.images):
            if image.tiles:  # one organ, cut by several slices of a montage, is not several organs
                continue
            groups: dict[str, dict[int, Spot]] = {}
            shown = spots_on(case, index)
            partly = {region.label for number, region in regions_on(case, index) if number not in shown}
            for number, seen in shown.items():
                groups.setdefault(case.regions[number].label, {})[number] = seen
            fit = [name for name, group in groups.items() if len(group) <= self.options.most and name not in partly]
            order = ask.generator(f"image{index}", "labels")
            for label in order.sample(fit, min(self.options.per_image, len(fit))):
                yield self._row(ask, index, label, groups[label])
            yield from self._absent(ask, index)

    def _absent(self, ask: Asker, index: int) -> Iterator[Instruction]:
        draw = ask.generator(f"image{index}", "absent")
        if draw.chance() >= self.options.absent_share:
            return
        scene = region_scene(ask.case, ask.context.spec, index)
        absent = {name: proof for name, proof in scene.absent.items() if ask.words.kind(name) not in ("state", "clear")}
        if absent:
            label = draw.choice(sorted(absent))
            row = ask.about(f"image{index}/{label}")
            words = ask.words
            countable = words.kind(label) in ("countable", "plural")
            asked = ask.draw("many" if countable else "one", row)
            slots = ask.slots((index,)) | {
                "thing": words.definite(label),
                "things": words.plural(label),
                "be": words.be(label),
                "label": words.name(label),
                "none": words.counted(0, label),
            }
            yield ask.row(
                row,
                "text_to_region",
                words.SPACE.join([asked.fill(slots), box_note(ask, self.options.box)]),
                ask.draw("answer_absent_many" if countable else "answer_absent", row).fill(slots),
                images=(index,),
                template=asked.id,
                facts=absent[label],
                short=ask.table.fixed("none", ask.language).fill({}),
                labels=scene.labels,
            )

    def _row(self, ask: Asker, index: int, label: str, group: dict[int, Spot]) -> Instruction:
        row = ask.about(f"image{index}/{label}")
        view, words = ask.case.images[index].view, ask.words
        places = tuple(seen.place for seen in group.values())
        one = len(group) == 1
        asked = ask.draw("one" if one else "many", row)
        slots = ask.slots((index,)) | {
            "thing": words.definite(label),
            "things": words.plural(label),
            "be": words.be(label),
            "boxes": written(words.name(label), places, self.options.box, view),
            "counted": words.counted(len(group), label),
        }
        which = "answer_many"
        if one:
            (seen,) = group.values()
            placed = self.options.places and clear(seen)
            which = "answer_place" if placed else "answer_one"
            place = where(seen, view)
            slots["place"] = words.location(place.codes, place.patient, place.wide)
        if self.options.box == "ref":
            which = "answer_ref"
        return ask.row(
            row,
            "text_to_region",
            words.SPACE.join([asked.fill(slots), box_note(ask, self.options.box)]),
            ask.draw(which, row).fill(slots),
            images=(index,),
            template=asked.id,
            facts=tuple(f"regions[{number}]" for number in group),
            short=slots["boxes"],
            regions=places,
            labels=(label,),
        )
