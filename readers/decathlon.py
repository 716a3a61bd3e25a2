"""Decathlon and nnU-Net folders: ``dataset.json``, ``imagesTr``, ``labelsTr``, ``imagesTs``; volumes as NIfTI."""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from readers.base import Item, Recognition, Refusal
from readers.decathlon_json import Dataset, load_dataset
from readers.grouping import group_of
from readers.pixels.volume import (
    canonical_order,
    image_ref,
    slice_axis,
    slice_view,
    volume_ref,
    volume_window,
)
from readers.pixels.volume_file import Volume, load_volume
from readers.pixels.window import Values
from readers.slices import StackOptions, choose
from readers.source import Source
from readers.volume_labels import LabelClass, components, labelled_areas, labels_on, slice_regions
from schemas.case import Acquisition, Case, ImageRef, Region
from schemas.errors import CaseError, UserError, nearest
from schemas.spec import DatasetSpec

Plane = Literal["axial", "coronal", "sagittal"]


class VolumeOptions(StackOptions):
    """How volumes are cut."""

    planes: tuple[Plane, ...] = ("axial",)
    """Each is cut by the slice policy."""
    channel: int = 0
    """Which channel of a multi-channel volume (0-based) is shown."""
    instances: Literal["class", "component"] = "class"
    """``class``: one region per class and slice; ``component``: one per connected part in space (for lesions)."""
    keep_unlabelled: bool = False
    """Volumes without a label become cases without regions, instead of being filtered out."""


class Decathlon:
    """One case per volume; the key is its file name without extension (and channel number)."""

    name: ClassVar[str] = "decathlon"
    Options: ClassVar[type[VolumeOptions]] = VolumeOptions

    def __init__(self, spec: DatasetSpec, source: Source, options: VolumeOptions) -> None:
        self._spec, self._source, self._options = spec, source, options
        self._described: Dataset | None = None

    @property
    def _dataset(self) -> Dataset:
        if self._described is None:
            self._described = load_dataset(self._source, "")
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
        if not item.data["label"]:
            return self._case(item, image, *self._cut(image, channel, None, []))
        label = load_volume(self._source, item.data["label"])
        classes = self._classes()
        known = {value for group in self._dataset.classes.values() for value in group}
        values, findings = labels_on(image, label, known)
        images, regions = self._cut(image, channel, values, classes)
        return self._case(item, image, images, regions, findings)

    def _case(
        self, item: Item, image: Volume, images: tuple[ImageRef, ...], regions: tuple[Region, ...], findings: Any = ()
    ) -> Case:
        return Case(
            dataset=self._spec.name,
            key=item.key,
            group=group_of(self._spec, item.key),
            split=item.data["split"],
            images=images,
            volumes=(volume_ref(image),),
            regions=regions,
            acquisition=Acquisition(plane=self._options.planes[0] if len(self._options.planes) == 1 else ""),
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

    def _cut(
        self, image: Volume, channel: int, values: Values | None, classes: list[LabelClass]
    ) -> tuple[tuple[ImageRef, ...], tuple[Region, ...]]:
        """Slices by the policy, in every plane asked for, and what is marked on them."""
        window = volume_window(image, self._options.window, self._spec.modality, self._spec.anatomy, channel)
        parts = self._parts(values, classes)
        images: list[ImageRef] = []
        regions: list[Region] = []
        for plane in self._options.planes:
            axis = slice_axis(image, plane)
            order = canonical_order(image, axis)
            areas = labelled_areas(values, axis) if values is not None else []
            areas = [areas[index] for index in order] if areas else []
            for place in choose(self._options.slices, len(order), image.spacing[axis], areas):
                view = slice_view(image, axis, order[place], window, channel)
                for voxels, named in parts:
                    regions += slice_regions(voxels, named, axis, order[place], len(images))
                images.append(image_ref(image, view))
        return tuple(images), tuple(regions)

    def _parts(self, values: Values | None, classes: list[LabelClass]) -> list[tuple[Values, list[LabelClass]]]:
        if values is None:
            return []
        if self._options.instances == "class":
            return [(values, classes)]
        parts = []
        for item in classes:
            numbered = components(values, item)
            named = [LabelClass(item.label, item.original, (n,)) for n in range(1, int(numbered.max(initial=0)) + 1)]
            parts.append((numbered, named))
        return parts

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
        """A ``dataset.json`` with labels beside ``imagesTr``."""
        folders, files = source.listing()
        if "dataset.json" not in files or "imagesTr" not in folders:
            return None
        try:
            dataset = load_dataset(source, "")
        except UserError:
            return None
        why = f"dataset.json names {len(dataset.classes)} labels and {len(dataset.entries)} volumes beside imagesTr"
        words = tuple(word for word, values in dataset.classes.items() if values != (0,))
        hints = {key: value for key, value in (("license", dataset.licence), ("title", dataset.title)) if value}
        return Recognition(1.0, why, labels=words, hints=hints)
