"""LabelMe: one JSON of polygons, boxes, circles, masks and points an image, beside the image or with it inside."""

from collections.abc import Iterator
from typing import Any, ClassVar

from readers.base import Item, Recognition, Refusal
from readers.embedded import PICTURE
from readers.finder import Finder
from readers.grouping import group_of
from readers.images import image_refs
from readers.labelme_shapes import objects, regions
from readers.labels import LabelMap
from readers.nested import MARK
from readers.records import load_json
from readers.source import Source, printable
from readers.values import split_name
from schemas.case import Case, Region
from schemas.errors import CaseError
from schemas.findings import Finding
from schemas.spec import DatasetSpec, Strict


class LabelMeOptions(Strict):
    """Options of ``labelme``."""

    annotations: str = ""
    """Folder of the JSON files; where empty, all below the root."""
    images: str = ""
    """Folder of the images; where empty, they are looked for beside their JSON, then anywhere.  Of an image that is
    nowhere the copy inside the JSON is taken."""
    splits: bool = False
    """True where a folder in the JSON's path names the split."""
    complete: bool = True
    """False where not every object of the classes is annotated."""


class LabelMe:
    """Every JSON is a case: shapes are its regions and labels, ticked flags its labels.  The key is the JSON's name."""

    name: ClassVar[str] = "labelme"
    Options: ClassVar[type[Strict]] = LabelMeOptions

    def __init__(self, spec: DatasetSpec, source: Source, options: LabelMeOptions) -> None:
        self._spec = spec
        self._source = source
        self._options = options
        self._labels = LabelMap(spec)
        self._finders: dict[str, Finder] = {}

    def items(self) -> Iterator[Item | Refusal]:
        """See `Reader.items`."""
        folder = self._options.annotations.strip("/")
        for path in self._source.walk(folder):
            if path.lower().endswith(".json"):
                key = path.removeprefix(f"{folder}/" if folder else "")[:-5]
                found = filter(None, map(split_name, path.split("/")[:-1])) if self._options.splits else iter(())
                yield Item(printable(key), {"path": path, "split": next(found, "")})

    def read(self, item: Item) -> Case:
        """See `Reader.read`."""
        path = item.data["path"]
        document = load_json(self._source, path)
        if not is_labelme(document):
            raise CaseError("not_labelme", "the JSON has no shapes and imagePath, as LabelMe's have")
        images, notes = image_refs(self._source, self._image(path, document), self._spec.orientation)
        findings: list[Finding] = []
        made: list[Region] = []
        whole = self._options.complete
        for drawn in objects(document["shapes"]):
            name = self._labels.canonical(drawn.word)
            if name is None:
                continue
            declared = (_positive(document.get("imageWidth")), _positive(document.get("imageHeight")))
            found = regions(drawn, name, images[0].view, declared, findings)
            whole &= bool(found)
            made += found
        ticked = [word for word, set_ in (document.get("flags") or {}).items() if set_ is True]
        words = dict.fromkeys([*(region.original for region in made), *ticked])
        return Case(
            dataset=self._spec.name,
            key=item.key,
            group=group_of(self._spec, item.key, {"image": str(document.get("imagePath") or "")}),
            split=item.data["split"],
            images=images,
            labels=tuple(label for word in words for label in self._labels.label(word)),
            regions=tuple(made),
            complete_regions=whole,
            findings=(*notes, *dict.fromkeys(findings)),
        )

    def _image(self, path: str, document: dict[str, Any]) -> str:
        """The image's path; that of the copy in the JSON where there is no other."""
        written = str(document.get("imagePath") or "").replace("\\", "/").removeprefix("./")
        # LabelMe writes the way from the JSON to the image, which may lead up and down again.
        written = written.rpartition("/")[2] if written.startswith(("/", "..")) or ":" in written else written
        folders = [self._options.images] if self._options.images else [path.rpartition("/")[0], ""]
        for folder in folders:
            try:
                return self._finder(folder).find(written)
            except CaseError as error:
                if error.code != "missing_image":
                    raise
        if document.get(PICTURE):
            return f"{path}{MARK}{PICTURE}"
        raise CaseError("missing_image", f"there is no image {printable(written)} in the dataset, nor one in the JSON")

    def _finder(self, folder: str) -> Finder:
        return self._finders.setdefault(folder, Finder(self._source, [folder]))

    @classmethod
    def recognise(cls, source: Source) -> Recognition | None:
        """See `Reader.recognise`."""
        from readers.recognise_labelme import recognise_labelme

        return recognise_labelme(source)


def is_labelme(document: Any) -> bool:
    """Whether a JSON document is LabelMe's."""
    return isinstance(document, dict) and isinstance(document.get("shapes"), list) and "imagePath" in document


def _positive(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and value > 0 else None
