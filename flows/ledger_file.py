"""The ledger of one partition, written as cases pass by, and the rows that were refused."""

import json
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from flows.rows import Identities, columns
from schemas.findings import private
from schemas.ledger import Entry, Status, ledger_schema
from schemas.spec import DatasetSpec
from schemas.work import Drop, Work

BATCH = 5000


def quarantine_schema() -> pa.Schema:
    """Columns of ``quarantine.parquet``; ``row`` is the refused row as JSON, without pictures."""
    names = ("dataset", "case_id", "row_id", "status", "stage", "reason", "detail", "row")
    return pa.schema([(name, pa.string()) for name in names])


class LedgerWriter:
    """Writes ``ledger.parquet`` and ``quarantine.parquet`` of one stage folder, in bounded memory."""

    def __init__(self, folder: Path, spec: DatasetSpec, identities: Identities) -> None:
        self.spec = spec
        self.identities = identities
        self._ledger = _Table(folder / "ledger.parquet", ledger_schema())
        self._quarantine = _Table(folder / "quarantine.parquet", quarantine_schema())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ledger.close()
        self._quarantine.close()

    def write(self, work: Work) -> None:
        """Account for one case, every row that was made of it, and every row that never came to be."""
        case_id = self.identities.case_id(work.case_id)
        self._entry("case", case_id, "", _told(work.dropped, work.case_id, case_id))
        self.write_rows(work)

    def write_rows(self, work: Work) -> None:
        """Account for rows alone, of a case that has its line already."""
        case_id = self.identities.case_id(work.case_id)
        for row in work.rows:
            self._entry("row", case_id, row.id, None)
        for row_id, loss in work.lost:
            self._entry("row", case_id, row_id, _told(loss, work.case_id, case_id))
        for row, refusal in work.refused:
            drop = _told(refusal, work.case_id, case_id)
            self._entry("row", case_id, row.id, drop)
            if drop and drop.status is Status.QUARANTINED and work.case is not None:
                record = columns(row, work.case, self.spec, [])
                hidden = private(drop.reason) or self.spec.access == "restricted"
                self._quarantine.add({
                    "dataset": self.spec.name, "case_id": case_id, "row_id": row.id, "status": str(drop.status),
                    "stage": drop.stage, "reason": drop.reason, "detail": drop.detail,
                    "row": "" if hidden else json.dumps(record, ensure_ascii=False, sort_keys=True),
                })  # fmt: skip

    def _entry(self, kind: Any, case_id: str, row_id: str, drop: Drop | None) -> None:
        entry = Entry(
            kind=kind, dataset=self.spec.name, case_id=case_id, row_id=row_id,
            status=drop.status if drop else Status.KEPT, stage=drop.stage if drop else "",
            reason=drop.reason if drop else "", detail=drop.detail if drop else "",
        )  # fmt: skip
        self._ledger.add({name: str(getattr(entry, name)) for name in Entry.__slots__})


def _told(drop: Drop | None, key: str, case_id: str) -> Drop | None:
    """The drop with a sentence that names the case, by its published id.

    Where the key is hidden, the sentence is too, unless a gate wrote it: readers and renderers name files, and a file's
    name may be a person's.
    """
    if drop is None:
        return None
    if key == case_id:
        detail = drop.detail if case_id in drop.detail else f"{case_id}: {drop.detail}"
    elif drop.stage == "gate":
        detail = f"{case_id}: {drop.detail.replace(key, case_id)}"
    else:
        detail = f"{case_id}: {drop.reason}; the sentence is withheld, since it may name a file"
    return replace(drop, detail=detail)


class _Table:
    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.schema = schema
        self.rows: list[dict[str, str]] = []
        self.writer = pq.ParquetWriter(path, schema, compression="zstd")

    def add(self, row: dict[str, str]) -> None:
        self.rows.append(row)
        if len(self.rows) >= BATCH:
            self.flush()

    def flush(self) -> None:
        if self.rows:
            self.writer.write_table(pa.Table.from_pylist(self.rows, schema=self.schema))
            self.rows = []

    def close(self) -> None:
        self.flush()
        self.writer.close()
