"""Slices of one DICOM series put in order by their place in the patient, with everything odd about them named."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from readers.pixels.dicom_file import items, number, numbers, word, words
from readers.pixels.dicom_overlays import OverlayChoice, overlay_groups
from readers.pixels.dicom_view import Plane, pixel_spacing, plane_geometry
from readers.pixels.orientation import cross
from schemas.findings import Finding

TILT_DEGREES = 0.5
SAME_PLACE_MM = 0.01
SAME_SIZE = 0.01
"""Share by which pixels of one series may differ in width or height."""
UNEVEN = 0.1
"""Gaps may differ from their median by this part of it."""

_VOLUME_KEYS = (
    "TemporalPositionIdentifier", "TemporalPositionIndex", "EchoNumbers", "EchoTime", "TriggerTime", "DiffusionBValue",
    "AcquisitionNumber", "ImageType", "ContrastBolusAgent", "AcquisitionTime", "InstanceNumber",
)  # fmt: skip

_OVERLAYS = {
    "leave_out": Finding("overlay_left_out", "the header holds overlay planes (60xx), which are not drawn"),
    "draw": Finding("overlay_drawn", "overlay planes (60xx) of the header are drawn in white"),
}


@dataclass(frozen=True, slots=True)
class Slice:
    """One image of a series."""

    path: str
    header: Dataset
    frame: int = -1
    plane: Plane | None = None

    @property
    def uid(self) -> str:
        """SOP instance UID."""
        return word(self.header, "SOPInstanceUID")


@dataclass(frozen=True, slots=True)
class Stack:
    """Slices in order: towards the patient's left, posterior or superior, whichever the normal is nearest to."""

    slices: tuple[Slice, ...]
    positions: tuple[float, ...]
    """Millimetres along the normal; empty where the headers do not tell (then the order is by instance number)."""
    findings: tuple[Finding, ...]

    @property
    def spacing(self) -> float:
        """Median millimetres from slice to slice, 0 where unknown."""
        return float(np.median(np.diff(self.positions))) if len(self.positions) > 1 else 0.0


def one_slice(path: str, header: Dataset, frame: int = -1) -> Slice:
    """A slice with its geometry looked up; frames that do not say where each of them lies (cine) have none."""
    if frame >= 0 and not items(header, "PerFrameFunctionalGroupsSequence"):
        return Slice(path, header, frame, _offset_plane(header, frame))
    return Slice(path, header, frame, plane_geometry(header, frame))


def _offset_plane(header: Dataset, frame: int) -> Plane | None:
    """The plane of a frame of a dose grid, whose frames are given as offsets along the normal."""
    offsets, plane = numbers(header, "GridFrameOffsetVector"), plane_geometry(header)
    if plane is None or frame >= len(offsets):
        return None
    x, y, z = np.array(plane[0]) + offsets[frame] * np.cross(plane[1], plane[2])
    return (float(x), float(y), float(z)), plane[1], plane[2]


def stack(slices: Iterable[Slice], overlays: OverlayChoice = "leave_out") -> Stack:
    """Order the slices of one series; what repeats another or does not fit is left out, each with a finding."""
    findings: list[Finding] = []
    kept = _without_copies(sorted(slices, key=lambda s: (s.path, s.frame)), findings)
    if any(word(item.header, "BurnedInAnnotation").upper() == "YES" for item in kept):
        findings.append(Finding("burned_in_annotation", "the header says that text is burned into the pixels"))
    if any(overlay_groups(item.header) for item in kept):
        findings.append(_OVERLAYS[overlays])
    kept = _largest(kept, _shape, "mixed_size", "images of other sizes", findings)
    placed = [item for item in kept if item.plane is not None]
    if not placed:
        ordered = sorted(kept, key=lambda s: (number(s.header, "InstanceNumber", 0), s.path, s.frame))
        if len({item.path for item in ordered}) > 1:
            findings.append(Finding("no_geometry", "the slices state no position; they are ordered by instance number"))
        return Stack(tuple(ordered), (), tuple(findings))
    if len(placed) < len(kept):
        findings.append(Finding("no_geometry", f"{len(kept) - len(placed)} slices without a position are left out"))
    placed = _largest(placed, _direction, "mixed_orientation", "slices of other orientations", findings)
    return _ordered(placed, findings)


def _ordered(placed: list[Slice], findings: list[Finding]) -> Stack:
    findings += _pixel_sizes(placed)
    normal = normal_of(placed[0])
    at = sorted(((float(np.dot(_position(item), normal)), item) for item in placed), key=lambda pair: pair[0])
    at = _one_volume(at, findings)
    positions = tuple(place for place, _ in at)
    slices = tuple(item for _, item in at)
    findings += [*_gaps(positions), *_tilt(slices, normal)]
    return Stack(slices, positions, tuple(findings))


