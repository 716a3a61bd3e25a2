"""Folders named after classes, with or without split folders above them; mask files beside the images are left out."""

import fnmatch
from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from readers.base import Item, Recognition, Refusal
from readers.grouping import group_of
from readers.images import image_refs
from readers.labels import LabelMap
from readers.pixels.layout import IMAGE_SUFFIXES
from readers.source import Source, printable
from readers.values import split_name
from schemas.case import Case
from schemas.spec import DatasetSpec, Strict


class ClassFolderOptions(Strict):
    """Options of ``class_folders``."""

    under: str = ""
    """Folder below the root that holds the splits or classes."""
    level: int = -1
    """Which folder of an image's path names its class: -1 the innermost, 0 the outermost below ``under``."""
    splits: dict[str, str] = Field(default_factory=dict)
    """Folder name -> train, val or test; the usual names are known."""
    exclude: list[str] = Field(default_factory=lambda: ["*_mask.*", "*_mask_[0-9]*.*", "*_segmentation.*"])
    """Patterns of file names that are no images of cases: masks mixed in, as in BUSI."""
    exclude_folders: list[str] = Field(default_factory=lambda: ["mask", "masks"])
    """Names of innermost folders that hold none."""
    extensions: list[str] = Field(default_factory=list)
    """Only files with these extensions, dot included; where empty, every file whose name does not promise text."""


class ClassFolders:
    """Every image is a case; the folder's name is its label.  The case key is the path below the root."""

    name: ClassVar[str] = "class_folders"
    Options: ClassVar[type[Strict]] = ClassFolderOptions

    def __init__(self, spec: DatasetSpec, source: Source, options: ClassFolderOptions) -> None:
        self._spec = spec
        self._source = source
        self._options = options
        self._labels = LabelMap(spec)

    def items(self) -> Iterator[Item | Refusal]:
        """See `Reader.items`; files at the top, in no class folder, are passed by."""
        under = self._options.under.strip("/")
        for path in self._source.walk(under):
            folders = path.removeprefix(f"{under}/" if under else "").split("/")[:-1]
            if not folders or folders[-1].lower() in self._options.exclude_folders:
                continue
            if not self._is_image(path.rpartition("/")[2]):
                continue
            split = next((name for name in (split_name(f, self._options.splits) for f in folders) if name), "")
            classes = [folder for folder in folders if not split_name(folder, self._options.splits)]
            if not classes:
                yield Refusal(printable(path), "no_class_folder", "the image lies in no class folder", "quarantined")
                continue
            level = self._options.level
            word = classes[level] if -len(classes) <= level < len(classes) else classes[-1]
            yield Item(printable(path), {"path": path, "word": word, "split": split})

    def read(self, item: Item) -> Case:
        """See `Reader.read`."""
        label = self._labels.only(item.data["word"])
        images, findings = image_refs(self._source, item.data["path"], self._spec.orientation)
        return Case(
            dataset=self._spec.name,
            key=item.key,
            group=group_of(self._spec, item.key, {"folder": item.data["word"]}),
            split=item.data["split"],
            images=images,
            labels=(label,),
            findings=findings,
        )

    def _is_image(self, name: str) -> bool:
        if any(fnmatch.fnmatch(name, pattern) for pattern in self._options.exclude):
            return False
        lower = name.lower()
        if self._options.extensions:
            return lower.endswith(tuple(ext.lower() for ext in self._options.extensions))
        return lower.endswith(IMAGE_SUFFIXES) or "." not in name

    @classmethod
    def recognise(cls, source: Source) -> Recognition | None:
        """See `Reader.recognise`."""
        from readers.recognise_folders import recognise_folders

        return recognise_folders(source)
