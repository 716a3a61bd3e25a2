"""How the 8-bit pixels that a model sees were made from the source, reversible as geometry.

Coordinates are continuous: pixel ``i`` covers the half-open interval ``[i, i + 1)``, so its centre is at
``i + 0.5``; x (or u) runs along columns to the right, y (or v) along rows downwards.  *Source* coordinates
``(u, v)`` live on the source plane: the stored raster of a 2D image, the stored rows and columns of a DICOM
frame, or, for slice ``index`` along voxel ``axis`` of a NIfTI volume, the two remaining voxel axes in
ascending order as ``(u, v)``.  *View* coordinates ``(x, y)`` live on the picture that is published.
"""

from dataclasses import dataclass, replace

Matrix = tuple[float, float, float, float, float, float]
Box = tuple[float, float, float, float]

IDENTITY: Matrix = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


@dataclass(slots=True, unsafe_hash=True)
class View:
    """One picture's recipe: geometry (reversible) and intensity (recorded).

    Never changed, but not frozen, as all that a row is made of (`schemas.instruction`).
    """

    source_width: int
    source_height: int
    width: int
    height: int
    matrix: Matrix = IDENTITY
    """``x = a*u + b*v + c``, ``y = d*u + e*v + f`` for ``(a, b, c, d, e, f)``."""
    axis: int = -1
    """Voxel axis that the slice cuts, -1 for a 2D source."""
    index: int = -1
    """Slice index along ``axis``, -1 for a 2D source."""
    frame: int = -1
    """Frame of a multi-frame file or page of a multi-page one, -1 for a single one."""
    orientation: str = ""
    """Patient directions of +x and +y as two letters of LRAPSI: ``LP`` is the radiological axial view
    (image right is patient left); empty where the source does not say."""
    spacing: tuple[float, float] = (0.0, 0.0)
    """Millimetres per view pixel along x and y; 0 where unknown."""
    slope: float = 1.0
    intercept: float = 0.0
    window: str = "none"
    """``none``, ``linear``, ``linear_exact`` or ``sigmoid`` (PS3.3 C.11.2), ``lut``, ``percentile``, ``range``."""
    window_center: float = 0.0
    window_width: float = 0.0
    """Centre and width in modality units (HU for CT), after slope and intercept."""
    invert: bool = False
    """True where the grey scale was reversed (MONOCHROME1)."""
    overlays: bool = False
    """True where the file's overlay planes (DICOM groups 60xx) are drawn in white."""

    def to_view(self, u: float, v: float) -> tuple[float, float]:
        """Map a source point to the view."""
        a, b, c, d, e, f = self.matrix
        return a * u + b * v + c, d * u + e * v + f

    def to_source(self, x: float, y: float) -> tuple[float, float]:
        """Map a view point back to the source."""
        a, b, c, d, e, f = invert(self.matrix)
        return a * x + b * y + c, d * x + e * y + f

    def box_to_view(self, box: Box) -> Box:
        """Map a source box ``(u0, v0, u1, v1)`` to the view's axis-aligned box around its corners."""
        a, b, c, d, e, f = self.matrix
        if b == 0 and d == 0:
            x0, y0, x1, y1 = a * box[0] + c, e * box[1] + f, a * box[2] + c, e * box[3] + f
            return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)
        return _around([self.to_view(u, v) for u in (box[0], box[2]) for v in (box[1], box[3])])

    def box_to_source(self, box: Box) -> Box:
        """Map a view box back to the source."""
        return _around([self.to_source(x, y) for x in (box[0], box[2]) for y in (box[1], box[3])])

    def normalised(self, box: Box) -> Box:
        """A view box in pixels as fractions 0..1 of the view."""
        return box[0] / self.width, box[1] / self.height, box[2] / self.width, box[3] / self.height

    def cropped(self, box: Box) -> "View":
        """This view cut to ``box`` (whole view pixels), its geometry still reaching back to the source."""
        x0, y0, x1, y1 = (round(edge) for edge in box)
        a, b, c, d, e, f = self.matrix
        return replace(self, width=x1 - x0, height=y1 - y0, matrix=(a, b, c - x0, d, e, f - y0))

    def resized(self, width: int, height: int) -> "View":
        """This view scaled to ``width`` by ``height``."""
        sx, sy = width / self.width, height / self.height
        a, b, c, d, e, f = self.matrix
        spacing = (self.spacing[0] / sx, self.spacing[1] / sy)
        matrix = (a * sx, b * sx, c * sx, d * sy, e * sy, f * sy)
        return replace(self, width=width, height=height, matrix=matrix, spacing=spacing)


def invert(matrix: Matrix) -> Matrix:
    """The inverse of a plane affine; raises ``ValueError`` where it has none."""
    a, b, c, d, e, f = matrix
    det = a * e - b * d
    if det == 0:
        raise ValueError(f"the view's matrix {matrix} has no inverse")
    return e / det, -b / det, (b * f - c * e) / det, -d / det, a / det, (c * d - a * f) / det


def compose(outer: Matrix, inner: Matrix) -> Matrix:
    """The affine that applies ``inner`` first, then ``outer``."""
    a, b, c, d, e, f = outer
    g, h, i, j, k, m = inner
    return (
        a * g + b * j, a * h + b * k, a * i + b * m + c,
        d * g + e * j, d * h + e * k, d * i + e * m + f,
    )  # fmt: skip


def _around(points: list[tuple[float, float]]) -> Box:
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return min(xs), min(ys), max(xs), max(ys)
