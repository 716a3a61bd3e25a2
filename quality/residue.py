"""Gate: nothing of a template, a table or a program is left in the words."""

import re
from collections.abc import Iterator, Sequence
from typing import ClassVar

from quality.base import GateOptions, refuse
from schemas.case import Case
from schemas.context import Context
from schemas.findings import Finding
from schemas.instruction import IMAGE, Instruction
from schemas.rendered import Rendered

_SLOT = re.compile(r"\{\{?\s*[\w.\[\]|: -]{0,60}\s*\}?\}|%\(\w+\)[sd]|\$\{\w+\}")
_TAG = re.compile(r"<(/?[A-Za-z_][^<>\n]{0,60})>")
_PLACE = re.compile(r"\[(?:insert|your|todo|tbd|placeholder|label|value|finding|answer)\b[^\]\n]{0,40}\]", re.I)


class ResidueOptions(GateOptions):
    """What counts as residue."""

    tags: tuple[str, ...] = ("image", "ref", "box", "think", "answer", "SEG")
    """Names of ``<name>`` and ``</name>`` that belong into a row (LLaVA, MedRegA, R1, and MeCoVQA's ``<SEG>``, which
    stands for a mask); all others are residue."""
    null_words: tuple[str, ...] = ("nan", "NaN", "NAN", "NaT", "NULL", "null", "undefined", "None")
    """Literal empty values of tables and programs, as whole words, as they are written here.  ``None`` that
    opens a sentence is left alone where it is the source's own words or goes on with ``of``: people write so."""


class Residue:
    """Refuses rows with slots (``{organ}``), tags (``<finding>``) or empty values (``nan``) in their words.

    Codes: ``residue_slot``, ``residue_tag``, ``residue_null``.  Source: FIELD.md section 19 "template defects".
    """

    name: ClassVar[str] = "residue"
    Options: ClassVar[type[GateOptions]] = ResidueOptions

    def __init__(self, options: ResidueOptions) -> None:
        self.options = options
        self._tags = frozenset(options.tags) | {f"/{tag}" for tag in options.tags}
        self._pictured = IMAGE[1:-1] in self._tags
        words = "|".join(re.escape(word) for word in options.null_words)
        self._null = re.compile(rf"(?<![\w'-])(?:{words})(?![\w'-])")

    def check(self, row: Instruction, case: Case, pictures: Sequence[Rendered], context: Context) -> Iterator[Finding]:
        """Search the words of every turn, of the options, the answer and the labels."""
        turns = [message.content for message in row.messages]
        words = "\n".join([*turns, *row.options, row.answer, *row.labels])
        tagged = words.replace(IMAGE, "") if self._pictured else words
        if ("{" in words or "%(" in words) and _SLOT.search(words):
            yield refuse("residue_slot", "a slot of a template was not filled")
        elif "[" in words and _PLACE.search(words):
            yield refuse("residue_slot", "a bracketed slot of a template was not filled")
        if "<" in tagged and any(found not in self._tags for found in _TAG.findall(tagged)):
            yield refuse("residue_tag", "a tag stands in the words that is none of the allowed ones")
        for null in self.options.null_words:
            if null in words:
                if self._has_null(words, row):
                    yield refuse("residue_null", "an empty value of a table (nan, None, NULL) stands in the words")
                return

    def _has_null(self, words: str, row: Instruction) -> bool:
        # The words are the source's where neither a template nor a model wrote them.
        own = not row.provenance.template and not row.provenance.model
        return any(not _is_prose(words, found, own) for found in self._null.finditer(words))


def _is_prose(words: str, found: re.Match[str], own: bool) -> bool:
    if found[0] != "None":
        return False
    if words.startswith(" of ", found.end()):
        return True
    before = words[: found.start()].rstrip(" \t")
    return own and (not before or before[-1] in "\n.?!:;")
