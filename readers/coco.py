"""COCO: boxes, polygons and run-length masks of many images in one JSON, one JSON a split or one for all."""

import fnmatch
import re
from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from readers.base import Item, Recognition, Refusal
from readers.coco_document import Document, Problem
from readers.coco_regions import annotation_regions
from readers.finder import Finder
from readers.grouping import group_of
from readers.images import image_refs
from readers.labels import LabelMap
from readers.records import load_json
from readers.source import Source, printable
from readers.values import spdx, split_name
from schemas.case import Case, Region, Text
from schemas.errors import CaseError, UserError
from schemas.findings import Finding
from schemas.spec import DatasetSpec, Strict


class CocoOptions(Strict):
    """Options of ``coco``."""

    annotations: str | list[str] = Field(default_factory=lambda: ["*_annotations.coco.json", "annotations/*.json"])
    """JSON files, wildcards allowed; a split in the file's name or folder is taken as shipped."""
    images: str = ""
    """Folder of the images; where empty, they are looked for beside the JSON, in the folders of its split, anywhere."""
    splits: dict[str, str] = Field(default_factory=dict)
    """Word in the JSON's path -> train, val or test; the usual words are known."""
    masks: bool = True
    """False takes boxes even where there are polygons or run lengths."""
    complete: bool = True
    """False where not every object of the categories is annotated."""


class Coco:
    """Every image of every JSON is a case, its annotations are regions.  The key is the image's path below the root."""

    name: ClassVar[str] = "coco"
    Options: ClassVar[type[Strict]] = CocoOptions

    def __init__(self, spec: DatasetSpec, source: Source, options: CocoOptions) -> None:
        self._spec = spec
        self._source = source
        self._options = options
        self._labels = LabelMap(spec)
        self._finders: dict[str, Finder] = {}

    def items(self) -> Iterator[Item | Refusal]:
        """See `Reader.items`; a JSON is held whole in memory while its images are listed."""
        seen: set[str] = set()
        for path in self._files():
            document = Document(load_json(self._source, path))
            yield from (_refusal(path, problem) for problem in document.orphans())
            split = self._split(path)
            for image, annotations in document.images():
                key = printable(self._key(path, str(image.get("file_name", ""))))
                if isinstance(annotations, Problem):
                    yield _refusal(path, annotations)
                elif key in seen:
                    yield Refusal(
                        f"{key} in {printable(path)}", "repeated_image", "the image was listed before", "quarantined"
                    )
                else:
                    seen.add(key)
                    yield Item(key, {"json": path, "image": image, "annotations": annotations, "split": split})

    def read(self, item: Item) -> Case:
        """See `Reader.read`."""
        image, annotations = item.data["image"], item.data["annotations"]
        path = self._find(item.data["json"], str(image.get("file_name", "")))
        images, notes = image_refs(self._source, path, self._spec.orientation)
        findings = list(notes)
        regions: list[Region] = []
        crowded = False
        for annotation in annotations:
            if not annotation.get("category"):
                findings += [Finding(code, detail) for code, detail in annotation.get("problems", [])]
                continue
            name = self._labels.canonical(annotation["category"])
            if name is not None:
                crowded |= bool(annotation.get("iscrowd"))
                regions += annotation_regions(annotation, name, image, images[0].view, self._options.masks, findings)
        words = dict.fromkeys(region.original for region in regions)
        return Case(
            dataset=self._spec.name,
            key=item.key,
            group=group_of(self._spec, item.key, {name: value for name, value in image.items() if name != "id"}),
            split=item.data["split"],
            images=images,
            labels=tuple(label for word in words for label in self._labels.label(word)),
            regions=tuple(regions),
            texts=tuple(Text("caption", str(a["caption"]).strip()) for a in annotations if a.get("caption")),
            license=spdx(str(image.get("license_text", ""))),
            complete_regions=self._options.complete and not crowded,
            findings=tuple(dict.fromkeys(findings)),
        )

    def _files(self) -> list[str]:
        wanted = self._options.annotations
        patterns = [wanted] if isinstance(wanted, str) else wanted
        found = [path for path in patterns if self._source.exists(path)]
        if not found:
            names = (path for path in self._source.walk() if path.lower().endswith(".json"))
            found = [path for path in names if any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)]
        if not found:
            raise UserError(f"{self._spec.name}: no file matches {', '.join(patterns)}; check the option `annotations`")
        return found

    def _split(self, path: str) -> str:
        parts = re.split(r"[/_.\-]", path)
        return next((name for name in (split_name(part, self._options.splits) for part in parts) if name), "")

    def _key(self, path: str, written: str) -> str:
        try:
            return self._find(path, written)
        except CaseError:
            return f"{path}#{written}"  # reading the case will say what is wrong with it

    def _find(self, path: str, written: str) -> str:
        """The image's path: below ``images``; else beside the JSON, in the folders of its split, or anywhere."""
        if self._options.images:
            return self._finder(self._options.images).find(written)
        for folder in (path.rpartition("/")[0], *self._split_folders(path)):
            try:
                return self._finder(folder).find(written)
            except CaseError as error:
                if error.code != "missing_image":
                    raise
        return self._finder("").find(written)

    def _split_folders(self, path: str) -> list[str]:
        """``train2017`` and ``images/train`` for ``annotations/instances_train2017.json``."""
        split = self._split(path)
        if not split:
            return []
        top = self._source.listing()[0]
        folders = [*top, *(f"{above}/{name}" for above in top for name in self._source.listing(above)[0])]
        return [folder for folder in folders if split_name(folder.rpartition("/")[2], self._options.splits) == split]

    def _finder(self, folder: str) -> Finder:
        if folder not in self._finders:
            self._finders[folder] = Finder(self._source, [folder])
        return self._finders[folder]

    @classmethod
    def recognise(cls, source: Source) -> Recognition | None:
        """See `Reader.recognise`."""
        from readers.recognise_boxes import recognise_coco

        return recognise_coco(source)


def _refusal(path: str, problem: Problem) -> Refusal:
    return Refusal(f"{printable(path)}#{problem.where}", problem.code, problem.detail, "quarantined")
