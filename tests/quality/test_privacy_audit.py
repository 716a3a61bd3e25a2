"""The audit counts what was refused and what was published with a flag, and holds no value."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from quality.privacy_audit import audit
from schemas.ledger import ledger_schema
from schemas.recipe import Recipe
from schemas.spec import DatasetSpec, GroupRule, ReaderChoice


def test_the_audit_counts_by_dataset_and_code(line: Any, write: Any, tmp_path: Path, spec: DatasetSpec) -> None:
    flags = [["identifier_url"], ["identifier_url", "identifier_masked", "other"], []]
    shard = write([line(n, quality={"flags": some, "scores": []}) for n, some in enumerate(flags)])
    codes = ["identifier_date", "identifier_date", "burned_in_text", "region_empty"]
    reasons = [*(("row", code) for code in codes), ("case", "identifier_date")]
    entries = [
        {"kind": kind, "dataset": "films", "case_id": "c", "row_id": "r", "status": "quarantined", "stage": "gate",
         "reason": reason, "detail": "x"}
        for kind, reason in reasons
    ]  # fmt: skip
    ledger = tmp_path / "ledger.parquet"
    pq.write_table(pa.Table.from_pylist(entries, ledger_schema()), ledger)
    recipe = Recipe.model_validate({"name": "r", "version": "1", "datasets": [{"spec": "films.yaml"}]})
    own = spec.model_copy(
        update={
            "gates": {"identifiers": {"kinds": {"date": "mask"}}},
            "group": GroupRule(by="field", field="patient", ids="identifier"),
        }
    )
    found = audit([shard], ledger, recipe, [own])
    gone = {"dataset": "films", "done": "the rows are not published"}
    assert found["refused"] == [
        gone | {"code": "burned_in_text", "rows": 1, "where": "pixels"},
        gone | {"code": "identifier_date", "rows": 2, "where": "texts"},
    ]
    masked = "its kind in brackets was put in its place"
    assert found["published_with_flag"] == [
        {"dataset": "films", "code": "identifier_masked", "rows": 1, "where": "texts", "done": masked},
        {"dataset": "films", "code": "identifier_url", "rows": 2, "where": "texts", "done": "published with the flag"},
    ]
    rules = found["rules"]["films"]
    assert rules["ids"] == "case and group ids are hashed with a secret key"
    assert rules["gates"]["identifiers"]["kinds"] == {"date": "mask"}
    assert sorted(rules["gates"]) == ["carriers", "identifiers"]
    assert "header_attributes_kept" not in rules
    scans = own.model_copy(update={"reader": ReaderChoice(type="dicom_series")})
    kept = audit([], None, recipe, [scans])["rules"]["films"]["header_attributes_kept"]
    assert "PatientName" not in kept and kept["ImagePositionPatient"] == "order of slices, never the numbers"
    empty = audit([], None, recipe, [own])
    assert (empty["refused"], empty["published_with_flag"], empty["left_out"]) == ([], [], [])
    told = audit([], None, recipe, [own], {"films": {"comment was cut out of the file": 3}})["left_out"]
    assert told == [{"dataset": "films", "what": "comment was cut out of the file", "pictures_and_volumes": 3}]
