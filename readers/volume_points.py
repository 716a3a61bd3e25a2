"""Volumes and a table of what lies in them by centre and diameter in millimetres, as LUNA16 lists nodules.

Nobody outlined these objects, so there is no mask to tell of: on a slice that meets the sphere of the stated diameter
the region is the box around their section.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from readers.base import Item, Recognition, Refusal
from readers.boxes import box_region
from readers.grouping import group_of
from readers.labels import LabelMap
from readers.montages import pictures
from readers.pixels.volume import canonical_order, image_ref, slice_axis, slice_view, volume_ref, volume_window
from readers.pixels.volume_file import Volume, load_volume
from readers.records import Fault, Format, Record, read_records, words
from readers.slices import StackOptions, choose
from readers.source import Source, printable
from readers.survey import VOLUME_SUFFIXES
from readers.values import split_name
from readers.volume_paths import FieldPattern
from schemas.case import Acquisition, Case, ImageRef, Region
from schemas.errors import CaseError, UserError, nearest
from schemas.findings import Finding, Severity
from schemas.spec import DatasetSpec, Strict
from schemas.view import Box, View

RIM = 0.5
"""A section narrower than this share of the diameter is so near the sphere's pole that the object, which is no sphere,
may not be on the slice at all."""


class PointColumns(Strict):
    """Columns of the table, one object a record."""

    id: str
    x: str
    y: str
    z: str
    diameter: str
    """Millimetres."""
    label: str = ""
    """Column with the object's word; ``word`` stands for it where every object is of one kind."""
    word: str = ""


class PointOptions(StackOptions):
    """Options of ``volume_points``."""

    image: str
    """Where the volumes lie, such as ``subset{part}/{id}.mhd``; ``{id}`` is their name in the table, and the key."""
    table: str
    columns: PointColumns
    axes: Literal["LPS", "RAS"] = "LPS"
    """Which way x, y and z of the table grow: as DICOM and ITK count (to the patient's left, back and head), or as
    NIfTI does."""
    plane: Literal["axial", "coronal", "sagittal"] = "axial"
    complete: bool = True
    """False where not every object of the classes is in the table."""
    keep_unlabelled: bool = False
    """Volumes that the table does not name become cases without regions, instead of being filtered out."""


@dataclass(frozen=True, slots=True)
class Sphere:
    """One object in voxel coordinates, a voxel's centre at its index plus one half."""

    label: str
    word: str
    instance: str
    centre: tuple[float, float, float]
    radius: tuple[float, float, float]
    """In voxels along the three axes."""

    def share(self, axis: int, index: int) -> float:
        """How wide its section with the middle of slice ``index`` is, 1 being the diameter; 0 where they miss."""
        off = (index + 0.5 - self.centre[axis]) / self.radius[axis]
        return math.sqrt(max(1 - off * off, 0.0))

    def section(self, axis: int, index: int) -> Box:
        """The box around that section, on the slice's grid."""
        across, down = (other for other in range(3) if other != axis)
        share = self.share(axis, index)
        half_u, half_v = share * self.radius[across], share * self.radius[down]
        u, v = self.centre[across], self.centre[down]
        return u - half_u, v - half_v, u + half_u, v + half_v


