"""What a volume shows, whatever its voxel order, compression or number type: copies of it are found by one digest."""

import hashlib
from typing import Any


def volume_digest(data: bytes) -> str:
    """Digest of a NIfTI's values in canonical orientation (its axes flipped and permuted to the nearest RAS+).

    Args:
        data: a NIfTI-1 or -2 file, plain or gzip.

    Returns:
        32 hex digits, equal for copies that were packed again, stored in another voxel order with a header that says
        so, in another byte order, or in another number type that holds the same values; empty where the file cannot
        be read.  Not equal: resampled, cropped or windowed copies, and copies that were flipped without a word in the
        header, which show another patient's side.
    """
    import nibabel
    import numpy as np

    turned: Any = nibabel.as_closest_canonical
    try:
        image: Any = nibabel.Nifti1Image.from_bytes(_plain(data))
        voxels = np.asanyarray(turned(image).dataobj)
    except Exception:  # noqa: BLE001 - nibabel raises anything on a broken file, which the reader has to tell of
        return ""
    if voxels.dtype.kind not in "iufb":
        return ""
    values = np.ascontiguousarray(_whole(np, voxels), "<i4" if _is_whole(np, voxels) else "<f4")
    made = hashlib.blake2b(repr(values.shape).encode(), digest_size=16)
    made.update(values.tobytes())
    return made.hexdigest()


def _plain(data: bytes) -> bytes:
    import gzip

    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def _is_whole(np: Any, voxels: Any) -> bool:
    """Whether every value is a whole number of 32 bits."""
    if voxels.dtype.kind == "b":
        return True
    if voxels.dtype.kind == "f" and not (np.isfinite(voxels).all() and (np.rint(voxels) == voxels).all()):
        return False
    return bool(voxels.min(initial=0) >= -(2**31) and voxels.max(initial=0) < 2**31)


def _whole(np: Any, voxels: Any) -> Any:
    return np.nan_to_num(voxels) if voxels.dtype.kind == "f" else voxels