def _pixel_sizes(placed: list[Slice]) -> list[Finding]:
    sizes = {pixel_spacing(item.header, item.frame) for item in placed}
    across, down = ([size[axis] for size in sizes] for axis in (0, 1))
    if max(across) - min(across) <= SAME_SIZE * max(across) and max(down) - min(down) <= SAME_SIZE * max(down):
        return []
    return [Finding("mixed_spacing", f"the pixels are {min(across):g} to {max(across):g} mm wide over the series")]


def normal_of(item: Slice) -> np.ndarray:
    """The unit normal of a slice, turned towards left, posterior or superior; (0, 0, 1) without geometry."""
    if item.plane is None:
        return np.array([0.0, 0.0, 1.0])
    normal: np.ndarray = np.array(cross(item.plane[1], item.plane[2]))
    normal = normal / np.linalg.norm(normal)
    return normal if normal[np.argmax(np.abs(normal))] > 0 else -normal


def _position(item: Slice) -> np.ndarray:
    assert item.plane is not None
    return np.array(item.plane[0])


def _shape(item: Slice) -> tuple[object, ...]:
    return number(item.header, "Rows", 0), number(item.header, "Columns", 0)


def _direction(item: Slice) -> tuple[object, ...]:
    assert item.plane is not None
    return tuple(round(value, 2) + 0.0 for cosines in item.plane[1:] for value in cosines)


def _without_copies(slices: list[Slice], findings: list[Finding]) -> list[Slice]:
    seen: dict[tuple[str, int], Slice] = {}
    for item in slices:
        seen.setdefault((item.uid or item.path, item.frame), item)
    dropped = len(slices) - len(seen)
    if dropped:
        findings.append(
            Finding("duplicate_slice", f"{dropped} images repeat an instance that is there; they are left out")
        )
    return list(seen.values())


def _largest(slices: list[Slice], key: object, code: str, what: str, findings: list[Finding]) -> list[Slice]:
    assert callable(key)
    groups = Counter(key(item) for item in slices)
    if len(groups) < 2:
        return slices
    most = max(groups, key=lambda name: (groups[name], str(name)))
    findings.append(Finding(code, f"{len(slices) - groups[most]} {what} are in the series and left out"))
    return [item for item in slices if key(item) == most]


def _one_volume(at: list[tuple[float, Slice]], findings: list[Finding]) -> list[tuple[float, Slice]]:
    """Where several images share a place, the first volume of them (by time, echo, or whatever tells them apart)."""
    places: list[list[tuple[float, Slice]]] = []
    for pair in at:
        if places and pair[0] - places[-1][0][0] < SAME_PLACE_MM:
            places[-1].append(pair)
        else:
            places.append([pair])
    most = max(len(place) for place in places)
    if most == 1:
        return at
    key = next((name for name in _VOLUME_KEYS if _tells_apart(name, places)), "")
    first = [min(place, key=lambda pair: (_order(pair[1], key), pair[1].path, pair[1].frame)) for place in places]
    even = all(len(place) == most for place in places)
    findings.append(
        Finding(
            "several_volumes",
            f"the series holds {most} volumes ({key or 'unnamed'}); the first is shown",
        )
        if even and len(places) > 1
        else Finding("duplicate_position", f"{len(at) - len(first)} images lie where another lies; they are left out")
    )
    return first


def _tells_apart(key: str, places: list[list[tuple[float, Slice]]]) -> bool:
    values = [[_order(item, key) for _, item in place] for place in places]
    return all(len(set(row)) == len(row) for row in values) and (
        key == "InstanceNumber" or len({min(r) for r in values}) == 1
    )


def _order(item: Slice, key: str) -> tuple[float, str]:
    return (number(item.header, key, 0.0), "\\".join(words(item.header, key))) if key else (0.0, "")


def _gaps(positions: tuple[float, ...]) -> list[Finding]:
    gaps = np.diff(positions)
    if len(gaps) < 2:
        return []
    usual = float(np.median(gaps))
    wide = gaps[np.abs(gaps / usual - 1) > UNEVEN]
    if not wide.size:
        return []
    missing = sum(round(gap / usual) - 1 for gap in wide if abs(gap / usual - round(gap / usual)) < UNEVEN)
    if missing > 0 and wide.min() > usual:
        return [Finding("missing_slices", f"{missing} slices seem to be missing: the gaps are uneven")]
    return [Finding("uneven_spacing", f"the slices are {gaps.min():.2f} to {gaps.max():.2f} mm apart")]


def _tilt(slices: tuple[Slice, ...], normal: np.ndarray) -> list[Finding]:
    if len(slices) < 2:
        return []
    along = _position(slices[-1]) - _position(slices[0])
    length = float(np.linalg.norm(along))
    degrees = float(np.degrees(np.arccos(np.clip(np.dot(along, normal) / length, -1, 1)))) if length else 0.0
    return [Finding("gantry_tilt", f"the stack is sheared by {degrees:.1f} degrees")] if degrees > TILT_DEGREES else []
