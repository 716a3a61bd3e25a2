"""A converter of one's own: what kind of picture it is.  Its sentences are in ``what_kind.yaml`` beside it."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from converters.asking import Asker, Common
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction


class WhatKind:
    """One open question for each picture."""

    name: ClassVar[str] = "what_kind"
    Options: ClassVar[type[Common]] = Common

    def __init__(self, options: Common) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions; everything random is drawn by the row, so that a rerun draws the same."""
        ask = Asker(case, context, self.name, self.options, templates=Path(__file__).parent)
        # What proves the answer is part of the row: here what the case says of itself, else what the spec says of all.
        proofs = tuple(
            f"acquisition.{fact}" if getattr(case.acquisition, fact) else f"spec.{fact}"
            for fact in ("modality", "anatomy")
        )
        for index in range(len(case.images)):
            row, slots = ask.about(f"image{index}"), ask.slots((index,))
            question, answer = ask.draw("ask", row).fill(slots), ask.draw("say", row)
            yield ask.row(
                row, "open", question, answer.fill(slots), images=(index,), template=answer.id, facts=proofs
            )  # fmt: skip
