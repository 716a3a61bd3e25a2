"""Volumes in other formats than single-file NIfTI: what nibabel reads, and through SimpleITK what it does not."""

import io
import math
import re
import shutil
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

import nibabel as _nibabel
import numpy as np

from readers.pixels.window import Values
from readers.source import Source, printable
from schemas.errors import CaseError

nibabel: Any = _nibabel

Loaded = tuple[Values, Values, bool]
"""Voxels ``(i, j, k[, channels])`` in modality units, affine (RAS), whether the file says where the sides are."""

_DATA_FILE = re.compile(rb"^\s*(?:data ?file|ElementDataFile)\s*[:=]\s*(.+?)\s*$", re.IGNORECASE | re.MULTILINE)
_INLINE = ("LOCAL", "LIST")
_SPACE_UNIT = re.compile(rb'^space units:\s*"([^"]*)"', re.IGNORECASE | re.MULTILINE)
_UNITS = {"m": 1000.0, "cm": 10.0, "um": 0.001, "\N{MICRO SIGN}m": 0.001, "micron": 0.001, "microns": 0.001}
"""Millimetres of the units that are not millimetres."""


def load_pair(source: Source, path: str, header: bytes, most: int) -> Loaded:
    """A NIfTI or Analyze header whose voxels lie in ``<stem>.img`` (or ``.img.gz``) beside it."""
    stem = re.sub(r"\.hdr(\.gz)?$", "", path, flags=re.IGNORECASE)
    data = next((name for name in (f"{stem}.img", f"{stem}.img.gz", f"{stem}.IMG") if source.exists(name)), None)
    if data is None:
        raise CaseError("missing_file", f"the voxels of {printable(path)} should lie beside it in a .img file")
    kind = _pair_class(header)
    size = 540 if kind is nibabel.Nifti2Pair else 348
    holders = kind.make_file_map({"header": io.BytesIO(header[:size] + bytes(4)), "image": _opened(source, data)})
    try:
        image = kind.from_file_map(holders)
        _refuse_large(math.prod(int(size) for size in image.shape) * image.get_data_dtype().itemsize, path, most)
        voxels = np.asanyarray(image.dataobj)
    except CaseError:
        raise
    except Exception as error:  # noqa: BLE001 - nibabel raises many kinds over a broken file
        raise _broken(path, error) from None
    # An Analyze file without NIfTI's codes says nothing of left and right.
    stated = getattr(image, "get_sform", None) is not None and _states_sides(image.header)
    return voxels, np.asarray(image.affine, dtype=np.float64), stated


def load_with_nibabel(source: Source, path: str, most: int) -> Loaded:
    """MGH and MINC 1."""
    try:
        image = nibabel.load(source.local(path))
        shape = tuple(int(size) for size in image.shape)
        _refuse_large(math.prod(shape) * np.dtype(image.get_data_dtype()).itemsize, path, most)
        voxels, affine = np.asanyarray(image.dataobj), np.asarray(image.affine, dtype=np.float64)
    except CaseError:
        raise
    except Exception as error:  # noqa: BLE001 - nibabel raises many kinds over a broken file
        raise _broken(path, error) from None
    if path.lower().endswith(".mnc") and voxels.ndim == 4:
        # MINC counts time first.
        voxels = np.moveaxis(voxels, 0, -1)
    return voxels, affine, True


def load_with_itk(source: Source, path: str, head: bytes, most: int, in_ras: bool = False) -> Loaded:
    """NRRD and MetaImage, with their voxels inside or in a file beside them; MINC 2, whose world is RAS already."""
    import SimpleITK

    itk: Any = SimpleITK
    itk.ProcessObject.SetGlobalWarningDisplay(False)
    with _local(source, path, head) as place:
        try:
            reader = itk.ImageFileReader()
            reader.SetFileName(str(place))
            reader.ReadImageInformation()
            _refuse_large(math.prod(reader.GetSize()) * max(reader.GetNumberOfComponents(), 1) * 8, path, 8 * most)
            image = reader.Execute()
        except CaseError:
            raise
        except RuntimeError as error:
            raise _broken(path, error) from None
    voxels, affine, stated = _from_itk(itk, image, path, in_ras, _says_where(head))
    return voxels, np.diag([*[_millimetres(head)] * 3, 1.0]) @ affine, stated


