"""Stacks of pictures in one npz: MedMNIST (with labels) and MedSegBench (with masks).  Never unpickled."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from readers.array_images import row_refs
from readers.base import Item, Recognition, Refusal
from readers.grouping import group_of
from readers.labels import LabelMap
from readers.mask_classes import MaskClasses
from readers.pixels import arrays
from readers.source import Source
from readers.values import split_name
from schemas.case import Case, ImageRef, Label, Polarity, Region
from schemas.errors import CaseError, UserError
from schemas.findings import Finding
from schemas.masks import mask_region
from schemas.spec import DatasetSpec, Strict

_LOOK = 200
"""Masks that are looked through for their values."""


class NpzOptions(Strict):
    """Options of ``npz``."""

    file: str = ""
    """The npz; where empty, the only one at the root."""
    images: str = "{split}_images"
    """Name of the arrays of pictures, ``(N, H, W)``, ``(N, H, W, C)`` or, for volumes, ``(N, D, H, W)``."""
    labels: str = "{split}_labels"
    """Name of the arrays of class numbers ``(N,)`` or ``(N, 1)``, or of zeros and ones ``(N, K)`` for many labels."""
    masks: str = "{split}_label"
    """Name of the arrays of masks ``(N, H, W)``."""
    classes: dict[int, str] = Field(default_factory=dict)
    """Number (of a class, of a column for several labels, of a mask's value) -> word."""
    binary: str = ""
    """The word of everything that is not background in the masks."""
    slices: int = Field(default=3, ge=1)
    """Of a volume, so many slices along its first axis, evenly spaced, become images."""


class Npz:
    """Every row of every split's array is a case.  The key is ``<split>/<row>``; a published npz keeps its rows."""

    name: ClassVar[str] = "npz"
    Options: ClassVar[type[Strict]] = NpzOptions

    def __init__(self, spec: DatasetSpec, source: Source, options: NpzOptions) -> None:
        self._spec = spec
        self._source = source
        self._options = options
        self._labels = LabelMap(spec)
        self._classes = MaskClasses(dict(options.classes), {}, options.binary)
        self._path = options.file or _only_npz(spec, source)
        self._headers: dict[str, tuple[tuple[int, ...], np.dtype[Any]]] | None = None

    def items(self) -> Iterator[Item | Refusal]:
        """See `Reader.items`; only the arrays' headers are read."""
        expression = re.compile(re.escape(self._options.images).replace(r"\{split\}", r"(?P<split>\w+)"))
        found = 0
        for name, (shape, _) in sorted(self._known().items()):
            match = expression.fullmatch(name)
            if match is None:
                continue
            found += 1
            split = match.groupdict().get("split", "")
            for row in range(shape[0] if shape else 0):
                yield Item(f"{split or 'all'}/{row}", {"array": name, "split": split, "row": row})
        if not found:
            raise UserError(f"{self._spec.name}: {self._path} has no array named like {self._options.images!r}")

    def read(self, item: Item) -> Case:
        """See `Reader.read`."""
        row, split = item.data["row"], item.data["split"]
        pixels = arrays.array_row(self._source, self._path, item.data["array"], row)
        array, slices = item.data["array"], self._options.slices
        images = row_refs(self._path, array, row, pixels, slices, self._spec.orientation)
        findings: list[Finding] = []
        regions = self._regions(split, row, images[0], findings)
        words = dict.fromkeys(region.original for region in regions)
        marked = [label for word in words for label in self._labels.label(word)]
        return Case(
            dataset=self._spec.name,
            key=item.key,
            group=group_of(self._spec, item.key, {"split": split}),
            split=split_name(split),
            images=images,
            labels=(*self._stated(split, row), *marked),
            regions=tuple(regions),
            findings=tuple(findings),
        )

    def _stated(self, split: str, row: int) -> list[Label]:
        name = self._options.labels.replace("{split}", split)
        if name not in self._known():
            return []
        stated = np.ravel(arrays.array_row(self._source, self._path, name, row))
        if stated.size == 1:
            return self._labels.label(self._word(int(stated[0])))
        found: list[Label] = []
        for column, value in enumerate(stated.tolist()):
            polarity: Polarity = "present" if value == 1 else "absent" if value == 0 else "uncertain"
            found += self._labels.label(self._word(column), polarity)
        return found

    def _word(self, number: int) -> str:
        if number not in self._options.classes:
            raise CaseError("label_not_in_map", f"the option `classes` has no word for {number}", "quarantined")
        return self._options.classes[number]

    def _regions(self, split: str, row: int, image: ImageRef, findings: list[Finding]) -> list[Region]:
        base = self._options.masks.replace("{split}", split)
        found: list[Region] = []
        for name in [name for name in self._known() if base and re.fullmatch(re.escape(base) + r"(_C\d+)?", name)]:
            mask = np.squeeze(arrays.array_row(self._source, self._path, name, row))
            if mask.shape != (image.view.source_height, image.view.source_width):
                raise CaseError("mask_shape", "the mask's size is not its picture's", "quarantined")
            suffix = re.search(r"_C(\d+)$", name)
            classes = MaskClasses({}, {}, self._word(int(suffix[1]))) if suffix else self._classes
            for word, pixels in classes.masks(mask, (), findings):
                label = self._labels.canonical(word)
                region = mask_region(pixels, label, word, 0) if label is not None else None
                found += [region] if region is not None else []
        return found

    def _known(self) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
        if self._headers is None:
            self._headers = arrays.array_headers(self._source, self._path)
        return self._headers

    @classmethod
    def recognise(cls, source: Source) -> Recognition | None:
        """See `Reader.recognise`."""
        files = [name for name in source.listing()[1] if name.lower().endswith(".npz")]
        if len(files) != 1:
            return None
        try:
            names = arrays.array_headers(source, files[0])
        except CaseError:
            return None
        if not any(name.endswith("_images") for name in names):
            return None
        kind = "labels" if any(name.endswith("_labels") for name in names) else "masks"
        why = f"{files[0]} holds arrays of images and {kind} by split, as MedMNIST and MedSegBench have them"
        meaning = _classes(source, files[0], names)
        several = meaning.pop("several", False) or kind == "masks"
        labels = tuple(meaning["classes"].values()) if "classes" in meaning else (meaning["binary"],)
        hints = {"split": "shipped", "label_kind": "multi_label" if several else "multi_class"}
        return Recognition(0.95, why, {"file": files[0], **meaning}, labels, hints)


def _classes(source: Source, path: str, names: Iterable[str]) -> dict[str, Any]:
    """The option ``classes`` or ``binary`` with a made-up word for every number that labels or masks hold."""
    numbers: set[int] = set()
    several = False
    for name in names:
        if name.endswith("_labels"):
            stated = arrays.array_row(source, path, name, -1)
            several |= stated.ndim == 2 and stated.shape[1] > 1
            numbers |= set(range(stated.shape[1])) if several else {int(value) for value in np.unique(stated)}
        elif re.search(r"_label(_C\d+)?$", name):
            part = re.search(r"_C(\d+)$", name)
            stack = arrays.open_array(source, path, name)[:_LOOK]
            numbers |= {int(part[1])} if part else {int(value) for value in np.unique(stack)} - {0}
    if not any(name.endswith("_labels") for name in names) and len(numbers) == 1 and not any("_C" in n for n in names):
        return {"binary": "foreground"}
    return {
        "classes": {number: f"class_{number}" for number in sorted(numbers)},
        **({"several": True} if several else {}),
    }


def _only_npz(spec: DatasetSpec, source: Source) -> str:
    files = [name for name in source.listing()[1] if name.lower().endswith(".npz")]
    if len(files) != 1:
        raise UserError(f"{spec.name}: {len(files)} npz files lie at the root; name one in the option `file`")
    return files[0]
