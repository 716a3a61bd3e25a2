"""Gate: no text of a row names a person, a date, a number or a place that leads to one."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from quality.base import GateOptions, refuse
from quality.presidio_names import analyzer, names_in
from quality.recognisers import KINDS, kinds_in, mask
from quality.rewriting import hits_in, rewritten
from quality.surrogates import Surrogates
from schemas.case import Case
from schemas.context import Context
from schemas.errors import nearest
from schemas.findings import Finding
from schemas.instruction import Instruction, Message
from schemas.rendered import Rendered
from schemas.spec import DatasetSpec

Action = Literal["refuse", "mask", "surrogate", "flag", "allow"]

SOFT: dict[str, Action] = {"url": "flag", "institution": "flag", "age_over_89": "flag", "possible_name": "flag"}
"""Kinds that are rather about a place or a publication than about a patient, or that are only guessed."""


class IdentifiersOptions(GateOptions):
    """What to do with each kind of identifier that `quality.recognisers` knows."""

    action: Action = "refuse"
    """For all kinds that ``kinds`` does not name.  ``mask`` puts the kind in brackets in its place, ``surrogate`` a
    word of the same form, both before anything is asked or shown to a model.  Under ``refuse``, url, institution,
    age_over_89 and possible_name are only flagged, possible_name refused where the spec says ``ids: identifier``."""
    kinds: dict[str, Action] = Field(default_factory=dict)
    presidio: str = ""
    """Name of an installed spaCy model: then Presidio looks for names and places too (`quality.presidio_names`), as
    possible names: of 373 persons in reports 368 are found instead of 351, at 17 ms a text."""
    case_ids: Action = "flag"
    """For identifiers in the published case id; hashed ones (``group.ids: identifier``) hold none."""

    @field_validator("kinds")
    @classmethod
    def _known(cls, value: dict[str, Action]) -> dict[str, Action]:
        for kind in value:
            if kind not in KINDS:
                raise ValueError(f"there is no kind of identifier {kind!r}{nearest(kind, KINDS)}")
        return value

    def of(self, kind: str, spec: DatasetSpec) -> Action:
        """What is done with identifiers of one kind in one dataset."""
        if kind in self.kinds:
            return self.kinds[kind]
        if self.action != "refuse" or (kind == "possible_name" and spec.group.ids == "identifier"):
            return self.action
        return SOFT.get(kind, self.action)

    @property
    def draws(self) -> bool:
        """Whether surrogates are drawn, for which there must be a secret key."""
        return "surrogate" in (self.action, *self.kinds.values())


class Identifiers:
    """Refuses, masks or flags rows whose words could name somebody.

    Codes: ``identifier_<kind>`` for what the recognisers find, ``identifier_group`` for the case's own group id
    (the patient's id where the source has one) standing in a text, ``identifier_case_id``,
    ``identifier_masked`` (a flag) where something was replaced.
    """

    name: ClassVar[str] = "identifiers"
    Options: ClassVar[type[GateOptions]] = IdentifiersOptions

    def __init__(self, options: IdentifiersOptions) -> None:
        self.options = options
        if options.presidio:
            analyzer(options.presidio)
        self._more = partial(names_in, model=options.presidio) if options.presidio else None
        self._masked = frozenset(kind for kind in KINDS if options.kinds.get(kind, options.action) == "mask")

    def check(self, row: Instruction, case: Case, pictures: Sequence[Rendered], context: Context) -> Iterator[Finding]:
        """Search every text of the row once."""
        texts = _texts(row)
        kinds = self._kinds(texts, case)
        if kinds:
            yield from self._report(kinds, context.spec)
        group, ids = case.group or "", context.spec.group.ids
        if ids != "none" and len(group) >= 4 and any(group in text for text in texts):
            yield refuse("identifier_group", "a text holds the id of the case's own patient or group")
        if ids != "identifier" and self.options.case_ids != "allow" and _kinds_of_key(case.key):
            yield self._case_id(_kinds_of_key(case.key))

    def rewrite(self, case: Case, context: Context) -> Case:
        """The case with identifiers in its texts and questions masked or replaced, as the options say.

        The very same case where there is nothing to do.  Flags: ``identifier_masked``, ``identifier_surrogate``.
        """
        actions = {kind: self.options.of(kind, context.spec) for kind in KINDS}
        if not {"mask", "surrogate"} & set(actions.values()) or not (case.texts or case.questions):
            return case
        draw = Surrogates(context.secret, (case.dataset, case.group or case.key))
        return rewritten(case, actions, draw, self._more)

    def repair(self, row: Instruction) -> Instruction:
        """The row with identifiers replaced whose action is ``mask``; the same row where there is none."""
        if not self._masked or not any(kinds_in(text) & self._masked for text in _texts(row)):
            return row
        return replace(
            row,
            messages=tuple(Message(turn.role, mask(turn.content, self._masked)) for turn in row.messages),
            options=tuple(mask(option, self._masked) for option in row.options),
            answer=mask(row.answer, self._masked),
            labels=tuple(mask(label, self._masked) for label in row.labels),
            flags=(*row.flags, "identifier_masked"),
        )

    def _kinds(self, texts: Sequence[str], case: Case) -> frozenset[str]:
        if not case.identifiers and not case.surrogates and self._more is None:
            return _UNITED(*map(kinds_in, texts))
        return frozenset(hit.kind for text in texts for hit in hits_in(text, case, self._more))

    def _report(self, kinds: frozenset[str], spec: DatasetSpec) -> Iterator[Finding]:
        for kind in sorted(kinds):
            detail = f"a text holds what looks like an identifier of the kind {kind}"
            action = self.options.of(kind, spec)
            if action in ("refuse", "mask", "surrogate"):
                yield refuse(f"identifier_{kind}", detail)
            elif action == "flag":
                yield Finding(f"identifier_{kind}", detail)

    def _case_id(self, kinds: frozenset[str]) -> Finding:
        text = f"its case id holds what looks like {', '.join(sorted(kinds))}; set group.ids: identifier to hash it"
        return (
            refuse("identifier_case_id", text)
            if self.options.case_ids != "flag"
            else Finding("identifier_case_id", text)
        )


_UNITED = frozenset[str]().union


@lru_cache(maxsize=64)
def _kinds_of_key(key: str) -> frozenset[str]:
    """What the name of a file or folder says; the rows of a case ask about the same one."""
    # Separators become spaces so that words in them are seen as words.
    return kinds_in(key.replace("_", " ").replace("/", " ")) & {"person", "email", "ssn", "date"}


def _texts(row: Instruction) -> list[str]:
    texts = [row.answer, row.modality, row.anatomy, row.clinical_task, *row.options, *row.labels]
    texts += [turn.content for turn in row.messages]
    if row.regions:
        texts += [place.label for place in row.regions]
    return texts
