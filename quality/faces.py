"""Gate: faces that could be rebuilt from volumes of the head are refused, flagged or cut off."""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from pydantic import model_validator

from quality.base import GateOptions
from schemas.case import Case
from schemas.context import Context
from schemas.findings import Finding
from schemas.instruction import Instruction
from schemas.rendered import Rendered


class FacesOptions(GateOptions):
    """What to do with faces in CT and MR of the head; the gate runs only where it is named."""

    action: Literal["flag", "refuse", "deface", "accept"] = "flag"
    """``deface``: what lies before and below the eyes is cut off, in volumes and in slices (`readers.face`)."""
    reason: str = ""
    """Why faces may stay: for ``accept``; it goes into the audit."""

    @model_validator(mode="after")
    def _is_reasoned(self) -> "FacesOptions":
        if self.action == "accept" and len(self.reason) < 10:
            raise ValueError("faces are accepted only with a written reason; add reason: ...")
        return self


class Faces:
    """Holds the options; faces are looked for where the bytes are (`flows.faces`).

    Codes: ``privacy_face``, ``privacy_face_removed``, ``privacy_face_on_region``, ``privacy_face_unknown`` (a head
    whose volume does not say where its sides are, or cannot be looked at).
    """

    name: ClassVar[str] = "faces"
    Options: ClassVar[type[GateOptions]] = FacesOptions

    def __init__(self, options: FacesOptions) -> None:
        self.options = options

    def check(self, row: Instruction, case: Case, pictures: Sequence[Rendered], context: Context) -> Iterator[Finding]:
        """Nothing is left to find on a row."""
        yield from ()
