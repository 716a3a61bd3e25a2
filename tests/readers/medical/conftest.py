"""Builders of small DICOM files and NIfTI volumes whose truth is known by construction."""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from readers.source import Source
from schemas.spec import DatasetSpec, ReaderChoice

AXIAL = (1, 0, 0, 0, 1, 0)


def dicom_dataset(pixels: np.ndarray, **attributes: Any) -> Dataset:
    """A CT image with the pixels as stored; attributes are keywords, None leaves one out."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
    colour = pixels.ndim == 3
    bits = pixels.dtype.itemsize * 8
    values: dict[str, Any] = {
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": generate_uid(),
        "SeriesInstanceUID": "1.2.3",
        "StudyInstanceUID": "1.2",
        "PatientID": "P1",
        "Modality": "CT",
        "Rows": pixels.shape[0],
        "Columns": pixels.shape[1],
        "SamplesPerPixel": 3 if colour else 1,
        "PhotometricInterpretation": "RGB" if colour else "MONOCHROME2",
        "PlanarConfiguration": 0 if colour else None,
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
        "ImageOrientationPatient": list(AXIAL),
        "ImagePositionPatient": [0, 0, 0],
        "PixelSpacing": [1, 1],
        "PixelData": pixels.tobytes(),
    }
    for keyword, value in {**values, **attributes}.items():
        if value is not None:
            setattr(dataset, keyword, value)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    if "PixelData" in dataset:
        dataset["PixelData"].VR = "OB" if bits == 8 else "OW"
    return dataset


@pytest.fixture
def make_dicom(tmp_path: Path):
    """``make_dicom(name, pixels, **attributes)`` writes a file below the test's folder and returns its dataset."""

    def make(name: str, pixels: np.ndarray, **attributes: Any) -> Dataset:
        dataset = dicom_dataset(pixels, **attributes)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset.save_as(path, enforce_file_format=True)
        return dataset

    return make


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """The test's folder as a source."""
    return Source.open(str(tmp_path))


@pytest.fixture
def make_nifti(tmp_path: Path):
    """``make_nifti(name, voxels, affine)`` writes a volume below the test's folder."""

    def make(name: str, voxels: np.ndarray, affine: np.ndarray | None = None) -> nib.Nifti1Image:
        image = nib.Nifti1Image(voxels, np.eye(4) if affine is None else affine)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nib.save(image, path)
        return image

    return make


@pytest.fixture
def make_spec(tmp_path: Path):
    """``make_spec(reader, options, **fields)``: a spec over the test's folder (or ``root=``)."""

    def make(reader: str, options: dict[str, Any] | None = None, **fields: Any) -> DatasetSpec:
        values = {
            "name": "made", "title": "Made", "license": "CC0-1.0", "access": "open", "root": str(tmp_path),
            "modality": "CT", "anatomy": "abdomen", "clinical_task": "segmentation",
            "reader": ReaderChoice(type=reader, options=options or {}),
        }  # fmt: skip
        return DatasetSpec(**{**values, **fields})

    return make
