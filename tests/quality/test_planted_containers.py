"""Identifiers in what the other tests of this kind leave out: colour profiles, other codecs, what lies around voxels,
Parquet and WebDataset sources, odd corners of DICOM; looked for in the release, the work folder and Prefect's own."""

import gzip
import io
import json
import random
import tarfile
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pydicom
import pytest
import SimpleITK as sitk
import yaml
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence

from tests.prefect_server import medcurate
from tests.quality.planted_search import Search, forms, guessed_ids
from tests.quality.test_planted import COMMON, Planter, dicom, jpeg, pixels, readable

CASES = 12
CONVERTERS = ("acquisition", "caption", "open_question", "multiple_choice", "volume_question")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Invalid value for VR")]


def profile(plant: Planter) -> bytes:
    """A real colour profile with a name, a maker, and a tag of somebody's own."""
    real = Path(str(get_testdata_file("crayons.icc"))).read_bytes()
    own = plant.word("ICC tag").encode()
    count = int.from_bytes(real[128:132], "big")
    table = bytearray(real[132 : 132 + 12 * count])
    for place in range(0, len(table), 12):
        table[place + 4 : place + 8] = (int.from_bytes(table[place + 4 : place + 8], "big") + 12).to_bytes(4, "big")
    table += b"ownr" + (len(real) + 12).to_bytes(4, "big") + (8 + len(own)).to_bytes(4, "big")
    body = real[132 + 12 * count :] + b"text" + bytes(4) + own
    made = real[:128] + (count + 1).to_bytes(4, "big") + bytes(table) + body
    return made.replace(b"Copyright"[:4], b"Copy").replace(real[84:100], plant.word("ICC id")[:16].encode().ljust(16))


def coloured(number: int) -> Image.Image:
    return Image.fromarray(np.dstack([pixels(number), pixels(number + 100), pixels(number + 200)]))


def picture(number: int, plant: Planter) -> tuple[str, bytes]:
    """A picture in one of six containers, with words in it."""
    out, shown, tags = io.BytesIO(), coloured(number), Image.Exif()
    tags[0x010E] = plant.word("EXIF")
    kind = ("jpg", "png", "webp", "gif", "bmp", "tif")[number % 6]
    if kind == "jpg":
        shown.save(out, "jpeg", icc_profile=profile(plant), quality=90)
    elif kind == "png":
        shown.save(out, "png", icc_profile=profile(plant))
    elif kind == "webp":
        xmp = f"<x>{plant.word('WebP XMP')}</x>".encode()
        shown.save(out, "webp", exif=tags, xmp=xmp, icc_profile=profile(plant), lossless=True)
    elif kind == "gif":
        shown.save(out, "gif", comment=plant.word("GIF comment").encode())
    elif kind == "bmp":
        shown.save(out, "bmp")
    else:
        shown.save(out, "tiff", exif=tags, icc_profile=profile(plant), description=plant.word("TIFF description"))
    return kind, out.getvalue() + plant.word(f"after the {kind}").encode()


def films(folder: Path, plant: Planter) -> None:
    """A Parquet table with the pictures inside, its metadata full of names; two of its pictures are broken."""
    rows: list[dict[str, Any]] = []
    for number in range(CASES + 2):
        kind, data = picture(number, plant)
        name = f"{plant.word('name of a picture')}.{kind}"
        image = {"bytes": data if number < CASES else data[:40], "path": name}
        words = {"name": plant.word("Parquet column"), "key": plant.word("Parquet key")}
        rows.append({"image": image, "finding": ["edema", "mass"][number % 2],
                     "mrn": plant.number("Parquet column"), **words})  # fmt: skip
    table = pa.Table.from_pylist(rows)
    field = table.schema.field("name").with_metadata({"note": plant.word("Parquet field metadata")})
    schema = table.schema.set(table.schema.get_field_index("name"), field)
    features = {"info": {"features": {plant.word("HF feature"): {"_type": "Value"}}}}
    words = {plant.word("Parquet metadata key"): plant.word("Parquet metadata"), "huggingface": json.dumps(features)}
    folder.mkdir()
    pq.write_table(
        table.cast(schema).replace_schema_metadata(words), folder / f"{plant.word('name of a table')}.parquet"
    )


