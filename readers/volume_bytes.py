"""Whole volumes as they are published: NIfTI as it came, its texts blanked, and everything else written as NIfTI."""

import hashlib
import struct
import zlib
from dataclasses import replace
from typing import Any

import imagecodecs
import numpy as np

from readers.pixels.nifti_header import nibabel, read_header, voxel_bytes
from readers.pixels.volume_file import Volume, load_volume, read_volume
from readers.pixels.window import Values
from readers.source import Source
from readers.volume_labels import Mismatch, labels_on, mask_on
from schemas.case import VolumeRef
from schemas.errors import CaseError
from schemas.rendered import Carried

TEXTS = ((4, 32), (148, 252), (328, 344))
"""Bytes of a NIfTI-1 header that hold free text: data_type and db_name, descrip and aux_file, intent_name."""
_HEADER, _VOXELS = 348, 352
_OFFSET = 108
_NAMED = 0b11100
"""Flags of a gzip header that holds an extra field, a file name or a comment."""
_GZIP_COUNTS = 1 << 32
_LEVEL = 4
_LONGEST = 32767


def volume_bytes(source: Source, ref: VolumeRef) -> Carried:
    """The bytes of one volume or mask as NIfTI-1, losslessly, without free text; equal on every machine.

    A single NIfTI-1 file whose header holds no text passes through as it is.  Raises `CaseError` as `load_volume` and
    `labels_on` do, and ``volume_too_long`` where an axis has more voxels than NIfTI-1 can count.
    """
    if ref.mask:
        return _mask(source, ref)
    data = source.read_bytes(ref.files[0])
    packed = data[:2] == b"\x1f\x8b"
    head = _unpacked_head(data) if packed else data[:_VOXELS]
    one = head[344:348] == b"n+1\0"
    if one and not (packed and data[3] & _NAMED) and not _has_text(head) and _ends_with_voxels(data, head, packed):
        # A gzip header says when the file was packed.
        bare = data[:4] + bytes(4) + data[8:] if packed else data
        return Carried(bare, (hashlib.sha256(data).hexdigest(),))
    volume = load_volume(source, ref.files[0])
    header = _blanked(head) if one and not volume.colour else _header(volume, volume.voxels.dtype)
    file = _file(header, volume.voxels, volume.colour)
    return Carried(_gzip(file) if packed or not one else bytes(file), (volume.sha256,))


def _unpacked_head(data: bytes) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(data, _VOXELS)
    except zlib.error:
        return b""


def _has_text(head: bytes) -> bool:
    return bool(head[_HEADER]) or any(head[start:stop].strip(b"\0 ") for start, stop in TEXTS)


def _ends_with_voxels(data: bytes, head: bytes, packed: bool) -> bool:
    """Whether nothing stands between header and voxels or behind them, as far as the stated sizes tell.

    A gzip file ends with the unpacked size of its last member: text in a member of its own, or behind, is told so.
    """
    header = read_header(head, "the volume")
    wanted = _VOXELS + voxel_bytes(header, "the volume")
    ends = int.from_bytes(data[-4:], "little") == wanted % _GZIP_COUNTS if packed else len(data) == wanted
    return ends and float(header["vox_offset"]) == _VOXELS


def _blanked(head: bytes) -> bytes:
    """The NIfTI-1 header without texts and extensions."""
    header = bytearray(head[:_HEADER])
    for start, stop in TEXTS:
        header[start:stop] = bytes(stop - start)
    order = "<" if struct.unpack("<i", header[:4])[0] == _HEADER else ">"
    struct.pack_into(f"{order}f", header, _OFFSET, _VOXELS)
    return bytes(header)


def _header(volume: Volume, dtype: Any) -> bytes:
    """A NIfTI-1 header for voxels of ``dtype`` on the volume's grid."""
    shape = volume.voxels.shape[:3] if volume.colour else volume.voxels.shape
    if max(shape) > _LONGEST:
        raise CaseError("volume_too_long", f"an axis has {max(shape):,} voxels; NIfTI-1 counts to {_LONGEST:,}")
    header = nibabel.Nifti1Header()
    header.set_data_dtype(np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]) if volume.colour else dtype)
    header.set_data_shape(shape)
    header.set_zooms((*volume.spacing, *(1.0 for _ in shape[3:])))
    if volume.oriented:
        header.set_sform(volume.affine, 1)
    header.set_xyzt_units("mm" if volume.measured else "unknown")
    header["scl_slope"], header["scl_inter"] = volume.slope, volume.intercept
    header["vox_offset"], header["magic"] = _VOXELS, b"n+1"
    return bytes(header.binaryblock)


def _file(header: bytes, voxels: Values, colour: bool = False) -> bytearray:
    """Header and voxels in one array of bytes, first axis fastest (after the three colours)."""
    file = bytearray(_VOXELS + voxels.nbytes)
    file[:_HEADER] = header
    shown = np.moveaxis(voxels, -1, 0) if colour else voxels
    np.frombuffer(file, voxels.dtype, offset=_VOXELS).reshape(shown.shape, order="F")[...] = shown
    return file


def _gzip(file: bytearray) -> bytes:
    """Packed by libdeflate, whose output does not depend on the processor."""
    return bytes(imagecodecs.gzip_encode(file, level=_LEVEL))


def _mask(source: Source, ref: VolumeRef) -> Carried:
    """0 and 1 on the grid of the image, whatever grid the labels are stored on."""
    image = load_volume(source, ref.grid)
    label = read_volume(source, ref.files[0])
    mismatch: Mismatch = "nearest" if ref.resampled else "voxels"
    if ref.mask_of:
        values, _ = labels_on(image, label, None, mismatch)
        inside = np.isin(values, ref.mask_of).astype(np.uint8)
    else:
        inside, _ = mask_on(image, label, mismatch)
    on_grid = replace(image, voxels=inside, slope=1.0, intercept=0.0, colour=False)
    header = _header(on_grid, inside.dtype)
    return Carried(_gzip(_file(header, inside)), (label.sha256,))
