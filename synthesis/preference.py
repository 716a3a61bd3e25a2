"""The task ``preference``: a checked answer against worse ones to the same question (MMPR, BDHS).

Chosen is the answer of a row that passed all checks.  Rejected are answers that a model gave to the same question:
``sampled`` with the picture at a high temperature, ``image_dropped`` without it, ``label_swapped`` told to say the
same of a label that is annotated as absent.  A rejected answer counts only where the checks show that it is wrong;
with ``unproven`` also where the way it was made says so, and then ``provenance.steps`` says that nothing else does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar, Literal

from pydantic import Field, create_model

from schemas import identity
from schemas.instruction import IMAGE, Instruction, Message, Task
from schemas.spec import Strict
from synthesis.base import Answer, Failure, Request
from synthesis.chain import About, Chain, StagedPrompt, language_name, made_by, parsed
from synthesis.checks.known import known_of
from synthesis.checks.terms import plain
from synthesis.mcq import LETTERS
from synthesis.prompted import Written, schema_of

Source = Literal["sampled", "image_dropped", "label_swapped"]
CONTRADICTS = "contradicts_"


class PreferenceOptions(Strict):
    """Options of the task."""

    sources: tuple[Source, ...] = Field(default=("sampled", "image_dropped", "label_swapped"), min_length=1)
    """Where rejected answers come from."""
    tasks: tuple[Task, ...] = ("caption", "report", "open", "mcq", "reasoning")
    """Rows of these tasks are chosen."""
    samples: int = Field(default=4, ge=1)
    """Answers per source."""
    temperature: float = 1.0
    max_rejected: int = Field(default=3, ge=1, le=9)
    unproven: bool = False
    """Whether answers made without the picture or of a wrong label count where no check shows them wrong."""
    prompt: str = ""
    """Path of a prompt file instead of the built-in one."""
    max_tokens: int | None = None


class Reply(Written):
    """An answer."""

    answer: str = Field(min_length=1, max_length=3000)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A worse answer, and why it is."""

    text: str
    step: str


class Preference(Chain):
    """A row in, the same question with a chosen and rejected answers out."""

    name: ClassVar[str] = "preference"
    Options: ClassVar[type[Strict]] = PreferenceOptions
    reads_rows: ClassVar[bool] = True

    def __init__(self, options: PreferenceOptions) -> None:
        self.options = options
        self.stages: int = len(options.sources)  # type: ignore[misc]
        self._prompt = StagedPrompt(self.name, options.prompt, ("sampled", "image_dropped", "label_swapped"))

    def start(self, about: About) -> Iterator[tuple[str, Request]]:
        """One preference for a row that shows pictures."""
        row = about.row
        assert row is not None
        sources = self._sources(about)
        if row.task in self.options.tasks and row.images and sources:
            row_id = identity.row_id(about.case.dataset, about.case.identity, self.name, row.id)
            yield row_id, self._request(sources[0], about)

    def follow(self, row_id: str, answers: Sequence[Answer], about: About) -> Request | Failure | None:
        """The next source."""
        sources = self._sources(about)
        return self._request(sources[len(answers)], about) if len(answers) < len(sources) else None

    def finish(self, row_id: str, answers: Sequence[Answer], about: About) -> Instruction | Failure:
        """The chosen answer and the rejected ones, where there is any."""
        row, sources = about.row, self._sources(about)
        assert row is not None
        chosen = row.messages[-1].content
        rejected: dict[str, Rejected] = {}
        for source, answer in zip(sources, answers, strict=True):
            for sample in parsed(_model_of(row), answer):
                proof, text = self._wrong(_said(sample), source, about), _text(sample)
                if proof and plain(text) != plain(chosen):
                    rejected.setdefault(plain(text), Rejected(text, f"{source}:{proof}:{answer.digest}"))
        if not rejected:
            detail = "no answer of the model is shown to be wrong"
            return Failure("no_rejected", detail, answers[-1].digest, status="filtered")
        return self._row(row_id, row, _mixed(list(rejected.values()), self.options.max_rejected), answers, about)

    def _row(
        self, row_id: str, row: Instruction, rejected: Sequence[Rejected], answers: Sequence[Answer], about: About
    ) -> Instruction:
        chosen = row.messages[-1].content
        made = made_by(self.name, answers, self._sources(about), self._prompt, about, shown=True)
        steps = (f"option0:row:{row.id}", *(f"option{n}:{one.step}" for n, one in enumerate(rejected, 1)))
        provenance = replace(made, facts=row.provenance.facts, language=row.provenance.language, steps=steps)
        return replace(
            row, id=row_id, task="preference", provenance=provenance, scores=(),
            options=(chosen, *(one.text for one in rejected)), answer=chosen, answer_index=0,
        )  # fmt: skip

    def _wrong(self, text: str, source: Source, about: About) -> str:
        """How it is known that the answer is worse; empty where it is not."""
        row = about.row
        assert row is not None
        if row.options:
            return "wrong_option" if text != _choices(row)[row.answer_index] else ""
        said = replace(row, messages=(*row.messages[:-1], Message("assistant", text)), answer=text)
        _, drop = about.checker.check(said, about.case, True)
        if drop is not None:
            return drop.reason if drop.reason.startswith(CONTRADICTS) else ""
        return "unproven" if self.options.unproven and source != "sampled" else ""

    def _request(self, source: Source, about: About) -> Request:
        row = about.row
        assert row is not None
        words = {
            "question": _asked(row),
            "chosen": _in_words(row),
            "truth": ", ".join(about.case.present()),
            "wrong": wrong_label(about),
            "language": language_name(row.provenance.language),
        }
        images = tuple(about.pictures[ref] for ref in row.images) if source == "sampled" else ()
        options = self.options
        return Request(
            self._prompt.messages(source, **words), images, schema_of(_model_of(row)),
            options.samples, options.temperature, options.max_tokens,
        )  # fmt: skip

    def _sources(self, about: About) -> tuple[Source, ...]:
        """The sources that this row has; a label can be swapped only for one that is not true of the case."""
        swaps = bool(wrong_label(about))
        return tuple(source for source in self.options.sources if source != "label_swapped" or swaps)


