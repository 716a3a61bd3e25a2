"""Gate: a long text says enough that is medical; off unless a recipe or spec names it."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import ClassVar

from pydantic import Field

from quality.base import GateOptions, refuse
from schemas.case import Case
from schemas.context import Context
from schemas.findings import Finding
from schemas.instruction import Instruction
from schemas.rendered import Rendered
from schemas.taxonomy.axes import axis
from schemas.taxonomy.labels import labels

LONGEST = 4
"""Words of the longest term that is looked for."""
_WORD = re.compile(r"[^\W_]+")


class MedicalTermsOptions(GateOptions):
    """How many different terms a text must hold."""

    min_terms: int = Field(default=5, ge=1)
    """PubMedVision keeps captions with five medical terms or more (FIELD.md section 19)."""
    min_share: float = Field(default=0.0, ge=0, le=1)
    """Terms by words of the text; off by default.  Ours."""
    tasks: tuple[str, ...] = ("caption", "report")


class MedicalTerms:
    """Refuses captions and reports that hold too few words of the taxonomy (labels, body parts, modalities).

    Codes: ``terms_few``, ``terms_thin``.  A term counts once, by its longest spelling; a plural in -s counts too.
    """

    name: ClassVar[str] = "medical_terms"
    Options: ClassVar[type[GateOptions]] = MedicalTermsOptions

    def __init__(self, options: MedicalTermsOptions) -> None:
        self.options = options

    def check(self, row: Instruction, case: Case, pictures: Sequence[Rendered], context: Context) -> Iterator[Finding]:
        """Count terms in what the assistant says."""
        limits = self.options
        if row.task not in limits.tasks:
            return
        words = _WORD.findall(" ".join(turn.content for turn in row.messages if turn.role == "assistant").casefold())
        found = len(terms_in(words))
        if found < limits.min_terms:
            yield refuse("terms_few", f"{found} medical terms are fewer than min_terms = {limits.min_terms}")
        elif found < limits.min_share * len(words):
            yield refuse("terms_thin", f"{found} medical terms in {len(words)} words are under {limits.min_share:g}")


def terms_in(words: Sequence[str]) -> set[str]:
    """The different terms among words in lower case, the longest first where one holds another."""
    known, found, at = vocabulary(), set[str](), 0
    while at < len(words):
        size = next((n for n in range(LONGEST, 0, -1) if _term(words[at : at + n]) in known), 0)
        if size:
            found.add(_term(words[at : at + size]))
        at += max(size, 1)
    return found


@cache
def vocabulary() -> frozenset[str]:
    """Every spelling of every label, body part and modality, in lower case, plurals without their s."""
    spelt = [form for one in labels().values() for form in (one.name, *one.synonyms)]
    for name in ("anatomy", "modality"):
        spelt += [form for word, one in axis(name).items() for form in (word, *one.synonyms)]
    terms = (_term(_WORD.findall(form.casefold())) for form in spelt)
    return frozenset(term for term in terms if len(term) > 1)


def _term(words: Sequence[str]) -> str:
    joined = " ".join(words)
    return joined[:-1] if len(joined) > 4 and joined.endswith("s") and not joined.endswith("ss") else joined
