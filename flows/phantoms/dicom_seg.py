"""A binary DICOM segmentation of a phantom series, as PS3.3 A.51 lays it out: one frame a segment and slice."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CODES = {
    "right lung": ("39607008", "Lung"),
    "left lung": ("39607008", "Lung"),
    "heart": ("80891009", "Heart"),
    "lung nodule": ("27925004", "Nodule"),
}
"""SNOMED CT codes of the segments' property types, as in DICOM CID 4031 and pydicom's own table."""


def segmentation(
    shell: Any, slices: Mapping[int, Any], masks: Mapping[int, NDArray[np.uint8]], names: Sequence[str]
) -> Any:
    """Fill ``shell`` (the patient's and study's attributes) with the segmentation of ``slices``.

    Args:
        shell: a dataset that already has its identifiers; its series UID is replaced.
        slices: the CT datasets by slice index.
        masks: label values of each slice, rows by columns.
        names: label by value, the background first.
    """
    first = next(iter(slices.values()))
    shell.Modality, shell.SeriesDescription = "SEG", "Phantom segmentation"
    shell.SeriesInstanceUID = shell.SOPInstanceUID + "1"
    shell.SeriesNumber = 2
    shell.ContentLabel, shell.ContentDescription, shell.ContentCreatorName = "PHANTOM", "", ""
    shell.SegmentationType, shell.ImageType = "BINARY", ["DERIVED", "PRIMARY"]
    shell.SegmentSequence = _sequence(*(_segment(value, names[value]) for value in range(1, len(names))))
    shell.ReferencedSeriesSequence = _sequence(
        _item(
            SeriesInstanceUID=first.SeriesInstanceUID,
            ReferencedInstanceSequence=_sequence(*(_reference(item) for item in slices.values())),
        )
    )
    shell.SharedFunctionalGroupsSequence = _sequence(
        _item(
            PixelMeasuresSequence=_sequence(_item(
                PixelSpacing=first.PixelSpacing, SliceThickness=first.SliceThickness,
                SpacingBetweenSlices=first.SliceThickness,
            )),
            PlaneOrientationSequence=_sequence(_item(ImageOrientationPatient=first.ImageOrientationPatient)),
        )
    )  # fmt: skip
    places = [(value, at) for value in range(1, len(names)) for at in slices if (masks[at] == value).any()]
    shell.PerFrameFunctionalGroupsSequence = _sequence(*(_frame(value, at, slices[at]) for value, at in places))
    shell.NumberOfFrames = len(places)
    shell.Rows, shell.Columns = first.Rows, first.Columns
    shell.BitsAllocated = shell.BitsStored = shell.SamplesPerPixel = 1
    shell.HighBit = shell.PixelRepresentation = 0
    shell.PhotometricInterpretation, shell.LossyImageCompression = "MONOCHROME2", "00"
    bits = np.stack([masks[at] == value for value, at in places]).ravel()
    packed = np.packbits(bits, bitorder="little").tobytes()
    shell.PixelData = packed + b"\0" * (len(packed) % 2)
    return shell


def _segment(value: int, name: str) -> Any:
    code, meaning = _CODES[name]
    lesion = name.endswith("nodule")
    category = ("49755003", "Morphologically Abnormal Structure") if lesion else ("123037004", "Anatomical Structure")
    return _item(
        SegmentNumber=value, SegmentLabel=name, SegmentAlgorithmType="MANUAL",
        SegmentedPropertyCategoryCodeSequence=_sequence(_code(*category)),
        SegmentedPropertyTypeCodeSequence=_sequence(_code(code, meaning)),
    )  # fmt: skip


def _frame(value: int, at: int, source: Any) -> Any:
    return _item(
        FrameContentSequence=_sequence(_item(DimensionIndexValues=[value, at + 1])),
        PlanePositionSequence=_sequence(_item(ImagePositionPatient=source.ImagePositionPatient)),
        SegmentIdentificationSequence=_sequence(_item(ReferencedSegmentNumber=value)),
        DerivationImageSequence=_sequence(_item(SourceImageSequence=_sequence(_reference(source)))),
    )


def _reference(source: Any) -> Any:
    return _item(ReferencedSOPClassUID=source.SOPClassUID, ReferencedSOPInstanceUID=source.SOPInstanceUID)


def _code(value: str, meaning: str) -> Any:
    return _item(CodeValue=value, CodingSchemeDesignator="SCT", CodeMeaning=meaning)


def _item(**attributes: Any) -> Any:
    from pydicom.dataset import Dataset

    item = Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return item


def _sequence(*items: Any) -> Any:
    from pydicom.sequence import Sequence as Items

    return Items(items)
