"""What is demanded before a run that could name somebody."""

from pathlib import Path

import pytest

from converters.contract.fixtures import load_cases
from flows.fixtures import record
from flows.private_steps import demand_declaration, demand_key, hide_keys
from flows.rows import Identities
from quality.row_gates import open_gates
from schemas.case import Case, ImageRef, Tile, VolumeRef
from schemas.errors import UserError
from schemas.identity import case_order, row_id
from schemas.spec import DatasetSpec, GroupRule, ReaderChoice
from schemas.view import View
from schemas.work import Work


def spec(reader: str, **group: str) -> DatasetSpec:
    return DatasetSpec(
        name="scans", title="Scans", license="CC0-1.0", access="open", modality="CT", anatomy="chest",
        clinical_task="diagnosis", reader=ReaderChoice(type=reader), group=GroupRule.model_validate(group),
    )  # fmt: skip


def test_whose_the_ids_of_a_source_are_must_be_said() -> None:
    silent = (
        spec("dicom_series", by="field", field="PatientID"),
        spec("dicom_series", by="field", field="PatientID", ids="none"),
        spec("table", by="field", field="patient"),
        spec("files", by="pattern", pattern="(p\\d+)"),
    )
    for one in silent:
        with pytest.raises(UserError, match=r"say group\.ids: identifier, or pseudonym"):
            demand_declaration(one)
    for reader in ("dicom_series", "table"):
        for said in ("identifier", "pseudonym"):
            demand_declaration(spec(reader, by="field", field="PatientID", ids=said))
        demand_declaration(spec(reader, by="case"))
    demand_declaration(spec("table", by="field", field="lesion", ids="none"))


def test_ids_of_rows_are_no_digests_of_a_key_that_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def ids(secret: str, **group: str) -> tuple[str, str]:
        monkeypatch.setenv("MEDCURATE_ID_KEY", secret)
        identities = Identities(spec("table", **group))
        [work] = hide_keys(identities)(iter([Work("MRN 123456.png", Case("scans", "MRN 123456.png", None, ""))]))
        assert work.case is not None
        assert work.case.key == "MRN 123456.png"
        # What is published must not be what ids are drawn from either: it is known to everybody.
        assert work.case.identity != identities.case_id(work.case.key) or not work.case.alias
        return row_id("scans", work.case.identity, "caption", ""), case_order("scans", work.case.identity)

    guessed = row_id("scans", "MRN 123456.png", "caption", ""), case_order("scans", "MRN 123456.png")
    assert ids("a secret", by="case", ids="pseudonym") == guessed
    hidden = ids("a secret", by="case", ids="identifier")
    assert hidden == ids("a secret", by="case", ids="identifier")
    assert not {*hidden} & {*guessed, *ids("another", by="case", ids="identifier")}


def test_surrogates_are_not_drawn_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEDCURATE_ID_KEY", raising=False)
    drawing = open_gates({"identifiers": {"kinds": {"date": "surrogate"}}})
    with pytest.raises(UserError, match="set MEDCURATE_ID_KEY"):
        demand_key(drawing, spec("table"))
    demand_key(open_gates({}), spec("table"))
    monkeypatch.setenv("MEDCURATE_ID_KEY", "a secret")
    demand_key(drawing, spec("table"))


def test_recorded_fixtures_hold_nothing_that_the_source_says_of_persons(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text("name: scans")
    case = Case("scans", "c1", None, "", identifiers=(("person", "Quux"),), series=("Quux/1.dcm",))
    record(tmp_path / "fixture", tmp_path / "spec.yaml", Identities(spec("table")), [case])
    assert "Quux" not in (tmp_path / "fixture/cases.json").read_text()


def test_recorded_fixtures_hold_no_ids_that_lead_to_persons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDCURATE_ID_KEY", "a secret")
    (tmp_path / "spec.yaml").write_text("name: scans")
    view, shape = View(8, 8, 8, 8), (8, 8, 2)
    tile = Tile(0, 0, ImageRef(("Quux/3.dcm",), "application/dicom", view))
    images = (ImageRef(("Quux/1.dcm", "Quux/2.dcm"), "application/dicom", view, tiles=(tile,)),)
    volume = VolumeRef(("Quux.nii.gz",), "application/x-nifti", shape, (1.0, 1.0, 1.0), "RAS", grid="Quux.nii.gz")
    case = Case("scans", "Quux-1", "Quux", "", images=images, volumes=(volume,))
    identities = Identities(spec("table", by="field", field="patient", ids="identifier"))
    record(tmp_path / "fixture", tmp_path / "spec.yaml", identities, [case])
    assert "Quux" not in (tmp_path / "fixture/cases.json").read_text()
    (kept,) = load_cases(tmp_path / "fixture/cases.json")
    assert (kept.key, kept.alias) == (identities.case_id("Quux-1"), identities.alias("Quux-1"))
    assert kept.images[0].files == ("file2.dcm", "file3.dcm") and kept.images[0].tiles[0].image.files == ("file1.dcm",)
    assert kept.volumes[0].files == (kept.volumes[0].grid,) == ("file4.nii.gz",)
    pseudonyms = Identities(spec("table", by="field", field="patient", ids="pseudonym"))
    record(tmp_path / "fixture", tmp_path / "spec.yaml", pseudonyms, [case])
    (kept,) = load_cases(tmp_path / "fixture/cases.json")
    assert kept.key == "Quux-1" and kept.group == pseudonyms.group_id(case)
