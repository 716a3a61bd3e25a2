"""Label volumes cut to what they mark, so that a hundred of them on one grid stay small."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from readers.pixels.window import Values
from readers.volume_labels import LabelClass, components, labelled_areas


@dataclass(frozen=True, slots=True)
class Part:
    """A label volume on the image's grid, cut to the box that it marks so that a hundred of them stay small."""

    values: Values
    origin: tuple[int, int, int]
    shape: tuple[int, int, int]
    """Of the whole grid."""
    classes: tuple[LabelClass, ...]
    path: str = ""
    """The file that the label lies in."""
    binary: bool = False
    """Whether that file marks one class by any value but 0; here it is 1."""

    def areas(self, axis: int) -> list[float]:
        """Labelled voxels in each slice of the whole grid."""
        inner = labelled_areas(self.values, axis)
        before = [0.0] * self.origin[axis]
        return before + inner + [0.0] * (self.shape[axis] - len(before) - len(inner))

    def slice(self, axis: int, index: int) -> Values | None:
        """The whole slice as ``(i, j, k)`` with one entry along ``axis``; None where nothing is marked on it."""
        inside = index - self.origin[axis]
        if not 0 <= inside < self.values.shape[axis]:
            return None
        cut = np.take(self.values, [inside], axis)
        shape = [1 if other == axis else self.shape[other] for other in range(3)]
        whole = np.zeros(shape, dtype=self.values.dtype)
        at = [0 if other == axis else self.origin[other] for other in range(3)]
        whole[tuple(slice(start, start + size) for start, size in zip(at, cut.shape, strict=True))] = cut
        return whole


def part(values: Values, classes: Sequence[LabelClass], path: str, binary: bool = False) -> Part | None:
    """The part of a label volume that marks anything; None where nothing does."""
    edges = []
    for axis in range(3):
        marked = np.flatnonzero(values.any(axis=tuple(other for other in range(3) if other != axis)))
        if not marked.size:
            return None
        edges.append((int(marked[0]), int(marked[-1]) + 1))
    cut = np.ascontiguousarray(values[tuple(slice(*edge) for edge in edges)])
    origin = edges[0][0], edges[1][0], edges[2][0]
    return Part(cut, origin, (values.shape[0], values.shape[1], values.shape[2]), tuple(classes), path, binary)


def separated(found: Part) -> list[Part]:
    """One part per class, its connected pieces as classes of their own in voxel order; classes may overlap."""
    parts = []
    for item in found.classes:
        own = components(found.values, item)
        pieces = [LabelClass(item.label, item.original, (n,)) for n in range(1, int(own.max(initial=0)) + 1)]
        parts.append(Part(own, found.origin, found.shape, tuple(pieces), found.path))
    return parts
