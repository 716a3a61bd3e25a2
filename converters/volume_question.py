"""Volume question: modality, body part, plane, contrast phase or sequence of a volume that the row carries whole."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from converters.acquisition import canonical_value, distractors, fact_of, values
from converters.asking import Asker, Common
from converters.choosing import LETTERS, options_of, with_options
from converters.solids import MOST_TILT
from schemas.case import Case, VolumeRef
from schemas.context import Context
from schemas.instruction import Instruction

Asked = Literal["modality", "anatomy", "plane", "phase", "sequence"]
THICKER = 1.5
"""Slices are a plane of acquisition where their distance is so many times the pixels' edge."""
ALIKE = 1.1
"""And the two edges of a pixel differ by no more than this."""
_MADE_IN_3D = frozenset({
    "computed tomography", "magnetic resonance imaging", "positron emission tomography", "ultrasound",
    "optical coherence tomography", "scintigraphy",
})  # fmt: skip
_PLANES = {"R": "sagittal", "L": "sagittal", "A": "coronal", "P": "coronal", "S": "axial", "I": "axial"}


class VolumeQuestion:
    """Up to ``per_volume`` questions for each volume, each a choice."""

    name: ClassVar[str] = "volume_question"

    class Options(Common):
        """Options."""

        per_volume: int = Field(default=1, ge=1)
        facts: tuple[Asked, ...] = ("modality", "anatomy", "plane", "phase", "sequence")
        """``plane`` is asked where the slices are clearly thicker than their pixels, ``phase`` of CT and ``sequence``
        of MR of one channel, where the case's contrast is a word of the table (``words/acquisition.yaml``)."""
        choices: int = Field(default=4, ge=2, le=10)

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions."""
        if not case.volumes:
            return
        ask = Asker(case, context, self.name, self.options)
        for number, volume in enumerate(case.volumes):
            known = {
                fact: found for fact in self.options.facts if (found := _known(case, context, fact, number, volume))
            }
            order = ask.generator(f"volume{number}", "facts")
            for fact in order.sample(list(known), min(self.options.per_volume, len(known))):
                yield self._row(ask, number, volume, fact, known[fact])

    def _row(self, ask: Asker, number: int, volume: VolumeRef, fact: Asked, known: tuple[str, str]) -> Instruction:
        canonical, proof = known
        row = ask.about(f"volume{number}/{fact}")
        table = values().facts[fact]
        others = [name for name in distractors(fact, canonical) if fact != "modality" or name in _MADE_IN_3D]
        translated = [table[name].names.get(ask.language, name) for name in others]
        right = table[canonical].names.get(ask.language, canonical)
        options, index = options_of(row, right, translated, self.options.choices)
        template = ask.draw(fact, row)
        return ask.row(
            row,
            "mcq",
            with_options(template.fill({}), options, ask.language),
            LETTERS[index],
            images=(),
            template=template.id,
            facts=(proof, f"volumes[{number}]"),
            short=right,
            options=options,
            answer_index=index,
            volumes=(volume,),
        )


def _known(case: Case, context: Context, fact: Asked, number: int, volume: VolumeRef) -> tuple[str, str] | None:
    """(canonical word, path of the proof) of one fact about one volume; None where unknown or not in the table."""
    if fact in ("modality", "anatomy"):
        return fact_of(case, context.spec, fact)
    if fact == "plane":
        plane = acquired_plane(volume)
        return (plane, f"volumes[{number}].spacing") if plane else None
    modality = case.acquisition.modality or context.spec.modality
    if modality != {"phase": "CT", "sequence": "MRI"}[fact] or volume.channels > 1:
        return None
    word = canonical_value(fact, case.acquisition.contrast)
    return (word, "acquisition.contrast") if word else None


def acquired_plane(volume: VolumeRef) -> str:
    """The plane of the thick slices; empty where voxels are nearly cubes, sizes or sides unknown, or axes oblique."""
    fine, middle, thick = sorted(volume.spacing)
    if fine <= 0 or not volume.orientation or volume.tilt > MOST_TILT:
        return ""
    if thick < THICKER * middle or middle > ALIKE * fine:
        return ""
    return _PLANES[volume.orientation[volume.spacing.index(thick)]]
