"""Labelled parts of volumes as converters speak of them: which may be named, where they lie, how boxes are written."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from converters.asking import Asker
from converters.geometry_words import THIRD, WIDE, opposite
from converters.kinship import lesion, may_be
from converters.templating import load_table
from schemas.case import Box3D, Case, Extent, Region3D, VolumeRef
from schemas.taxonomy.kinship import holds

SPECK = 8
"""A part of fewer voxels is neither asked about nor taken for absent: nobody could see it."""
UNSURE = 0.03
"""A centre this near to the border of a third could be called either."""
MOST_TILT = 30.0
"""Degrees; where voxel axes lie farther off the patient's, no side is told."""
POSITIVE = "RAS"
Facts = tuple[str, ...]
_SHORT = {"CT": "CT", "MRI": "MR", "PET": "PET"}


@dataclass(frozen=True, slots=True)
class Solids:
    """What is known of one volume."""

    index: int
    volume: VolumeRef
    present: dict[str, tuple[Facts, Region3D]]
    """Label -> (proofs, region), of labels that stand once and are large enough to be seen.  A structure is whole: with
    its lesions, where the dataset marks them instead of it."""
    absent: tuple[str, ...]
    """Labels of the dataset that are known not to be there."""

    @property
    def turned(self) -> bool:
        """Whether the volume's sides are known and near enough to the patient's to speak of them."""
        return bool(self.volume.orientation) and self.volume.tilt <= MOST_TILT

    @property
    def measured(self) -> bool:
        """Whether sizes are known."""
        return min(self.volume.spacing) > 0


def solids(ask: Asker) -> Iterator[Solids]:
    """Each volume of the case that has measured labels."""
    case = ask.case
    for index, volume in enumerate(case.volumes):
        numbers: dict[str, list[int]] = {}
        for number, region in enumerate(case.volume_regions):
            if region.volume_index == index:
                numbers.setdefault(region.label, []).append(number)
        if numbers:
            single = {label: found[0] for label, found in numbers.items() if len(found) == 1}
            present = {label: _whole(case, volume, number, list(single.values())) for label, number in single.items()}
            seen = {label: found for label, found in present.items() if found[1].extent.voxels >= SPECK}
            yield Solids(index, volume, seen, _absent(ask, case, list(numbers)))


def _whole(case: Case, volume: VolumeRef, number: int, others: list[int]) -> tuple[Facts, Region3D]:
    """A structure with the lesions in it that one label file marks by other values; anything else as it is."""
    region = case.volume_regions[number]
    proofs = [f"volume_regions[{number}]"]
    if lesion(region.label) or not region.values:
        return tuple(proofs), region
    taken = set(region.values)
    for other in others:
        inner = case.volume_regions[other]
        held = other != number and lesion(inner.label) and holds(region.label, inner.label)
        if held and inner.files == region.files and inner.values and taken.isdisjoint(inner.values):
            taken.update(inner.values)
            proofs.append(f"volume_regions[{other}]")
            extent = united(volume, region.extent, inner.extent)
            region = replace(region, extent=extent, values=(*region.values, *inner.values))
    return tuple(proofs), region


def united(volume: VolumeRef, one: Extent, other: Extent) -> Extent:
    """The extent of two sets of voxels that share none."""
    voxels = one.voxels + other.voxels
    box = _around(one.box, other.box)
    place = _around(one.place, other.place)
    at = [(one.centre[axis] * one.voxels + other.centre[axis] * other.voxels) / voxels for axis in range(3)]
    lengths = {POSITIVE.index(letter if letter in POSITIVE else opposite(letter)): n * step
               for letter, n, step in zip(volume.orientation, volume.shape, volume.spacing, strict=False)}  # fmt: skip
    x, y, z = (round((place[axis + 3] - place[axis]) * lengths.get(axis, 0.0), 6) for axis in range(3))
    return Extent(box, place, (at[0], at[1], at[2]), voxels, (x, y, z), one.millilitres + other.millilitres)


def _around(one: Box3D, other: Box3D) -> Box3D:
    low = [min(one[axis], other[axis]) for axis in range(3)]
    high = [max(one[axis], other[axis]) for axis in range(3, 6)]
    return low[0], low[1], low[2], high[0], high[1], high[2]


