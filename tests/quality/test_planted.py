"""A thousand planted identifiers over every carrier, through the whole pipeline: no byte of the release has one."""

import io
import json
import random
import string
import struct
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pydicom
import pytest
import tifffile
import yaml
from PIL import Image, PngImagePlugin
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from tests.prefect_server import medcurate
from tests.quality.planted_search import Search, guessed_ids

PEOPLE = 24
SEED = 11
BROKEN = "path of a broken DICOM file"
CONVERTERS = ("caption", "multiple_choice", "open_question", "acquisition")


@dataclass
class Planter:
    """Makes values that stand nowhere else, and remembers where each was put."""

    draw: random.Random = field(default_factory=lambda: random.Random(SEED))
    planted: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    """Value -> key of the case that is made of it, where that is another."""

    def word(self, carrier: str) -> str:
        return self._keep("Zq" + "".join(self.draw.choices(string.ascii_lowercase, k=8)), carrier)

    def number(self, carrier: str) -> str:
        return self._keep("".join(self.draw.choices("123456789", k=10)), carrier)

    def date(self, carrier: str) -> str:
        while True:
            day = f"{self.draw.randint(1901, 1939)}{self.draw.randint(1, 12):02}{self.draw.randint(1, 28):02}"
            if day not in self.planted:
                return self._keep(day, carrier)

    def uid(self, carrier: str) -> str:
        return self._keep(f"1.2.826.0.1.3680043.8.498.{''.join(self.draw.choices('123456789', k=30))}", carrier)

    def _keep(self, value: str, carrier: str) -> str:
        assert value not in self.planted
        self.planted[value] = carrier
        return value


def pixels(number: int, size: tuple[int, int] = (64, 80)) -> np.ndarray:
    """A smooth picture of its own."""
    rng = np.random.default_rng(number)
    y, x = np.mgrid[0 : size[0], 0 : size[1]]
    return (
        (120 + 60 * np.sin(x / (5 + number)) * np.cos(y / (7 + number)) + rng.normal(0, 5, size))
        .clip(0, 255)
        .astype(np.uint8)
    )


def jpeg(number: int, plant: Planter) -> bytes:
    tags = Image.Exif()
    for tag in (0x010E, 0x013B, 0x8298, 0x0131, 0x013C, 0x9C9B):
        tags[tag] = plant.word("JPEG EXIF")
    tags.get_ifd(0x8769)[0x9286] = plant.word("JPEG EXIF comment")
    out = io.BytesIO()
    Image.fromarray(pixels(number)).save(
        out, "jpeg", exif=tags, comment=plant.word("JPEG comment").encode(), quality=95
    )
    data = out.getvalue()
    segments = b"".join(
        bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body
        for marker, body in (
            (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + plant.word("JPEG XMP").encode()),
            (0xED, b"Photoshop 3.0\0" + plant.word("JPEG IPTC").encode()),
            (0xEB, plant.word("JPEG APP11").encode()),
        )
    )
    return data[:2] + segments + data[2:] + plant.word("after the JPEG").encode()


def png(number: int, plant: Planter) -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Patient", plant.word("PNG tEXt"))
    info.add_text("Comment", plant.word("PNG zTXt"), zip=True)
    info.add_itxt(plant.word("PNG iTXt key"), plant.word("PNG iTXt"))
    tags = Image.Exif()
    tags[0x013B] = plant.word("PNG eXIf")
    out = io.BytesIO()
    Image.fromarray(pixels(number)).save(out, "png", pnginfo=info, exif=tags)
    data, own = out.getvalue(), b"paTi" + plant.word("PNG private chunk").encode()
    chunk = struct.pack(">I", len(own) - 4) + own + struct.pack(">I", zlib.crc32(own))
    return data[:33] + chunk + data[33:] + plant.word("after the PNG").encode()


def tiff(number: int, plant: Planter) -> bytes:
    out = io.BytesIO()
    extra = [(tag, "s", 0, plant.word("TIFF tag"), True) for tag in (315, 316, 33432, 65000)]
    tifffile.imwrite(
        out,
        pixels(number),
        description=plant.word("TIFF description"),
        software=plant.word("TIFF software"),
        extratags=extra,
        metadata=None,
    )
    return out.getvalue()


