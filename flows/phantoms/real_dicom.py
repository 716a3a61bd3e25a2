"""The real DICOM files that the installed pydicom package ships, copied as they are; nothing is downloaded."""

import shutil
from pathlib import Path


def pydicom_files(folder: Path) -> dict[str, str]:
    """Copy every file of pydicom's ``data/test_files`` that carries DICOM; names keep their place in the tree.

    Returns:
        ``files``, the number copied, as text for the truth file.
    """
    import pydicom

    source = Path(pydicom.__file__).parent / "data" / "test_files"
    names = sorted(path.relative_to(source) for path in source.rglob("*") if path.is_file() and _is_dicom(path))
    for name in names:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target)
    return {"files": str(len(names))}


def _is_dicom(path: Path) -> bool:
    """Part 10 files by their preamble, the others by the name that pydicom's tests give them."""
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM" or path.suffix == ".dcm"
