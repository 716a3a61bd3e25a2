"""What is demanded before a run that could name somebody."""

from pathlib import Path

import pytest

from flows.check import _record
from flows.private_steps import demand_declaration, demand_key
from quality.row_gates import open_gates
from schemas.case import Case
from schemas.errors import UserError
from schemas.spec import DatasetSpec, GroupRule, ReaderChoice


def spec(reader: str, **group: str) -> DatasetSpec:
    return DatasetSpec(
        name="scans", title="Scans", license="CC0-1.0", access="open", modality="CT", anatomy="chest",
        clinical_task="diagnosis", reader=ReaderChoice(type=reader), group=GroupRule.model_validate(group),
    )  # fmt: skip


def test_whose_the_ids_of_a_dicom_source_are_must_be_said() -> None:
    with pytest.raises(UserError, match=r"say group\.ids: identifier, or pseudonym"):
        demand_declaration(spec("dicom_series", by="field", field="PatientID"))
    for said in ("identifier", "pseudonym"):
        demand_declaration(spec("dicom_series", by="field", field="PatientID", ids=said))
    demand_declaration(spec("dicom_series", by="case"))
    demand_declaration(spec("table", by="field", field="patient"))


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
    _record(tmp_path / "fixture", tmp_path / "spec.yaml", [case])
    assert "Quux" not in (tmp_path / "fixture/cases.json").read_text()
