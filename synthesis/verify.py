"""The verifier: a second model that judges what the first one wrote, criterion by criterion, before it is kept.

Its verdicts are columns of the row.  A row is kept where every essential criterion holds and the weighted share of
the others reaches the threshold (MedVLSynther, arXiv 2510.25867, whose essentials and threshold are the defaults).
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from schemas.instruction import IMAGE, Instruction, Verdict
from schemas.ledger import Status
from schemas.recipe import EngineChoice
from schemas.spec import Strict
from schemas.work import Drop, Work
from schemas.yaml_file import load_yaml
from synthesis import prompt_file
from synthesis.base import Answer, Engine, Failure, Request
from synthesis.facts import facts
from synthesis.schema import json_schema

STAGE = "synthesis"
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


class Verifier:
    """Judges rows by one engine."""

    def __init__(self, options: VerifierOptions, engine: Engine) -> None:
        self._options, self._engine = options, engine
        path = Path(options.prompt) if options.prompt else prompt_file.built_in("verifier")
        self._path, self._criteria = path, load_criteria(path)

    def judge(self, works: Iterator[Work], written: Sequence[str]) -> Iterator[Work]:
        """Have every row of the converters in ``written`` judged; yields in order, many requests in flight.

        A row that does not pass goes to ``Work.refused``; one that could not be judged goes there too, with the
        reason why, since nothing unproven is let through.
        """
        waiting: deque[tuple[Work, list[tuple[Instruction, Future[Answer | Failure]]]]] = deque()
        in_flight = 0
        for work in works:
            asked = [(row, self._engine.submit(self._request(work, row))) for row in self._rows(work, written)]
            waiting.append((work, asked))
            in_flight += len(asked)
            while waiting and (in_flight >= self._engine.capacity or all(f.done() for _, f in waiting[0][1])):
                in_flight -= len(waiting[0][1])
                yield self._settle(*waiting.popleft())
        while waiting:
            yield self._settle(*waiting.popleft())
        self._engine.account()

    @staticmethod
    def _rows(work: Work, written: Sequence[str]) -> list[Instruction]:
        return [row for row in work.rows if row.provenance.converter in written]

    def _criteria_of(self, row: Instruction) -> list[Criterion]:
        task = row.provenance.converter
        return [one for one in self._criteria.criteria if not one.tasks or task in one.tasks]

    def _model(self, row: Instruction) -> type[BaseModel]:
        return verdict_model(tuple((one.name, one.verdicts) for one in self._criteria_of(row)))

    def _request(self, work: Work, row: Instruction) -> Request:
        assert work.case is not None
        criteria = self._criteria_of(row)
        words = {
            "facts": "\n".join(fact.sentence for fact in facts(work.case, row.images)),
            "question": _said(row, "user"),
            "answer": _said(row, "assistant"),
            "criteria": "\n".join(f"- {one.name} ({', '.join(one.verdicts)}): {one.text}" for one in criteria),
            "names": ", ".join(one.name for one in criteria),
        }
        user = prompt_file.fill(self._criteria.user, str(self._path), **words)
        images = tuple(work.pictures[ref] for ref in row.images) if self._options.shows_image else ()
        messages = (("system", self._criteria.system.strip()), ("user", user))
        return Request(messages, images, json_schema(self._model(row)))

    def _settle(self, work: Work, asked: list[tuple[Instruction, "Future[Answer | Failure]"]]) -> Work:
        for row, future in asked:
            judged, drop = self._verdict(row, future.result())
            work.rows[work.rows.index(row)] = judged
            if drop is not None:
                work.refuse(judged, drop)
        return work

    def _verdict(self, row: Instruction, outcome: Answer | Failure) -> tuple[Instruction, Drop | None]:
        if isinstance(outcome, Failure):
            return row, Drop(Status.QUARANTINED, STAGE, "not_verified", f"no verdict: {outcome.detail}")
        try:
            verdicts: Mapping[str, str] = self._model(row).model_validate_json(outcome.texts[0]).model_dump()
        except ValidationError:
            return row, Drop(Status.QUARANTINED, STAGE, "not_verified", "the verdict does not follow the schema")
        criteria = self._criteria_of(row)
        score = score_of(criteria, verdicts)
        columns = [Verdict(f"verify_{name}", said, float(said == GOOD)) for name, said in verdicts.items()]
        columns.append(Verdict("verify", outcome.model, score))
        provenance = replace(row.provenance, verdicts=(*row.provenance.verdicts, *columns))
        judged = replace(row, provenance=provenance)
        failed = [one.name for one in criteria if one.essential and verdicts[one.name] != GOOD]
        if failed:
            return judged, Drop(Status.QUARANTINED, STAGE, "verifier_refused", f"the verifier says no to {failed[0]}")
        if score < self._options.threshold:
            detail = f"the verifier's score {score:.3f} is below {self._options.threshold:g}"
            return judged, Drop(Status.QUARANTINED, STAGE, "verifier_score", detail)
        return judged, None


def score_of(criteria: Sequence[Criterion], verdicts: Mapping[str, str]) -> float:
    """Weighted share of the criteria that are not essential and hold; 1 where there are none."""
    bonus = [one for one in criteria if not one.essential]
    possible = sum(one.weight for one in bonus)
    return sum(one.weight for one in bonus if verdicts[one.name] == GOOD) / possible if possible else 1.0


def _said(row: Instruction, role: str) -> str:
    return "\n".join(message.content.replace(IMAGE, "").strip() for message in row.messages if message.role == role)