def dicom(number: int, plant: Planter, path: Path) -> None:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = pydicom.uid.CTImageStorage
    meta.MediaStorageSOPInstanceUID = plant.uid("DICOM meta UID")
    header = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    header.SOPClassUID = pydicom.uid.CTImageStorage
    header.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    for name in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
        setattr(header, name, plant.uid(f"DICOM {name}"))
    for name in ("PatientName", "ReferringPhysicianName", "OperatorsName", "PerformingPhysicianName"):
        setattr(header, name, f"{plant.word(f'DICOM {name}')}^{plant.word(f'DICOM {name}')}")
    for name in ("PatientID", "AccessionNumber", "StudyID"):
        setattr(header, name, plant.number(f"DICOM {name}"))
    for name in ("StudyDate", "SeriesDate", "AcquisitionDate", "PatientBirthDate"):
        setattr(header, name, plant.date(f"DICOM {name}"))
    for name in ("InstitutionName", "InstitutionAddress", "StationName", "StudyDescription", "SeriesDescription",
                 "ProtocolName", "PatientComments", "ImageComments", "OtherPatientIDs", "PatientAddress",
                 "DeviceSerialNumber", "ManufacturerModelName", "AdditionalPatientHistory", "Occupation"):  # fmt: skip
        setattr(header, name, plant.word(f"DICOM {name}"))
    inner = pydicom.Dataset()
    inner.PatientID, inner.CodeMeaning = plant.number("DICOM sequence"), plant.word("DICOM sequence")
    header.OtherPatientIDsSequence = Sequence([inner])
    block = header.private_block(0x0011, "MAKER", create=True)
    block.add_new(0x01, "LO", plant.word("DICOM private tag"))
    header.Modality, header.BodyPartExamined = "CT", "CHEST"
    header.Manufacturer = plant.word("DICOM Manufacturer")
    header.Rows, header.Columns, header.BitsAllocated, header.BitsStored, header.HighBit = 64, 80, 16, 16, 15
    header.SamplesPerPixel, header.PhotometricInterpretation, header.PixelRepresentation = 1, "MONOCHROME2", 1
    header.RescaleSlope, header.RescaleIntercept, header.WindowCenter, header.WindowWidth = 1, -1024, 40, 400
    header.ImageOrientationPatient, header.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, number]
    header.PixelSpacing, header.SliceThickness, header.ImageType = [1, 1], 1, ["ORIGINAL", "PRIMARY", "AXIAL"]
    header.PixelData = (pixels(number).astype(np.int16) * 4 + 600).tobytes()
    path.parent.mkdir(parents=True)
    header.save_as(path, enforce_file_format=True)


def break_dicom(path: Path, how: int) -> None:
    """Without pixels, cut off, or without a frame of any size."""
    header = pydicom.dcmread(path)
    if how == 0:
        del header.PixelData
    elif how == 1:
        header.Rows = 0
    header.save_as(path)
    if how == 2:
        path.write_bytes(path.read_bytes()[:-4000])


def table(folder: Path, plant: Planter) -> None:
    lines = ["file,finding,patient,born,record,phone,physician"]
    writers = (("jpg", jpeg), ("png", png), ("tif", tiff))
    for number in range(PEOPLE):
        extension, make = writers[number % 3]
        file = plant.word("file name")
        name = plant.keys[file] = f"{plant.word('folder name')}/{file}.{extension}"
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(make(number, plant))
        own = [plant.word("CSV column"), plant.date("CSV column"), plant.number("CSV column"),
               plant.number("CSV column"), plant.word("CSV column")]  # fmt: skip
        lines.append(",".join([name, ["edema", "mass"][number % 2], *own]))
    # Files that end in the ledger: its sentences must not name them either.
    for extension, data in (("jpg", b"\xff\xd8broken"), ("png", b""), ("tif", b"II*\0")):
        name = f"{plant.word('name of a broken file')}.{extension}"
        (folder / name).write_bytes(data)
        lines.append(f"{name},edema,{plant.word('CSV column')},,,,")
    lines.append(f"{plant.word('name of a missing file')}.jpg,mass,{plant.word('CSV column')},,,,")
    (folder / "cases.csv").write_text("\n".join(lines) + "\n")


SPECS = {
    "films": {
        "reader": {"type": "table", "options": {"table": ["cases.csv"], "image": ["file"], "labels": ["finding"]}},
        "labels": {"edema": "edema", "mass": "mass"},
        "label_kind": "multi_class",
        "group": {"by": "field", "field": "patient", "ids": "identifier"},
    },
    "scans": {
        "reader": {"type": "dicom_series"},
        "group": {"by": "field", "field": "PatientID", "ids": "identifier"},
    },
}
COMMON = {"license": "CC0-1.0", "access": "open", "modality": "X-ray", "anatomy": "chest", "clinical_task": "diagnosis"}


