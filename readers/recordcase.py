"""One case out of one or several records, by the columns that the options name."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from readers.finder import Finder
from readers.grouping import group_of
from readers.images import image_refs
from readers.labels import LabelMap
from readers.observers import agreed_boxes
from readers.questions import images_in, question_of
from readers.recordmasks import RecordMasks
from readers.recordregions import regions_of
from readers.records import Record, cells, kind_of, words
from readers.sections import sections
from readers.source import Source
from readers.table_options import TableOptions
from readers.text import read_text
from readers.values import age_years, projection, sex_of, side_of, site_of, spdx
from schemas.case import Acquisition, Case, Demographics, ImageRef, Label, QuestionAnswer, Region, Text, TextKind
from schemas.errors import CaseError, UserError, nearest
from schemas.findings import Finding
from schemas.spec import DatasetSpec
from schemas.taxonomy import Axis, canonical, modality_of_dicom


class RecordCases:
    """Turns records into cases for one dataset."""

    def __init__(self, spec: DatasetSpec, source: Source, options: TableOptions) -> None:
        self._spec = spec
        self._source = source
        self._options = options
        self._labels = LabelMap(spec)
        self._finder = Finder(source, options.image_dir)
        self._masks = RecordMasks(source, options.masks, self._labels) if options.masks else None
        kinds = {options.format or kind_of(path) for path in options.table or ["x.csv"]}
        self._strict_columns = not kinds & {"json", "jsonl", "webdataset"}

    def written_images(self, record: Record) -> list[str]:
        """The record's image names as it writes them, in order; empty where it names none."""
        options = self._options
        if options.image_template:
            return [self._filled(options.image_template, record.fields)]
        columns = [next((name for name in options.image if name in record.fields), ""), *options.more_images]
        found: list[str] = []
        for column in columns:
            value = record.fields.get(column)
            found += [words(part) for part in value] if isinstance(value, list) else [words(value)]
        if not any(found) and options.questions is not None and options.questions.turns:
            found = images_in(record.fields.get(options.questions.turns))
        return [name.removeprefix(options.strip_prefix) for name in found if name]

    def find(self, written: str) -> str:
        """The path of an image name; `CaseError` where there is none or more than one."""
        return self._finder.find(written)

    def case(self, key: str, base: str, split: str, records: Sequence[Record]) -> Case:
        """The case of these records; ``base`` is the key that a rule ``group: case`` takes."""
        options = self._options
        findings: list[Finding] = []
        paths = list(dict.fromkeys(self.find(name) for record in records for name in self.written_images(record)))
        if not paths and not options.text_only:
            raise CaseError("missing_image", "the record names no image")
        images, first_of = self._images(paths, findings)
        labels = self._labels_of(records, first_of)
        regions = self._regions(records, images, first_of, findings)
        questions = self._questions(records, findings)
        fields = records[0].fields
        return Case(
            dataset=self._spec.name,
            key=key,
            group=group_of(self._spec, base, self._group_fields(fields)),
            split=split,
            images=images,
            labels=labels,
            regions=regions,
            texts=self._texts(records, paths),
            questions=questions,
            acquisition=self._acquisition(fields),
            demographics=Demographics(
                sex_of(self._value(fields, options.sex)),
                age_years(self._value(fields, options.age)),
                site_of(self._value(fields, options.site)),
            ),
            license=spdx(self._value(fields, options.license)),
            identifiers=self._identifiers(records),
            complete_regions=options.complete_regions
            and not (options.agreement == "apart" and len(self._observers(records)) > 1),
            findings=tuple(dict.fromkeys(findings)),
        )

    def _group_fields(self, fields: dict[str, Any]) -> dict[str, str]:
        """What a group rule may name; of records that may have no image, also what this one leaves out."""
        absent = {self._spec.group.field: ""} if self._options.text_only and not self._strict_columns else {}
        return {**absent, **{name: words(value) for name, value in fields.items()}}

    def _images(self, paths: list[str], findings: list[Finding]) -> tuple[tuple[ImageRef, ...], dict[str, int]]:
        images: list[ImageRef] = []
        first_of: dict[str, int] = {}
        for path in paths:
            refs, notes = image_refs(self._source, path, self._spec.orientation)
            first_of[path] = len(images)
            images += refs
            findings += notes
        return tuple(images), first_of

    def _labels_of(self, records: Sequence[Record], first_of: dict[str, int]) -> tuple[Label, ...]:
        found: list[Label] = []
        for word in self._options.always:
            found += self._labels.label(word)
        for record in records:
            made = [*self._listed(record), *self._one_hot(record)]
            written = self.written_images(record) if self._options.labels_per_image else []
            index = first_of[self.find(written[0])] if written else -1
            found += [replace(label, image_index=index) for label in made]
        return tuple(dict.fromkeys(found))

    def _listed(self, record: Record) -> list[Label]:
        options = self._options
        found: list[Label] = []
        for column in options.labels:
            self._known(record.fields, column)
            listed = cells(record.fields.get(column), options.separator)
            for word in listed:
                found += self._labels.label(word)
            if options.listed_is_complete and listed:
                there = {label.name for label in found}
                rest = {name: word for word, name in self._spec.labels.items() if name not in there}
                found += [Label(name, word, "absent") for name, word in rest.items()]
        return found

    def _one_hot(self, record: Record) -> list[Label]:
        options = self._options
        found: list[Label] = []
        for column in options.one_hot:
            self._known(record.fields, column)
            value = words(record.fields.get(column))
            if value in options.positive:
                found += self._labels.label(column, "present")
            elif value in options.negative:
                found += self._labels.label(column, "absent")
            elif value in options.uncertain:
                found += self._labels.label(column, "uncertain")
            elif value:
                raise CaseError(
                    "bad_value", f"the column {column!r} holds a value that is neither positive, negative nor uncertain"
                )
        return found

    def _regions(
        self, records: Sequence[Record], images: tuple[ImageRef, ...], first_of: dict[str, int], findings: list[Finding]
    ) -> tuple[Region, ...]:
        if not (self._options.boxes or self._options.runs or self._masks):
            return ()
        found: list[tuple[str, Region]] = []
        for record in records:
            written = self.written_images(record)
            index = first_of[self.find(written[0])] if written else 0
            made, notes = regions_of(record, self._options, self._labels, images[index].view, index)
            if self._masks is not None:
                made += self._masks.regions(record, images[index].view, index, notes)
            found += [(self._observer(record), region) for region in made]
            findings += notes
        if self._options.agreement == "apart":
            return tuple(region for _, region in found)
        return tuple(agreed_boxes(found, len(self._observers(records)), self._options.agreement))

    def _observers(self, records: Sequence[Record]) -> set[str]:
        return {self._observer(record) for record in records}

    def _observer(self, record: Record) -> str:
        column = self._options.boxes.observer if self._options.boxes is not None else ""
        return self._value(record.fields, column)

    def _questions(self, records: Sequence[Record], findings: list[Finding]) -> tuple[QuestionAnswer, ...]:
        if self._options.questions is None:
            return ()
        found: list[QuestionAnswer] = []
        for record in records:
            made, notes = question_of(record, self._options.questions, self._options.language)
            findings += notes
            if made is not None:
                found.append(made)
        if not found:
            raise CaseError(findings[-1].code, findings[-1].detail, "quarantined")
        return tuple(dict.fromkeys(found))

    def _texts(self, records: Sequence[Record], paths: list[str]) -> tuple[Text, ...]:
        options = self._options
        found: list[Text] = []
        for record in records:
            for kind, column in options.texts.items():
                value = record.fields.get(column)
                contents = [words(part) for part in value] if isinstance(value, list) else [words(value)]
                for content in filter(None, contents):
                    found += self._text(kind, content)
        stem = paths[0].rpartition("/")[2].rpartition(".")[0] if paths else ""
        for kind, template in options.text_files.items():
            path = self._filled(template, {**records[0].fields, "stem": stem})
            if self._source.exists(path):
                found += self._text(kind, read_text(self._source, path).strip())
        return tuple(dict.fromkeys(found))

    def _text(self, kind: TextKind, content: str) -> list[Text]:
        if self._options.report_sections and kind == "report":
            return list(sections(content, self._options.language))
        return [Text(kind, content, self._options.language)]

    def _acquisition(self, fields: dict[str, Any]) -> Acquisition:
        options = self._options
        return Acquisition(
            modality=_known("modality", self._value(fields, options.modality)),
            anatomy=_known("anatomy", self._value(fields, options.anatomy)),
            view=projection(self._value(fields, options.view)),
            plane=self._value(fields, options.plane).lower(),
            laterality=side_of(self._value(fields, options.laterality)),
        )

    def _identifiers(self, records: Sequence[Record]) -> tuple[tuple[str, str], ...]:
        found = [self._value(record.fields, column) for record in records for column in self._options.private]
        parts = [part for value in found for part in (value, *re.split(r"[\s,;^]+", value)) if part]
        return tuple(("record_number" if re.search(r"\d", part) else "person", part) for part in dict.fromkeys(parts))

    def _value(self, fields: dict[str, Any], column: str) -> str:
        if not column:
            return ""
        self._known(fields, column)
        return words(fields.get(column))

    def _known(self, fields: dict[str, Any], column: str) -> None:
        # A JSON record may leave a key out; a table has all its columns in every line.
        if column not in fields and self._strict_columns:
            raise UserError(f"{self._spec.name}: there is no column {column!r} in the table{nearest(column, fields)}")

    def _filled(self, template: str, fields: dict[str, Any]) -> str:
        try:
            return template.format_map({name: words(value) for name, value in fields.items()})
        except (KeyError, IndexError, ValueError) as error:
            raise UserError(f"{self._spec.name}: the template {template!r} does not fit the columns: {error}") from None


def _known(axis: Axis, word: str) -> str:
    """The taxonomy's word for the source's; the source's own where the taxonomy has none."""
    coded = modality_of_dicom(word.upper()) if axis == "modality" else ""
    return (canonical(axis, word) or coded or word) if word else ""
