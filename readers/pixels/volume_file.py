"""Volumes in memory: voxels as stored, scaling and affine beside them, held for the slices of one case."""

import hashlib
import io
import math
from dataclasses import dataclass, field
from typing import Any

import nibabel as _nibabel
import numpy as np
from isal import igzip, isal_zlib

from readers.pixels.cache import BoundedCache
from readers.pixels.sniff import sniff
from readers.pixels.volume_formats import load_pair, load_with_itk, load_with_nibabel
from readers.pixels.window import Values, Window, percentile
from readers.source import Source, printable
from schemas.errors import CaseError
from schemas.findings import Finding

nibabel: Any = _nibabel
"""nibabel is typed in parts only."""

MOST_BYTES = 4 << 30
"""Unpacked voxels that one volume may have; more is refused before they are unpacked."""
_OTHER = frozenset(
    {
        "application/x-nrrd",
        "application/x-metaimage",
        "application/x-minc",
        "application/x-mgh",
        "application/x-mgh+gzip",
    }
)
_BAD_GEOMETRY = Finding("bad_geometry", "the header's affine is not a number or not invertible")
SHEAR_COSINE = 0.01
_IsalError: Any = isal_zlib.error
_MEASURED_VOXELS = 1 << 20


@dataclass(frozen=True, slots=True)
class Volume:
    """One 3D image, with channels or time points where it has them."""

    path: str
    voxels: Values
    """Stored values ``(i, j, k)``, ``(i, j, k, channels)``, or ``(i, j, k, 3)`` uint8 where ``colour``."""
    slope: float
    intercept: float
    affine: Values
    """4x4, voxel indices to millimetres, RAS."""
    oriented: bool
    """Whether the header says where the patient's sides are; else the affine is a guess for display."""
    sha256: str
    """Of the file as it lies."""
    media_type: str = "application/x-nifti"
    colour: bool = False
    intent: Window | None = None
    """The display range that the header states."""
    findings: tuple[Finding, ...] = ()
    _windows: dict[int, Window] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along the three axes."""
        return self.voxels.shape[0], self.voxels.shape[1], self.voxels.shape[2]

    @property
    def channels(self) -> int:
        """Channels or time points."""
        return 1 if self.voxels.ndim == 3 or self.colour else int(self.voxels.shape[3])

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Millimetres per voxel along the three axes, to a nanometre: headers hold them in single precision."""
        i, j, k = (round(float(np.linalg.norm(self.affine[:3, axis])), 6) for axis in range(3))
        return i, j, k

    @property
    def orientation(self) -> str:
        """Patient directions of +i +j +k as nibabel writes them, e.g. ``RAS``; empty where unknown."""
        return "".join(nibabel.aff2axcodes(self.affine)) if self.oriented else ""

    def channel(self, frame: int = -1) -> Values:
        """The stored values ``(i, j, k)`` of a channel; `CaseError` ``missing_frame``."""
        if self.voxels.ndim == 3:
            return self.voxels
        if max(frame, 0) >= self.voxels.shape[3]:
            raise CaseError("missing_frame", f"{printable(self.path)} has only {self.voxels.shape[3]} channels")
        return self.voxels[..., max(frame, 0)]

    def percentiles(self, frame: int = -1) -> Window:
        """The 0.5 to 99.5 percentiles of positive values, from at most a million evenly spread voxels."""
        if frame not in self._windows:
            flat = self.channel(frame).ravel(order="K")
            some = flat[:: max(flat.size // _MEASURED_VOXELS, 1)]
            self._windows[frame] = percentile(some.astype(np.float64) * self.slope + self.intercept)
        return self._windows[frame]


_VOLUMES: BoundedCache[Volume] = BoundedCache(768 << 20, lambda volume: volume.voxels.nbytes)


def load_volume(source: Source, path: str) -> Volume:
    """The volume at ``path``, loaded once for all slices of a case.

    Raises `CaseError`: ``not_a_volume``, ``corrupt_volume``, ``truncated_volume``, ``volume_too_large``.
    """
    return _VOLUMES.get((source.root, path, source.size(path)), lambda: read_volume(source, path))


def read_volume(source: Source, path: str) -> Volume:
    """The volume at ``path``, not held: for labels, which are looked at once.  Errors as in `load_volume`."""
    data = source.read_bytes(path)
    kind = sniff(data[:4096])
    digest = hashlib.sha256(data).hexdigest()
    if kind in _OTHER:
        return _other(source, path, data[:4096], kind, digest)
    # A gzip file that breaks off in its first bytes cannot be told by its content, so it is unpacked to learn why.
    if kind not in ("application/x-nifti", "application/x-nifti+gzip", "application/gzip"):
        raise CaseError("not_a_volume", f"{printable(path)} is no volume that can be read: its content is {kind}")
    packed = kind.endswith("gzip")
    head = _unpack(data, 544, path, exact=False) if packed else data[:544]
    if sniff(head) != "application/x-nifti":
        raise CaseError("not_a_volume", f"{printable(path)} is no volume that can be read: it holds {sniff(head)}")
    header = _header(head, path)
    if header["magic"].item()[:2] != b"n+":
        return _built(path, digest, kind, *load_pair(source, path, head[:540], MOST_BYTES))
    wanted = int(header["vox_offset"]) + _voxel_bytes(header, path)
    raw = _unpack(data, wanted, path) if packed else data
    return _nifti(raw, header, path, digest, packed)


def _other(source: Source, path: str, head: bytes, kind: str, digest: str) -> Volume:
    if kind in ("application/x-nrrd", "application/x-metaimage"):
        return _built(path, digest, kind, *load_with_itk(source, path, head, MOST_BYTES))
    if head.startswith(b"\x89HDF"):
        return _built(path, digest, kind, *load_with_itk(source, path, head, MOST_BYTES, in_ras=True))
    return _built(path, digest, kind, *load_with_nibabel(source, path, MOST_BYTES))


def _built(path: str, digest: str, kind: str, voxels: Values, affine: Values, oriented: bool) -> Volume:
    """A volume from voxels that are scaled already."""
    if voxels.dtype.fields is not None:
        voxels = np.stack([voxels[name] for name in list(voxels.dtype.fields)[:3]], axis=-1)
    elif voxels.dtype.kind not in "iuf":
        raise CaseError("not_a_volume", f"{printable(path)} has voxels of type {voxels.dtype}, which is no grey scale")
    while voxels.ndim > 3 and voxels.shape[-1] == 1:
        voxels = voxels[..., 0]
    if voxels.ndim not in (3, 4) or 0 in voxels.shape:
        raise CaseError("too_many_dimensions", f"{printable(path)} has {voxels.ndim} dimensions")
    sound, oriented, findings = _checked(affine, oriented)
    return Volume(
        path=path,
        voxels=voxels,
        slope=1.0,
        intercept=0.0,
        affine=sound,
        oriented=oriented,
        sha256=digest,
        media_type=kind,
        colour=voxels.ndim == 4 and voxels.shape[3] == 3 and voxels.dtype == np.uint8,
        findings=(*findings, *voxel_findings(voxels)),
    )


def _unpack(data: bytes, count: int, path: str, exact: bool = True) -> bytes:
    try:
        opened: Any = igzip.GzipFile
        with opened(fileobj=io.BytesIO(data)) as file:
            unpacked = bytes(file.read(count))
    except EOFError:
        raise CaseError(
            "truncated_volume", f"the gzip data of {printable(path)} ends too early; copy it again"
        ) from None
    except (OSError, _IsalError, ValueError) as error:
        raise CaseError("corrupt_volume", f"{printable(path)} cannot be unpacked ({type(error).__name__})") from None
    if exact and len(unpacked) < count:
        raise CaseError("truncated_volume", f"{printable(path)} ends before its last voxel; copy it again")
    return unpacked


def _header(raw: bytes, path: str) -> Any:
    """The NIfTI header, single file or Analyze style, in either byte order."""
    second = raw[:4] in (b"\x1c\x02\0\0", b"\0\0\x02\x1c")
    try:
        header = (
            nibabel.Nifti2Header(raw[:540], check=False) if second else nibabel.Nifti1Header(raw[:348], check=False)
        )
        if not 0 <= float(header["vox_offset"]) < MOST_BYTES:
            raise ValueError("vox_offset")
        header.get_data_dtype()
    except Exception as error:  # noqa: BLE001 - nibabel raises many kinds over a broken header
        raise CaseError(
            "corrupt_volume", f"the header of {printable(path)} is broken ({type(error).__name__})"
        ) from None
    return header


def _voxel_bytes(header: Any, path: str) -> int:
    dims = [int(size) for size in header["dim"]]
    if not 1 <= dims[0] <= 7 or any(size < 1 for size in dims[1 : dims[0] + 1]):
        raise CaseError("corrupt_volume", f"the header of {printable(path)} states impossible dimensions")
    size: int = math.prod(dims[1 : dims[0] + 1]) * header.get_data_dtype().itemsize
    if size > MOST_BYTES:
        raise CaseError(
            "volume_too_large", f"{printable(path)} states {size:,} bytes of voxels; at most {MOST_BYTES:,}"
        )
    return size


def _nifti(raw: bytes, header: Any, path: str, digest: str, packed: bool) -> Volume:
    dtype, shape = header.get_data_dtype(), _three_or_four(header, path)
    offset, count = int(header["vox_offset"]), math.prod(shape)
    if len(raw) < offset + count * dtype.itemsize:
        raise CaseError("truncated_volume", f"{printable(path)} ends before its last voxel; copy it again")
    colour = dtype.fields is not None
    if colour:
        planes = len(dtype.fields)
        flat = np.frombuffer(raw, np.uint8, count * planes, offset).reshape((planes, *shape), order="F")
        voxels = np.moveaxis(flat[:3], 0, -1)
    elif dtype.kind not in "iuf":
        raise CaseError("not_a_volume", f"{printable(path)} has voxels of type {dtype}, which is no grey scale")
    else:
        voxels = np.frombuffer(raw, dtype, count, offset).reshape(shape, order="F")
    slope, intercept = (float(header[name]) for name in ("scl_slope", "scl_inter"))
    scaled = math.isfinite(slope) and slope != 0
    affine, oriented, findings = _geometry(header)
    return Volume(
        path=path,
        voxels=voxels,
        slope=slope if scaled else 1.0,
        intercept=intercept if scaled and math.isfinite(intercept) else 0.0,
        affine=affine,
        oriented=oriented,
        sha256=digest,
        media_type="application/x-nifti+gzip" if packed else "application/x-nifti",
        colour=colour,
        intent=_intent(header),
        findings=(*findings, *voxel_findings(voxels)),
    )


def _three_or_four(header: Any, path: str) -> tuple[int, ...]:
    """Dimensions with those of length one behind the third dropped: three, or four with channels."""
    dims = [int(size) for size in header["dim"]]
    shape = [*dims[1 : dims[0] + 1], 1, 1][: max(dims[0], 3)]
    further = [size for size in shape[3:] if size > 1]
    if len(further) > 1:
        raise CaseError("too_many_dimensions", f"{printable(path)} has {len(further) + 3} dimensions")
    return (*shape[:3], *further)


def _geometry(header: Any) -> tuple[Values, bool, list[Finding]]:
    known = int(header["sform_code"]) > 0 or int(header["qform_code"]) > 0
    try:
        affine = np.asarray(header.get_best_affine(), dtype=np.float64)
    except Exception:  # noqa: BLE001 - a quaternion that is none
        affine = np.full((4, 4), np.nan)
    if not _invertible(affine):
        fallback = np.asarray(header.get_base_affine(), dtype=np.float64)
        affine, _, findings = _checked(fallback, False)
        return affine, False, [_BAD_GEOMETRY, *(finding for finding in findings if finding != _BAD_GEOMETRY)]
    return _checked(affine, known)


def _checked(affine: Values, known: bool) -> tuple[Values, bool, list[Finding]]:
    """The affine, or a guess where it is none; whether the sides are known; and what is odd about it."""
    findings = []
    if not _invertible(affine):
        affine, known = np.diag([-1.0, 1.0, 1.0, 1.0]), False
        findings.append(_BAD_GEOMETRY)
    if not known:
        findings.append(Finding("orientation_unknown", "the header does not say where left and right are"))
    return affine, known, [*findings, *affine_findings(affine)]


def _invertible(affine: Values) -> bool:
    """Whether voxels have a size between a hundred nanometres and a hundred metres, and their axes span space."""
    if affine.shape != (4, 4) or not np.isfinite(affine).all() or np.abs(affine).max() > 1e9:
        return False
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    return bool(sizes.min() > 1e-4 and sizes.max() < 1e5 and abs(np.linalg.det(affine[:3, :3] / sizes)) > 1e-3)


def affine_findings(affine: Values) -> list[Finding]:
    """What is odd about an affine: axes that are not at right angles."""
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    off = np.abs(axes.T @ axes - np.eye(3)).max()
    return [Finding("sheared_affine", "the voxel axes are not at right angles")] if off > SHEAR_COSINE else []


def voxel_findings(voxels: Values) -> list[Finding]:
    """What is odd about stored values: NaN or infinity."""
    if voxels.dtype.kind != "f" or np.isfinite(voxels).all():
        return []
    return [Finding("nonfinite_voxels", "some voxels are not numbers or infinite; they are shown black")]


def _intent(header: Any) -> Window | None:
    low, high = float(header["cal_min"]), float(header["cal_max"])
    sane = math.isfinite(low) and math.isfinite(high) and high > low
    return Window("range", (low + high) / 2, high - low) if sane else None
