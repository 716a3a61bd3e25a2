"""The verifier: a second model that judges what the first one wrote, criterion by criterion, before it is kept.

Its verdicts are columns of the row.  A row is kept where every essential criterion holds and the weighted share of
the others reaches the threshold (MedVLSynther, arXiv 2510.25867, whose essentials and threshold are the defaults).
"""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from schemas.instruction import Instruction, Verdict
from schemas.recipe import EngineChoice
from schemas.spec import Strict
from schemas.work import Drop, Work
from schemas.yaml_file import load_yaml
from synthesis import prompt_file
from synthesis.base import Engine, Failure, Request
from synthesis.facts import facts
from synthesis.judging import Judge, Outcome, quarantined, said_by, with_verdicts
from synthesis.schema import json_schema

GOOD = "yes"


class VerifierOptions(Strict):
    """``synthesis.checks.verifier`` of a recipe."""

    engine: EngineChoice
    """The judge; best another model than the writer."""
    prompt: str = ""
    """Path of a file of criteria instead of the built-in one."""
    threshold: float = Field(default=0.967, ge=0, le=1)
    shows_image: bool = True


class Criterion(Strict):
    """One thing that is judged."""

    name: str = Field(pattern=r"^[a-z_]+$")
    text: str
    essential: bool = False
    weight: float = Field(default=1.0, ge=0)
    penalty: float = Field(default=0.0, ge=0)
    """Taken off where it does not hold; with weight 0 a pitfall, which nobody is praised for avoiding."""
    verdicts: tuple[str, ...] = ("yes", "no")
    """``yes`` is the good one."""
    tasks: list[str] = Field(default_factory=list)
    """Only for rows of these tasks; empty for all."""


class Criteria(Strict):
    """A file of criteria with the prompt around them."""

    version: int
    system: str
    user: str
    criteria: list[Criterion]


@cache
def load_criteria(path: Path) -> Criteria:
    """The criteria in ``path``."""
    return load_yaml(path, Criteria)


@lru_cache(maxsize=256)
def verdict_model(criteria: tuple[tuple[str, tuple[str, ...]], ...]) -> type[BaseModel]:
    """An object with one enumerated verdict per criterion."""
    fields: dict[str, Any] = {name: (Literal[verdicts], ...) for name, verdicts in criteria}
    return create_model("Verdicts", __config__=ConfigDict(extra="forbid"), **fields)


class Verifier(Judge):
    """Judges rows by one engine."""

    def __init__(self, options: VerifierOptions, engine: Engine) -> None:
        self._engine = engine
        self._options = options
        path = Path(options.prompt) if options.prompt else prompt_file.built_in("verifier")
        self._path, self._criteria = path, load_criteria(path)

    @classmethod
    def sees(cls, options: VerifierOptions) -> bool:
        """As the recipe says."""
        return options.shows_image

    def _criteria_of(self, row: Instruction) -> list[Criterion]:
        task = row.provenance.converter
        return [one for one in self._criteria.criteria if not one.tasks or task in one.tasks]

    def _model(self, row: Instruction) -> type[BaseModel]:
        return verdict_model(tuple((one.name, one.verdicts) for one in self._criteria_of(row)))

    def requests(self, work: Work, row: Instruction) -> Sequence[Request]:
        """One request about all criteria."""
        assert work.case is not None
        criteria = self._criteria_of(row)
        words = {
            "facts": "\n".join(fact.sentence for fact in facts(work.case, row.images)),
            "question": said_by(row, "user"),
            "answer": said_by(row, "assistant"),
            "criteria": "\n".join(f"- {one.name} ({', '.join(one.verdicts)}): {one.text}" for one in criteria),
            "names": ", ".join(one.name for one in criteria),
        }
        user = prompt_file.fill(self._criteria.user, str(self._path), **words)
        images = tuple(work.pictures[ref] for ref in row.images) if self._options.shows_image else ()
        messages = (("system", self._criteria.system.strip()), ("user", user))
        return [Request(messages, images, json_schema(self._model(row)))]

    def verdict(self, row: Instruction, outcomes: Sequence[Outcome]) -> tuple[Instruction, Drop | None]:
        """All essentials, and the score of the rest."""
        (outcome,) = outcomes
        if isinstance(outcome, Failure):
            return row, quarantined("not_verified", f"no verdict: {outcome.detail}")
        try:
            verdicts: Mapping[str, str] = self._model(row).model_validate_json(outcome.texts[0]).model_dump()
        except ValidationError:
            return row, quarantined("not_verified", "the verdict does not follow the schema")
        criteria = self._criteria_of(row)
        score = score_of(criteria, verdicts)
        columns = [Verdict(f"verify_{name}", said, float(said == GOOD)) for name, said in verdicts.items()]
        judged = with_verdicts(row, [*columns, Verdict("verify", outcome.model, score)])
        failed = [one.name for one in criteria if one.essential and verdicts[one.name] != GOOD]
        if failed:
            return judged, quarantined("verifier_refused", f"the verifier says no to {failed[0]}")
        if score < self._options.threshold:
            detail = f"the verifier's score {score:.3f} is below {self._options.threshold:g}"
            return judged, quarantined("verifier_score", detail)
        return judged, None


def score_of(criteria: Sequence[Criterion], verdicts: Mapping[str, str]) -> float:
    """Weighted share of the criteria that are not essential and hold, less the penalties; 1 where there are none."""
    bonus = [one for one in criteria if not one.essential]
    possible = sum(one.weight for one in bonus)
    earned = sum(one.weight if verdicts[one.name] == GOOD else -one.penalty for one in bonus)
    return min(1.0, max(0.0, earned / possible)) if possible else 1.0
