"""Episodes: rows over several cases of one dataset and split, built once it is known which cases are kept."""

from dataclasses import dataclass

from schemas.case import Case, ImageRef
from schemas.instruction import Instruction
from schemas.rendered import Rendered


@dataclass(frozen=True, slots=True)
class Lent:
    """A kept case as it lends itself to rows of others."""

    case: Case
    rows: tuple[Instruction, ...]
    """Its own rows that every gate let pass."""
    pictures: tuple[ImageRef, ...]
    """The pictures that those rows show; no other may be borrowed, since nobody has checked it."""

    def same_person(self, other: "Lent") -> bool:
        """Whether both are of one group, or show one picture; a group that the source does not tell equals no other."""
        one_group = self.case.group is not None and self.case.group == other.case.group
        return one_group or self.case.key == other.case.key or bool(set(self.pictures) & set(other.pictures))


@dataclass(frozen=True, slots=True)
class Episode:
    """One row over several cases."""

    row: Instruction
    """``provenance.facts`` begin with the number of their case among those given, e.g. ``3:labels[0]``."""
    owner: int
    """Number of the case that the row belongs to."""
    lenders: tuple[int, ...]
    """Number of the case of each picture."""


@dataclass(frozen=True, slots=True)
class Loan:
    """One line of a partition's lending file: a case, and where its rendered pictures lie."""

    case: Case
    rows: tuple[Instruction, ...]
    pictures: tuple[tuple[ImageRef, Rendered], ...]
    """In the order of the staged case's images; ``Rendered.data`` is empty, the bytes lie in the stage."""

    def lent(self) -> Lent:
        """As converters see it."""
        return Lent(self.case, self.rows, tuple(ref for ref, _ in self.pictures))
