"""What a DICOM header says about words that are burned into its pixels."""

from typing import Literal

from pydicom.dataset import Dataset

from readers.pixels.dicom_file import items, numbers, word, words
from schemas.view import Box

CAPTURED = ("US", "IVUS", "ES", "XC", "OP", "OPT", "SC", "OT", "GM", "SM", "DOC", "RG")
"""Modalities whose machines write into the picture, or that are photographed or scanned."""
SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
"""Root of the secondary capture SOP classes."""


def words_prior(header: Dataset, *, overlays: bool = False) -> Literal["", "declared", "likely", "unlikely"]:
    """Whether words are burned in, as the header says (BurnedInAnnotation YES), or as the kind of picture suggests.

    ``unlikely`` only for original cross sections; NO is not believed of captures and ultrasound, whose machines
    write it by rote, and never where overlay planes are drawn, which may hold words.
    """
    if word(header, "BurnedInAnnotation").upper() == "YES":
        return "declared"
    modality, kind = word(header, "Modality").upper(), [value.upper() for value in words(header, "ImageType")]
    captured = word(header, "SOPClassUID").startswith(SECONDARY) or bool(word(header, "ConversionType"))
    regions = items(header, "SequenceOfUltrasoundRegions")
    if overlays or captured or regions or modality in CAPTURED or {"SECONDARY", "SCREEN SAVE"} & set(kind):
        return "likely"
    return "unlikely" if modality in ("CT", "MR", "PT", "NM") and kind[:2] == ["ORIGINAL", "PRIMARY"] else ""


def calibrated(header: Dataset) -> tuple[Box, ...]:
    """The ultrasound regions (PS3.3 C.8.5.5) as half-open boxes on the stored frame; empty where there are none."""
    boxes: list[Box] = []
    for region in items(header, "SequenceOfUltrasoundRegions"):
        edges = [numbers(region, f"RegionLocation{name}")[:1] for name in ("MinX0", "MinY0", "MaxX1", "MaxY1")]
        if all(edges):
            u0, v0, u1, v1 = (edge[0] for edge in edges)
            if u1 >= u0 and v1 >= v0:
                boxes.append((u0, v0, u1 + 1, v1 + 1))
    return tuple(boxes)
