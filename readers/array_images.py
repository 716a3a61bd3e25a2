"""Image references for rows of arrays in npz files, and for whole npy files."""

from readers.pixels import arrays, intensity
from readers.slices import evenly
from readers.source import Source
from schemas.case import ImageRef
from schemas.errors import CaseError
from schemas.view import View

SLICES = 3
"""Of a volume in an npy file, so many slices along its first axis become images."""


def row_refs(
    path: str, name: str, row: int, pixels: arrays.Array, slices: int, orientation: str
) -> tuple[ImageRef, ...]:
    """The picture of a row of the array ``name`` (-1: all of it is one), or ``slices`` of it where it is a volume."""
    volume = pixels.ndim == 3 and pixels.shape[2] not in (1, 2, 3, 4)
    cuts = evenly(0, pixels.shape[0] - 1, slices) if volume else [-1]
    kind = "application/x-npy" if path.lower().endswith(".npy") else "application/x-npz"
    refs = []
    for index in cuts:
        plane = arrays.plane(pixels, 0 if volume else -1, index)
        window, centre, width = intensity.choose(plane)
        height, wide = plane.shape[:2]
        view = View(
            wide, height, wide, height, frame=row, axis=0 if volume else -1, index=index,
            orientation=orientation, window=window, window_center=centre, window_width=width,
        )  # fmt: skip
        channels = plane.shape[2] if plane.ndim == 3 else 1
        refs.append(ImageRef((path,), kind, view, 8 * pixels.dtype.itemsize, channels, array=name))
    return tuple(refs)


def npy_refs(source: Source, path: str, orientation: str) -> tuple[ImageRef, ...]:
    """The picture of an npy file, or slices of its volume; one of ``(1, D, H, W)``, as M3D has them, is a volume.

    Raises `CaseError` ``unsupported_channels`` where the array is neither.
    """
    ((shape, _),) = arrays.array_headers(source, path).values()
    if len(shape) not in (2, 3) and not (len(shape) == 4 and shape[0] == 1):
        raise CaseError("unsupported_channels", f"an array of shape {shape} is neither a picture nor a volume")
    row = 0 if len(shape) == 4 else -1
    return row_refs(path, "", row, arrays.array_row(source, path, "", row), SLICES, orientation)