class VolumePoints:
    """One case per volume; its regions are boxes on the slices that are shown."""

    name: ClassVar[str] = "volume_points"
    Options: ClassVar[type[PointOptions]] = PointOptions

    def __init__(self, spec: DatasetSpec, source: Source, options: PointOptions) -> None:
        self._spec, self._source, self._options = spec, source, options
        self._labels = LabelMap(spec)
        self._image = FieldPattern(options.image)
        if "id" not in self._image.names:
            raise UserError(f"{spec.name}: the option `image` needs {{id}}, which the table's column names")

    def items(self) -> Iterator[Item | Refusal]:
        """See `Reader.items`; the table is held in memory.  A record whose volume is not there is refused by line."""
        objects, faults = self._objects()
        yield from faults
        for path in self._source.walk():
            if not path.lower().endswith(VOLUME_SUFFIXES):
                continue
            fields = self._image.fields(path)
            if fields is None:
                yield Refusal(
                    printable(path), "no_pattern", "the file is not where the option `image` says", "filtered"
                )
                continue
            found = objects.pop(fields["id"], [])
            if found or self._options.keep_unlabelled:
                yield Item(printable(fields["id"]), {"image": path, "fields": fields, "objects": found})
            else:
                yield Refusal(printable(fields["id"]), "unlabelled", "the table lists nothing in it", "filtered")
        for line, *_ in (found for several in objects.values() for found in several):
            place = f"{printable(self._options.table)}:{line}"
            yield Refusal(place, "missing_image", "the volume that the record names is not there")

    def _objects(self) -> tuple[dict[str, list[list[Any]]], list[Refusal]]:
        """By volume the line, word, x, y, z and diameter of every object; and the records that cannot be read."""
        columns, table = self._options.columns, self._options.table
        found: dict[str, list[list[Any]]] = {}
        faults: list[Refusal] = []
        for record in read_records(self._source, table, Format()):
            place = f"{printable(table)}:{record.line}"
            if isinstance(record, Fault):
                faults.append(Refusal(place, record.code, record.detail))
                continue
            self._check(record)
            numbers = [_number(record, name) for name in (columns.x, columns.y, columns.z, columns.diameter)]
            if any(not math.isfinite(number) for number in numbers) or numbers[3] <= 0:
                faults.append(Refusal(place, "bad_point", "the record has no place and diameter above 0 in numbers"))
                continue
            word = columns.word or words(record.fields[columns.label])
            found.setdefault(words(record.fields[columns.id]), []).append([record.line, word, *numbers])
        return found, faults

    def _check(self, record: Record) -> None:
        columns = self._options.columns
        if not (columns.label or columns.word):
            raise UserError(f"{self._spec.name}: give `columns.label` or `columns.word`: what the table lists")
        for name in filter(None, (columns.id, columns.x, columns.y, columns.z, columns.diameter, columns.label)):
            if name not in record.fields:
                hint = nearest(name, record.fields)
                raise UserError(f"{self._spec.name}: there is no column {name!r} in {self._options.table}{hint}")

    def read(self, item: Item) -> Case:
        """One volume; raises `CaseError` as `load_volume` does, and ``no_orientation`` where it lies nowhere."""
        image = load_volume(self._source, item.data["image"])
        if not (image.oriented and image.measured):
            raise CaseError("no_orientation", "the volume does not say where it lies, so no place can be found in it")
        findings: list[Finding] = []
        spheres = self._spheres(image, item.data["objects"], findings)
        images, regions = self._cut(image, spheres, findings)
        split = split_name(item.data["fields"].get("split", ""))
        spoken = dict.fromkeys(sphere.word for sphere in spheres)
        return Case(
            dataset=self._spec.name,
            key=item.key,
            group=group_of(self._spec, item.key, item.data["fields"]),
            split=split,
            images=images,
            volumes=(volume_ref(image, 0, ()),),
            labels=tuple(label for word in spoken for label in self._labels.label(word)),
            regions=regions,
            acquisition=Acquisition(plane=self._options.plane),
            complete_regions=self._options.complete and not findings,
            findings=(*image.findings, *dict.fromkeys(findings)),
        )

    def _spheres(self, image: Volume, objects: list[list[Any]], findings: list[Finding]) -> list[Sphere]:
        to_voxels = np.linalg.inv(image.affine)
        sign = -1.0 if self._options.axes == "LPS" else 1.0
        spacing = image.spacing
        found: list[Sphere] = []
        for line, word, x, y, z, diameter in objects:
            name = self._labels.canonical(word)
            if name is None:
                continue
            i, j, k = (float(value) + 0.5 for value in (to_voxels @ (sign * x, sign * y, z, 1.0))[:3])
            if not all(0 <= at <= length for at, length in zip((i, j, k), image.shape, strict=True)):
                findings.append(Finding("point_outside", f"the object of line {line} lies outside its volume"))
                continue
            radius = diameter / 2 / spacing[0], diameter / 2 / spacing[1], diameter / 2 / spacing[2]
            found.append(Sphere(name, word, str(line), (i, j, k), radius))
        return found

    def _cut(
        self, image: Volume, spheres: list[Sphere], findings: list[Finding]
    ) -> tuple[tuple[ImageRef, ...], tuple[Region, ...]]:
        options = self._options
        window = volume_window(image, options.window, self._spec.modality, self._spec.anatomy, 0)
        axis = slice_axis(image, options.plane)
        order = canonical_order(image, axis)
        areas = [sum(_seen(sphere.share(axis, index)) for sphere in spheres) for index in order]
        shown: list[ImageRef] = []
        marked: list[Region] = []
        for place in choose(options.slices, len(order), image.spacing[axis], areas):
            view = slice_view(image, axis, order[place], window, 0)
            for sphere in spheres:
                made, notes = _on_slice(sphere, axis, view, len(shown))
                marked += made
                findings += notes
            shown.append(image_ref(image, view))
        together, kept = pictures(options.slices, shown, marked, 0)
        return tuple(together), tuple(kept)

    @classmethod
    def recognise(cls, source: Source) -> Recognition | None:
        """None: which columns mean what must be published to be known (`readers.known`)."""


def _on_slice(sphere: Sphere, axis: int, view: View, number: int) -> tuple[list[Region], list[Finding]]:
    share, where = sphere.share(axis, view.index), f"the object of line {sphere.instance}"
    if _seen(share):
        box = sphere.section(axis, view.index)
        return box_region(box, view, sphere.label, sphere.word, number, sphere.instance, where)
    if share > 0:
        return [], [Finding("at_the_rim", f"{where} may just be on a slice that is shown", Severity.NOTE)]
    return [], []


def _seen(share: float) -> float:
    """Of a section its share squared, as its area goes; 0 where it is in doubt."""
    return share * share if share >= RIM else 0.0


def _number(record: Record, column: str) -> float:
    try:
        return float(words(record.fields[column]) or "nan")
    except ValueError:
        return math.nan
