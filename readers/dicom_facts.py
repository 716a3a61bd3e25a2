"""What a DICOM header says about the picture and the patient, as far as it may be published."""

import re
from collections.abc import Iterable
from typing import Any, Literal

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from readers.pixels.dicom_file import word
from readers.pixels.orientation import plane_from_letters
from readers.values import site_of
from schemas.case import Acquisition, Demographics
from schemas.taxonomy import canonical, modality_of_dicom

_NUMBERS = frozenset(
    {
        "PatientID", "OtherPatientIDs", "AccessionNumber", "StudyID", "IssuerOfPatientID", "MedicalRecordLocator",
        "RequestedProcedureID", "PerformedProcedureStepID", "ScheduledProcedureStepID", "PatientTelephoneNumbers",
        "DeviceSerialNumber", "AdmissionID", "ServiceEpisodeID", "CurrentPatientLocation",
    }
)  # fmt: skip
_PLACES = frozenset({"InstitutionName", "InstitutionAddress", "PatientAddress", "InstitutionalDepartmentName"})


def identifiers(header: Dataset) -> tuple[tuple[str, str], ...]:
    """What the header, its nested items too, says of persons: (kind, value), each part of a name by itself."""
    found: list[tuple[str, str]] = []
    for element in header.iterall():
        try:
            kind = _kind(element.VR, element.keyword)
            values = [str(value) for value in _several(element.value)] if kind else []
        except Exception:  # noqa: BLE001 - pydicom converts values only now, and a bad one raises anything
            continue
        for value in values:
            parts = re.split(r"[\^=,\s]+", value) if kind == "person" else [value]
            found += [(kind, part) for part in parts if part]
    return tuple(dict.fromkeys(found))


def _several(value: Any) -> Iterable[Any]:
    return value if isinstance(value, MultiValue) else [value]


def _kind(representation: str, keyword: str) -> str:
    if representation == "PN":
        return "person"
    return "record_number" if keyword in _NUMBERS else "address" if keyword in _PLACES else ""


def acquisition(header: Dataset, orientation: str = "") -> Acquisition:
    """What the header says about how the images were made, in the words of the taxonomy where it has one."""
    code = word(header, "Modality")
    sides = {"L": "left", "R": "right"}
    side = word(header, "ImageLaterality") or word(header, "Laterality")
    return Acquisition(
        modality=modality_of_dicom(code) or "",
        anatomy=canonical("anatomy", word(header, "BodyPartExamined")) or "",
        view=word(header, "ViewPosition"),
        plane=plane_from_letters(orientation) if code in ("CT", "MR", "PT", "NM") else "",
        laterality=sides.get(side, ""),
        contrast="contrast" if word(header, "ContrastBolusAgent") else "",
        manufacturer=word(header, "Manufacturer"),
    )


def demographics(header: Dataset) -> Demographics:
    """Sex, age and institution as stated; an age of 90 and more is given as 90."""
    sexes: dict[str, Literal["", "female", "male", "other"]] = {"F": "female", "M": "male", "O": "other"}
    age, years = word(header, "PatientAge"), None
    parts = {"Y": 1.0, "M": 12.0, "W": 52.18, "D": 365.25}
    if len(age) == 4 and age[:3].isdigit() and age[3] in parts:
        years = min(round(int(age[:3]) / parts[age[3]], 2), 90.0)
    return Demographics(sexes.get(word(header, "PatientSex"), ""), years, site_of(word(header, "InstitutionName")))
