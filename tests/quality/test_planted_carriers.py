"""Identifiers in overlays, documents, structured reports, contours, volumes, archives and reports: none comes out."""

import base64
import gzip
import io
import json
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
import yaml
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.prefect_server import medcurate
from tests.quality.test_planted import COMMON, Planter, dicom, jpeg, pixels, readable

CASES = 16
pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR")


def extended(number: int, plant: Planter, folder: Path) -> None:
    """A CT slice with what the first test leaves out, and the objects that hospitals store beside it."""
    path = folder / plant.word("folder") / "a.dcm"
    dicom(number, plant, path)
    header = pydicom.dcmread(path)
    header.ViewPosition = plant.word("DICOM ViewPosition")
    header.BodyPartExamined = plant.word("DICOM BodyPartExamined")
    header.ContrastBolusAgent, header.ImageLaterality = plant.word("DICOM agent"), plant.word("DICOM laterality")
    header.ImageType = ["ORIGINAL", "PRIMARY", plant.word("DICOM ImageType")]
    header.WindowCenterWidthExplanation = plant.word("DICOM window")
    header.PatientSex, header.PatientAge = plant.word("DICOM sex"), plant.word("DICOM age")[:4]
    header.add_new(0x60000010, "US", 64)
    header.add_new(0x60000011, "US", 80)
    header.add_new(0x60000040, "CS", "G")
    header.add_new(0x60000022, "LO", plant.word("DICOM overlay description"))
    header.add_new(0x60001500, "LO", plant.word("DICOM overlay label"))
    header.add_new(0x60000102, "US", 0)
    header.add_new(0x60000050, "SS", [1, 1])
    header.add_new(0x60000100, "US", 1)
    header.add_new(0x60003000, "OW", plant.word("DICOM overlay data").encode() * 64)
    request = Dataset()
    request.RequestingPhysician = plant.word("DICOM request")
    request.RequestedProcedureDescription = plant.word("DICOM request")
    deeper = Dataset()
    deeper.PersonName = plant.word("DICOM deep item")
    request.PersonIdentificationCodeSequence = Sequence([deeper])
    header.RequestAttributesSequence = Sequence([request])
    block = header.private_block(0x0029, "MAKER", create=True)
    inner = Dataset()
    inner.PatientName = plant.word("DICOM private sequence")
    block.add_new(0x02, "SQ", Sequence([inner]))
    header.save_as(path)
    document(path, plant)
    report(header, path, plant)


def document(path: Path, plant: Planter) -> None:
    """A PDF wrapped in DICOM."""
    wrapped = pydicom.dcmread(path)
    del wrapped.PixelData, wrapped.Rows, wrapped.Columns
    wrapped.Modality, wrapped.SOPClassUID = "DOC", pydicom.uid.EncapsulatedPDFStorage
    wrapped.SeriesInstanceUID = plant.uid("PDF UID")
    wrapped.DocumentTitle = plant.word("PDF title")
    wrapped.EncapsulatedDocument = b"%PDF-1.4 (" + plant.word("PDF").encode() + b")"
    wrapped.save_as(path.with_name("document.dcm"))


