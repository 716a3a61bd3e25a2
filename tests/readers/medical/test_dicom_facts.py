"""What a header says of persons is known, so that texts can be searched for it."""

import pydicom
from pydicom.sequence import Sequence

from readers.dicom_facts import identifiers


def test_names_numbers_and_places_of_a_header_and_its_items() -> None:
    inner = pydicom.Dataset()
    inner.PatientID, inner.OperatorsName = "Q-17", ["Roe^Ann", "Poe"]
    header = pydicom.Dataset()
    header.PatientName, header.PatientID, header.Modality = "Doe^Jane Mary", "4711", "CT"
    header.InstitutionName, header.StudyDate = "Mercy General", "20120309"
    header.OtherPatientIDsSequence = Sequence([inner])
    assert set(identifiers(header)) == {
        ("person", "Doe"), ("person", "Jane"), ("person", "Mary"), ("person", "Roe"), ("person", "Ann"),
        ("person", "Poe"), ("record_number", "4711"), ("record_number", "Q-17"), ("address", "Mercy General"),
    }  # fmt: skip
