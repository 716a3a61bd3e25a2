"""Images whose file names say what they show: ``CHNCXR_0001_0.png``, with text files of the same name beside them."""

from collections.abc import Iterator
from typing import ClassVar

from readers.base import Item, Recognition, Refusal
from readers.companions import TextFiles
from readers.grouping import group_of
from readers.images import image_refs
from readers.labels import LabelMap
from readers.pairing import OF_IMAGES
from readers.path_pattern import PathPattern
from readers.pixels.layout import IMAGE_SUFFIXES
from readers.source import Source, printable
from readers.values import side_of, split_name
from schemas.case import Acquisition, Case
from schemas.spec import DatasetSpec, Strict
from schemas.taxonomy import canonical


class NamedFileOptions(Strict):
    """Options of ``named_files``."""

    pattern: str = "**{id}_{label:[^_/.]+}.*"
    """Path of an image below the root: ``{id}`` with further names makes up the key and the group's fields, ``{label}``
    is a word of the spec's label map, ``{split}`` the split as shipped, ``{modality}``, ``{anatomy}`` and ``{side}``
    say what it is."""
    texts: TextFiles = TextFiles()


class NamedFiles:
    """Every image that the pattern matches is a case; other images are counted as left out."""

    name: ClassVar[str] = "named_files"
    Options: ClassVar[type[Strict]] = NamedFileOptions

    def __init__(self, spec: DatasetSpec, source: Source, options: NamedFileOptions) -> None:
        self._spec = spec
        self._source = source
        self._options = options
        self._labels = LabelMap(spec)
        self._pattern = PathPattern(options.pattern)
        self._pattern.need("id", "pattern")

    def items(self) -> Iterator[Item | Refusal]:
        """See `Reader.items`; the key is the path below the root."""
        for path in self._source.walk(self._pattern.under):
            names = self._pattern.match(path)
            if names is not None:
                yield Item(printable(path), {"path": path, "names": names})
            elif path.lower().endswith(IMAGE_SUFFIXES):
                detail = "the name does not say what the image shows, as the option `pattern` has it"
                yield Refusal(printable(path), "no_pattern", detail, "filtered")

    def read(self, item: Item) -> Case:
        """See `Reader.read`."""
        names, path = item.data["names"], item.data["path"]
        images, findings = image_refs(self._source, path, self._spec.orientation)
        texts, who = self._options.texts.of(self._source, path, names)
        stated = {name: (names.get(name) or "").replace("+", " ") for name in OF_IMAGES}
        return Case(
            dataset=self._spec.name,
            key=item.key,
            group=group_of(self._spec, item.key, names),
            split=split_name(names.get("split") or ""),
            images=images,
            labels=(self._labels.only(stated["label"]),) if stated["label"] else (),
            texts=texts,
            acquisition=Acquisition(
                modality=canonical("modality", stated["modality"]),
                anatomy=canonical("anatomy", stated["anatomy"]),
                laterality=side_of(names.get("side") or ""),
            ),
            demographics=who,
            findings=findings,
        )

    @classmethod
    def recognise(cls, source: Source) -> Recognition | None:
        """None: what the parts of a name mean must be published to be known (`readers.known`)."""
        return None