def report(header: Dataset, path: Path, plant: Planter) -> None:
    """A structured report with a name as text, as person and in a measurement's words."""

    def item(kind: str, concept: str, **fields: object) -> Dataset:
        made, code = Dataset(), Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "1", "99X", concept
        made.ValueType, made.ConceptNameCodeSequence = kind, Sequence([code])
        for name, value in fields.items():
            setattr(made, name, value)
        return made

    said = pydicom.dcmread(path)
    del said.PixelData, said.Rows, said.Columns
    said.Modality, said.SOPClassUID = "SR", pydicom.uid.EnhancedSRStorage
    said.SeriesInstanceUID = plant.uid("SR UID")
    series, study = Dataset(), Dataset()
    series.SeriesInstanceUID, study.ReferencedSeriesSequence = header.SeriesInstanceUID, Sequence([series])
    said.CurrentRequestedProcedureEvidenceSequence = Sequence([study])
    unit, amount, finding = Dataset(), Dataset(), Dataset()
    unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = "mm", "UCUM", "mm"
    amount.NumericValue, amount.MeasurementUnitsCodeSequence = "12", Sequence([unit])
    # A code whose meaning somebody typed: Dr. and a name.
    finding.CodeValue, finding.CodingSchemeDesignator = "2", "99X"
    finding.CodeMeaning = f"Mass of Mr. {plant.word('SR code meaning')}"
    group = item("CONTAINER", "Measurement Group")
    group.ContentSequence = Sequence([
        item("CODE", "Finding", ConceptCodeSequence=Sequence([finding])),
        item("NUM", "Diameter", MeasuredValueSequence=Sequence([amount])),
        item("TEXT", "Comment", TextValue=plant.word("SR text")),
    ])  # fmt: skip
    said.ContentSequence = Sequence([item("PNAME", "Observer", PersonName=plant.word("SR person")), group])
    said.save_as(path.with_name("report.dcm"))


def volume(number: int, plant: Planter, folder: Path) -> None:
    rng = np.random.default_rng(number)
    image = nib.Nifti1Image(rng.integers(0, 500, (24, 26, 28)).astype(np.int16), np.diag([2.0, 2.0, 2.0, 1.0]))
    image.header["descrip"] = plant.word("NIfTI descrip").encode()
    image.header["aux_file"] = plant.word("NIfTI aux_file").encode()
    image.header["intent_name"] = plant.word("NIfTI intent_name").encode()
    image.header["db_name"] = plant.word("NIfTI db_name").encode()
    for code in (4, 6):
        image.header.extensions.append(nib.nifti1.Nifti1Extension(code, plant.word("NIfTI extension").encode()))
    inside = io.BytesIO()
    with gzip.GzipFile(plant.word("gzip name"), "wb", fileobj=inside) as packed:
        packed.write(image.to_bytes())
    case = folder / plant.word("volume folder")
    case.mkdir(parents=True)
    (case / "ct.nii.gz").write_bytes(inside.getvalue())


def reports(folder: Path, plant: Planter) -> None:
    """Reports that tell of their patient in every form, in a zip whose members and comments do so too."""
    lines = [json.dumps({"image": "x.png", "report": "", "name": "", "mrn": ""})][:0]
    with zipfile.ZipFile(folder, "w") as archive:
        archive.comment = plant.word("zip comment").encode()
        for number in range(CASES):
            picture = f"{plant.word('zip member')}.jpg"
            info = zipfile.ZipInfo(picture)
            info.comment = plant.word("zip member comment").encode()
            archive.writestr(info, jpeg(number, plant))
            family, given, mrn = plant.word("report name"), plant.word("report name"), plant.number("report number")
            day = plant.date("report date")
            text = (
                f"FINDINGS: {given} {family} was seen on {day[:4]}-{day[4:6]}-{day[6:]} by "
                f"Dr. {plant.word('report doctor')} (MRN {mrn}). {family.upper()} has a "
                f"nodule of 12 mm in the right upper lobe, stage II. Call "
                f"+49 {plant.number('report phone')}, mail {plant.word('report mail')}@ward.example.org. "
                f"The wife, {plant.word('report relative')}, agrees. Lungs are otherwise clear."
            )
            lines.append(json.dumps({"image": picture, "report": text, "name": f"{given} {family}", "mrn": mrn,
                                     plant.word("JSON key"): plant.word("JSON value")}))  # fmt: skip
        archive.writestr("reports.jsonl", "\n".join(lines))


def arrays(path: Path, plant: Planter) -> None:
    stored = {"train_images": np.stack([pixels(900 + n) for n in range(4)]), "train_labels": np.array([0, 1, 0, 1])}
    stored[plant.word("npz array name")] = np.zeros(3)
    np.savez(path, **stored)
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = plant.word("npz comment").encode()


