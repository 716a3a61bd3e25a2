"""Caption: what the picture is and what is known to be on it, in one or two sentences."""

from collections.abc import Iterator
from functools import cache
from operator import itemgetter
from typing import ClassVar

from pydantic import Field

from converters.asking import Asker, Common
from converters.count import instances
from converters.drawing import Row
from converters.geometry_words import Spot, clear, where
from converters.memo import of_last_case
from converters.scenes import Scene, scenes
from converters.visible import every_spot
from schemas import taxonomy
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction

_PLACES_NAMED = 3
"""More places than this make a list, not a caption."""


class Caption:
    """One caption for each scene that shows something."""

    name: ClassVar[str] = "caption"

    class Options(Common):
        """Options."""

        places: bool = True
        """Say where single regions lie."""
        max_regions: int = Field(default=40, ge=0)
        """At most so many regions are attached to the row."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the captions."""
        ask = Asker(case, context, self.name, self.options)
        for scene in scenes(case, context.spec):
            if scene.present:
                yield self._row(ask, scene)

    def _row(self, ask: Asker, scene: Scene) -> Instruction:
        row = ask.about(scene.variant)
        spots = region_spots(ask.case, scene) if scene.from_regions else {}
        words = ask.words
        labels = scene.labels
        states = "state" in map(words.kind, labels)
        if scene.from_regions:
            things = _things(ask, scene)
        else:
            things = [words.name(label) if states else words.phrase(label) for label in labels]
        told = ask.draw("state" if states else "showing", row)
        slots = ask.slots(scene.images) | {"content": words.listed(things)}
        text = words.SPACE.join([told.fill(slots), *self._where(ask, scene, spots, row)])
        places = tuple(found.place for group in spots.values() for found in group)
        return ask.row(
            row,
            "caption",
            ask.draw("ask", row).fill(slots),
            text,
            images=scene.images,
            template=told.id,
            facts=scene.proofs,
            regions=places if len(places) <= self.options.max_regions else (),
            labels=labels,
        )

    def _where(self, ask: Asker, scene: Scene, spots: dict[str, list[Spot]], row: Row) -> list[str]:
        single = {
            label: group[0]
            for label, group in spots.items()
            if len(group) == 1 == len(scene.present[label]) and not ask.words.sided(label) and clear(group[0])
        }
        image = ask.case.images[scene.images[0]]
        # Where on a montage a slice stands says nothing of the patient.
        if not self.options.places or image.tiles or not 0 < len(single) <= _PLACES_NAMED:
            return []
        view = image.view
        sentences = []
        for label, found in single.items():
            place = where(found, view)
            slots = {
                "thing": ask.words.definite(label),
                "be": ask.words.be(label),
                "place": ask.words.location(place.codes, place.patient, place.wide),
            }
            sentences.append(ask.draw("place", row).fill(slots))
        return sentences


@of_last_case
def region_spots(case: Case, scene: Scene) -> dict[str, list[Spot]]:
    """The visible places of a region scene's labels."""
    found: dict[str, list[Spot]] = {label: [] for label in scene.labels}
    for number, seen in every_spot(case, scene.images[0]).items():
        label = case.regions[number].label
        if f"regions[{number}]" in scene.present.get(label, ()):
            found[label].append(seen)
    return found


def several_of(ask: Asker, scene: Scene, label: str) -> bool:
    """Whether the regions of a label are several things.

    The slices of a montage cut one thing several times, a structure that comes once in the body, or once on its side,
    may be drawn in parts, and so may an instance.
    """
    proofs = scene.present[label]
    if len(proofs) < 2 or ask.case.images[scene.images[0]].tiles:
        return False
    if ask.words.kind(label) == "structure" and not _paired(label):
        return False
    drawn = {ask.case.regions[int(proof[8:-1])].instance for proof in proofs}
    return len(drawn) > 1 or "" in drawn


@cache
def _paired(label: str) -> bool:
    """Whether the body has one on each side."""
    return f"left {label}" in taxonomy.labels()


def _things(ask: Asker, scene: Scene) -> list[str]:
    """``the liver``, ``platelets``, ``3 platelets``, in the order of the labels, or with numbers last."""
    told = [_thing(ask, scene, label) for label in scene.labels]
    if ask.words.COUNTED_LAST:
        told.sort(key=itemgetter(1))
    return [words for words, _ in told]


def _thing(ask: Asker, scene: Scene, label: str) -> tuple[str, bool]:
    """The words for a label, and whether they tell a number.

    That is told where every instance is annotated, by itself, and large enough to be seen.
    """
    words, case = ask.words, ask.case
    if not several_of(ask, scene, label):
        return words.phrase(label), False
    number = len(scene.present[label])
    known = len(instances(case, scene.images[0]).get(label, ())) if case.complete_regions else 0
    if number != known or words.kind(label) == "structure":
        return words.plural(label), False
    return words.counted(number, label), True
