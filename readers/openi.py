"""Open-i (Indiana University chest films): one XML a report, which names its films."""

from collections.abc import Iterator
from typing import ClassVar
from xml.etree.ElementTree import Element

from pydantic import Field

from readers.base import Item, Recognition, Refusal
from readers.finder import Finder
from readers.grouping import group_of
from readers.images import image_refs
from readers.labels import LabelMap
from readers.source import Source, printable
from readers.survey import survey
from readers.voc import XML_LIMIT, parse
from schemas.case import Case, ImageRef, Label, Text, TextKind
from schemas.errors import CaseError
from schemas.findings import Finding
from schemas.spec import DatasetSpec, Strict

_SECTIONS: dict[str, TextKind] = {
    "FINDINGS": "findings",
    "IMPRESSION": "impression",
    "INDICATION": "indication",
    "COMPARISON": "section",
}


class OpeniOptions(Strict):
    """Options of ``openi``."""

    reports: str = ""
    """Folder of the XML files; where empty, anywhere."""
    images: list[str] = Field(default_factory=list)
    """Folders of the films; where empty, anywhere."""
    mesh_labels: bool = False
    """True takes the major MeSH headings, up to their first slash, as labels."""


class Openi:
    """Every report with its films is a case; the key is the XML's name.  Words blacked out as XXXX stay so."""

    name: ClassVar[str] = "openi"
    Options: ClassVar[type[Strict]] = OpeniOptions

    def __init__(self, spec: DatasetSpec, source: Source, options: OpeniOptions) -> None:
        self._spec = spec
        self._source = source
        self._options = options
        self._labels = LabelMap(spec)
        self._finder = Finder(source, options.images)

    def items(self) -> Iterator[Item | Refusal]:
        """See `Reader.items`."""
        for path in self._source.walk(self._options.reports):
            if path.lower().endswith(".xml"):
                yield Item(printable(path.rpartition("/")[2][:-4]), {"path": path})

    def read(self, item: Item) -> Case:
        """See `Reader.read`."""
        root = parse(self._source.read_bytes(item.data["path"], XML_LIMIT))
        images: list[ImageRef] = []
        findings: list[Finding] = []
        for film in root.iter("parentImage"):
            try:
                refs, notes = image_refs(self._source, self._finder.find(film.get("id", "")), self._spec.orientation)
            except CaseError as error:
                findings.append(Finding("film_missing", f"a film of the report cannot be used: {error.code}"))
                continue
            images += refs
            findings += notes
        if not images:
            raise CaseError("missing_image", "the report names no film that is here")
        return Case(
            dataset=self._spec.name,
            key=item.key,
            group=group_of(self._spec, item.key, {"report": item.key}),
            split="",
            images=tuple(images),
            labels=tuple(dict.fromkeys(self._mesh(root))),
            texts=tuple(_texts(root)),
            findings=tuple(findings),
        )

    def _mesh(self, root: Element) -> list[Label]:
        if not self._options.mesh_labels:
            return []
        headings = [(major.text or "").split("/")[0].strip() for major in root.iter("major")]
        return [label for word in headings if word for label in self._labels.label(word)]

    @classmethod
    def recognise(cls, source: Source) -> Recognition | None:
        """See `Reader.recognise`."""
        xmls = [path for path in survey(source) if path.lower().endswith(".xml")][:20]
        known = [path for path in xmls if b"<parentImage" in source.head(path, 100_000)]
        if not known or len(known) < 0.5 * len(xmls):
            return None
        return Recognition(0.95, f"{len(known)} XML files are Open-i reports that name their films")


def _texts(root: Element) -> Iterator[Text]:
    for section in root.iter("AbstractText"):
        title = section.get("Label", "").strip()
        content = " ".join("".join(section.itertext()).split())
        if content:
            yield Text(_SECTIONS.get(title.upper(), "section"), content, title=title.capitalize())
