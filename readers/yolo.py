"""YOLO: one text file of boxes or polygons an image, in fractions of the image; class names in a YAML or list."""

import math
import re
from collections.abc import Iterator
from typing import Any, ClassVar

import yaml

from readers.base import Item, Recognition, Refusal
from readers.boxes import box_region
from readers.finder import Finder
from readers.grouping import group_of
from readers.images import image_refs
from readers.labels import LabelMap
from readers.source import Source, printable
from readers.text import read_text
from readers.values import split_name
from schemas.case import Case, Region
from schemas.errors import CaseError, UserError
from schemas.findings import Finding
from schemas.masks import mask_region, polygon_mask
from schemas.spec import DatasetSpec, Strict
from schemas.view import View

NAME_FILES = ("data.yaml", "data.yml", "dataset.yaml", "classes.txt", "obj.names", "classes.names")


class YoloOptions(Strict):
    """Options of ``yolo``."""

    labels: str = "labels"
    """Name of the folder that label files lie in, anywhere in their path, or empty where they lie beside the images."""
    images: str = "images"
    """Name that stands in its place in the image's path."""
    names: str | list[str] | dict[int, str] = ""
    """Class names: in order, by number, or a file (``data.yaml`` with ``names``, or a list, one a line); where empty,
    one of the usual files at the root."""
    complete: bool = True
    """False where not every object of the classes is annotated."""


class Yolo:
    """Every label file is a case.  The key is its path without extension; boxes count on the upright picture."""

    name: ClassVar[str] = "yolo"
    Options: ClassVar[type[Strict]] = YoloOptions

    def __init__(self, spec: DatasetSpec, source: Source, options: YoloOptions) -> None:
        self._spec = spec
        self._source = source
        self._options = options
        self._labels = LabelMap(spec)
        self._names = read_names(spec, source, options.names)

    def items(self) -> Iterator[Item | Refusal]:
        """See `Reader.items`."""
        for path in self._source.walk():
            folders = path.split("/")[:-1]
            inside = not self._options.labels or self._options.labels in folders
            if inside and path.lower().endswith(".txt") and path.rpartition("/")[2] not in NAME_FILES:
                split = next((name for name in map(split_name, folders) if name), "")
                yield Item(printable(path[:-4]), {"path": path, "split": split})

    def read(self, item: Item) -> Case:
        """See `Reader.read`."""
        path = item.data["path"]
        images, notes = image_refs(self._source, self._image(path), self._spec.orientation)
        findings = list(notes)
        regions: list[Region] = []
        for number, line in enumerate(read_text(self._source, path).split("\n"), 1):
            if line.strip():
                regions += self._region(line, number, images[0].view, findings)
        words = dict.fromkeys(region.original for region in regions)
        return Case(
            dataset=self._spec.name,
            key=item.key,
            group=group_of(self._spec, item.key, {"path": item.key}),
            split=item.data["split"],
            images=images,
            labels=tuple(label for word in words for label in self._labels.label(word)),
            regions=tuple(regions),
            complete_regions=self._options.complete,
            findings=tuple(findings),
        )

    def _image(self, path: str) -> str:
        parts = path[:-4].split("/")
        if self._options.labels:
            place = len(parts) - 2 - parts[:-1][::-1].index(self._options.labels)
            parts[place] = self._options.images
        folder, name = "/".join(parts[:-1]), parts[-1]
        return Finder(self._source, [folder]).find(name)

    def _region(self, line: str, number: int, view: View, findings: list[Finding]) -> list[Region]:
        """The region of one line, as a list of one; empty, with a finding, where the line is none."""
        where = f"line {number}"
        numbers = _numbers(line)
        if numbers is None or len(numbers) < 5 or (len(numbers) > 6 and len(numbers) % 2 == 0):
            findings.append(Finding("broken_row", f"{where} is no class with a box or polygon and is left out"))
            return []
        if int(numbers[0]) not in self._names:
            findings.append(Finding("unknown_category", f"{where} has class {numbers[0]:g}, which has no name"))
            return []
        word = self._names[int(numbers[0])]
        name = self._labels.canonical(word)
        if name is None:
            return []
        if any(abs(value) > 10 for value in numbers[1:]):
            findings.append(Finding("box_outside", f"{where}: a number lies far outside 0..1; it is left out"))
            return []
        # Fractions are of the picture as it is looked at; regions stand on the stored raster.
        wide, high = view.width, view.height
        if len(numbers) > 6:
            points = [view.to_source(numbers[i] * wide, numbers[i + 1] * high) for i in range(1, len(numbers), 2)]
            mask = polygon_mask([[edge for point in points for edge in point]], (view.source_height, view.source_width))
            region = mask_region(mask, name, word, 0, str(number))
            return [region] if region is not None else []
        x, y, width, height = numbers[1:5]
        if max(x, y, width, height) > 1 or min(x, y, width, height) < 0:
            findings.append(Finding("box_outside", f"{where}: a number lies outside 0..1; it is left out"))
            return []
        box = ((x - width / 2) * wide, (y - height / 2) * high, (x + width / 2) * wide, (y + height / 2) * high)
        made, notes = box_region(view.box_to_source(box), view, name, word, 0, str(number), where)
        findings += notes
        return made

    @classmethod
    def recognise(cls, source: Source) -> Recognition | None:
        """See `Reader.recognise`."""
        from readers.recognise_boxes import recognise_yolo

        return recognise_yolo(source)


def read_names(spec: DatasetSpec, source: Source, names: Any) -> dict[int, str]:
    """Class number -> word; `UserError` where nothing says."""
    if isinstance(names, dict):
        return {int(number): str(word) for number, word in names.items()}
    if isinstance(names, list):
        return dict(enumerate(map(str, names)))
    path = names or next((name for name in NAME_FILES if source.exists(name)), "")
    if not path:
        raise UserError(f"{spec.name}: nothing names the classes; give the option `names`")
    return names_in(source, path)


def names_in(source: Source, path: str) -> dict[int, str]:
    """Class names out of a file: YAML with ``names``, or one name a line."""
    text = read_text(source, path)
    if not path.lower().endswith((".yaml", ".yml")):
        return dict(enumerate(line.strip() for line in text.split("\n") if line.strip()))
    try:
        said = yaml.safe_load(text)
    except yaml.YAMLError:
        raise CaseError("broken_yaml", f"{printable(path)} is not valid YAML") from None
    names = said.get("names") if isinstance(said, dict) else None
    if isinstance(names, dict):
        return {int(number): str(word) for number, word in names.items()}
    if isinstance(names, list):
        return dict(enumerate(map(str, names)))
    raise UserError(f"{printable(path)} has no list under `names`")


def _numbers(line: str) -> list[float] | None:
    parts = line.split()
    if not all(re.fullmatch(r"-?\d+(\.\d*)?([eE][-+]?\d+)?|-?\.\d+", part) for part in parts):
        return None
    numbers = [float(part) for part in parts]
    return numbers if all(map(math.isfinite, numbers)) else None
