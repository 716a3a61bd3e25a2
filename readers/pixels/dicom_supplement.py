"""Supplemental palettes (PS3.3 C.7.6.19): grey pictures whose highest stored values stand for colours."""

from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from readers.pixels.dicom_file import items, word
from readers.pixels.dicom_luts import palette_start, through_palette
from readers.pixels.dicom_view import frame_groups, macro
from readers.pixels.window import Pixels, Values
from schemas.errors import CaseError

Mask = np.ndarray[Any, np.dtype[np.bool_]]

_DESCRIPTOR = "RedPaletteColorLookupTableDescriptor"
_FRAME_TYPES = ("CTImageFrameTypeSequence", "MRImageFrameTypeSequence", "PETFrameTypeSequence")


def has_supplement(dataset: Dataset, frame: int = -1) -> bool:
    """Whether a grey frame is to be shown in colours too: PixelPresentation COLOR of the frame, else of the file.

    Raises `CaseError` ``unsupported_palette`` for colours of other kinds than those of C.7.6.19.
    """
    if word(dataset, "PhotometricInterpretation") not in ("MONOCHROME1", "MONOCHROME2"):
        return False
    if items(dataset, "EnhancedPaletteColorLookupTableSequence"):
        raise CaseError(
            "unsupported_palette", "its colours are blended by an enhanced palette (PS3.3 C.7.6.23), which is not done"
        )
    if _DESCRIPTOR not in dataset or _presentation(dataset, frame) not in ("COLOR", "MIXED"):
        return False
    if word(dataset, "PhotometricInterpretation") == "MONOCHROME1":
        raise CaseError("unsupported_palette", "a supplemental palette belongs to MONOCHROME2, not to MONOCHROME1")
    return True


def _presentation(dataset: Dataset, frame: int) -> str:
    groups = frame_groups(dataset, frame)
    said = (word(macro(groups, name, "PixelPresentation"), "PixelPresentation") for name in _FRAME_TYPES)
    own = next((value for value in said if value not in ("", "MIXED")), "")
    return own or word(dataset, "PixelPresentation")


def coloured(stored: Values, dataset: Dataset, frame: int = -1) -> Mask | None:
    """Where the stored values stand for colours, from the palette's first value on; None without a palette."""
    return stored >= palette_start(dataset) if has_supplement(dataset, frame) else None


def in_colours(grey: Pixels, stored: Values, where: Mask, dataset: Dataset) -> Pixels:
    """The grey picture as RGB, ``where`` the palette holds in its colours."""
    shown: Pixels = np.repeat(grey[..., np.newaxis], 3, axis=2)
    shown[where] = through_palette(stored[where], dataset)
    return shown