@pytest.fixture(scope="module")
def hospital_of_names(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Planter]:
    """A recipe over both folders, and every planted value with its carrier."""
    base, plant = tmp_path_factory.mktemp("private"), Planter()
    table(base / "films", plant)
    for number in range(PEOPLE):
        dicom(number, plant, base / "scans" / plant.word("DICOM folder name") / f"{plant.word('DICOM file name')}.dcm")
    for number in range(PEOPLE, PEOPLE + 3):
        path = base / "scans" / plant.word(BROKEN) / f"{plant.word(BROKEN)}.dcm"
        dicom(number, plant, path)
        break_dicom(path, number - PEOPLE)
    for name, own in SPECS.items():
        common = {"name": name, "title": name, "root": name, **COMMON}
        (base / f"{name}.yaml").write_text(yaml.safe_dump(common | own))
    recipe = {
        "name": "planted", "version": "1", "datasets": [{"spec": f"{name}.yaml"} for name in SPECS], "store": "store",
        "converters": [{"type": name} for name in CONVERTERS],
    }  # fmt: skip
    (base / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    return base, plant


def readable(data: bytes, name: str) -> Iterator[bytes]:
    """The bytes, and what they hold once unpacked."""
    yield data
    if name.endswith(".parquet"):
        table = pq.read_table(io.BytesIO(data))
        yield repr((table.to_pylist(), table.schema.metadata)).encode()
    elif name.endswith(".tar"):
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive:
                content = archive.extractfile(member)
                yield member.name.encode()
                if content is not None:
                    yield from readable(content.read(), member.name)
    elif name.endswith(".png"):
        with Image.open(io.BytesIO(data)) as picture:
            picture.load()
            yield repr(picture.info).encode()


@pytest.fixture(scope="module")
def leaked(prefect_env: dict[str, str], hospital_of_names: tuple[Path, Planter]) -> set[tuple[str, str]]:
    """(carrier, file of the release) of every planted value that came out."""
    base, plant = hospital_of_names
    planted = plant.planted
    assert len(planted) >= 1000
    done = medcurate("run", base / "recipe.yaml", "--json", env=prefect_env | {"MEDCURATE_ID_KEY": "a secret"})
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    kept = {name: found.get("kept", 0) for name, found in result["totals"]["case"].items()}
    assert kept == {"films": PEOPLE, "scans": PEOPLE}
    release = Path(result["release"])
    texts = {"standard output": done.stdout.encode(), "standard error": done.stderr.encode()}
    for path in sorted(release.rglob("*")):
        name = path.relative_to(release).as_posix()
        texts[f"name {name}"] = name.encode()
        if path.is_file():
            texts[name] = b"\n".join(readable(path.read_bytes(), name))
    # What must be found is found: the search is not blind.
    assert any(b"edema" in text for name, text in texts.items() if name.endswith(".parquet"))
    assert b"films" in texts["manifest.json"]
    found = {
        (one["dataset"], one["pictures_and_volumes"]) for one in json.loads(texts["quality/privacy.json"])["left_out"]
    }
    # A third each of the films are JPEG, PNG and TIFF, and lose different things.
    assert found == {("films", PEOPLE // 3), ("scans", PEOPLE)}
    # Whoever guesses a key could make the ids that are drawn from keys, if nothing secret went into them.
    keys = [(value, plant.keys.get(value, value)) for value in planted]
    look = Search(planted, {value: guessed_ids(SPECS, CONVERTERS, key) for value, key in keys})
    return {(planted[value], name) for name, text in texts.items() for value in look.found(text)}


def test_no_byte_of_the_release_holds_a_planted_value(leaked: set[tuple[str, str]]) -> None:
    assert leaked == set()


def test_without_a_key_nothing_is_started(prefect_env: dict[str, str], hospital_of_names: tuple[Path, Planter]) -> None:
    env = {name: value for name, value in prefect_env.items() if name != "MEDCURATE_ID_KEY"}
    done = medcurate("run", hospital_of_names[0] / "recipe.yaml", env=env)
    assert done.returncode == 2
    assert "MEDCURATE_ID_KEY" in done.stderr