SPECS = {
    "scans": {
        "root": "scans", "reader": {"type": "dicom_series", "options": {"reports": True}},
        "group": {"by": "field", "field": "PatientID", "ids": "identifier"},
    },
    "volumes": {
        "root": "volumes", "group": {"by": "field", "field": "case", "ids": "identifier"},
        "reader": {"type": "volumes", "options": {"image": "{case}/ct.nii.gz", "keep_unlabelled": True}},
    },
    "reports": {
        "root": "reports.zip", "group": {"by": "field", "field": "mrn", "ids": "identifier"},
        "reader": {"type": "table", "options": {"table": ["reports.jsonl"], "texts": {"report": "report"},
                                                "private": ["name", "mrn"]}},
        "gates": {"identifiers": {"action": "surrogate"}},
    },
    "arrays": {
        "root": "arrays.npz", "reader": {"type": "npz", "options": {"classes": {0: "edema", 1: "mass"}}},
        "labels": {"edema": "edema", "mass": "mass"}, "group": {"by": "case", "ids": "identifier"},
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def run(
    prefect_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, str], dict[str, bytes]]:
    """Every planted value with its carrier, and every byte that came out, by file."""
    base, plant = tmp_path_factory.mktemp("carriers"), Planter()
    for number in range(CASES):
        extended(200 + number, plant, base / "scans")
    for number in range(12):
        volume(number, plant, base / "volumes")
    reports(base / "reports.zip", plant)
    arrays(base / "arrays.npz", plant)
    for name, own in SPECS.items():
        spec = {"name": name, "title": name, **COMMON, **own}
        (base / f"{name}.yaml").write_text(yaml.safe_dump(spec))
    asked = ("acquisition", "report", "volume_question", "open_question")
    recipe = {"name": "carriers", "version": "1", "datasets": [{"spec": f"{name}.yaml"} for name in SPECS],
              "store": "store", "converters": [{"type": name} for name in asked]}  # fmt: skip
    (base / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    done = medcurate("run", base / "recipe.yaml", "--json", env=prefect_env | {"MEDCURATE_ID_KEY": "a secret"})
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    out = {"standard output": done.stdout.encode(), "standard error": done.stderr.encode()}
    release = Path(found["release"])
    for path in sorted(release.rglob("*")):
        name = path.relative_to(release).as_posix()
        if path.is_file():
            out[name] = b"\n".join([name.encode(), *readable(path.read_bytes(), name)])
    out["totals"] = json.dumps(found["totals"]).encode()
    return plant.planted, out


def test_everything_was_read_and_published(run: tuple[dict[str, str], dict[str, bytes]]) -> None:
    planted, out = run
    assert len(planted) >= 1200
    kept = {name: found.get("kept", 0) for name, found in json.loads(out["totals"])["case"].items()}
    assert (kept["volumes"], kept["reports"], kept["arrays"]) == (12, CASES, 4)
    assert kept["scans"] == CASES
    shards = b"".join(data for name, data in out.items() if name.startswith("data/"))
    # The search is not blind, and what is medicine came through.
    for words in (b"stage II", b"nodule of 12 mm in the right upper lobe", b"identifier_surrogate"):
        assert words in shards


def test_no_planted_value_comes_out_in_any_writing(run: tuple[dict[str, str], dict[str, bytes]]) -> None:
    planted, out = run
    leaked = set()
    for name, data in out.items():
        lowered = data.lower()
        for value, carrier in planted.items():
            plain = value.lower().encode()
            forms = [plain, value.encode("utf-16-le"), value.encode("utf-16-be")]
            if carrier == "report date":
                forms.append(f"{value[:4]}-{value[4:6]}-{value[6:]}".encode())
            encoded = base64.b64encode(value.encode()).rstrip(b"=")[:-1]
            if any(form in lowered or form in data for form in forms) or encoded in data:
                leaked.add((carrier, name))
    assert leaked == set()
