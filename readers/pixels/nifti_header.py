"""NIfTI and Analyze headers: dimensions, geometry, and where the header contradicts itself."""

import math
from typing import Any

import nibabel as _nibabel
import numpy as np

from readers.pixels.window import Values, Window
from readers.source import printable
from schemas.errors import CaseError
from schemas.findings import Finding, Severity

nibabel: Any = _nibabel
"""nibabel is typed in parts only."""

MOST_BYTES = 4 << 30
"""Unpacked voxels that one volume may have; more is refused before they are unpacked."""
BAD_GEOMETRY = Finding("bad_geometry", "the header's affine is not a number or not invertible")
OTHER_UNIT = Finding("length_unit", "the header states lengths in metres or micrometres; they are taken as such")
_MILLIMETRES = {1: 1000.0, 3: 0.001}
"""Of a metre and a micrometre, by the code of ``xyzt_units``; unknown units are taken as millimetres."""
SHEAR_COSINE = 0.01
SPACING_SHARE = 0.01
"""Share by which the lengths of a voxel's edges may differ between two statements of a header."""


def read_header(raw: bytes, path: str) -> Any:
    """The NIfTI header, single file or Analyze style, in either byte order."""
    second = raw[:4] in (b"\x1c\x02\0\0", b"\0\0\x02\x1c")
    try:
        header = (
            nibabel.Nifti2Header(raw[:540], check=False) if second else nibabel.Nifti1Header(raw[:348], check=False)
        )
        single = header["magic"].item()[:2] == b"n+"
        # Voxels of a single file that begin before the header ends would be the header's own bytes.
        if not (len(header.binaryblock) if single else 0) <= float(header["vox_offset"]) < MOST_BYTES:
            raise ValueError("vox_offset")
        header.get_data_dtype()
    except Exception as error:  # noqa: BLE001 - nibabel raises many kinds over a broken header
        raise CaseError(
            "corrupt_volume", f"the header of {printable(path)} is broken ({type(error).__name__})"
        ) from None
    return header


def voxel_bytes(header: Any, path: str) -> int:
    """Bytes that the voxels take unpacked; `CaseError` ``corrupt_volume``, ``volume_too_large``."""
    dims = [int(size) for size in header["dim"]]
    if not 1 <= dims[0] <= 7 or any(size < 1 for size in dims[1 : dims[0] + 1]):
        raise CaseError("corrupt_volume", f"the header of {printable(path)} states impossible dimensions")
    size: int = math.prod(dims[1 : dims[0] + 1]) * header.get_data_dtype().itemsize
    if size > MOST_BYTES:
        raise CaseError(
            "volume_too_large", f"{printable(path)} states {size:,} bytes of voxels; at most {MOST_BYTES:,}"
        )
    return size


def three_or_four(header: Any, path: str) -> tuple[int, ...]:
    """Dimensions with those of length one behind the third dropped: three, or four with channels."""
    dims = [int(size) for size in header["dim"]]
    shape = [*dims[1 : dims[0] + 1], 1, 1][: max(dims[0], 3)]
    further = [size for size in shape[3:] if size > 1]
    if len(further) > 1:
        raise CaseError("too_many_dimensions", f"{printable(path)} has {len(further) + 3} dimensions")
    return (*shape[:3], *further)


def geometry(header: Any) -> tuple[Values, bool, list[Finding]]:
    """The affine in millimetres, whether the header says where the patient's sides are, and what is odd about it."""
    known = int(header["sform_code"]) > 0 or int(header["qform_code"]) > 0
    try:
        affine = np.asarray(header.get_best_affine(), dtype=np.float64)
    except Exception:  # noqa: BLE001 - a quaternion that is none
        affine = np.full((4, 4), np.nan)
    if not _invertible(affine):
        fallback = np.asarray(header.get_base_affine(), dtype=np.float64)
        affine, _, findings = checked(fallback, False)
        return affine, False, [BAD_GEOMETRY, *(finding for finding in findings if finding != BAD_GEOMETRY)]
    unit = _MILLIMETRES.get(int(header["xyzt_units"]) & 7, 1.0)
    affine, known, findings = checked(np.diag([unit, unit, unit, 1.0]) @ affine, known)
    return affine, known, [*findings, *disagreements(header), *([OTHER_UNIT] if unit != 1 else [])]


def checked(affine: Values, known: bool) -> tuple[Values, bool, list[Finding]]:
    """The affine, or a guess where it is none; whether the sides are known; and what is odd about it."""
    findings = []
    if not _invertible(affine):
        affine, known = np.diag([-1.0, 1.0, 1.0, 1.0]), False
        findings.append(BAD_GEOMETRY)
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


def disagreements(header: Any) -> list[Finding]:
    """Where sform, qform and voxel sizes of one header contradict each other.

    The sform is taken, as nibabel does.  Forms in different spaces (scanner and template) may be turned and shifted
    against each other; but where they put the patient's sides on different ends of the voxel axes, left and right are
    anyone's guess, and the case is refused.
    """
    forms = [
        np.asarray(form, dtype=np.float64)
        for form, code in (
            (_form(header, "sform"), header["sform_code"]),
            (_form(header, "qform"), header["qform_code"]),
        )
        if int(code) > 0 and form is not None and _invertible(form)
    ]
    if not forms:
        return []
    letters = {"".join(nibabel.aff2axcodes(form)) for form in forms}
    if len(letters) > 1:
        detail = f"sform and qform disagree on the patient's sides ({' and '.join(sorted(letters))})"
        return [Finding("sides_disagree", detail, Severity.REFUSE)]
    stated = np.abs(np.asarray(header["pixdim"][1:4], dtype=np.float64))
    sizes = [np.linalg.norm(form[:3, :3], axis=0) for form in forms]
    if all(np.isfinite(stated)) and stated.min() > 0:
        sizes.append(stated)
    if any(np.abs(other / sizes[0] - 1).max() > SPACING_SHARE for other in sizes[1:]):
        return [Finding("spacing_disagrees", "the header states several voxel sizes; that of its affine is taken")]
    return []


def _form(header: Any, name: str) -> Values:
    try:
        return np.asarray(getattr(header, f"get_{name}")(), dtype=np.float64)
    except Exception:  # noqa: BLE001 - a quaternion that is none
        return np.full((4, 4), np.nan)


def intent_of(header: Any) -> Window | None:
    """The display range that the header states, if it is one."""
    low, high = float(header["cal_min"]), float(header["cal_max"])
    sane = math.isfinite(low) and math.isfinite(high) and high > low
    return Window("range", (low + high) / 2, high - low) if sane else None
