"""What a reader is: one on-disk layout, listed as items, each read as one case."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, cast

from readers.source import Source
from schemas.case import Case
from schemas.spec import DatasetSpec, Strict


@dataclass(frozen=True, slots=True)
class Item:
    """A case to be: everything the reader needs to read it later, in another process.

    Listing must be cheap and streaming; ``data`` must survive JSON unchanged.
    """

    key: str
    """The case key: from content or the dataset's own ids, unique within the dataset."""
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something listed that can never become a case (a broken table line, an orphan mask); it counts as a case read."""

    key: str
    code: str
    detail: str
    status: str = "failed"


@dataclass(frozen=True, slots=True)
class Recognition:
    """A reader's claim that a folder is laid out its way."""

    confidence: float
    """0..1; 1 where a file proves it (dataset.json of a decathlon), lower for mere shape (folders of images)."""
    why: str
    """One sentence naming the evidence."""
    options: dict[str, Any] = field(default_factory=dict)
    """Reader options for the drafted spec."""
    labels: tuple[str, ...] = ()
    """The source's label words seen."""
    hints: dict[str, str] = field(default_factory=dict)
    """Further spec fields that the files state: license, modality, ..."""
    meanings: dict[str, str] = field(default_factory=dict)
    """Label word -> canonical word, where the layout's publisher says what its words mean."""


class Reader(Protocol):
    """One layout.  Registered by entry point under ``medcurate.readers``; one file each."""

    name: ClassVar[str]
    Options: ClassVar[type[Strict]]

    def __init__(self, spec: DatasetSpec, source: Source, options: Any) -> None: ...

    def items(self) -> Iterator[Item | Refusal]:
        """List the dataset, streaming, in an order that is the same on every machine."""
        ...

    def read(self, item: Item) -> Case:
        """Read one case; raises `schemas.errors.CaseError` with a reason where that cannot be."""
        ...

    @classmethod
    def recognise(cls, source: Source) -> Recognition | None:
        """Whether ``source`` is laid out this way; looks at few files."""
        ...


def open_reader(spec: DatasetSpec, where: Path | None = None, source: Source | None = None) -> Reader:
    """The spec's reader, options checked.

    Args:
        spec: the dataset.
        where: names the spec's file in messages.
        source: the spec's root where it is open already; what a reader has looked at is then still at hand for
            whoever renders from the same source.
    """
    from schemas import plugins
    from schemas.yaml_file import validate

    kind: type[Reader] = plugins.load("readers", spec.reader.type)
    options = validate(kind.Options, spec.reader.options, f"{where or spec.name}: reader.options")
    reader = kind(spec, source or Source.open(spec.root), options)
    if not spec.wholes:
        return reader
    from readers.wholes import Wholes

    return cast("Reader", Wholes(reader, spec))
