"""Decathlon and nnU-Net folders: ``dataset.json``, ``imagesTr``, ``labelsTr``, ``imagesTs``; volumes as NIfTI."""

from collections.abc import Iterator
from typing import ClassVar

from readers.base import Item, Recognition, Refusal
from readers.decathlon_json import Dataset, load_dataset
from readers.grouping import group_of
from readers.pixels.volume import volume_ref
from readers.pixels.volume_file import Volume, load_volume, read_volume
from readers.source import Source
from readers.volume_case import VolumeOptions, cut, made, three_dimensional
from readers.volume_labels import LabelClass, labels_on
from readers.volume_parts import Part, part
from schemas.case import Case
from schemas.errors import CaseError, UserError, nearest
from schemas.findings import Finding
from schemas.spec import DatasetSpec


class DecathlonOptions(VolumeOptions):
    """Options of ``decathlon``."""

    folder: str = ""
    """Where ``dataset.json`` lies below the root, such as the archive's own folder ``Task04_Hippocampus``."""


class Decathlon:
    """One case per volume; the key is its file name without extension (and channel number)."""

    name: ClassVar[str] = "decathlon"
    Options: ClassVar[type[DecathlonOptions]] = DecathlonOptions

    def __init__(self, spec: DatasetSpec, source: Source, options: DecathlonOptions) -> None:
        self._spec, self._source, self._options = spec, source, options
        self._described: Dataset | None = None

    @property
    def _dataset(self) -> Dataset:
        if self._described is None:
            self._described = load_dataset(self._source, self._options.folder)
        return self._described

    def items(self) -> Iterator[Item | Refusal]:
        """Volumes in the order of ``dataset.json``, then files of ``imagesTr`` that it does not list."""
        self._classes()
        for entry in self._dataset.entries:
            if not entry.label and not self._options.keep_unlabelled:
                yield Refusal(entry.key, "unlabelled", "the dataset ships no label for this volume", "filtered")
                continue
            yield Item(entry.key, {"images": list(entry.images), "label": entry.label, "split": entry.split})
        yield from (
            Refusal(path, "not_listed", "dataset.json does not list this volume", "filtered")
            for path in self._dataset.unlisted
        )

    def read(self, item: Item) -> Case:
        """One volume with its label; raises `CaseError` where either is unusable or they do not fit."""
        path, channel = self._channel(item.data["images"])
        image = load_volume(self._source, path)
        if channel >= image.channels:
            raise CaseError("missing_channel", f"the volume has {image.channels} channels, the spec asks for {channel}")
        parts: list[Part] = []
        findings: tuple[Finding, ...] = ()
        if item.data["label"]:
            known = {value for group in self._dataset.classes.values() for value in group}
            label = read_volume(self._source, item.data["label"])
            values, findings = labels_on(image, label, known, self._options.mismatch)
            found = part(values, self._classes(), label.path)
            parts = [found] if found is not None else []
        images, regions = cut(image, channel, parts, self._options, self._spec)
        return Case(
            dataset=self._spec.name,
            key=item.key,
            group=group_of(self._spec, item.key),
            split=item.data["split"],
            images=images,
            volumes=(
                volume_ref(image, channel, self._dataset.channels if image.channels > 1 else (self._channel_name(),)),
            ),
            regions=regions,
            volume_regions=three_dimensional(image, parts, self._options),
            acquisition=made(self._options, self._channel_name()),
            complete_regions=bool(item.data["label"]),
            findings=(*image.findings, *findings),
        )

    def _channel(self, paths: list[str]) -> tuple[str, int]:
        """The file that holds the asked channel, and its number inside that file."""
        wanted = self._options.channel
        if len(paths) == 1:
            return paths[0], wanted
        if wanted >= len(paths):
            raise CaseError("missing_channel", f"the case has {len(paths)} channels, the spec asks for {wanted}")
        return paths[wanted], 0

    def _channel_names(self, image: Volume) -> tuple[str, ...]:
        """Of the channels in the file that is shown."""
        return self._dataset.channels if image.channels > 1 else (self._channel_name(),)

    def _channel_name(self) -> str:
        names = self._dataset.channels
        return names[self._options.channel] if self._options.channel < len(names) else ""

    def _classes(self) -> list[LabelClass]:
        """Classes of ``dataset.json`` in canonical words; `UserError` where the spec does not know one."""
        found = []
        for word, values in self._dataset.classes.items():
            if word in self._spec.labels:
                found.append(LabelClass(self._spec.labels[word], word, values))
            elif word not in self._spec.ignore_labels and values != (0,):
                hint = nearest(word, [*self._spec.labels, *self._spec.ignore_labels])
                raise UserError(
                    f"{self._spec.name}: dataset.json has the label {word!r}, which the spec does not map{hint}; "
                    "add it to labels or ignore_labels"
                )
        return [item for item in found if item.values != (0,)]

    @classmethod
    def recognise(cls, source: Source) -> Recognition | None:
        """See `Reader.recognise`."""
        from readers.recognise_decathlon import recognise_decathlon

        return recognise_decathlon(source)
