"""Where a region lies, computed from its geometry on the view; the words come from `converters.speech`.

A view that knows its orientation is spoken of in the patient's frame (``LP``: +x runs to the patient's left, so
what lies in the right third of the picture is on the patient's left); one that does not, in the image's.
"""

from dataclasses import dataclass
from functools import cache

from schemas.case import Region
from schemas.instruction import Place
from schemas.masks import place
from schemas.runs import runs
from schemas.view import View

THIRD, WIDE, APART = 1 / 3, 0.6, 0.1
_UNSURE = 0.03
"""A centre this near to the border of a third could be called either."""
_OPPOSITE = {"L": "R", "R": "L", "A": "P", "P": "A", "S": "I", "I": "S", ">": "<", "<": ">", "v": "^", "^": "v"}
_ORDER = "SIAP^v<>LR"


@dataclass(slots=True)
class Spot:
    """A region as it stands on one view; not to be changed."""

    place: Place
    """With ``image_index`` 0: the row shows one picture."""
    centre: tuple[float, float]
    """Centroid as fractions 0..1 of the view: of the mask's pixels, else of the box."""
    share: float
    """Part of the view that is covered, 0..1: by the mask's pixels, else by the box."""


@dataclass(slots=True)
class Where:
    """A place in coarse terms; not to be changed."""

    codes: str
    """Letters of LRAPSI in the patient's frame, of ``<>^v`` (left, right, upper, lower) in the image's; none for the
    middle or for what spans the picture."""
    patient: bool
    wide: bool
    """Whether it spans the picture both ways."""


def spot(region: Region, view: View) -> Spot | None:
    """The region on the view; None where nothing of it is visible there."""
    found = place(region, view)
    if found is None:
        return None
    x0, y0, x1, y1 = found.box
    if not found.rle:
        return Spot(found, ((x0 + x1) / 2, (y0 + y1) / 2), (x1 - x0) * (y1 - y0))
    mask = runs(found.rle, found.size)
    x, y = mask.centre
    return Spot(found, (x / view.width, y / view.height), mask.pixels / (view.width * view.height))


def where(this: Spot, view: View) -> Where:
    """Coarse location: thirds of the picture by the centroid; an axis that the region spans by 60 % gets no word."""
    patient = len(view.orientation) == 2
    axes = view.orientation if patient else ">v"
    x, y = this.centre
    x0, y0, x1, y1 = this.place.box
    wide, high = x1 - x0, y1 - y0
    return Where(ordered(_code(axes[0], x, wide), _code(axes[1], y, high)), patient, min(wide, high) > WIDE)


@cache
def ordered(one: str, other: str) -> str:
    """The codes of two axes, as in `Where`."""
    return "".join(sorted(one + other, key=_ORDER.index))


def _code(positive: str, centre: float, extent: float) -> str:
    if extent > WIDE or THIRD <= centre <= 1 - THIRD:
        return ""
    return positive if centre > THIRD else _OPPOSITE[positive]


def clear(seen: Spot) -> bool:
    """Whether what `where` says is true however the thirds are meant.

    Beside a border between them only a side may be told, and only of what lies in that half altogether: a right lung
    is on the right although its middle lies beside the border, and a kidney there is not central.
    """
    box = seen.place.box
    return all(_clear(seen.centre[axis], box[axis], box[axis + 2]) for axis in (0, 1))


def _clear(centre: float, low: float, high: float) -> bool:
    beyond = (centre < THIRD and high <= 0.5) or (centre > 1 - THIRD and low >= 0.5)
    return beyond or not _beside(centre)


def _beside(centre: float) -> bool:
    """Whether a centre lies beside a border of the thirds."""
    return min(abs(centre - THIRD), abs(centre - (1 - THIRD))) <= _UNSURE


def sure(seen: Spot) -> bool:
    """Whether the centre lies beside no border of thirds, and the region does not span the picture.

    It is asked of questions, where the place on the other side of the border would be the wrong answer.
    """
    x0, y0, x1, y1 = seen.place.box
    return not any(map(_beside, seen.centre)) and x1 - x0 < THIRD * 1.5 and y1 - y0 < THIRD * 1.5


def plane_of(view: View) -> str:
    """``axial``, ``coronal`` or ``sagittal`` from a slice's orientation; empty for other pictures."""
    return _plane(view.orientation) if view.axis >= 0 and len(view.orientation) == 2 else ""


@cache
def _plane(orientation: str) -> str:
    axes = {"LR" if letter in "LR" else "AP" if letter in "AP" else "SI" for letter in orientation}
    return {
        frozenset(("LR", "AP")): "axial",
        frozenset(("LR", "SI")): "coronal",
        frozenset(("AP", "SI")): "sagittal",
    }.get(frozenset(axes), "")


def overlap(one: Place, other: Place) -> float:
    """Intersection over union of two places' boxes."""
    a, b = one.box, other.box
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    both = wide * high
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def direction(this: Spot, other: Spot, view: View) -> str:
    """On which side of ``other`` this lies, as one code of `Where`; empty where no axis separates the two clearly.

    Clear means that the boxes do not overlap along the axis and the centres are a tenth of the picture apart, more than
    along the other axis.
    """
    gaps = [this.centre[axis] - other.centre[axis] for axis in (0, 1)]
    axis = 0 if abs(gaps[0]) >= abs(gaps[1]) else 1
    low, high = (other, this) if gaps[axis] > 0 else (this, other)
    if abs(gaps[axis]) < APART or low.place.box[axis + 2] > high.place.box[axis]:
        return ""
    positive = (view.orientation if len(view.orientation) == 2 else ">v")[axis]
    return positive if gaps[axis] > 0 else _OPPOSITE[positive]


def opposite(code: str) -> str:
    """The other end of the axis."""
    return _OPPOSITE[code]


def millimetres(this: Spot, view: View) -> tuple[float, float] | None:
    """Width and height of the region's box in mm; None where the spacing is unknown."""
    if min(view.spacing) <= 0:
        return None
    x0, y0, x1, y1 = this.place.box
    return (x1 - x0) * view.width * view.spacing[0], (y1 - y0) * view.height * view.spacing[1]


def cut_off(this: Spot) -> bool:
    """Whether the region reaches the picture's edge, so that it may go on beyond."""
    x0, y0, x1, y1 = this.place.box
    return x0 <= 0 or y0 <= 0 or x1 >= 1 or y1 >= 1
