"""A value is planted in every text attribute of the DICOM dictionary; no row, ledger line or picture has one."""

import random
import string
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.datadict import DicomDictionary, keyword_dict
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from flows.ledger_file import _told
from flows.making import open_converter
from flows.rows import Identities, staged
from flows.steps import close_cases, convert, read, render_pictures, run_steps
from quality.dicom_kept import KEPT
from quality.row_gates import gate, open_gates
from readers.base import open_reader
from readers.source import Source
from schemas.context import Context
from schemas.recipe import Choice
from schemas.spec import DatasetSpec, GroupRule, ReaderChoice
from tests.quality.test_planted import pixels

TEXTS = frozenset(("AE", "AS", "CS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"))
NEEDED = frozenset(
    (
        "Modality", "BodyPartExamined", "PhotometricInterpretation", "PixelSpacing", "ImagePositionPatient",
        "RescaleSlope",
        "ImageOrientationPatient", "RescaleIntercept", "WindowCenter", "WindowWidth", "SOPClassUID", "NumberOfFrames",
        "SpecificCharacterSet",
    )
)  # fmt: skip
"""Set to what a CT slice has, so that there is a picture."""


def everything(header: Dataset, draw: random.Random) -> dict[str, str]:
    """Plant a value of its own in every text attribute but the needed ones; value -> keyword."""
    planted = {}
    for keyword, tag in sorted(keyword_dict.items()):
        kinds = DicomDictionary[tag][0].split(" or ")
        if keyword in NEEDED or kinds[0] not in TEXTS or tag >> 16 in (0x0000, 0x0002):
            continue
        value = "ZQ" + "".join(draw.choices(string.ascii_uppercase, k=9))
        header.add_new(tag, kinds[0], value)
        planted[value] = keyword
    return planted


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_no_attribute_but_the_allowed_leaves_a_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDCURATE_ID_KEY", "a secret")
    monkeypatch.setattr(pydicom.config.settings, "writing_validation_mode", pydicom.config.IGNORE)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, CTImageStorage
    meta.MediaStorageSOPInstanceUID = "1.2.3"
    header = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    draw = random.Random(3)
    planted = everything(header, draw)
    inner = Dataset()
    planted |= {value: f"{keyword} of an item" for value, keyword in everything(inner, draw).items()}
    header.ReferencedStudySequence = Sequence([inner])
    header.Modality, header.BodyPartExamined, header.SOPClassUID = "CT", "CHEST", CTImageStorage
    header.Rows, header.Columns, header.BitsAllocated, header.BitsStored, header.HighBit = 64, 80, 8, 8, 7
    header.SamplesPerPixel, header.PhotometricInterpretation, header.PixelRepresentation = 1, "MONOCHROME2", 0
    header.RescaleSlope, header.RescaleIntercept, header.WindowCenter, header.WindowWidth = 1, 0, 128, 256
    header.ImageOrientationPatient, header.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, 1]
    header.PixelSpacing, header.PixelData = [1, 1], pixels(1).tobytes()
    path = tmp_path / "a.dcm"
    header.save_as(path, enforce_file_format=True)
    assert len(planted) > 3500
    raw = path.read_bytes()
    assert sum(value.encode() in raw for value in planted) == len(planted)
    out = published(tmp_path)
    assert "CT" in out and "chest" in out
    assert {keyword for value, keyword in planted.items() if value.lower() in out.lower()} == set()


def published(root: Path) -> str:
    """Everything that a run would write of the folder: rows, ledger lines and pictures."""
    spec = DatasetSpec(
        name="scans", title="Scans", license="CC0-1.0", access="open", root=str(root), modality="mixed",
        anatomy="mixed",
        clinical_task="diagnosis", reader=ReaderChoice(type="dicom_series"),
        group=GroupRule(by="field", field="PatientID", ids="identifier"),
    )  # fmt: skip
    source, context, identities = Source.open(spec.root), Context(spec), Identities(spec)
    reader = open_reader(spec, source=source)
    asked: list[Any] = [
        open_converter(Choice(type=name)) for name in ("acquisition", "caption", "open_question", "report")
    ]
    gates = open_gates({}, {})
    works = run_steps(
        read(reader.items(), reader),
        [convert(asked, context), render_pictures(source, True, True), lambda w: gate(w, gates, context), close_cases],
    )
    out: list[str] = []
    for work in works:
        case_id = identities.case_id(work.case_id)
        out.append(repr((case_id, _told(work.dropped, work.case_id, case_id))))
        out += [repr(_told(drop, work.case_id, case_id)) for _, drop in work.refused]
        assert work.dropped is None, work.dropped
        made = staged(work, spec, identities)
        out.append(repr((made.case_id, made.group_id, made.rows, made.annotation_digest, made.shipped_split)))
        out += [blob.data.decode("latin-1") for blob in made.images]
    return "\n".join(out)


def test_the_allow_list_names_attributes_of_dicom() -> None:
    assert set(KEPT) <= set(keyword_dict)
    for never in (
        "PatientName",
        "PatientBirthDate",
        "StudyDate",
        "InstitutionAddress",
        "SOPInstanceUID",
        "StationName",
    ):
        assert never not in KEPT
