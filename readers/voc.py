"""Pascal VOC: one XML of boxes an image, split lists in ImageSets."""

from collections.abc import Iterator
from typing import Any, ClassVar
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from readers.base import Item, Recognition, Refusal
from readers.boxes import box_region
from readers.declared import to_stored
from readers.finder import Finder
from readers.grouping import group_of
from readers.images import image_refs
from readers.labels import LabelMap
from readers.source import Source, printable
from readers.text import read_text
from readers.values import split_name
from schemas.case import Case, Region
from schemas.errors import CaseError
from schemas.findings import Finding
from schemas.spec import DatasetSpec, Strict
from schemas.view import Box, View

XML_LIMIT = 64 << 20


class VocOptions(Strict):
    """Options of ``voc``."""

    annotations: str = "Annotations"
    """Folder of the XML files."""
    images: str = "JPEGImages"
    """Folder of the images; they are paired by the XML's name, else by the ``filename`` that it holds."""
    image_sets: str = "ImageSets/Main"
    """Folder of the split lists, ``<split>.txt``, one name a line; need not exist."""
    one_based: bool = True
    """True as in Pascal VOC: pixel 1 is the first, and xmax and ymax belong to the box.  False where a tool wrote
    edges counted from 0."""
    skip_difficult: bool = False
    """Leave objects marked ``difficult`` out."""
    complete: bool = True
    """False where not every object of the classes is annotated."""


class Voc:
    """Every XML is a case, its objects are regions and the labels of the case.  The key is the XML's name."""

    name: ClassVar[str] = "voc"
    Options: ClassVar[type[Strict]] = VocOptions

    def __init__(self, spec: DatasetSpec, source: Source, options: VocOptions) -> None:
        self._spec = spec
        self._source = source
        self._options = options
        self._labels = LabelMap(spec)
        self._finder = Finder(source, [options.images])

    def items(self) -> Iterator[Item | Refusal]:
        """See `Reader.items`."""
        splits = self._splits()
        folder = self._options.annotations.strip("/")
        for path in self._source.walk(folder):
            if path.lower().endswith(".xml"):
                key = path.removeprefix(f"{folder}/" if folder else "")[:-4]
                yield Item(printable(key), {"path": path, "key": key, "split": splits.get(key, "")})

    def read(self, item: Item) -> Case:
        """See `Reader.read`."""
        root = parse(self._source.read_bytes(item.data["path"], XML_LIMIT))
        findings: list[Finding] = []
        image = self._image(item.data["key"], root, findings)
        images, notes = image_refs(self._source, image, self._spec.orientation)
        regions = self._regions(root, images[0].view, findings)
        names = dict.fromkeys((region.label, region.original) for region in regions)
        return Case(
            dataset=self._spec.name,
            key=item.key,
            group=group_of(self._spec, item.key, {"folder": root.findtext("folder", "").strip()}),
            split=item.data["split"],
            images=images,
            labels=tuple(label for _, word in names for label in self._labels.label(word)),
            regions=tuple(regions),
            complete_regions=self._options.complete,
            findings=(*notes, *findings),
        )

    def _splits(self) -> dict[str, str]:
        folder = self._options.image_sets.strip("/")
        found: dict[str, str] = {}
        for name in self._source.listing(folder)[1]:
            split = split_name(name.removesuffix(".txt"))
            if split and name.endswith(".txt"):
                lines = read_text(self._source, f"{folder}/{name}").split("\n")
                found.update({line.split()[0]: split for line in lines if line.strip()})
        return found

    def _image(self, key: str, root: Element, findings: list[Finding]) -> str:
        written = (root.findtext("filename") or "").strip()
        stem = written.replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or written
        if stem and stem != key.rpartition("/")[2]:
            detail = "the XML names another image than its own name says; the one of its own name is taken"
            findings.append(Finding("filename_mismatch", detail))
        try:
            return self._finder.find(key)
        except CaseError as error:
            if error.code != "missing_image" or not written:
                raise
        return self._finder.find(written)

    def _regions(self, root: Element, view: View, findings: list[Finding]) -> list[Region]:
        declared = (_number(root, "size/width"), _number(root, "size/height"))
        regions: list[Region] = []
        for number, thing in enumerate(root.iter("object"), 1):
            if self._options.skip_difficult and thing.findtext("difficult", "").strip() == "1":
                continue
            word = (thing.findtext("name") or "").strip()
            name = self._labels.canonical(word)
            if name is None:
                continue
            box = to_stored(self._box(thing, number), view, declared, findings)
            made, notes = box_region(box, view, name, word, 0, str(number), f"object {number}")
            regions += made
            findings += notes
        return regions

    def _box(self, thing: Element, number: int) -> Box:
        edges = [_number(thing, f"bndbox/{name}") for name in ("xmin", "ymin", "xmax", "ymax")]
        if any(edge is None for edge in edges):
            raise CaseError("bad_box", f"object {number} has no box of four numbers")
        u0, v0, u1, v1 = (float(edge or 0) for edge in edges)
        return (u0 - 1, v0 - 1, u1, v1) if self._options.one_based else (u0, v0, u1, v1)

    @classmethod
    def recognise(cls, source: Source) -> Recognition | None:
        """See `Reader.recognise`."""
        from readers.recognise_boxes import recognise_voc

        return recognise_voc(source)


def parse(data: bytes) -> Any:
    """The root element of an XML; `CaseError` ``xml_entities_refused`` or ``broken_xml``."""
    try:
        return fromstring(data, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    except DefusedXmlException:
        raise CaseError(
            "xml_entities_refused", "the XML defines entities, which are never expanded", "quarantined"
        ) from None
    except (ParseError, ValueError, LookupError):
        raise CaseError("broken_xml", "the XML cannot be parsed") from None


def _number(element: Element, place: str) -> float | None:
    try:
        return float(element.findtext(place, ""))
    except ValueError:
        return None
