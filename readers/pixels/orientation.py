"""How a plane through a patient is turned for display, and the letters that say so.

Directions are unit vectors in DICOM's patient frame LPS: +x to the patient's left, +y to posterior, +z to superior.
Pictures are shown as radiologists hang them: axial with image right = patient left and image bottom = posterior;
coronal with right = left, bottom = inferior; sagittal with right = posterior, bottom = inferior.
"""

from dataclasses import replace

from schemas.view import Matrix, View

Direction = tuple[float, float, float]

AXES: dict[str, Direction] = {
    "L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1),
}  # fmt: skip
DISPLAY = {"sagittal": ("P", "I"), "coronal": ("L", "I"), "axial": ("L", "P")}
MOST_STRETCH = 50.0
"""Pixels that are longer than so many times their width are a broken header, and are shown as they are."""
_NORMAL_TO_PLANE = ("sagittal", "coronal", "axial")


def letter(direction: Direction) -> str:
    """The patient direction that ``direction`` runs along most."""
    return max(AXES, key=lambda name: dot(AXES[name], direction))


def dot(one: Direction, other: Direction) -> float:
    """The scalar product; on three numbers numpy takes several times as long."""
    return one[0] * other[0] + one[1] * other[1] + one[2] * other[2]


def cross(one: Direction, other: Direction) -> Direction:
    """The vector product; see `dot`."""
    (a, b, c), (d, e, f) = one, other
    return b * f - c * e, c * d - a * f, a * e - b * d


def plane_of(u: Direction, v: Direction) -> str:
    """axial, coronal or sagittal: the plane whose normal is nearest to that of ``u`` and ``v``."""
    normal = [abs(part) for part in cross(u, v)]
    return _NORMAL_TO_PLANE[normal.index(max(normal))]


def plane_from_letters(orientation: str) -> str:
    """The plane of a view by its two letters; empty where it has none."""
    axes = {"L": 0, "R": 0, "P": 1, "A": 1, "S": 2, "I": 2}
    if len(orientation) != 2 or any(name not in axes for name in orientation):
        return ""
    missing = {0, 1, 2} - {axes[name] for name in orientation}
    return _NORMAL_TO_PLANE[missing.pop()] if len(missing) == 1 else ""


def hung(view: View, u: Direction, v: Direction, spacing_uv: tuple[float, float]) -> View:
    """A ``view`` of an unturned source plane, turned for display; ``u`` and ``v`` are the plane's patient directions.

    Sets matrix, size, orientation and spacing; ``spacing_uv`` is in millimetres per source pixel along u and v.
    """
    letters = DISPLAY[plane_of(u, v)]
    right, down = (AXES[name] for name in letters)
    straight = abs(dot(u, right)) + abs(dot(v, down))
    turned = abs(dot(u, down)) + abs(dot(v, right))
    width, height = view.source_width, view.source_height
    if straight >= turned:
        sx, sy = dot(u, right) >= 0, dot(v, down) >= 0
        matrix: Matrix = (1.0 if sx else -1.0, 0.0, 0.0 if sx else float(width),
                          0.0, 1.0 if sy else -1.0, 0.0 if sy else float(height))  # fmt: skip
        shown, spacing = (width, height), spacing_uv
    else:
        sx, sy = dot(v, right) >= 0, dot(u, down) >= 0
        matrix = (0.0, 1.0 if sx else -1.0, 0.0 if sx else float(height),
                  1.0 if sy else -1.0, 0.0, 0.0 if sy else float(width))  # fmt: skip
        shown, spacing = (height, width), (spacing_uv[1], spacing_uv[0])
    return replace(view, width=shown[0], height=shown[1], matrix=matrix, orientation="".join(letters), spacing=spacing)


def square_pixels(view: View, longest: int = 4096) -> View:
    """The ``view`` stretched so that its pixels are square in millimetres, at the finer of its two spacings."""
    across, down = view.spacing
    if across <= 0 or down <= 0 or abs(across / down - 1) < 0.01:
        return view
    if max(across / down, down / across) > MOST_STRETCH:
        return view
    finest = min(across, down)
    width, height = view.width * across / finest, view.height * down / finest
    shrink = min(1.0, longest / max(width, height))
    return view.resized(max(round(width * shrink), 1), max(round(height * shrink), 1))
