"""Acquisition: modality, plane, projection, anatomy and side of the body part, as a choice from the table of values.

The values and what each may be told apart from stand in ``words/acquisition.yaml``; a fact that is not in
the table is not asked about.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from converters.asking import Asker
from converters.choosing import Choices, choose, with_options
from converters.geometry_words import plane_of
from converters.memo import of_last_case_and_spec
from schemas import taxonomy
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction
from schemas.spec import DatasetSpec, Strict
from schemas.yaml_file import load_yaml

Fact = Literal["modality", "plane", "view", "anatomy", "laterality"]
EVERY: tuple[Fact, ...] = ("modality", "plane", "view", "anatomy", "laterality")


class Value(Strict):
    """One answer."""

    aliases: list[str] = Field(default_factory=list)
    """How sources write it, compared without case."""
    level: str = ""
    """Only values of one level are offered together: a region of the body or an organ."""
    group: str = ""
    """Values of one group cannot be told apart safely, or one holds the other; they are never offered together."""
    names: dict[str, str] = Field(default_factory=dict)
    """The word in other languages."""


class Values(Strict):
    """Contents of ``words/acquisition.yaml``: fact -> canonical English word -> value."""

    facts: dict[str, dict[str, Value]]


@cache
def values() -> Values:
    """The table, read once."""
    return load_yaml(Path(__file__).parent / "words" / "acquisition.yaml", Values)


class AcquisitionOptions(Choices):
    """Options."""

    per_case: int = Field(default=1, ge=1)
    facts: tuple[Fact, ...] = EVERY
    """What may be asked about."""


class Acquisition:
    """Up to ``per_case`` questions for each case, about one of its images, drawn by the case's hash."""

    name: ClassVar[str] = "acquisition"

    Options = AcquisitionOptions

    def __init__(self, options: AcquisitionOptions) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the questions."""
        if not case.images:
            return
        ask = Asker(case, context, self.name, self.options)
        image = ask.generator("case", "image").randrange(len(case.images)) if len(case.images) > 1 else 0
        known = facts_of(case, context.spec, self.options.facts, image)
        order = ask.generator("case", "facts")
        for fact in order.sample(list(known), min(self.options.per_case, len(known))):
            yield self._row(ask, fact, image, known[fact])

    def _row(self, ask: Asker, fact: Fact, image: int, known: tuple[str, str]) -> Instruction:
        canonical, proof = known
        row = ask.about(fact)
        others, words = distractors(fact, canonical), written(fact, ask.language)
        chosen = choose(ask, row, canonical, others, self.options, words.__getitem__)
        template = ask.draw(fact, row)
        # The picture is not named by its kind here, because that may be the answer.
        plain = {"image": ask.words.shown(ask.words.PLAIN, 1)}
        return ask.row(
            row,
            "mcq",
            with_options(template.fill(plain), chosen.options, ask.language),
            chosen.letter,
            images=(image,),
            template=template.id,
            facts=(proof,),
            short=chosen.right,
            options=chosen.options,
            answer_index=chosen.index,
        )


@cache
def written(fact: str, language: str) -> dict[str, str]:
    """The values in the words of a language."""
    return {name: value.names.get(language, name) for name, value in values().facts[fact].items()}


@cache
def distractors(fact: str, canonical: str) -> tuple[str, ...]:
    """The values that may stand beside the right one: of its level, and of no group that it is in."""
    table = values().facts[fact]
    right = table[canonical]
    return tuple(
        name
        for name, value in table.items()
        if name != canonical and value.level == right.level and not (right.group and value.group == right.group)
    )


@of_last_case_and_spec
def facts_of(case: Case, spec: DatasetSpec, facts: tuple[Fact, ...], image: int) -> dict[Fact, tuple[str, str]]:
    """`fact_of` each of the facts that are known."""
    return {fact: found for fact in facts if (found := fact_of(case, spec, fact, image))}


def fact_of(case: Case, spec: DatasetSpec, fact: Fact, image: int = 0) -> tuple[str, str] | None:
    """(canonical word, path of the proof) of one fact about one image; None where unknown or not in the table."""
    if fact == "plane":
        view = case.images[image].view
        told = (plane_of(view), f"images[{image}].view.orientation") if plane_of(view) else (case.acquisition.plane, "")
    elif fact in ("modality", "anatomy") and not getattr(case.acquisition, fact):
        told = (getattr(spec, fact), f"spec.{fact}")
    else:
        told = (getattr(case.acquisition, fact), "")
    canonical = canonical_value(fact, told[0])
    return (canonical, told[1] or f"acquisition.{fact}") if canonical else None


@cache
def canonical_value(fact: str, word: str) -> str:
    """The table's word for what a source writes; empty where it has none."""
    spellings = [word.strip().lower()]
    if fact in ("modality", "anatomy"):
        spellings.append(taxonomy.canonical("modality" if fact == "modality" else "anatomy", word).lower())
    for name, value in values().facts[fact].items():
        known = {name.lower(), *(alias.lower() for alias in value.aliases)}
        if any(spelling in known for spelling in spellings if spelling):
            return name
    return ""
