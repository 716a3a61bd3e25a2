"""Volumes and their masks in any order of folders: one file per organ (TotalSegmentator), BraTS, BIDS, pairs."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import ClassVar

from pydantic import Field

from readers.base import Item, Recognition, Refusal
from readers.grouping import group_of
from readers.labels import LabelMap
from readers.pixels.volume import volume_ref
from readers.pixels.volume_file import Volume, load_volume, read_volume
from readers.recognise_volumes import recognise_volumes
from readers.segment_names import layer, segments
from readers.source import Source, printable
from readers.subjects import Subjects, SubjectTable
from readers.survey import VOLUME_SUFFIXES
from readers.values import split_name
from readers.volume_case import VolumeOptions, cut, made, three_dimensional
from readers.volume_labels import LabelClass, labels_on, mask_on
from readers.volume_parts import Part, part
from readers.volume_paths import FieldPattern
from schemas.case import Case, Demographics
from schemas.errors import CaseError, UserError
from schemas.findings import Finding
from schemas.spec import DatasetSpec


class PatternOptions(VolumeOptions):
    """Where images and masks lie; ``{name}`` in a pattern is any part of one folder or file name."""

    image: str
    """The images, such as ``{case}/ct.nii.gz`` or ``{case}/{case}-{channel}.nii.gz``.  All names but ``channel`` and
    ``label`` make up the case key."""
    channels: list[str] = Field(default_factory=list)
    """What ``{channel}`` stands for, in order; ``channel`` picks one by its number."""
    label: str = ""
    """A label volume with one value per class, such as ``{case}/{case}-seg.nii.gz``."""
    values: dict[str, int | list[int]] = Field(default_factory=dict)
    """Class word -> value of the label volume, or values where it is a union; where empty, the label's own header names
    them, as in ``.seg.nrrd``."""
    masks: str = ""
    """Binary volumes, one per class, ``{label}`` being the class word: ``{case}/segmentations/{label}.nii.gz``."""
    subjects: Subjects | None = None
    """A table with sex, age and split of every subject."""


class Volumes:
    """One case per image volume."""

    name: ClassVar[str] = "volumes"
    Options: ClassVar[type[PatternOptions]] = PatternOptions

    def __init__(self, spec: DatasetSpec, source: Source, options: PatternOptions) -> None:
        self._spec, self._source, self._options = spec, source, options
        self._labels = LabelMap(spec)
        self._image = FieldPattern(options.image)
        self._label = FieldPattern(options.label) if options.label else None
        self._masks = FieldPattern(options.masks) if options.masks else None
        self._subjects = SubjectTable(source, options.subjects) if options.subjects else None

    def items(self) -> Iterator[Item | Refusal]:
        """Images in the order of the folder; volumes that are neither image, label nor mask are refused by name."""
        for path in self._source.walk():
            if not path.lower().endswith(VOLUME_SUFFIXES):
                continue
            fields = self._image.fields(path)
            if fields is not None and not self._is_mark(path):
                yield from self._item(path, fields)
            elif not self._is_mark(path):
                yield Refusal(printable(path), "no_pattern", "the file matches none of the spec's patterns", "filtered")
            elif self._orphan(path):
                yield Refusal(printable(path), "orphan_mask", "there is no image to this label or mask")

    def _item(self, path: str, fields: dict[str, str]) -> Iterator[Item | Refusal]:
        channels = self._options.channels
        wanted = channels[self._options.channel] if self._options.channel < len(channels) else ""
        if channels and fields.get("channel") != wanted:
            return
        named = {name: value for name, value in fields.items() if name not in ("channel", "label")}
        key = "/".join(named.values()) or printable(path)
        if self._options.keep_unlabelled or self._has_marks(named):
            yield Item(key, {"image": path, "fields": named})
        else:
            yield Refusal(key, "unlabelled", "the dataset ships no label for this volume", "filtered")

    def _is_mark(self, path: str) -> bool:
        patterns = [pattern for pattern in (self._label, self._masks) if pattern is not None]
        if self._image.fields(path) is not None:
            # image.nii.gz is no mask of the pattern {label}.nii.gz that lies beside it.
            patterns = [pattern for pattern in patterns if pattern.fixed >= self._image.fixed]
        return any(pattern.fields(path) is not None for pattern in patterns)

    def _has_marks(self, fields: dict[str, str]) -> bool:
        patterns = [pattern for pattern in (self._label, self._masks) if pattern is not None]
        return not patterns or any(self._is_mark(path) for p in patterns for path, _ in p.matches(self._source, fields))

    def _orphan(self, path: str) -> bool:
        patterns = [pattern for pattern in (self._label, self._masks) if pattern is not None]
        fields = next(filter(None, (pattern.fields(path) for pattern in patterns)), {})
        named = {name: value for name, value in fields.items() if name in self._image.names and name != "label"}
        if self._options.channels and self._options.channel < len(self._options.channels):
            named["channel"] = self._options.channels[self._options.channel]
        return next(self._image.matches(self._source, named), None) is None

    def read(self, item: Item) -> Case:
        """One volume with its masks; raises `CaseError` where any of them is unusable or does not fit."""
        image = load_volume(self._source, item.data["image"])
        channel = 0 if self._options.channels else self._options.channel
        if channel >= image.channels:
            raise CaseError("missing_channel", f"the volume has {image.channels} channels, the spec asks for {channel}")
        parts, findings = self._parts(image, item.data["fields"])
        images, regions = cut(image, channel, parts, self._options, self._spec)
        name = self._channel_name()
        subject = self._subjects.fields(item.data["fields"]) if self._subjects else {}
        return Case(
            dataset=self._spec.name,
            key=item.key,
            group=group_of(self._spec, item.key, {**subject, **item.data["fields"]}),
            split=self._split(item.data["fields"], subject),
            images=images,
            volumes=(volume_ref(image, channel, (name,) if name else ()),),
            regions=tuple(sorted(regions, key=lambda region: region.image_index)),
            volume_regions=three_dimensional(image, parts, self._options),
            acquisition=made(self._options, name),
            demographics=self._subjects.demographics(subject) if self._subjects else Demographics(),
            complete_regions=bool(self._label or self._masks) and self._has_marks(item.data["fields"]),
            findings=(*image.findings, *findings),
        )

    def _parts(self, image: Volume, fields: dict[str, str]) -> tuple[list[Part], list[Finding]]:
        parts: list[Part] = []
        findings: dict[str, Finding] = {}
        for path, _ in self._label.matches(self._source, fields) if self._label else ():
            label = read_volume(self._source, path)
            for number, classes, known in self._layers(path):
                values, found = labels_on(image, layer(label, number), known, self._options.mismatch)
                marked = part(values, classes, path)
                parts += [marked] if marked is not None else []
                findings |= {finding.code: finding for finding in found}
        for path, named in self._masks.matches(self._source, fields) if self._masks else ():
            if not self._is_mark(path):
                continue
            word = named.get("label", PurePosixPath(path).name)
            name = self._labels.canonical(word)
            if name is None:
                continue
            values, found = mask_on(image, read_volume(self._source, path), self._options.mismatch)
            marked = part(values, [LabelClass(name, word, (1,))], path, binary=True)
            parts += [marked] if marked is not None else []
            findings |= {finding.code: finding for finding in found if finding.code != "empty_label"}
        return parts, list(findings.values())

    def _layers(self, path: str) -> list[tuple[int, list[LabelClass], set[int]]]:
        """For each layer of a label volume its number, its classes, and all values that it may hold."""
        if self._options.values:
            known = {value for values in self._options.values.values() for value in _several(values)}
            return [(0, self._classes(), known)]
        named = segments(self._source, path)
        if not named:
            raise UserError(f"{self._spec.name}: label volumes name no segments; give the option `values`")
        found = []
        for number in sorted({each.layer for each in named}):
            own = [each for each in named if each.layer == number]
            words = [(self._labels.canonical(each.name), each) for each in own]
            classes = [LabelClass(name, each.name, (each.value,)) for name, each in words if name is not None]
            found.append((number, classes, {each.value for each in own}))
        return found

    def _split(self, fields: dict[str, str], subject: dict[str, str]) -> str:
        return split_name(fields.get("split", "")) or (self._subjects.split(subject) if self._subjects else "")

    def _channel_name(self) -> str:
        names = self._options.channels
        return names[self._options.channel] if self._options.channel < len(names) else ""

    def _classes(self) -> list[LabelClass]:
        named = [(word, self._labels.canonical(word), values) for word, values in self._options.values.items()]
        return [LabelClass(label, word, _several(values)) for word, label, values in named if label is not None]

    @classmethod
    def recognise(cls, source: Source) -> Recognition | None:
        """TotalSegmentator, BraTS and BIDS by their names, and images with a label volume beside them."""
        return recognise_volumes(source)


def _several(values: int | list[int]) -> tuple[int, ...]:
    return (values,) if isinstance(values, int) else tuple(values)