def wrong_label(about: About) -> str:
    """A label annotated as absent, drawn by the row's id; empty where there is none, or no label is present.

    Of a choice it is one of the options, since nothing else could be chosen.
    """
    assert about.row is not None
    polarity = known_of(about.case, about.context.spec, about.row.images).polarity
    options = about.row.options
    absent = sorted(name for name, said in polarity.items() if said == "absent" and (not options or name in options))
    if not absent or not about.case.present():
        return ""
    return identity.generator(about.context.seed, about.row.id, "wrong").choice(absent)


def _mixed(found: Sequence[Rejected], most: int) -> list[Rejected]:
    """At most so many, the sources in turn."""
    by_source: dict[str, list[Rejected]] = {}
    for one in found:
        by_source.setdefault(one.step.split(":")[0], []).append(one)
    rounds = max(map(len, by_source.values()))
    turns = [some[number] for number in range(rounds) for some in by_source.values() if number < len(some)]
    return turns[:most]


def _asked(row: Instruction) -> str:
    """The conversation up to the last answer, as text."""
    turns = [message.content.replace(IMAGE, "").strip() for message in row.messages[:-1]]
    return "\n".join(turns)


def _lettered(row: Instruction) -> tuple[str, ...]:
    return tuple(f"{LETTERS[number]}. {option}" for number, option in enumerate(row.options[: len(LETTERS)]))


def _in_words(row: Instruction) -> str:
    """The row's answer, with the words of its option where it is a letter alone."""
    said = row.messages[-1].content
    return _lettered(row)[row.answer_index] if len(said) == 1 and row.options else said


def _choices(row: Instruction) -> tuple[str, ...]:
    """The options in the form in which the row answers: the letter, the words, or both."""
    said = row.messages[-1].content
    letters = tuple(LETTERS[: len(row.options)])
    return letters if said in letters else row.options if said in row.options else _lettered(row)


def _model_of(row: Instruction) -> type[Written]:
    return _reply_model(_choices(row), row.task == "reasoning")


@lru_cache(maxsize=1024)
def _reply_model(options: tuple[str, ...], reasons: bool) -> type[Written]:
    """An answer in words, or one of the options, with reasons where the chosen answer has them."""
    if not options:
        return Reply
    first: dict[str, Any] = {"reasoning": (str, Field(min_length=1, max_length=3000))} if reasons else {}
    fields: dict[str, Any] = {**first, "answer": (Literal[options], ...)}
    return create_model("Choice", __base__=Written, **fields)


def _said(sample: Written) -> str:
    return str(getattr(sample, "answer"))  # noqa: B009 - a field of the model made above


def _text(sample: Written) -> str:
    reasons = getattr(sample, "reasoning", "")
    return f"{reasons}\n\nAnswer: {_said(sample)}" if reasons else _said(sample)
