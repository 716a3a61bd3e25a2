"""``recipes/phi.yaml`` over files full of invented identifiers: nothing that it publishes names anybody."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pydicom
import pytest

from quality.burned_in import BurnedIn, BurnedInOptions, read
from readers.dicom_facts import identifiers
from tests.prefect_server import medcurate
from tests.quality.test_planted import readable

DATA = Path("../shared/data/dicom_phi")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here"),
]


def known() -> set[str]:
    """Every name, number and place of the headers, and the files' names.

    Some names are made of dictionary words in small letters ("Dr. soft haze", "billowing mode"), which pages and
    windows say too: these are sought whole.  One department is called DEFAULT.
    """
    values: set[str] = set()
    for path in DATA.rglob("*.dcm"):
        header = pydicom.dcmread(path, force=True, stop_before_pixels=True)
        values |= {value for _, value in identifiers(header) if not value.islower()}
        values |= {str(element.value) for element in header.iterall() if element.VR == "PN"}
        values |= {str(header.get(name, "")) for name in ("PatientBirthDate", "StudyDate", "SOPInstanceUID",
                                                          "StudyInstanceUID", "SeriesInstanceUID")}  # fmt: skip
        values.add(path.stem)
    return {value for value in values if len(value) >= 4 and value.upper() not in ("NONE", "ANON", "DEFAULT")}


def test_nobody_is_named(prefect_env: dict[str, str], tmp_path: Path) -> None:
    env = prefect_env | {"MEDCURATE_ID_KEY": "a secret"}
    done = medcurate("run", Path("recipes/phi.yaml"), "--store", tmp_path / "store", "--json", env=env)
    assert done.returncode == 0, done.stderr
    release = Path(json.loads(done.stdout)["release"])
    values = known()
    assert {"DAVIDSON", "DOUGLAS", "SIMPSON", "Dr. soft haze", "billowing mode"} <= values
    leaks = set()
    for path in sorted(release.rglob("*")):
        if path.is_file():
            name = path.relative_to(release).as_posix()
            data = b"\n".join([name.encode(), *readable(path.read_bytes(), name)]).lower()
            leaks |= {(name, value) for value in values if value.lower().encode() in data}
    assert leaks == set()
    gate = BurnedIn(BurnedInOptions())
    pictures = [image["bytes"] for shard in (release / "data").glob("*.parquet")
                for row in pq.read_table(shard).to_pylist() for image in row["images"]]  # fmt: skip
    assert len(pictures) >= 3
    for picture in pictures:
        assert [line for line in read(picture) if gate._counts(line)] == []
