"""Stacks of pictures in one npz: MedMNIST (with labels) and MedSegBench (with masks).  Never unpickled."""

import re
from collections.abc import Iterator
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
        for name in self._masks_of(split, base) if base else ():
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

    def _masks_of(self, split: str, base: str) -> list[str]:
        """Arrays of masks of these pictures: ``train_label``, or one a class, ``train_label_C1`` and so on.

        An array that has pictures of its own (``train_images_C1`` of MedSegBench's wbc) is of other rows; beside one
        array a class, ``train_label`` is their sum, and taken only where ``binary`` names it.
        """
        several = [name for name in self._known() if re.fullmatch(re.escape(base) + r"_C\d+", name)]
        images = self._options.images.replace("{split}", split)
        several = [name for name in several if f"{images}{name.removeprefix(base)}" not in self._known()]
        alone = base in self._known() and (not several or self._options.binary)
        return [*([base] if alone else []), *several]

    def _known(self) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
        if self._headers is None:
            self._headers = arrays.array_headers(self._source, self._path)
        return self._headers

    @classmethod
    def recognise(cls, source: Source) -> Recognition | None:
        """See `Reader.recognise`."""
        from readers.recognise_npz import recognise_npz

        return recognise_npz(source)


def _only_npz(spec: DatasetSpec, source: Source) -> str:
    files = [name for name in source.listing()[1] if name.lower().endswith(".npz")]
    if len(files) != 1:
        raise UserError(f"{spec.name}: {len(files)} npz files lie at the root; name one in the option `file`")
    return files[0]
