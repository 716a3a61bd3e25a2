"""Any folder of files: every single one becomes a case without labels, or a line that says why not."""

from collections.abc import Iterator
from typing import ClassVar

from readers.base import Item, Recognition, Refusal
from readers.grouping import group_of
from readers.images import image_refs
from readers.source import Source, printable
from schemas.case import Case
from schemas.spec import DatasetSpec, Strict


class FileOptions(Strict):
    """Options of ``files``."""

    under: str = ""
    """Folder below the root."""


class Files:
    """Every file is an item; what it is, its content says.  The key is the path below the root."""

    name: ClassVar[str] = "files"
    Options: ClassVar[type[Strict]] = FileOptions

    def __init__(self, spec: DatasetSpec, source: Source, options: FileOptions) -> None:
        self._spec = spec
        self._source = source
        self._options = options

    def items(self) -> Iterator[Item | Refusal]:
        """See `Reader.items`."""
        for path in self._source.walk(self._options.under):
            yield Item(printable(path), {"path": path})

    def read(self, item: Item) -> Case:
        """See `Reader.read`."""
        path = item.data["path"]
        images, findings = image_refs(self._source, path, self._spec.orientation)
        return Case(
            dataset=self._spec.name,
            key=item.key,
            group=group_of(self._spec, item.key, {"path": item.key}),
            split="",
            images=images,
            findings=findings,
        )

    @classmethod
    def recognise(cls, source: Source) -> Recognition | None:
        """See `Reader.recognise`; the last resort."""
        first = next(source.walk(), None)
        return None if first is None else Recognition(0.01, "there are files, and every one can be tried")
