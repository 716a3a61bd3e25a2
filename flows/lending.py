"""What a partition leaves for rows over several cases: each kept case with its rows, and where its pictures lie."""

import os
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from schemas.episode import Loan
from schemas.staged import StagedCase
from schemas.work import Work

COLUMNS = ("order", "case_id", "group_id", "offset", "length")


class LoanWriter:
    """Writes ``lent.bin`` and its index ``lent.parquet`` into a stage folder, in bounded memory.

    Args:
        folder: of the stage.
        wanted: False writes nothing: no episodes, or a restricted dataset, whose pictures no stage keeps.
    """

    def __init__(self, folder: Path, wanted: bool) -> None:
        self._folder = folder
        self._file = (folder / "lent.bin").open("wb") if wanted else None
        self._lines: list[tuple[Any, ...]] = []
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
            if kind is None:
                _table(self._lines).write_parquet(self._folder / "lent.parquet")

    def add(self, work: Work, staged: StagedCase) -> None:
        """Take a kept case."""
        if self._file is None or work.case is None:
            return
        shown = dict.fromkeys(ref for row in work.rows for ref in row.images)
        pictures = tuple((ref, replace(work.pictures[ref], data=b"")) for ref in shown)
        data = _adapter().dump_json(Loan(work.case, tuple(work.rows), pictures))
        self._file.write(data)
        self._lines.append((staged.order, staged.case_id, staged.group_id, self._end, len(data)))
        self._end += len(data)


def index(folder: Path) -> Any:
    """`polars.DataFrame` of ``COLUMNS`` of one stage; empty where it lends nothing."""
    import polars as pl

    path = folder / "lent.parquet"
    return pl.read_parquet(path) if path.exists() else _table([])


class Lender:
    """Reads loans and the bytes of their pictures from the stages of one dataset."""

    def __init__(self, folders: list[str]) -> None:
        self._folders = [Path(folder) for folder in folders]
        self._open: dict[tuple[int, str], int] = {}
        self._cases: dict[int, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for descriptor in self._open.values():
            os.close(descriptor)

    def loan(self, stage: int, order: str, offset: int, length: int) -> Loan:
        """One case, its pictures with their bytes."""
        loan = _adapter().validate_json(self._read(stage, "lent.bin", offset, length))
        blobs = self._blobs(stage, order)
        pictures = tuple(
            (ref, replace(picture, data=self._read(stage, "blobs.bin", blob["offset"], blob["length"])))
            for (ref, picture), blob in zip(loan.pictures, blobs, strict=True)
        )
        return Loan(loan.case, loan.rows, pictures)

    def _blobs(self, stage: int, order: str) -> list[dict[str, Any]]:
        from storage.sorted_file import SortedFile

        if stage not in self._cases:
            self._cases[stage] = SortedFile(self._folders[stage] / "cases.arrow")
        found: list[dict[str, Any]] = self._cases[stage].between(order, order)["images"][0].as_py()
        return found

    def _read(self, stage: int, name: str, offset: int, length: int) -> bytes:
        if (stage, name) not in self._open:
            self._open[stage, name] = os.open(self._folders[stage] / name, os.O_RDONLY)
        return os.pread(self._open[stage, name], length, offset)


def pools(table: Any) -> Iterator[list[dict[str, Any]]]:
    """The lines of each pool of a job's table, in order."""
    for _, lines in table.group_by("pool", maintain_order=True):
        yield lines.to_dicts()


def _table(lines: list[tuple[Any, ...]]) -> Any:
    import polars as pl

    types = {name: pl.String if number < 3 else pl.Int64 for number, name in enumerate(COLUMNS)}
    return pl.DataFrame(lines, schema=types, orient="row")


@cache
def _adapter() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(Loan)
