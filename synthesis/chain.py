"""A task of several requests, each made of the answers before it; and what such a task is told."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from pydantic import BaseModel, Field, ValidationError

from schemas import identity
from schemas.case import Case, ImageRef
from schemas.context import Context
from schemas.errors import UserError, nearest
from schemas.instruction import Instruction, Provenance
from schemas.rendered import Rendered
from schemas.spec import Strict
from schemas.work import Drop
from schemas.yaml_file import load_yaml
from synthesis import prompt_file
from synthesis.base import Answer, Failure, Request
from synthesis.facts import Fact
from synthesis.prompted import LANGUAGES

Model = TypeVar("Model", bound=BaseModel)


class Checker(Protocol):
    """Compares a row with the annotation of its case; see `synthesis.checks.rows.RowChecker`."""

    def check(self, row: Instruction, case: Case, allow_advice: bool) -> tuple[Instruction, Drop | None]:
        """The row with its verdicts, and why it is out where it is."""
        ...


@dataclass(frozen=True, slots=True)
class About:
    """Everything that a chain may know."""

    case: Case
    pictures: Mapping[ImageRef, Rendered]
    context: Context
    checker: Checker
    row: Instruction | None = None
    """The row that the chain starts from; ``None`` where it starts from the case."""


class Chain(ABC):
    """Registered under ``medcurate.tasks`` like every task; the pipeline asks its requests one after another."""

    name: ClassVar[str]
    Options: ClassVar[type[Strict]]
    reads_rows: ClassVar[bool] = False
    """Whether it starts from each row that is there already, once those are checked and judged."""
    allow_advice: ClassVar[bool] = False
    stages: ClassVar[int]
    """Requests for one row at most; what a dry run counts."""

    @abstractmethod
    def __init__(self, options: Any) -> None: ...

    @abstractmethod
    def start(self, about: About) -> Iterator[tuple[str, Request]]:
        """Yield (row id, first request) for what should be written."""

    @abstractmethod
    def follow(self, row_id: str, answers: Sequence[Answer], about: About) -> Request | Failure | None:
        """The next request after ``answers``; why there can be none; or ``None`` where everything has been asked."""

    @abstractmethod
    def finish(self, row_id: str, answers: Sequence[Answer], about: About) -> Instruction | Failure:
        """The row of all answers, or why there is none."""


class Stages(Strict):
    """A prompt file of a chain: one wording per stage."""

    version: int
    system: str = ""
    stages: dict[str, str]
    questions: list[str] = Field(default_factory=list)
    """Wordings of the question to which the text is the answer."""


class StagedPrompt:
    """The prompt file of a chain, filled in."""

    def __init__(self, task: str, path: str, needed: Sequence[str]) -> None:
        """Load the built-in file of ``task``, or the one at ``path``; `UserError` where a needed stage is missing."""
        self._path = Path(path) if path else prompt_file.built_in(task)
        self.file = _load(self._path)
        for name in needed:
            if name not in self.file.stages:
                raise UserError(f"{self._path}: there is no stage {name!r}{nearest(name, self.file.stages)}")
        self.digest = identity.digest("prompt", self.file.model_dump_json())

    def messages(self, stage: str, **words: str) -> tuple[tuple[str, str], ...]:
        """The messages of one stage."""
        user = prompt_file.fill(self.file.stages[stage], str(self._path), **words)
        system = self.file.system.strip()
        return ((("system", system),) if system else ()) + (("user", user),)

    def question(self, seed: int, row_id: str) -> str:
        """One of the fixed wordings, drawn by the row's id."""
        return identity.generator(seed, row_id, "question").choice(self.file.questions)


@cache
def _load(path: Path) -> Stages:
    return load_yaml(path, Stages)


def parsed(model: type[Model], answer: Answer) -> list[Model]:
    """The samples of an answer that follow the schema."""
    found = []
    for text in answer.texts:
        try:
            found.append(model.model_validate_json(text))
        except ValidationError:
            continue
    return found


def not_json(answer: Answer) -> Failure:
    """What becomes of an answer none of whose samples follows the schema."""
    return Failure("invalid_json", "the answer does not follow the schema", answer.digest)


def told(known: Sequence[Fact]) -> str:
    """Facts as a prompt states them."""
    return "\n".join(fact.sentence for fact in known)


def paths(known: Sequence[Fact]) -> tuple[str, ...]:
    """Where the facts are stated."""
    return tuple(dict.fromkeys(path for fact in known for path in fact.path.split(",")))


def language_name(code: str) -> str:
    """English name of a language."""
    return LANGUAGES.get(code, code)


def made_by(
    name: str, answers: Sequence[Answer], stages: Sequence[str], prompt: StagedPrompt, about: About, shown: bool
) -> Provenance:
    """Provenance of a row that a chain wrote: the last answer's request, and each stage's in ``steps``."""
    last, context = answers[-1], about.context
    pictures = dict.fromkeys(f"picture:{picture}" for answer in answers for picture in answer.resized)
    return Provenance(
        converter=name,
        template=f"{name}.{context.language}",
        seed=context.seed,
        language=context.language,
        model=last.model,
        revision=last.revision,
        sampling=last.sampling,
        prompt_digest=prompt.digest,
        image_shown=shown,
        request_digest=last.digest,
        steps=(*pictures, *(f"{stage}:{answer.digest}" for stage, answer in zip(stages, answers, strict=True))),
    )
