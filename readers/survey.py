"""A first look at a source: the paths that recognising a layout goes by."""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from weakref import WeakKeyDictionary

from readers.pixels.layout import IMAGE_SUFFIXES
from readers.source import Source
from readers.values import split_name

SAMPLE = 20_000
"""Paths looked at."""

OF_FOLDER = 5_000
"""Files of one folder looked at."""

FOLDERS = 500
"""Folders of one folder looked into; in all, at most `SAMPLE`."""

VOLUME_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".mgh", ".mgz", ".mnc", ".hdr")
"""Names that promise a volume."""

_PLAIN = """
images image img imgs jpegimages png jpg jpeg pngs jpgs data files frames slices photos pictures dicom dcm nifti
original originals raw input inputs all cases imagestr imagests labelstr
"""
_MASKS = """
mask masks label labels annotation annotations gt groundtruth ground_truth ground-truth segmentation segmentations
seg segs manual masks_png segmentationclass target targets
"""

PLAIN_FOLDERS = frozenset(_PLAIN.split())
"""Folder names that say what kind of file lies there, and so are no class."""

MASK_FOLDERS = frozenset(_MASKS.split())
"""Folder names that say that masks lie there."""

_surveys: "WeakKeyDictionary[Source, list[str]]" = WeakKeyDictionary()


def survey(source: Source) -> list[str]:
    """Paths of the source, at most `SAMPLE`, sorted; of many the upper folders', which describe a dataset."""
    if source not in _surveys:
        _surveys[source] = sorted(islice(_downwards(source), SAMPLE), key=lambda path: path.split("/"))
    return _surveys[source]


def _downwards(source: Source) -> Iterator[str]:
    """Files folder by folder, from the top down, at most `OF_FOLDER` of each."""
    waiting = deque([""])
    for _ in range(SAMPLE):
        if not waiting:
            return
        under = waiting.popleft()
        folders, files = source.listing(under)
        base = f"{under}/" if under else ""
        yield from (base + name for name in files[:OF_FOLDER])
        waiting.extend(base + name for name in folders[:FOLDERS])


def is_picture(path: str) -> bool:
    """Whether a path's name promises a picture."""
    return path.lower().endswith(IMAGE_SUFFIXES)


def folder(path: str) -> str:
    """The folder of a path, empty at the root."""
    return path.rpartition("/")[0]


def stem(path: str) -> str:
    """The base name without its extension, ``.nii.gz`` counted as one."""
    name = path.rpartition("/")[2]
    lower = name.lower()
    suffix = next((s for s in sorted(IMAGE_SUFFIXES, key=len, reverse=True) if lower.endswith(s)), "")
    return name[: len(name) - len(suffix)] if suffix else name.rpartition(".")[0] or name


def is_plain(name: str) -> bool:
    """Whether a folder's name is a split or a kind of file, and so no class."""
    lower = name.lower()
    return bool(split_name(name)) or lower in PLAIN_FOLDERS or lower in MASK_FOLDERS


def splits_in(paths: Iterable[str]) -> set[str]:
    """The splits that folder names of these paths state."""
    return {name for path in paths for part in path.split("/")[:-1] for name in [split_name(part)] if name}


def common_group(stems: list[str]) -> str:
    """A pattern over names that puts several of them together (``img12_3`` and ``img12_4``); empty where none does."""
    pattern = r"([A-Za-z]+[-_]?\d+)[-_]\d+"
    found = [match[1] for name in stems for match in [re.search(pattern, name)] if match]
    if stems and len(found) == len(stems) and len(set(found)) < 0.8 * len(found):
        return pattern
    return ""