def samples(folder: Path, plant: Planter) -> None:
    """A WebDataset tar: keys, owners, comments of the archive and keys of the JSON tell of persons."""
    folder.mkdir()
    path = folder / f"{plant.word('name of a tar')}.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT, pax_headers={"comment": plant.word("tar comment")}) as tar:
        for number in range(CASES):
            key = plant.word("WebDataset key")
            words = {"finding": ["edema", "mass"][number % 2], "mrn": plant.number("WebDataset field"),
                     plant.word("WebDataset field name"): plant.word("WebDataset field")}  # fmt: skip
            for end, data in (("jpg", jpeg(300 + number, plant)), ("json", json.dumps(words).encode())):
                info = tarfile.TarInfo(f"{key}.{end}")
                info.size, info.uname, info.gname = len(data), plant.word("tar owner"), plant.word("tar group")
                info.pax_headers = {"comment": plant.word("tar member comment")}
                tar.addfile(info, io.BytesIO(data))


def volumes(folder: Path, plant: Planter) -> None:
    """NIfTI with words around the voxels, NRRD with keys, MetaImage with comments."""
    for number in range(CASES):
        case = folder / plant.word("volume folder")
        case.mkdir(parents=True)
        voxels = np.random.default_rng(number).integers(0, 500, (20, 22, 24)).astype(np.int16)
        image = nib.Nifti1Image(voxels, np.diag([2.0, 2.0, 2.0, 1.0]))
        data, word = image.to_bytes(), plant.word("around the voxels").encode()
        if number % 3 == 0:
            header = image.header.copy()
            header["vox_offset"], header["magic"] = 384, b"n+1"
            data = header.binaryblock + bytes(4) + word.ljust(32, b"\0") + data[352:]
        elif number % 3 == 1:
            data += word
        packed = gzip.compress(data, mtime=0)
        if number % 3 == 2:
            packed += gzip.compress(word)
        (case / "ct.nii.gz").write_bytes(packed)


def others(folder: Path, plant: Planter) -> None:
    for number in range(4):
        case = folder / plant.word("volume folder")
        case.mkdir(parents=True)
        image = sitk.GetImageFromArray(np.random.default_rng(number).integers(0, 500, (20, 22, 24)).astype(np.int16))
        for name in ("ITK_FileNotes", "patient", plant.word("NRRD key")):
            image.SetMetaData(name, plant.word("NRRD value"))
        sitk.WriteImage(image, str(case / "ct.nrrd"))


def scans(folder: Path, plant: Planter) -> None:
    """Slices with words in the preamble, the file's meta group, the icon, behind the pixels and in JPEG frames."""
    for number in range(CASES):
        path = folder / plant.word("folder") / f"{plant.word('file')}.dcm"
        dicom(500 + number, plant, path)
        header = pydicom.dcmread(path)
        header.preamble = plant.word("DICOM preamble").encode().ljust(128, b"\0")
        header.file_meta.PrivateInformationCreatorUID = plant.uid("DICOM meta group")
        header.file_meta.PrivateInformation = plant.word("DICOM meta group").encode()
        header.file_meta.SourceApplicationEntityTitle = plant.word("DICOM meta group")
        icon = Dataset()
        icon.Rows, icon.Columns, icon.BitsAllocated, icon.PixelData = (
            4,
            4,
            8,
            plant.word("DICOM icon").encode().ljust(16),
        )
        header.IconImageSequence = Sequence([icon])
        header.add_new(0x50000022, "LO", plant.word("DICOM curve description"))
        header.add_new(0x50003000, "OW", plant.word("DICOM curve").encode())
        header.add_new(0xFFFCFFFC, "OB", plant.word("DICOM padding").encode())
        header.ContentCreatorName = f"{plant.word('DICOM creator')}^{plant.word('DICOM creator')}"
        if number % 2:
            frame = jpeg(600 + number, plant)
            header.SamplesPerPixel, header.BitsAllocated, header.BitsStored, header.HighBit = 1, 8, 8, 7
            header.PixelRepresentation, header.RescaleIntercept = 0, 0
            header.WindowCenter, header.WindowWidth = 128, 256
            header.PixelData = encapsulate([frame])
            header["PixelData"].is_undefined_length = True
            header.file_meta.TransferSyntaxUID = pydicom.uid.JPEGBaseline8Bit
        else:
            header.PixelData += plant.word("behind the DICOM pixels").encode()
        header.save_as(path, enforce_file_format=True)