def _from_itk(itk: Any, image: Any, path: str, in_ras: bool, stated: bool) -> Loaded:
    voxels = itk.GetArrayFromImage(image)
    size = image.GetDimension()
    if size not in (2, 3, 4):
        raise CaseError("too_many_dimensions", f"{printable(path)} has {size} dimensions")
    channels = image.GetNumberOfComponentsPerPixel() > 1
    # SimpleITK hands out (k, j, i) and (k, j, i, channels).
    voxels = np.moveaxis(voxels, -1, 0).T if channels else voxels.T
    if size == 2:
        voxels = voxels[:, :, None]
    affine = np.eye(4)
    spatial = min(size, 3)
    direction = np.array(image.GetDirection()).reshape(size, size)[:spatial, :spatial]
    affine[:spatial, :spatial] = direction * np.array(image.GetSpacing())[:spatial]
    affine[:spatial, 3] = np.array(image.GetOrigin())[:spatial]
    return voxels, affine if in_ras else np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine, stated and size > 2


def _millimetres(head: bytes) -> float:
    """Of the length unit that an NRRD states for its space, which SimpleITK passes over."""
    found = _SPACE_UNIT.search(head.split(b"\n\n", 1)[0]) if head.startswith(b"NRRD") else None
    return _UNITS.get(found[1].decode("utf-8", "replace").lower(), 1.0) if found else 1.0


def _says_where(head: bytes) -> bool:
    text = head.split(b"\n\n", 1)[0] if head.startswith(b"NRRD") else head
    if head.startswith(b"NRRD"):
        return re.search(rb"^space:\s*[a-z]", text, re.IGNORECASE | re.MULTILINE) is not None
    return b"HDF" in head[:8] or re.search(rb"^\s*(TransformMatrix|Orientation|Rotation)\s*=", text, re.M) is not None


class _local:  # noqa: N801 - a context manager used like a function
    """A path on disk for SimpleITK; a header that names a data file may only name one that lies beside it."""

    def __init__(self, source: Source, path: str, head: bytes) -> None:
        self._source, self._path, self._head = source, path, head
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Path:
        named = _DATA_FILE.search(self._head)
        data = named[1].decode("utf-8", "replace") if named else ""
        if not data or data.split()[0] in _INLINE:
            if data.upper().startswith("LIST"):
                raise CaseError("unsupported_format", f"{printable(self._path)} spreads its voxels over many files")
            return self._source.local(self._path)
        if "/" in data or "\\" in data or data.startswith("."):
            raise CaseError("unsafe_path", f"{printable(self._path)} names a data file that does not lie beside it")
        beside = str(PurePosixPath(self._path).with_name(data))
        self._folder = tempfile.TemporaryDirectory(prefix="medcurate-")
        place = Path(self._folder.name)
        for name in (self._path, beside):
            with self._source.stream(name) as file, (place / PurePosixPath(name).name).open("wb") as copy:
                shutil.copyfileobj(file, copy)
        return place / PurePosixPath(self._path).name

    def __exit__(self, *_: object) -> None:
        if self._folder is not None:
            self._folder.cleanup()


def _opened(source: Source, path: str) -> Any:
    data = source.read_bytes(path)
    if not path.lower().endswith(".gz"):
        return io.BytesIO(data)
    from isal import igzip

    opened: Any = igzip.GzipFile
    return opened(fileobj=io.BytesIO(data))


def _pair_class(header: bytes) -> Any:
    if header[:4] in (b"\x1c\x02\0\0", b"\0\0\x02\x1c"):
        return nibabel.Nifti2Pair
    return nibabel.Nifti1Pair if header[344:347] == b"ni1" else nibabel.Spm2AnalyzeImage


def _states_sides(header: Any) -> bool:
    return int(header["sform_code"]) > 0 or int(header["qform_code"]) > 0


def _refuse_large(size: int, path: str, most: int) -> None:
    if not 0 < size <= most:
        raise CaseError("volume_too_large", f"{printable(path)} states {size:,} bytes of voxels; at most {most:,}")


def _broken(path: str, error: Exception) -> CaseError:
    return CaseError("corrupt_volume", f"{printable(path)} cannot be read as a volume ({type(error).__name__})")
