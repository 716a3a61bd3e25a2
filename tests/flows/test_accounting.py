"""The books: every way in which they could fail to balance refuses the release."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from flows.accounting import check_balance
from schemas.errors import ReleaseError
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
