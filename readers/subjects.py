"""A table of subjects beside volumes: ``participants.tsv`` of BIDS, ``meta.csv`` of TotalSegmentator."""

from collections.abc import Mapping
from typing import Any

from readers.records import Format, Record, read_records, words
from readers.source import Source
from readers.values import age_years, sex_of, site_of, split_name
from schemas.case import Demographics
from schemas.errors import UserError, nearest
from schemas.spec import Strict


class Subjects(Strict):
    """Which table, which of its lines belongs to an image, and what its columns say."""

    file: str = "participants.tsv"
    on: str = "participant_id"
    """Column that tells the lines apart."""
    key: str = "sub-{subject}"
    """What stands in it, with the names of the image's pattern in braces."""
    delimiter: str = ""
    sex: str = ""
    age: str = ""
    site: str = ""
    split: str = ""


class SubjectTable:
    """The table, read once and held in memory; its columns are fields that the spec's group rule may name."""

    def __init__(self, source: Source, options: Subjects) -> None:
        self._source, self._options = source, options
        self._lines: dict[str, dict[str, Any]] | None = None

    def fields(self, named: Mapping[str, str]) -> dict[str, str]:
        """The columns of the image's subject as text; empty where the table does not have it."""
        try:
            key = self._options.key.format_map(named)
        except (KeyError, IndexError, ValueError) as error:
            raise UserError(
                f"subjects.key {self._options.key!r} does not fit the names of the images: {error}"
            ) from None
        return {name: words(value) for name, value in self._read().get(key, {}).items()}

    def demographics(self, fields: Mapping[str, str]) -> Demographics:
        """Sex, age and site out of a subject's `fields`."""
        asked = self._options
        sex, age, site = (fields.get(column, "") for column in (asked.sex, asked.age, asked.site))
        return Demographics(sex_of(sex), age_years(age), site_of(site))

    def split(self, fields: Mapping[str, str]) -> str:
        """The split out of a subject's `fields`; empty where the table has none."""
        return split_name(fields.get(self._options.split, ""))

    def _read(self) -> dict[str, dict[str, Any]]:
        if self._lines is None:
            form = Format(delimiter=self._options.delimiter)
            records = [r for r in read_records(self._source, self._options.file, form) if isinstance(r, Record)]
            asked = self._options
            for column in filter(None, (asked.on, asked.sex, asked.age, asked.site, asked.split)):
                if records and column not in records[0].fields:
                    hint = nearest(column, records[0].fields)
                    raise UserError(f"there is no column {column!r} in {self._options.file}{hint}")
            self._lines = {words(record.fields[self._options.on]): record.fields for record in records}
        return self._lines
