"""A reader of one's own: ``words.txt`` has a line for each picture, its path and its label with a tab between."""

from collections.abc import Iterator
from typing import ClassVar

from readers.base import Item, Recognition, Refusal
from readers.grouping import group_of
from readers.images import image_refs
from readers.labels import LabelMap
from readers.source import Source
from schemas.case import Case
from schemas.spec import DatasetSpec, Strict

LIST = "words.txt"


class WordListOptions(Strict):
    """Options of ``word_list``."""

    file: str = LIST
    """The list, below the root."""


class WordList:
    """Lists lines, and reads a line's picture only when its case is wanted, in whatever process."""

    name: ClassVar[str] = "word_list"
    Options: ClassVar[type[Strict]] = WordListOptions

    def __init__(self, spec: DatasetSpec, source: Source, options: WordListOptions) -> None:
        self._spec, self._source, self._options = spec, source, options
        self._labels = LabelMap(spec)

    def items(self) -> Iterator[Item | Refusal]:
        """One for each line; a line that cannot become a case is counted with its reason."""
        for number, line in enumerate(_lines(self._source, self._options.file), start=1):
            path, tab, label = line.partition("\t")
            if tab:
                yield Item(path, {"path": path, "label": label})
            else:
                yield Refusal(f"{self._options.file}:{number}", "broken_line", "the line has no tab")

    def read(self, item: Item) -> Case:
        """The case of one line; a label that is not in the spec's map stops it, with the nearest words named."""
        images, findings = image_refs(self._source, item.data["path"], self._spec.orientation)
        return Case(
            dataset=self._spec.name,
            key=item.key,
            group=group_of(self._spec, item.key, {}),
            split="",
            images=images,
            labels=tuple(self._labels.label(item.data["label"])),
            findings=findings,
        )

    @classmethod
    def recognise(cls, source: Source) -> Recognition | None:
        """What ``medcurate inspect`` asks every reader."""
        if not source.exists(LIST):
            return None
        words = {line.partition("\t")[2] for line in _lines(source, LIST)} - {""}
        return Recognition(1.0, f"there is a {LIST}", labels=tuple(sorted(words)))


def _lines(source: Source, path: str) -> list[str]:
    return source.read_bytes(path).decode("utf-8").splitlines()
