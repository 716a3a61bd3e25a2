"""Volume presence: is a structure or lesion in the volume, yes or no, and which one of several is."""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from converters.asking import Asker, Common
from converters.choosing import LETTERS, options_of, with_options
from converters.solids import Solids, asked, names, solids
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction


class VolumePresence:
    """Questions about each volume whose labels are known in full; yes and no equally often by the row's hash."""

    name: ClassVar[str] = "volume_presence"

    class Options(Common):
        """Options."""

        per_volume: int = Field(default=2, ge=1)
        """Yes-or-no questions for each volume."""
        which: int = Field(default=1, ge=0)
        """Questions for each volume that offer one structure which is there among others which are not."""
        choices: int = Field(default=4, ge=2, le=10)

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions; none where nothing is absent, since the answer would always be yes."""
        if not case.volume_regions:
            return
        ask = Asker(case, context, self.name, self.options)
        for found in solids(ask):
            if found.present and found.absent:
                yield from self._yes_no(ask, found)
                yield from self._which(ask, found)

    def _yes_no(self, ask: Asker, found: Solids) -> Iterator[Instruction]:
        sides = {True: sorted(found.present), False: sorted(found.absent)}
        left = {
            side: ask.generator(f"volume{found.index}", str(side)).sample(labels, len(labels))
            for side, labels in sides.items()
        }
        for turn in range(self.options.per_volume):
            side = ask.generator(f"volume{found.index}/{turn}", "side").chance() < 0.5
            if not left[side]:
                return
            label = left[side].pop()
            row = ask.about(f"volume{found.index}/{label}")
            template = ask.draw("visible", row)
            slots = names(ask) | {"thing": ask.words.phrase(label), "be": ask.words.be(label)}
            yield ask.row(
                row,
                "yes_no",
                asked(ask, found.volume, template.fill(slots)),
                ask.words.YES if side else ask.words.NO,
                images=(),
                template=template.id,
                facts=found.present[label][0] if side else ("complete_regions",),
                labels=tuple(found.present),
                volumes=(found.volume,),
            )

    def _which(self, ask: Asker, found: Solids) -> Iterator[Instruction]:
        order = ask.generator(f"volume{found.index}/which", "labels")
        for label in order.sample(sorted(found.present), min(self.options.which, len(found.present))):
            row = ask.about(f"volume{found.index}/which/{label}")
            labels, right = options_of(row, label, found.absent, self.options.choices)
            options = tuple(ask.words.name(one) for one in labels)
            template = ask.draw("which", row)
            yield ask.row(
                row,
                "mcq",
                with_options(asked(ask, found.volume, template.fill(names(ask))), options, ask.language),
                LETTERS[right],
                images=(),
                template=template.id,
                facts=(*found.present[label][0], "complete_regions"),
                short=options[right],
                options=options,
                answer_index=right,
                labels=tuple(found.present),
                volumes=(found.volume,),
            )
