"""The task ``translate``: every checked row once more in another language, translated back and compared.

A row is cut into the pieces of text that it is made of (a line without its option letter, the answer, each option),
each different piece is translated once, and the row is put together again, so that question, options and answer agree.
A second request translates the pieces back without seeing the first ones.  What is lost on the way shows then: numbers,
sides, what is affirmed and denied, and terms whose translation is given.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, create_model

from schemas import identity
from schemas.instruction import IMAGE, Instruction, Message, Task, Verdict
from schemas.spec import Strict
from schemas.yaml_file import load_yaml
from synthesis.base import Answer, Failure, Request
from synthesis.chain import About, Chain, StagedPrompt, language_name, made_by, not_json, parsed
from synthesis.checks.kept_words import kept_terms, lost_on_the_way, overlap
from synthesis.checks.vocabulary import Vocabulary
from synthesis.prompted import Written, schema_of

STAGES = ("translate", "back")
LEAD = re.compile(r"^(?:answer: )?(?:[A-J][.:)] )?", re.IGNORECASE)
"""What stands before a piece and stays: an option's letter, the word for the answer."""
LETTERS_ALONE = re.compile(r"[A-J](?:, [A-J])*")
"""An answer by letters, which are the options' in every language."""
MARKUP = re.compile(r"</?(?:ref|box|seg|mask|region|point)>", re.IGNORECASE)
MAX_PIECES = 40


class TranslateOptions(Strict):
    """Options of the task."""

    language: str
    """Code of the language to translate into, e.g. ``ar``."""
    prompt: str = ""
    """Path of a prompt file instead of the built-in one."""
    terms: dict[str, str] = Field(default_factory=dict)
    """Term to its translation, which must then stand in the text."""
    terminology: str = ""
    """Path of a YAML file of such terms, for long lists."""
    tasks: tuple[Task, ...] = (
        "caption", "report", "mcq", "yes_no", "open", "multi_label", "ordinal", "count", "dialogue", "reasoning",
    )  # fmt: skip
    """Rows of these tasks are translated."""
    minimum_overlap: float = Field(default=0.5, ge=0, le=1)
    """Share of a row's meaningful words that must come back; a paraphrase keeps more than half."""
    max_tokens: int | None = None


class Pieces(Written):
    """Translations in the order of the texts."""

    texts: list[str]


class Terminology(Strict):
    """A file of terms."""

    terms: dict[str, str]


