"""What a DICOM header says about the picture and the patient, as far as it may be published."""

from typing import Literal

from pydicom.dataset import Dataset

from readers.pixels.dicom_file import word
from readers.pixels.orientation import plane_from_letters
from schemas.case import Acquisition, Demographics
from schemas.taxonomy import canonical, modality_of_dicom


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
    """Sex and age as stated; an age of 90 and more is given as 90."""
    sexes: dict[str, Literal["", "female", "male", "other"]] = {"F": "female", "M": "male", "O": "other"}
    age, years = word(header, "PatientAge"), None
    parts = {"Y": 1.0, "M": 12.0, "W": 52.18, "D": 365.25}
    if len(age) == 4 and age[:3].isdigit() and age[3] in parts:
        years = min(round(int(age[:3]) / parts[age[3]], 2), 90.0)
    return Demographics(sexes.get(word(header, "PatientSex"), ""), years)
