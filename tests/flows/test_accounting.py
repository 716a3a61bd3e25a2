"""The books: every way in which they could fail to balance refuses the release."""

from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.accounting import check_balance, write_ledger
from schemas.errors import ReleaseError
from schemas.ledger import ledger_schema
from schemas.manifest import ReleaseFile

TOTALS = {"case": {"d": {"kept": 3, "failed": 1}}, "row": {"d": {"kept": 10, "quarantined": 2}}}


def _files(rows: int) -> list[ReleaseFile]:
    return [ReleaseFile(path=f"{kind}/train-0", sha256="0" * 64, bytes=1, rows=rows) for kind in ("data", "webdataset")]


def _check(cases: int = 4, made: int = 12, shard_rows: int = 10) -> None:
    jobs = [SimpleNamespace(dataset="d", cases=cases, stage=Path())]
    check_balance(jobs, [{"rows": made}], TOTALS, _files(shard_rows))


def test_balanced_books_pass() -> None:
    _check()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"cases": 5}, "5 cases of d came in, but 3 kept [+] 1 failed = 4"),
        ({"made": 13}, "13 rows of d came in, but 10 kept [+] 2 quarantined = 12"),
        ({"shard_rows": 9}, "9 rows in data/ came in, but 10 kept = 10"),
    ],
)
def test_a_lost_case_row_or_shard_row_refuses_the_release(wrong: dict[str, int], sentence: str) -> None:
    with pytest.raises(ReleaseError, match=sentence):
        _check(**wrong)


def _staged(folder: Path) -> tuple[SimpleNamespace, Path]:
    """A partition whose ledger keeps cases a and b with two rows each, and the decision that b is a duplicate."""
    folder.mkdir()
    lines = [
        (kind, case, row) for case in "ab" for kind, row in (("case", ""), ("row", f"{case}0"), ("row", f"{case}1"))
    ]
    entries = [
        {"kind": kind, "dataset": "d", "case_id": case, "row_id": row, "status": "kept", "stage": "", "reason": "",
         "detail": ""}
        for kind, case, row in lines
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(entries, ledger_schema()), folder / "ledger.parquet")
    decided = {
        "dataset": "d", "case_id": ["a", "b"], "order": ["0", "1"], "status": ["kept", "duplicate"],
        "reason": ["", "exact_duplicate"], "detail": ["", "as a"],
    }  # fmt: skip
    pl.DataFrame(decided).write_parquet(folder / "decisions.parquet")
    return SimpleNamespace(dataset="d", cases=2, stage=folder), folder / "decisions.parquet"


def test_the_books_notice_a_fault_of_each_later_stage(tmp_path: Path) -> None:
    job, decisions = _staged(tmp_path / "stage")
    totals = write_ledger([job], decisions, tmp_path)
    assert totals == {"case": {"d": {"kept": 1, "duplicate": 1}}, "row": {"d": {"kept": 2, "duplicate": 2}}}
    check_balance([job], [{"rows": 4}], totals, _files(2))
    # Shards: packed the duplicate all the same, or left a row out.
    for packed in (4, 1):
        with pytest.raises(ReleaseError, match=f"{packed} rows in data/ came in, but 2 kept"):
            check_balance([job], [{"rows": 4}], totals, _files(packed))
    # Resolve: forgot a case, so that its rows are kept in the books, but nothing of them is in the shards.
    pl.read_parquet(decisions).filter(pl.col("case_id") == "a").write_parquet(decisions)
    with pytest.raises(ReleaseError, match="2 rows in data/ came in, but 4 kept"):
        check_balance([job], [{"rows": 4}], write_ledger([job], decisions, tmp_path), _files(2))
