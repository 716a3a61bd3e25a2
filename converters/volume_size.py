"""Volume size: extent in millimetres, volume in millilitres, number of pieces, and the largest of several."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from converters.asking import Asker, Common
from converters.choosing import LETTERS, options_of, with_options
from converters.solids import SPECK, Facts, Solids, asked, millilitres, millimetres, names, one_piece, solids
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction
from schemas.taxonomy.kinship import related

Asked = Literal["millimetres", "millilitres"]
_COMPLETE = ("complete_regions",)


class VolumeSize:
    """Sizes where the spacing is known and the part lies wholly in the volume; counts where pieces were looked for."""

    name: ClassVar[str] = "volume_size"

    class Options(Common):
        """Options."""

        per_volume: int = Field(default=2, ge=0)
        """Questions about sizes for each volume."""
        counts: bool = True
        """Ask how many pieces of each countable label there are."""
        zero_share: float = Field(default=0.1, ge=0, le=1)
        """Share of volumes that are also asked how many there are of a label that is absent."""
        kinds: tuple[str, ...] = ("countable", "plural", "unknown")
        """Which nouns are counted (`converters.speech`)."""
        largest: bool = True
        margin: float = Field(default=1.25, ge=1)
        """The largest must be this many times as large as the next."""
        choices: int = Field(default=4, ge=2, le=10)

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions."""
        if not case.complete_regions or not case.volume_regions:
            return
        ask = Asker(case, context, self.name, self.options)
        for found in solids(ask):
            if found.measured and found.turned:
                yield from self._sizes(ask, found)
            if self.options.counts:
                yield from self._counts(ask, found)
            if self.options.largest:
                yield from self._largest(ask, found)

    def _sizes(self, ask: Asker, found: Solids) -> Iterator[Instruction]:
        every: list[tuple[Asked, str]] = [
            (way, label)
            for label, (_, region) in found.present.items()
            if one_piece(region) and not region.extent.cut_off
            for way in ("millimetres", "millilitres")
        ]
        order = ask.generator(f"volume{found.index}", "sizes")
        for way, label in order.sample(every, min(self.options.per_volume, len(every))):
            proofs, region = found.present[label]
            size = (millimetres if way == "millimetres" else millilitres)(ask, region.extent)
            row = ask.about(f"volume{found.index}/{way}/{label}")
            template = ask.draw(way, row)
            slots = names(ask) | {"thing": ask.words.definite(label), "be": ask.words.be(label), "size": size}
            yield ask.row(
                row,
                "open",
                asked(ask, found.volume, template.fill(slots)),
                ask.draw(f"{way}_answer", row).fill(slots),
                images=(),
                template=template.id,
                facts=proofs,
                short=size,
                labels=(label,),
                volumes=(found.volume,),
            )

    def _counts(self, ask: Asker, found: Solids) -> Iterator[Instruction]:
        for label, (proofs, region) in found.present.items():
            seen = region.pieces and min(piece.voxels for piece in region.pieces) >= SPECK
            if seen and ask.words.kind(label) in self.options.kinds:
                yield self._count(ask, found, label, len(region.pieces), proofs)
        countable = [label for label in found.absent if ask.words.kind(label) in self.options.kinds]
        coin = ask.about(f"volume{found.index}/zero")
        if countable and coin.chance() < self.options.zero_share:
            yield self._count(ask, found, countable[coin.randrange(len(countable))], 0, _COMPLETE)

    def _count(self, ask: Asker, found: Solids, label: str, amount: int, proofs: Facts) -> Instruction:
        row = ask.about(f"volume{found.index}/count/{label}")
        template = ask.draw("count", row)
        counted = ask.words.counted(amount, label)
        slots = names(ask) | {"things": ask.words.plural(label), "counted": counted}
        slots |= {"be": "is" if amount == 1 else "are"}
        return ask.row(
            row,
            "count",
            asked(ask, found.volume, template.fill(slots)),
            ask.draw("count_answer" if amount else "count_answer_none", row).fill(slots),
            images=(),
            template=template.id,
            facts=proofs,
            short=str(amount),
            labels=tuple(found.present),
            volumes=(found.volume,),
        )

    def _largest(self, ask: Asker, found: Solids) -> Iterator[Instruction]:
        order = sorted(found.present, key=lambda label: -found.present[label][1].extent.voxels)
        if len(order) < 2 or any(found.present[label][1].extent.cut_off for label in order):
            return
        first, second = (found.present[label][1].extent.voxels for label in order[:2])
        others = [label for label in order[1:] if not related(label, order[0])]
        if first < self.options.margin * second or not others:
            return
        row = ask.about(f"volume{found.index}/largest")
        labels, right = options_of(row, order[0], others, self.options.choices)
        options = tuple(ask.words.name(label) for label in labels)
        template = ask.draw("largest", row)
        yield ask.row(
            row,
            "mcq",
            with_options(asked(ask, found.volume, template.fill(names(ask))), options, ask.language),
            LETTERS[right],
            images=(),
            template=template.id,
            facts=tuple(proof for label in labels for proof in found.present[label][0]),
            short=options[right],
            options=options,
            answer_index=right,
            labels=tuple(found.present),
            volumes=(found.volume,),
        )
