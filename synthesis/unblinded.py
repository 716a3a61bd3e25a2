"""The task ``unblinded``: the model sees the picture and everything annotated, writes as if it saw the picture only.

PubMedVision's method (arXiv 2406.19280): one request yields a description, a question in one of ten scenes and its
answer.  Two rows come of it, a caption and an open question.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas import identity
from schemas.case import Case, ImageRef
from schemas.context import Context
from schemas.instruction import IMAGE, Instruction, Message, Provenance
from schemas.rendered import Rendered
from schemas.spec import Strict
from synthesis import prompt_file
from synthesis.base import Answer, Failure, Request
from synthesis.facts import Fact, facts
from synthesis.schema import json_schema

Variant = Literal["description", "question"]


class UnblindedOptions(Strict):
    """Options of the task."""

    prompt: str = ""
    """Path of a prompt file instead of the built-in one."""
    style: str = "full"
    """``full`` for real models; ``short`` for very small ones and for tests."""
    max_images: int = Field(default=4, ge=1)
    rows: tuple[Variant, ...] = ("description", "question")
    """Which of the two rows to make."""


class Written(BaseModel):
    """What the model must answer, and what parses its answer."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    description: str = Field(min_length=1, max_length=2000)
    question: str = Field(min_length=1, max_length=400)
    answer: str = Field(min_length=1, max_length=1200)


@dataclass(frozen=True, slots=True)
class Drawn:
    """The choices that were drawn for one case; the same whenever they are drawn again."""

    scene: str
    scene_text: str
    question: str


class Unblinded:
    """Image and reference in, description, question and answer out."""

    name: ClassVar[str] = "unblinded"
    Options: ClassVar[type[Strict]] = UnblindedOptions

    def __init__(self, options: UnblindedOptions) -> None:
        self._options = options
        self._path = Path(options.prompt) if options.prompt else prompt_file.built_in(self.name)
        self._style = prompt_file.load_style(self._path, options.style)
        self._schema = json_schema(Written)
        self._digest = prompt_file.style_digest(self._style, self._schema)

    def prompt(
        self, case: Case, pictures: Mapping[ImageRef, Rendered], context: Context
    ) -> Iterator[tuple[str, Request]]:
        """One request for both rows; none where there is no picture or nothing is known."""
        shown = self._shown(case)
        known = facts(case, shown)
        if not known or not shown or any(ref not in pictures for ref in shown):
            return
        request = Request(
            self._messages(case, known, self._draw(case, context)),
            tuple(pictures[ref] for ref in shown),
            self._schema,
        )
        for variant in self._options.rows:
            yield self._row_id(case, variant), request

    def parse(self, row_id: str, answer: Answer, case: Case, context: Context) -> Instruction | Failure:
        """The row that ``row_id`` stands for."""
        try:
            written = Written.model_validate_json(answer.texts[0])
        except ValidationError:
            return Failure("invalid_json", "the answer does not follow the schema", answer.digest)
        shown, drawn = self._shown(case), self._draw(case, context)
        marks = "\n".join([IMAGE] * len(shown))
        provenance = self._provenance(answer, facts(case, shown), drawn, context)
        if row_id == self._row_id(case, "description"):
            turns = (Message("user", f"{marks}\n{drawn.question}"), Message("assistant", written.description))
            return Instruction(row_id, "caption", turns, provenance, shown, answer=written.description)
        turns = (Message("user", f"{marks}\n{written.question}"), Message("assistant", written.answer))
        return Instruction(row_id, "open", turns, provenance, shown, answer=written.answer)

    def _row_id(self, case: Case, variant: str) -> str:
        return identity.row_id(case.dataset, case.key, self.name, variant)

    def _shown(self, case: Case) -> tuple[ImageRef, ...]:
        return case.images[: self._options.max_images]

    def _draw(self, case: Case, context: Context) -> Drawn:
        draw = identity.generator(context.seed, self._row_id(case, "draw"))
        scene = draw.choice(self._style.scenes) if self._style.scenes else None
        question = draw.choice(self._style.questions)
        return Drawn(scene.name if scene else "none", scene.text if scene else "", question)

    def _messages(self, case: Case, known: Sequence[Fact], drawn: Drawn) -> tuple[tuple[str, str], ...]:
        reference = "\n".join(fact.sentence for fact in known)
        where = str(self._path)
        user = prompt_file.fill(self._style.user, where, facts=reference, scene=drawn.scene_text)
        system = (("system", self._style.system.strip()),) if self._style.system.strip() else ()
        return (*system, ("user", user))

    def _provenance(self, answer: Answer, known: Sequence[Fact], drawn: Drawn, context: Context) -> Provenance:
        return Provenance(
            converter=self.name,
            template=f"{self.name}.{drawn.scene}.{context.language}",
            seed=context.seed,
            language=context.language,
            facts=tuple(dict.fromkeys(path for fact in known for path in fact.path.split(","))),
            model=answer.model,
            revision=answer.revision,
            sampling=answer.sampling,
            prompt_digest=self._digest,
            image_shown=True,
            request_digest=answer.digest,
        )
