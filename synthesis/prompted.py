"""What all tasks that fill a prompt file share: what is shown and told, which scene is drawn, what provenance says."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas import identity
from schemas.case import Case, ImageRef
from schemas.context import Context
from schemas.errors import UserError, nearest
from schemas.instruction import IMAGE, Instruction, Message, Provenance
from schemas.instruction import Task as Kind
from schemas.rendered import Rendered
from schemas.spec import Strict
from synthesis import prompt_file
from synthesis.base import Answer, Failure, Request
from synthesis.facts import Fact, about_the_case, facts
from synthesis.schema import json_schema

LANGUAGES = {
    "ar": "Arabic", "de": "German", "en": "English", "es": "Spanish", "fr": "French", "hi": "Hindi", "it": "Italian",
    "ja": "Japanese", "pt": "Portuguese", "ru": "Russian", "zh": "Chinese",
}  # fmt: skip


KEPT = 4096
"""Cases whose `Setting` is held at most, from when they are asked about until their last row is made."""


class Written(BaseModel):
    """What a model must answer, and what parses its answer; the JSON schema is made of the same class."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class PromptOptions(Strict):
    """Options of every task with a prompt."""

    prompt: str = ""
    """Path of a prompt file instead of the built-in one."""
    style: str = "full"
    """``full`` for real models; ``short`` for very small ones and for tests."""
    max_images: int = Field(default=4, ge=1)
    samples: int = Field(default=1, ge=1)
    temperature: float | None = Field(default=None, ge=0)
    """Instead of the engine's."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Instead of the engine's."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Everything about one case that the prompt and the row are made of; the same whenever it is worked out again."""

    case: Case
    context: Context
    shown: tuple[ImageRef, ...]
    known: tuple[Fact, ...]
    scene: str
    scene_text: str
    question: str
    """The drawn wording of the prompt file's ``questions``."""