class Translate(Chain):
    """A row in, the same row in another language out."""

    name: ClassVar[str] = "translate"
    Options: ClassVar[type[Strict]] = TranslateOptions
    reads_rows: ClassVar[bool] = True
    stages: ClassVar[int] = 2

    def __init__(self, options: TranslateOptions) -> None:
        self.options = options
        self._prompt = StagedPrompt(self.name, options.prompt, STAGES)
        listed = _terminology(Path(options.terminology)).terms if options.terminology else {}
        self._terms = {**listed, **options.terms}

    def start(self, about: About) -> Iterator[tuple[str, Request]]:
        """One translation of the row."""
        row = about.row
        assert row is not None
        other = row.provenance.language != self.options.language
        plain = not any(MARKUP.search(message.content) for message in row.messages)
        texts = pieces(row)
        if other and plain and row.task in self.options.tasks and len(texts) <= MAX_PIECES:
            yield self._row_id(about), self._request("translate", texts, row.provenance.language, self.options.language)

    def follow(self, row_id: str, answers: Sequence[Answer], about: About) -> Request | Failure | None:
        """The way back."""
        row = about.row
        assert row is not None
        said = parsed(pieces_model(len(pieces(row))), answers[-1])
        if not said:
            return not_json(answers[-1])
        if len(answers) == len(STAGES):
            return None
        return self._request("back", said[0].texts, self.options.language, row.provenance.language)

    def finish(self, row_id: str, answers: Sequence[Answer], about: About) -> Instruction | Failure:
        """The row in its new language, where nothing was lost on the way there and back."""
        row, context = about.row, about.context
        assert row is not None
        source = pieces(row)
        there, back = (parsed(pieces_model(len(source)), answer)[0].texts for answer in answers)
        missing = kept_terms(source, there, self._terms)
        if missing:
            return _refused("term_missing", f"a given translation is missing: {missing}", answers)
        lost = lost_on_the_way(source, there, back, _vocabulary(tuple(context.spec.canonical()), tuple(self._terms)))
        if lost:
            return _refused("lost_in_translation", f"{lost} did not come back from the translation", answers)
        share = overlap(" ".join(source), " ".join(back))
        if share < self.options.minimum_overlap:
            return _refused("lost_in_translation", f"only {share:.2f} of the words came back", answers)
        if [text.casefold() for text in source] == [text.casefold() for text in there]:
            return _refused("not_translated", "the translation is the text itself", answers)
        refusal = self._contradiction(row, source, back, about)
        return refusal or self._row(row_id, row, dict(zip(source, there, strict=True)), share, answers, about)

    def _contradiction(self, row: Instruction, source: Sequence[str], back: Sequence[str], about: About) -> Any:
        """What came back is compared with the annotation like every text."""
        _, drop = about.checker.check(_rebuilt(row, dict(zip(source, back, strict=True))), about.case, True)
        return None if drop is None else Failure(drop.reason, drop.detail, status="quarantined")

    def _row(
        self, row_id: str, row: Instruction, of: dict[str, str], share: float, answers: Sequence[Answer], about: About
    ) -> Instruction:
        made = made_by(self.name, answers, STAGES, self._prompt, about, shown=False)
        made = replace(
            made,
            template=f"{self.name}.{self.options.language}",
            language=self.options.language,
            facts=row.provenance.facts,
            verdicts=(Verdict("back_translation", "kept", round(share, 4)),),
            steps=(f"row:{row.id}", *made.steps),
        )
        return replace(_rebuilt(row, of), id=row_id, provenance=made)

    def _request(self, stage: str, texts: Sequence[str], source: str, target: str) -> Request:
        numbered = "\n".join(f"{number}. {text}" for number, text in enumerate(texts, 1))
        pairs = self._terms if stage == "translate" else {}
        terms = "; ".join(f"{term} = {word}" for term, word in pairs.items() if _stands(term, texts))
        words = {
            "source": language_name(source), "target": language_name(target), "count": str(len(texts)),
            "texts": numbered, "terms": terms or "none",
        }  # fmt: skip
        schema = schema_of(pieces_model(len(texts)))
        return Request(self._prompt.messages(stage, **words), (), schema, max_tokens=self.options.max_tokens)

    def _row_id(self, about: About) -> str:
        assert about.row is not None
        variant = f"{self.options.language}-{about.row.id}"
        return identity.row_id(about.case.dataset, about.case.identity, self.name, variant)


def pieces(row: Instruction) -> list[str]:
    """The different texts that a row is made of, in the order in which they first stand there."""
    texts = [*(message.content for message in row.messages), row.answer, *row.options]
    lines = (LEAD.sub("", line.strip()) for text in texts for line in text.split("\n"))
    return list(dict.fromkeys(line for line in lines if _words(line)))


def _words(text: str) -> bool:
    named = text not in ("", IMAGE) and LETTERS_ALONE.fullmatch(text) is None
    return named and any(letter.isalpha() for letter in text)


def _rebuilt(row: Instruction, of: dict[str, str]) -> Instruction:
    messages = tuple(
        Message(message.role, "\n".join(_line(line, of) for line in message.content.split("\n")))
        for message in row.messages
    )
    options = tuple(_line(option, of) for option in row.options)
    answer = "\n".join(_line(line, of) for line in row.answer.split("\n"))
    return replace(row, messages=messages, options=options, answer=answer)


def _line(line: str, of: dict[str, str]) -> str:
    text = LEAD.sub("", line.strip())
    return line.strip().removesuffix(text) + of.get(text, text)


@lru_cache(maxsize=64)
def pieces_model(count: int) -> type[Pieces]:
    """So many texts, none of them empty."""
    text = Annotated[str, Field(min_length=1, max_length=4000)]
    fields: dict[str, Any] = {"texts": (Annotated[list[text], Field(min_length=count, max_length=count)], ...)}
    return create_model("Pieces", __base__=Pieces, **fields)


def _stands(term: str, texts: Sequence[str]) -> bool:
    return any(Vocabulary([term]).mentions(text.casefold()) for text in texts)


@cache
def _terminology(path: Path) -> Terminology:
    return load_yaml(path, Terminology)


@lru_cache(maxsize=64)
def _vocabulary(canonical: tuple[str, ...], terms: tuple[str, ...]) -> Vocabulary:
    return Vocabulary([*canonical, *terms])


def _refused(code: str, detail: str, answers: Sequence[Answer]) -> Failure:
    return Failure(code, detail, answers[-1].digest, status="quarantined")
