"""DICOM: CT series whose file names are shuffled against geometry, and radiographs with both grey scales."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flows.phantoms.body import CHEST, Grid, sample, thorax
from flows.phantoms.canvas import rng, save_text
from flows.phantoms.chest import Finding, film
from flows.phantoms.dicom_seg import segmentation
from schemas.identity import digest

GRID = Grid((144, 112, 12), (2.6, 2.6, 9.0))
CT_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
SEG_STORAGE = "1.2.840.10008.5.1.4.1.1.66.4"
DX_STORAGE = "1.2.840.10008.5.1.4.1.1.1.1"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"


def ct_series(folder: Path, seed: int) -> dict[str, Any]:
    """``<patient>/<n>.dcm`` and ``<patient>/seg.dcm``: chest CT, rescale intercept -1024, lung window in the header.

    A ground-glass nodule shows in the lung window (-600/1500) and vanishes in a soft-tissue one.  Deliberately
    bad: the third patient's series lacks a slice, the sixth's holds a file that breaks off.
    """
    truth: dict[str, Any] = {}
    for number in range(1, 7):
        patient = f"PHCT{number:03d}"
        side = ("right", "left", "")[number % 3]
        densities, labels = sample(thorax(seed, f"ct/{patient}", side), GRID)
        draw = rng(seed, "ct", patient)
        densities += draw.normal(0, 14, densities.shape).astype(np.float32)
        names = draw.permutation(GRID.shape[2])
        written = {}
        for index in range(GRID.shape[2]):
            if number == 3 and index == 6:
                continue
            path = folder / patient / f"{names[index]:03d}.dcm"
            written[index] = _ct_slice(densities, index, patient, seed)
            _write(path, written[index])
            if number == 6 and index == 1:
                path.write_bytes(path.read_bytes()[:9000])
        masks = {index: np.ascontiguousarray(labels[::-1, ::-1, index].T) for index in written}
        shell = _common(SEG_STORAGE, patient, seed, "seg")
        _write(folder / patient / "seg.dcm", segmentation(shell, written, masks, CHEST))
        truth[patient] = {"nodule": side, "centre": _nodule(labels)}
    return truth


def radiographs(folder: Path, seed: int) -> dict[str, Any]:
    """``<patient>.dcm`` and ``labels.csv``: every third film stored inverted (MONOCHROME1), 12 bits in 16."""
    lines = ["patientId,class"]
    truth: dict[str, Any] = {}
    for number in range(1, 9):
        patient = f"PHDX{number:03d}"
        finding = (Finding("pneumonia", "right"), Finding("pleural effusion", "left"), None)[number % 3]
        shown = film(seed, f"dx/{patient}", (finding,) if finding else ())
        inverted = number % 3 == 0
        lines.append(f"{patient},{finding.name if finding else 'normal'}")
        _write(folder / f"{patient}.dcm", _radiograph(shown.pixels, patient, seed, inverted))
        truth[patient] = {**shown.truth, "monochrome1": inverted}
    save_text(folder / "labels.csv", "\n".join(lines) + "\n")
    return truth


def _nodule(labels: NDArray[np.uint8]) -> list[float]:
    places = np.nonzero(labels == CHEST.index("lung nodule"))
    if not len(places[0]):
        return []
    return [round(float(axis[place].mean()), 2) for axis, place in zip(GRID.axes(), places, strict=True)]


def _ct_slice(densities: NDArray[np.float32], index: int, patient: str, seed: int) -> Any:
    """One axial slice, rows to the back and columns to the patient's left (the DICOM patient frame is LPS)."""
    data = _common(CT_STORAGE, patient, seed, str(index))
    axes = GRID.axes()
    data.Modality, data.BodyPartExamined, data.SeriesDescription = "CT", "CHEST", "Phantom chest"
    data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    data.ImagePositionPatient = [-float(axes[0][-1]), -float(axes[1][-1]), float(axes[2][index])]
    data.SliceLocation = float(axes[2][index])
    data.SliceThickness = GRID.spacing[2]
    data.PixelSpacing = [GRID.spacing[1], GRID.spacing[0]]
    data.RescaleIntercept, data.RescaleSlope, data.RescaleType = -1024, 1, "HU"
    data.WindowCenter, data.WindowWidth = -600, 1500
    stored = np.clip(np.rint(densities[::-1, ::-1, index].T) + 1024, 0, 4095).astype("<u2")
    _pixels(data, stored, "MONOCHROME2")
    return data


def _radiograph(pixels: NDArray[np.uint8], patient: str, seed: int, inverted: bool) -> Any:
    data = _common(DX_STORAGE, patient, seed, "0")
    data.Modality, data.BodyPartExamined, data.ViewPosition = "DX", "CHEST", "PA"
    data.PatientOrientation = ["L", "F"]
    data.ImagerPixelSpacing = [1.4, 1.4]
    data.PresentationIntentType = "FOR PRESENTATION"
    data.WindowCenter, data.WindowWidth = 2048, 4096
    bright_bone = pixels.astype("<u2") * 16
    _pixels(data, 4095 - bright_bone if inverted else bright_bone, "MONOCHROME1" if inverted else "MONOCHROME2")
    return data


def _common(storage: str, patient: str, seed: int, instance: str) -> Any:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(EXPLICIT_LITTLE)
    meta.MediaStorageSOPClassUID = UID(storage)
    meta.MediaStorageSOPInstanceUID = UID(_uid(seed, patient, "instance", instance))
    meta.ImplementationClassUID = UID(_uid(0, "medcurate phantoms"))
    data = Dataset()
    data.file_meta = meta
    data.SOPClassUID = storage
    data.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    data.StudyInstanceUID = _uid(seed, patient, "study")
    data.SeriesInstanceUID = _uid(seed, patient, "series")
    data.FrameOfReferenceUID = _uid(seed, patient, "frame")
    data.PatientID, data.PatientName = patient, "Phantom^Made Up"
    data.PatientSex, data.PatientAge = "FM"[int(patient[-1]) % 2], f"{40 + int(patient[-1]):03d}Y"
    data.StudyDate, data.StudyTime, data.AccessionNumber, data.StudyID = "", "", "", "1"
    data.PatientBirthDate, data.ReferringPhysicianName, data.Manufacturer = "", "", "medcurate phantoms"
    data.SeriesNumber, data.InstanceNumber = 1, int(instance) + 1 if instance.isdigit() else 1
    data.BurnedInAnnotation = "NO"
    return data


def _pixels(data: Any, stored: NDArray[np.uint16], photometric: str) -> None:
    data.PhotometricInterpretation, data.SamplesPerPixel = photometric, 1
    data.Rows, data.Columns = stored.shape
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.PixelData = np.ascontiguousarray(stored).tobytes()


def _uid(seed: int, *parts: str) -> str:
    """A UID under the root for UUIDs (2.25), drawn from the parts."""
    return f"2.25.{int(digest(str(seed), *parts), 16)}"


def _write(path: Path, data: Any) -> None:
    from pydicom import dcmwrite

    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = BytesIO()
    dcmwrite(buffer, data, enforce_file_format=True)
    path.write_bytes(buffer.getvalue())
