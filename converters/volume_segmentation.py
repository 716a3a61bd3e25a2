"""Volume segmentation: a name, or a name with its place, is given; the target is a mask volume on the same grid."""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from converters.asking import Asker, Common
from converters.solids import Solids, asked, codes, names, one_piece, solids, sure
from schemas.case import Case, Region3D, VolumeRef
from schemas.context import Context
from schemas.instruction import Instruction


class VolumeSegmentation:
    """Up to ``per_volume`` rows; ``volumes`` holds the image and then its mask, 1 inside and 0 outside.

    The answer holds ``token`` for the mask.
    """

    name: ClassVar[str] = "volume_segmentation"

    class Options(Common):
        """Options."""

        per_volume: int = Field(default=2, ge=1)
        token: str = Field(default="[SEG]", min_length=1)
        """What stands for the mask in the answer."""
        place_share: float = Field(default=0.3, ge=0, le=1)
        """Share of rows whose expression also says where the part lies, where that can be told."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the rows."""
        if not case.volume_regions:
            return
        ask = Asker(case, context, self.name, self.options)
        for found in solids(ask):
            order = ask.generator(f"volume{found.index}", "labels")
            for label in order.sample(list(found.present), min(self.options.per_volume, len(found.present))):
                yield self._row(ask, found, label)

    def _row(self, ask: Asker, found: Solids, label: str) -> Instruction:
        proofs, region = found.present[label]
        row = ask.about(f"volume{found.index}/{label}")
        tellable = found.turned and one_piece(region) and sure(region.extent) and ask.case.complete_regions
        placed = tellable and row.chance() < self.options.place_share
        slots = names(ask) | {
            "thing": ask.words.definite(label),
            "be": ask.words.be(label),
            "place": ask.words.location(codes(region.extent), True, False),
            "token": self.options.token,
        }
        template = ask.draw("placed" if placed else "ask", row)
        return ask.row(
            row,
            "referring_segmentation",
            asked(ask, found.volume, template.fill(slots)),
            ask.draw("answer", row).fill(slots),
            images=(),
            template=template.id,
            facts=proofs,
            short=ask.words.name(label),
            labels=(label,),
            volumes=(found.volume, target(found.volume, region)),
        )


def target(image: VolumeRef, region: Region3D) -> VolumeRef:
    """The mask of ``region`` on the grid of ``image``."""
    return replace(
        image,
        files=region.files,
        media_type="application/x-nifti+gzip",
        channels=1,
        channel=0,
        channel_names=(),
        mask=True,
        mask_of=region.values,
        grid=image.files[0],
        resampled=region.resampled,
    )
