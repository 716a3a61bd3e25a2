"""Volumes in memory: voxels as stored, scaling and affine beside them, held for the slices of one case."""

import io
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from isal import igzip, isal_zlib

from readers.pixels.cache import BoundedCache, FileDigest
from readers.pixels.nifti_header import (
    BAD_GEOMETRY,
    MOST_BYTES,
    checked,
    geometry,
    intent_of,
    nibabel,
    read_header,
    three_or_four,
    voxel_bytes,
)
from readers.pixels.sniff import sniff
from readers.pixels.volume_formats import load_pair, load_with_itk, load_with_nibabel
from readers.pixels.window import Values, Window, stored_percentile
from readers.source import Source, printable
from schemas.errors import CaseError
from schemas.findings import Finding

_OTHER = frozenset(
    {
        "application/x-nrrd",
        "application/x-metaimage",
        "application/x-minc",
        "application/x-mgh",
        "application/x-mgh+gzip",
    }
)
_IsalError: Any = isal_zlib.error
_GZIP = 31
"""Window bits of zlib that say gzip."""
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
    digest: FileDigest
    """Of the file as it lies."""
    media_type: str = "application/x-nifti"
    colour: bool = False
    intent: Window | None = None
    """The display range that the header states."""
    findings: tuple[Finding, ...] = ()
    _windows: dict[int, Window] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """Of the file as it lies."""
        return self.digest.sha256

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
    def measured(self) -> bool:
        """Whether the header says how large a voxel is."""
        return BAD_GEOMETRY not in self.findings

    @property
    def tilt(self) -> float:
        """Degrees by which the voxel axis that is farthest off lies off its patient axis; 0 where unknown."""
        if not self.oriented:
            return 0.0
        axes = self.affine[:3, :3] / np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(np.degrees(np.arccos(np.abs(axes).max(axis=0).min().clip(0, 1))))

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
            self._windows[frame] = stored_percentile(some, self.slope, self.intercept)
        return self._windows[frame]


_VOLUMES: BoundedCache[Volume] = BoundedCache(768 << 20, lambda volume: volume.voxels.nbytes)


def load_volume(source: Source, path: str) -> Volume:
    """The volume at ``path``, loaded once for all slices of a case.

    Raises `CaseError`: ``not_a_volume``, ``corrupt_volume``, ``truncated_volume``, ``volume_too_large``.
    """
    return _VOLUMES.get((source.root, path, source.stamp(path)), lambda: read_volume(source, path))


def read_volume(source: Source, path: str) -> Volume:
    """The volume at ``path``, not held: for labels, which are looked at once.  Errors as in `load_volume`."""
    data = source.read_bytes(path)
    kind = sniff(data[:4096])
    digest = FileDigest(data)
    if kind in _OTHER:
        return _other(source, path, data[:4096], kind, digest)
    # A gzip file that breaks off in its first bytes cannot be told by its content, so it is unpacked to learn why.
    if kind not in ("application/x-nifti", "application/x-nifti+gzip", "application/gzip"):
        raise CaseError("not_a_volume", f"{printable(path)} is no volume that can be read: its content is {kind}")
    packed = kind.endswith("gzip")
    head = _unpack(data, 544, path, exact=False) if packed else data[:544]
    if sniff(head) != "application/x-nifti":
        raise CaseError("not_a_volume", f"{printable(path)} is no volume that can be read: it holds {sniff(head)}")
    header = read_header(head, path)
    if header["magic"].item()[:2] != b"n+":
        return _built(path, digest, kind, *load_pair(source, path, head[:540], MOST_BYTES))
    wanted = int(header["vox_offset"]) + voxel_bytes(header, path)
    raw = _unpack(data, wanted, path) if packed else data
    return _nifti(raw, header, path, digest, packed)


def _other(source: Source, path: str, head: bytes, kind: str, digest: FileDigest) -> Volume:
    if kind in ("application/x-nrrd", "application/x-metaimage"):
        return _built(path, digest, kind, *load_with_itk(source, path, head, MOST_BYTES))
    if head.startswith(b"\x89HDF"):
        return _built(path, digest, kind, *load_with_itk(source, path, head, MOST_BYTES, in_ras=True))
    return _built(path, digest, kind, *load_with_nibabel(source, path, MOST_BYTES))


def _built(path: str, digest: FileDigest, kind: str, voxels: Values, affine: Values, oriented: bool) -> Volume:
    """A volume from voxels that are scaled already."""
    if voxels.dtype.fields is not None:
        voxels = np.stack([voxels[name] for name in list(voxels.dtype.fields)[:3]], axis=-1)
    elif voxels.dtype.kind not in "iuf":
        raise CaseError("not_a_volume", f"{printable(path)} has voxels of type {voxels.dtype}, which is no grey scale")
    while voxels.ndim > 3 and voxels.shape[-1] == 1:
        voxels = voxels[..., 0]
    if voxels.ndim not in (3, 4) or 0 in voxels.shape:
        raise CaseError("too_many_dimensions", f"{printable(path)} has {voxels.ndim} dimensions")
    sound, oriented, findings = checked(affine, oriented)
    return Volume(
        path=path,
        voxels=voxels,
        slope=1.0,
        intercept=0.0,
        affine=sound,
        oriented=oriented,
        digest=digest,
        media_type=kind,
        colour=voxels.ndim == 4 and voxels.shape[3] == 3 and voxels.dtype == np.uint8,
        findings=(*findings, *voxel_findings(voxels)),
    )


def _unpack(data: bytes, count: int, path: str, exact: bool = True) -> bytes:
    try:
        unpacked = _first_member(data, count) if exact else b""
        if len(unpacked) < count:
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


def _first_member(data: bytes, count: int) -> bytes:
    """What the first, and mostly only, member of a gzip file holds; reading it as a file takes half as long again."""
    try:
        inflater: Any = isal_zlib.decompressobj(_GZIP)
        return bytes(inflater.decompress(data, count))
    except _IsalError:
        return b""


def _nifti(raw: bytes, header: Any, path: str, digest: FileDigest, packed: bool) -> Volume:
    dtype, shape = header.get_data_dtype(), three_or_four(header, path)
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
    if scaled and not math.isfinite(intercept):
        raise CaseError("corrupt_volume", f"{printable(path)} has a slope of its values and no intercept")
    affine, oriented, findings = geometry(header)
    return Volume(
        path=path,
        voxels=voxels,
        slope=slope if scaled else 1.0,
        intercept=intercept if scaled else 0.0,
        affine=affine,
        oriented=oriented,
        digest=digest,
        media_type="application/x-nifti+gzip" if packed else "application/x-nifti",
        colour=colour,
        intent=intent_of(header),
        findings=(*findings, *voxel_findings(voxels)),
    )


def voxel_findings(voxels: Values) -> list[Finding]:
    """What is odd about stored values: NaN or infinity."""
    if voxels.dtype.kind != "f" or np.isfinite(voxels).all():
        return []
    return [Finding("nonfinite_voxels", "some voxels are not numbers or infinite; they are shown black")]
