"""Tables of cases: CSV, TSV, JSON Lines, JSON or XLSX, whose columns name images and say what is known of them."""

import fnmatch
import re
from collections.abc import Iterator
from typing import Any, ClassVar

from readers.base import Item, Recognition, Refusal
from readers.recordcase import RecordCases
from readers.records import Fault, Format, Record, read_records, words
from readers.source import Source, printable
from readers.table_options import TableOptions
from readers.text import read_text
from readers.values import split_name
from schemas.case import Case
from schemas.errors import CaseError, UserError, nearest
from schemas.spec import DatasetSpec, Strict

TABLES = (
    ".csv",
    ".tsv",
    ".txt",
    ".jsonl",
    ".ndjson",
    ".json",
    ".xlsx",
    ".csv.gz",
    ".tsv.gz",
    ".jsonl.gz",
    ".parquet",
    ".arrow",
    ".tar",
)


class Table:
    """Every record is a case, or, with ``join``, every key with all its records."""

    name: ClassVar[str] = "table"
    Options: ClassVar[type[Strict]] = TableOptions

    def __init__(self, spec: DatasetSpec, source: Source, options: TableOptions) -> None:
        self._spec = spec
        self._source = source
        self._options = options
        self._cases = RecordCases(spec, source, options)
        self._listed: dict[str, str] | None = None

    def items(self) -> Iterator[Item | Refusal]:
        """See `Reader.items`; the tables are read twice, first for the keys that repeat."""
        tables = self.tables()
        yield from self._joined(tables) if self._options.join else self._single(tables)

    def read(self, item: Item) -> Case:
        """See `Reader.read`."""
        records = [Record(line, fields) for line, fields in item.data["records"]]
        return self._cases.case(item.key, item.data["base"], item.data["split"], records)

    @classmethod
    def recognise(cls, source: Source) -> Recognition | None:
        """See `Reader.recognise`."""
        from readers.recognise_records import recognise_dialogues, recognise_questions
        from readers.recognise_table import recognise_table

        return recognise_dialogues(source) or recognise_questions(source) or recognise_table(source)

    def tables(self) -> list[str]:
        """The files that hold the records."""
        patterns = self._options.table
        if not patterns:
            found = [name for name in self._source.listing()[1] if name.lower().endswith(TABLES)]
            if len(found) != 1:
                raise UserError(
                    f"{self._spec.name}: {len(found)} tables lie at the root; name one in the option `table`"
                )
            return found
        found = [path for pattern in patterns for path in self._matching(pattern)]
        if not found:
            raise UserError(f"{self._spec.name}: no file matches {', '.join(patterns)}; check the option `table`")
        return list(dict.fromkeys(found))

    def _matching(self, pattern: str) -> list[str]:
        if self._source.exists(pattern):
            return [pattern]
        fixed = re.split(r"[*?\[]", pattern)[0].rpartition("/")[0]
        return [path for path in self._source.walk(fixed) if fnmatch.fnmatchcase(path, pattern)]

    def _records(self, tables: list[str]) -> Iterator[tuple[str, Record | Fault]]:
        options = self._options
        form = Format(
            options.format,
            options.delimiter,
            options.encoding,
            tuple(options.header),
            options.records,
            tuple(options.embedded),
        )
        more = self._lookups()
        for table in tables:
            for record in read_records(self._source, table, form):
                if isinstance(record, Record):
                    for on, known in more:
                        record = Record(record.line, {**known.get(words(record.fields.get(on)), {}), **record.fields})
                yield table, record

    def _lookups(self) -> list[tuple[str, dict[str, dict[str, Any]]]]:
        """For each further table the column and its records by that column's value; held in memory."""
        found = []
        for lookup in self._options.lookup:
            form = Format(delimiter=lookup.delimiter, header=tuple(lookup.header))
            files = self._matching(lookup.file)
            if not files:
                raise UserError(f"{self._spec.name}: no file matches {lookup.file!r}; check the option `lookup`")
            records = (r for path in files for r in read_records(self._source, path, form) if isinstance(r, Record))
            found.append((lookup.on, {words(record.fields.get(lookup.on)): record.fields for record in records}))
        return found

    def _single(self, tables: list[str]) -> Iterator[Item | Refusal]:
        seen: dict[int, tuple[int, int]] = {}
        for table, record in self._records(tables):
            if isinstance(record, Record) and self._wanted(record):
                key, digest = hash(self._base_key(table, record)), hash(repr(record.fields))
                count, same = seen.get(key, (0, digest))
                seen[key] = (count + 1, same if same == digest else 0)
        passed: set[int] = set()
        for table, record in self._records(tables):
            if isinstance(record, Fault):
                yield _refusal(table, record)
                continue
            yield self._item(table, record, seen, passed)

    def _item(self, table: str, record: Record, seen: dict[int, tuple[int, int]], passed: set[int]) -> Item | Refusal:
        place = f"{printable(table)}:{record.line}"
        if not self._wanted(record):
            return Refusal(place, "not_selected", "the option `where` leaves the record out", "filtered")
        key = self._base_key(table, record)
        if not key:
            return self._nameless(place, record)
        number = hash(key)
        count, same = seen[number]
        if count > 1 and same == 0:
            detail = f"{count} records speak of this image and differ; keep one, or set `join`"
            return Refusal(place, "conflicting_records", detail, "quarantined")
        if number in passed:
            return Refusal(place, "repeated_record", "the same record stands in the table before", "filtered")
        passed.add(number)
        split = self._split(table, record)
        return Item(key, {"records": [[record.line, record.fields]], "base": key, "split": split})

    def _joined(self, tables: list[str]) -> Iterator[Item | Refusal]:
        cases: dict[tuple[str, str], list[list[Any]]] = {}
        splits: dict[tuple[str, str], set[str]] = {}
        shipped = self._spec.split.policy == "shipped"
        for table, record in self._records(tables):
            place = f"{printable(table)}:{record.line}"
            if isinstance(record, Fault):
                yield _refusal(table, record)
            elif not self._wanted(record):
                yield Refusal(place, "not_selected", "the option `where` leaves the record out", "filtered")
            elif key := self._base_key(table, record):
                split = self._split(table, record)
                # An image asked about in two splits, as in VQA-RAD, is two cases only where those splits stay.
                case = (key, split if shipped else "")
                cases.setdefault(case, []).append([record.line, record.fields])
                splits.setdefault(case, set()).add(split)
            else:
                yield self._nameless(place, record)
        twice = _repeated([key for key, _ in cases])
        for case, records in cases.items():
            key = case[0]
            split = min(splits[case]) if len(splits[case]) == 1 else ""
            name = f"{key}#{split or 'none'}" if key in twice else key
            yield Item(name, {"records": records, "base": key, "split": split})

    def _nameless(self, place: str, record: Record) -> Refusal:
        columns = [self._options.key] if self._options.key else self._options.image
        strange = next((column for column in columns if column not in record.fields), "")
        why = f"; it has no column {strange!r}{nearest(strange, record.fields)}" if strange else ""
        return Refusal(place, "missing_key", f"record {record.line} names no image and no key{why}")

    def _wanted(self, record: Record) -> bool:
        return all(words(record.fields.get(column)) in values for column, values in self._options.where.items())

    def _base_key(self, table: str, record: Record) -> str:
        if self._options.key:
            return printable(words(record.fields.get(self._options.key)))
        written = self._cases.written_images(record)
        if not written:
            return f"{printable(table)}:{record.line}" if self._options.text_only else ""
        try:
            return printable(self._cases.find(written[0]))
        except CaseError:
            return printable(written[0])  # reading the case will say what is wrong with it

    def _split(self, table: str, record: Record) -> str:
        options = self._options
        if options.split:
            return split_name(words(record.fields.get(options.split)), options.split_values)
        if options.split_files:
            written = self._cases.written_images(record)
            return self._split_lists().get(_stem(written[0]), "") if written else ""
        if options.split_from_path:
            parts = re.split(r"[/_.\-]", table)
            return next((name for name in map(split_name, parts) if name), "")
        return ""

    def _split_lists(self) -> dict[str, str]:
        if self._listed is None:
            self._listed = {}
            for split, path in self._options.split_files.items():
                lines = read_text(self._source, path).split("\n")
                self._listed.update({_stem(line.strip()): split for line in lines if line.strip()})
        return self._listed


def _stem(path: str) -> str:
    name = path.replace("\\", "/").rpartition("/")[2]
    return name.rpartition(".")[0] or name


def _refusal(table: str, fault: Fault) -> Refusal:
    return Refusal(f"{printable(table)}:{fault.line}", fault.code, f"{printable(table)}: {fault.detail}")


def _repeated(keys: list[str]) -> set[str]:
    seen: set[str] = set()
    return {key for key in keys if key in seen or seen.add(key)}  # type: ignore[func-returns-value]