SPECS: dict[str, dict[str, Any]] = {
    "films": {
        "root": "films", "group": {"by": "field", "field": "mrn", "ids": "identifier"},
        "reader": {"type": "table", "options": {"labels": ["finding"], "key": "key"}},
    },
    "samples": {
        "root": "samples", "group": {"by": "field", "field": "mrn", "ids": "identifier"},
        "reader": {"type": "table", "options": {"table": ["*.tar"], "image": ["jpg"], "labels": ["finding"]}},
    },
    "volumes": {
        "root": "volumes", "group": {"by": "field", "field": "case", "ids": "identifier"},
        "reader": {"type": "volumes", "options": {"image": "{case}/ct.nii.gz", "keep_unlabelled": True}},
    },
    "others": {
        "root": "others", "group": {"by": "field", "field": "case", "ids": "identifier"},
        "reader": {"type": "volumes", "options": {"image": "{case}/ct.nrrd", "keep_unlabelled": True}},
    },
    "scans": {
        "root": "scans", "reader": {"type": "dicom_series"},
        "group": {"by": "field", "field": "PatientID", "ids": "identifier"},
    },
}  # fmt: skip
LABELS = {"labels": {"edema": "edema", "mass": "mass"}, "label_kind": "multi_class"}


@pytest.fixture(scope="module")
def run(
    prefect_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, str], dict[str, bytes], dict[str, Any]]:
    """Every planted value with its carrier, all that came out by file, and what the run said."""
    base, plant = tmp_path_factory.mktemp("containers"), Planter(draw=random.Random(29))
    for make, place in ((films, "films"), (samples, "samples"), (volumes, "volumes"), (others, "others")):
        make(base / place, plant)
    scans(base / "scans", plant)
    for name, own in SPECS.items():
        labelled = LABELS if name in ("films", "samples") else {}
        (base / f"{name}.yaml").write_text(yaml.safe_dump({"name": name, "title": name, **COMMON, **own, **labelled}))
    recipe = {"name": "containers", "version": "1", "datasets": [{"spec": f"{name}.yaml"} for name in SPECS],
              "store": "store", "converters": [{"type": name} for name in CONVERTERS]}  # fmt: skip
    (base / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    env = prefect_env | {"MEDCURATE_ID_KEY": "a secret"}
    done = medcurate("run", base / "recipe.yaml", "--json", "--keep-work", env=env)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    out = {"standard output": done.stdout.encode(), "standard error": done.stderr.encode()}
    page = base / "refused.html"
    shown = medcurate("quarantine", told["release"], "--recipe", base / "recipe.yaml", "--page", page, env=env)
    out |= {"quarantine": shown.stdout.encode() + shown.stderr.encode(), "page": page.read_bytes()}
    for path in sorted(Path(told["release"]).rglob("*")):
        name = path.relative_to(told["release"]).as_posix()
        if path.is_file():
            out[name] = b"\n".join([name.encode(), *readable(path.read_bytes(), name)])
    for path in [*(base / "store" / ".work").rglob("*.log"), *Path(prefect_env["PREFECT_HOME"]).rglob("*")]:
        if path.is_file():
            out[f"log {path.name}"] = path.read_bytes()
    return plant.planted, out, told


def test_everything_was_read(run: tuple[dict[str, str], dict[str, bytes], dict[str, Any]]) -> None:
    planted, out, told = run
    assert len(planted) >= 1000
    kept = {name: found.get("kept", 0) for name, found in told["totals"]["case"].items()}
    assert kept == {"films": CASES, "samples": CASES, "volumes": CASES, "others": 4, "scans": CASES}
    assert b"edema" in b"".join(data for name, data in out.items() if name.startswith("data/"))
    assert any(name.startswith("log prefect") for name in out) and "log workers.log" in out


def test_the_search_finds_every_writing() -> None:
    look = Search(["Zqabcdefgh", "1234567890"])
    for form in {*forms("Zqabcdefgh")}:
        for before in (b"", b"x", b"xyz"):
            assert look.found(b"12345" + before + form + b"tail of it") == {"Zqabcdefgh"}, form
    assert look.found(b"Zqabcdefg of nobody 123456789 0") == set()


def test_no_planted_value_comes_out_in_any_writing(
    run: tuple[dict[str, str], dict[str, bytes], dict[str, Any]],
) -> None:
    planted, out, _ = run
    digests: dict[str, list[bytes]] = {}
    # Whoever guesses a key could make the ids that are drawn from keys, if nothing secret went into them.
    for value in planted:
        for key in (value, f"{value}.jpg", f"{value}/ct.nii.gz", f"{value}/ct.nrrd"):
            digests.setdefault(value, []).extend(guessed_ids(SPECS, CONVERTERS, key))
    look = Search(planted, digests)
    leaked = {(planted[value], name) for name, data in out.items() for value in look.found(data)}
    assert leaked == set()