@lru_cache(maxsize=1024)
def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of an answer model; do not change what is returned."""
    return json_schema(model)


class PromptedTask(ABC):
    """A task that asks one request per case and makes one row per variant of its answer."""

    name: ClassVar[str]
    Options: ClassVar[type[Strict]] = PromptOptions
    prompts: ClassVar[Path] = prompt_file.FOLDER
    """Where ``<name>.yaml`` lies; a task of another package names its own folder."""
    kind: ClassVar[Kind] = "open"
    variants: ClassVar[tuple[str, ...]] = ("row",)
    shows_image: bool = True
    allow_advice: ClassVar[bool] = False
    """Whether the texts may recommend and prescribe."""

    def __init__(self, options: PromptOptions) -> None:
        self.options = options
        self._path = Path(options.prompt) if options.prompt else self.prompts / f"{self.name}.yaml"
        self._style = prompt_file.load_style(self._path, options.style)
        self._digests: dict[type[Written], str] = {}
        self._settings: dict[int, Setting] = {}

    @abstractmethod
    def model(self, setting: Setting) -> type[Written]:
        """The class of the answer."""

    @abstractmethod
    def row(self, variant: str, written: Any, setting: Setting, provenance: Provenance) -> Instruction | Failure:
        """The row of one variant."""

    def rows_of(self, setting: Setting) -> Sequence[str]:
        """The variants to make of this case; none where the task has nothing to ask."""
        return self.variants if about_the_case(setting.known) else ()

    def words(self, setting: Setting) -> dict[str, str]:
        """Further words that the prompt may name."""
        return {}

    def part(self, name: str, setting: Setting) -> str:
        """A wording of the prompt file that an option chooses; `UserError` where the file has none of that name."""
        if name not in self._style.parts:
            raise UserError(f"{self._path}: there is no part {name!r}{nearest(name, self._style.parts)}")
        return prompt_file.fill(self._style.parts[name], str(self._path), language=_language(setting))

    def prompt(
        self, case: Case, pictures: Mapping[ImageRef, Rendered], context: Context
    ) -> Iterator[tuple[str, Request]]:
        """One request, shared by all rows that are made of its answer."""
        setting = self.setting(case, context)
        variants = self.rows_of(setting)
        if not variants or not setting.shown or any(ref not in pictures for ref in setting.shown):
            return
        images = tuple(pictures[ref] for ref in setting.shown) if self.shows_image else ()
        options = self.options
        request = Request(
            self._messages(setting), images, schema_of(self.model(setting)),
            options.samples, options.temperature, options.max_tokens,
        )  # fmt: skip
        for variant in variants:
            yield self.row_id(case, variant), request

    def parse(self, row_id: str, answer: Answer, case: Case, context: Context) -> Instruction | Failure:
        """The row that ``row_id`` stands for."""
        setting = self.setting(case, context)
        variants = self.rows_of(setting)
        variant = next(variant for variant in variants if self.row_id(case, variant) == row_id)
        if variant == variants[-1]:
            self._settings.pop(id(case), None)
        model = self.model(setting)
        written = [parsed for text in answer.texts if (parsed := _parsed(model, text)) is not None]
        if not written:
            return Failure("invalid_json", "the answer does not follow the schema", answer.digest)
        return self.of_samples(variant, written, answer, setting)

    def of_samples(
        self, variant: str, written: Sequence[Written], answer: Answer, setting: Setting
    ) -> Instruction | Failure:
        """The row of all samples; the first one's where a task does not compare them."""
        return self.row(variant, written[0], setting, self.provenance(answer, setting))

    def setting(self, case: Case, context: Context) -> Setting:
        """What is shown, known and drawn."""
        known = self._settings.get(id(case))
        if known is None or known.case is not case or known.context is not context:
            if len(self._settings) >= KEPT:
                del self._settings[next(iter(self._settings))]
            known = self._settings[id(case)] = self._work_out(case, context)
        return known

    def _work_out(self, case: Case, context: Context) -> Setting:
        shown = case.images[: self.options.max_images]
        draw = identity.generator(context.seed, self.row_id(case, "draw"))
        scene = draw.choice(self._style.scenes) if self._style.scenes else None
        question = draw.choice(self._style.questions) if self._style.questions else ""
        known = tuple(facts(case, shown, context.spec))
        name, text = (scene.name, scene.text) if scene else ("none", "")
        return Setting(case, context, shown, known, name, text, question)

    def row_id(self, case: Case, variant: str) -> str:
        """Id of one row."""
        return _row_id(case.dataset, case.identity, self.name, variant)

    def instruction(
        self, variant: str, setting: Setting, provenance: Provenance, turns: Sequence[tuple[str, str]], **fields: Any
    ) -> Instruction:
        """A row of (question, answer) turns, its pictures before the first question."""
        marks = "\n".join([IMAGE] * len(setting.shown))
        messages = []
        for number, (question, answer) in enumerate(turns):
            asked = f"{marks}\n{question}" if number == 0 else question
            messages += [Message("user", asked), Message("assistant", answer)]
        fields.setdefault("answer", turns[-1][1])
        kind = cast(Kind, fields.pop("task", self.kind))
        row_id = self.row_id(setting.case, variant)
        return Instruction(row_id, kind, tuple(messages), provenance, setting.shown, **fields)

    def provenance(self, answer: Answer, setting: Setting) -> Provenance:
        """Who wrote the row, with what, from what."""
        context = setting.context
        return Provenance(
            converter=self.name,
            template=f"{self.name}.{setting.scene}.{context.language}",
            seed=context.seed,
            language=context.language,
            facts=tuple(dict.fromkeys(path for fact in setting.known for path in fact.path.split(","))),
            model=answer.model,
            revision=answer.revision,
            sampling=answer.sampling,
            prompt_digest=self._digest(self.model(setting)),
            image_shown=self.shows_image,
            request_digest=answer.digest,
            steps=tuple(f"picture:{picture}" for picture in answer.resized),
        )

    def _digest(self, model: type[Written]) -> str:
        if model not in self._digests:
            self._digests[model] = prompt_file.style_digest(self._style, schema_of(model))
        return self._digests[model]

    def _messages(self, setting: Setting) -> tuple[tuple[str, str], ...]:
        words = {
            "facts": "\n".join(fact.sentence for fact in setting.known),
            "scene": setting.scene_text,
            "language": _language(setting),
            **self.words(setting),
        }
        user = prompt_file.fill(self._style.user, str(self._path), **words)
        system = prompt_file.fill(self._style.system, str(self._path), **words)
        return ((("system", system),) if system else ()) + (("user", user),)


def _language(setting: Setting) -> str:
    return LANGUAGES.get(setting.context.language, setting.context.language)


_row_id = lru_cache(maxsize=4096)(identity.row_id)
"""An id is needed when the request is made, when its answer comes and when the row is written."""


def _parsed(model: type[Written], text: str) -> Written | None:
    try:
        return model.model_validate_json(text)
    except ValidationError:
        return None