def _absent(ask: Asker, case: Case, known: list[str]) -> tuple[str, ...]:
    spec = ask.context.spec
    if not case.complete_regions or spec.label_kind != "none":
        return ()
    return tuple(name for name in spec.canonical() if not any(may_be(name, other) for other in known))


def names(ask: Asker) -> dict[str, str]:
    """Slots that name the volume: ``volume`` (plain), ``this`` (with its modality)."""
    table = load_table("volume_words")
    plain = table.fixed("plain", ask.language).fill({})
    short = _SHORT.get(ask.case.acquisition.modality or ask.context.spec.modality, "")
    named = table.fixed("named", ask.language).fill({"modality": short}) if short else plain
    return {"volume": plain, "this": named}


def channels(ask: Asker, volume: VolumeRef) -> str:
    """The sentence that says which channels a volume of several holds; empty for one."""
    if volume.channels == 1:
        return ""
    table, number = load_table("volume_words"), {"number": str(volume.channels)}
    if not volume.channel_names:
        return table.fixed("channels", ask.language).fill(number)
    listed = ask.words.listed(volume.channel_names)
    return table.fixed("named_channels", ask.language).fill(number | {"names": listed})


def asked(ask: Asker, volume: VolumeRef, question: str, *after: str) -> str:
    """The question behind what must be known of the volume, and what else is to be said after it."""
    return ask.words.SPACE.join(part for part in (channels(ask, volume), question, *after) if part)


def frame(ask: Asker) -> str:
    """The sentence that says how boxes are to be read."""
    return load_table("volume_words").fixed("frame", ask.language).fill({})


def box_text(extent: Extent) -> str:
    """``[0.100, 0.250, 0.300, 0.400, 0.500, 0.600]``, in the frame of `frame`."""
    return f"[{', '.join(f'{value:.3f}' for value in extent.place)}]"


def codes(extent: Extent) -> str:
    """Letters of SIAPLR by thirds of the volume, from the centroid; an axis spanned by 60 % gets none."""
    found = [_code(axis, extent) for axis in range(3)]
    return found[2] + found[1] + found[0]


def _code(axis: int, extent: Extent) -> str:
    centre, span = extent.centre[axis], extent.place[axis + 3] - extent.place[axis]
    if span > WIDE or THIRD <= centre <= 1 - THIRD:
        return ""
    return POSITIVE[axis] if centre > THIRD else opposite(POSITIVE[axis])


def one_piece(region: Region3D) -> bool:
    """Whether it does not lie in several pieces, so that one box and one place tell where it is."""
    return len(region.pieces) <= 1


def sure(extent: Extent) -> bool:
    """Whether the place can be told: the centre clear of the thirds' borders, no axis half spanned, some side named."""
    near = min(abs(value - border) for value in extent.centre for border in (THIRD, 1 - THIRD))
    spans = [extent.place[axis + 3] - extent.place[axis] for axis in range(3)]
    return near > UNSURE and max(spans) < THIRD * 1.5 and codes(extent) != ""


def contradicting(right: str) -> list[str]:
    """Places of `codes` that name the opposite end of an axis that ``right`` names."""
    every = [s + a + r for s in ("S", "I", "") for a in ("A", "P", "") for r in ("R", "L", "")]
    wrong = {opposite(letter) for letter in right}
    return [one for one in every if wrong & set(one)]


def overlap(one: Box3D, other: Box3D) -> float:
    """Shared part of the smaller of two boxes, 0..1."""
    shared, mine, its = 1.0, 1.0, 1.0
    for axis in range(3):
        shared *= max(0.0, min(one[axis + 3], other[axis + 3]) - max(one[axis], other[axis]))
        mine *= one[axis + 3] - one[axis]
        its *= other[axis + 3] - other[axis]
    return shared / min(mine, its) if min(mine, its) > 0 else 0.0


def millimetres(ask: Asker, extent: Extent) -> str:
    """``about 62 mm from left to right, ...``."""
    across, deep, high = (_rounded(length) for length in extent.size_mm)
    return load_table("volume_words").fixed("extent", ask.language).fill({"across": across, "deep": deep, "high": high})


def millilitres(ask: Asker, extent: Extent) -> str:
    """``about 120 ml``."""
    amount = _rounded(extent.millilitres)
    return load_table("volume_words").fixed("millilitres", ask.language).fill({"amount": amount})


def _rounded(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}" if value >= 0.1 else f"{value:.2f}"
