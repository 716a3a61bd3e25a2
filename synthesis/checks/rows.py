"""All checks on one written row: what they say becomes columns, and what they refuse goes to quarantine."""

from collections.abc import Iterator
from functools import lru_cache

from pydantic import Field, field_validator

from schemas.case import Case, ImageRef
from schemas.context import Context
from schemas.errors import nearest
from schemas.instruction import IMAGE, Instruction, Task, Verdict
from schemas.ledger import Status
from schemas.spec import Strict
from schemas.work import Drop
from synthesis.ask_again import AgreementOptions, ImageNeededOptions
from synthesis.checks import wording
from synthesis.checks.grounding import CHECKS, Contradiction, contradictions
from synthesis.checks.known import Known, known_of
from synthesis.checks.replies import statements
from synthesis.checks.says_nothing import gibberish, names_nothing
from synthesis.checks.vocabulary import Vocabulary
from synthesis.consistency import ConsistencyOptions
from synthesis.judging import with_verdicts
from synthesis.verify import VerifierOptions

STAGE = "synthesis"
ENGLISH = "en"
SENTENCES = {
    "leak": "the text speaks of the reference that its writer was given",
    "refusal": "the model declined instead of answering",
    "advice": "the text recommends a treatment or further steps",
    "residue": "words of a template or of the answer's format are left in the text",
    "answer_in_question": "the question gives its own answer away",
    "gibberish": "the text is no language",
    "says_nothing": "the text names nothing of what its writer was told",
}
DESCRIBES: tuple[Task, ...] = ("caption", "report", "dialogue")
"""Rows that describe the picture; an answer to a question need not name a finding."""


class CheckOptions(Strict):
    """``synthesis.checks`` of a recipe."""

    grounding: tuple[str, ...] = tuple(CHECKS)
    """Of polarity, laterality, count, size, place; an empty list turns grounding off."""
    wording: bool = True
    """Leaks, refusals, advice, template residue, gibberish, the answer in the question."""
    mentions: tuple[Task, ...] = DESCRIBES
    """Rows of these tasks must name something of what their writer was told; an empty list turns that off."""
    synonyms: dict[str, list[str]] = Field(default_factory=dict)
    """Canonical label to other words for it, e.g. ``{cardiomegaly: [enlarged heart]}``."""
    verifier: VerifierOptions | None = None
    """A second model that judges what passed the other checks; none by default."""
    consistency: ConsistencyOptions | None = None
    """Whether a short answer follows from its reasons, asked of a model; not by default."""
    image_needed: ImageNeededOptions | None = None
    """Whether a question is answered without its picture, asked of a model; not by default."""
    agreement: AgreementOptions | None = None
    """Whether a question is answered the same again, asked of a model; not by default."""

    @field_validator("grounding")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in CHECKS:
                raise ValueError(f"there is no grounding check {name!r}{nearest(name, CHECKS)}")
        return value


class RowChecker:
    """Checks the rows of one dataset."""

    def __init__(self, options: CheckOptions, context: Context) -> None:
        self._options = options
        self._spec = context.spec
        self._last: tuple[Case, tuple[ImageRef, ...], Known, Vocabulary] | None = None
        self._synonyms = tuple((term, tuple(words)) for term, words in sorted(options.synonyms.items()))

    def check(self, row: Instruction, case: Case, allow_advice: bool) -> tuple[Instruction, Drop | None]:
        """The row with its verdicts, and why it is out where it is.

        Args:
            row: as the task parsed it.
            case: what the row is about.
            allow_advice: whether the task may recommend and prescribe.
        """
        verdicts = []
        drop = None
        if self._options.wording:
            found = list(self._wording(row, allow_advice))
            verdicts.append(Verdict("wording", found[0] if found else "clean", float(not found)))
            if found:
                drop = Drop(Status.QUARANTINED, STAGE, found[0], SENTENCES[found[0]])
        if row.task in self._options.mentions and row.provenance.language == ENGLISH:
            silent = names_nothing(row, case, self._facts(case, row.images)[1])
            verdicts.append(Verdict("mentions", "nothing" if silent else "something", float(not silent)))
            if silent and drop is None:
                drop = Drop(Status.QUARANTINED, STAGE, "says_nothing", SENTENCES["says_nothing"])
        if self._options.grounding:
            wrong = list(self._grounding(row, case))
            verdicts += [Verdict(f"grounding_{one.check}", "contradiction", 0.0, _words(one)) for one in wrong]
            if not wrong:
                verdicts.append(Verdict("grounding", "consistent", 1.0))
            elif drop is None:
                first = wrong[0]
                detail = f"the text contradicts the annotation in {first.check} ({first.path or 'the labels'})"
                drop = Drop(Status.QUARANTINED, STAGE, f"contradicts_{first.check}", detail)
        return with_verdicts(row, verdicts), drop

    def _facts(self, case: Case, shown: tuple[ImageRef, ...]) -> tuple[Known, Vocabulary]:
        """What is known of the pictures; worked out once for the rows about them."""
        last = self._last
        if last is None or last[0] is not case or last[1] != shown:
            known = known_of(case, self._spec, shown)
            vocabulary = _vocabulary(_terms(known, self._spec.canonical()), self._synonyms)
            last = self._last = (case, shown, known, vocabulary)
        return last[2], last[3]

    def _wording(self, row: Instruction, allow_advice: bool) -> Iterator[str]:
        for message in row.messages:
            for problem in wording.problems(message.content.replace(IMAGE, ""), allow_advice):
                if problem != "refusal" or message.role == "assistant" or "?" not in message.content:
                    yield problem
        for question, answer in _exchanges(row):
            if row.provenance.language == ENGLISH and gibberish(answer):
                yield "gibberish"
            if row.task in ("open", "dialogue", "reasoning") and wording.gives_away(question, answer):
                yield "answer_in_question"

    def _grounding(self, row: Instruction, case: Case) -> Iterator[Contradiction]:
        known, vocabulary = self._facts(case, row.images)
        for question, answer in _exchanges(row):
            yield from contradictions(statements(question, answer), known, vocabulary, self._options.grounding)


def _exchanges(row: Instruction) -> Iterator[tuple[str, str]]:
    """(question, answer) of every user turn that is answered."""
    for asked, said in zip(row.messages[0::2], row.messages[1::2], strict=False):
        yield asked.content.replace(IMAGE, "").strip(), said.content


def _terms(known: Known, canonical: list[str]) -> tuple[str, ...]:
    return tuple(sorted({*known.terms(), *canonical}))


@lru_cache(maxsize=256)
def _vocabulary(terms: tuple[str, ...], synonyms: tuple[tuple[str, tuple[str, ...]], ...]) -> Vocabulary:
    return Vocabulary(terms, dict(synonyms))


def _words(wrong: Contradiction) -> str:
    return f"{wrong.sentence} | {wrong.fact}"
