"""Gate: a generated text must not talk about the prompt it was made from, nor refuse to answer."""

import re
from collections.abc import Iterator, Sequence
from typing import ClassVar

from quality.base import GateOptions, refuse
from schemas.case import Case
from schemas.context import Context
from schemas.findings import Finding
from schemas.instruction import Instruction
from schemas.rendered import Rendered


class PhrasesOptions(GateOptions):
    """Phrases, matched as whole words without regard to case, in rows that a model wrote."""

    leaks: tuple[str, ...] = (
        "the caption", "provided context", "given context", "the description provided", "provided description",
        "mentioned in the", "as mentioned", "reference answer", "bounding box coordinates", "the annotation",
        "ground truth", "based on the label", "provided label", "the metadata",
    )  # fmt: skip
    """Words that show that the model was told the answer; PubMedVision and LLaVA-Med forbid them in prompts."""
    refusals: tuple[str, ...] = (
        "cannot view", "can't view", "unable to view", "cannot see the image", "can't see the image", "i'm sorry",
        "i am sorry", "as an ai", "as a language model", "i cannot provide", "i can't provide",
    )  # fmt: skip
    """Words of a model that declines; PubMedVision drops such answers."""


class Phrases:
    """Refuses generated rows with tell-tale phrases; rows from templates or the source are not looked at.

    Codes: ``phrase_leak``, ``phrase_refusal``.  Source: FIELD.md section 19 "leak phrases".
    """

    name: ClassVar[str] = "phrases"
    Options: ClassVar[type[GateOptions]] = PhrasesOptions

    def __init__(self, options: PhrasesOptions) -> None:
        self.options = options
        self._leaks, self._refusals = _either(options.leaks), _either(options.refusals)

    def check(self, row: Instruction, case: Case, pictures: Sequence[Rendered], context: Context) -> Iterator[Finding]:
        """Search all turns of a generated row."""
        if not row.provenance.model:
            return
        words = "\n".join(message.content for message in row.messages).replace("\u2019", "'")
        if self._leaks and self._leaks.search(words):
            yield refuse("phrase_leak", "the text speaks of the annotation it was written from")
        if self._refusals and self._refusals.search(words):
            yield refuse("phrase_refusal", "the model declined to answer")


def _either(phrases: tuple[str, ...]) -> re.Pattern[str] | None:
    words = "|".join(re.escape(phrase) for phrase in phrases)
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE) if words else None
