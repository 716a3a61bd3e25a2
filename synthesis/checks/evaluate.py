"""Precision and recall of a check on a hand-labelled set of texts."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field

from schemas.case import Polarity
from schemas.spec import Strict
from schemas.yaml_file import load_yaml
from synthesis.checks.grounding import contradictions
from synthesis.checks.known import Known
from synthesis.checks.replies import statements
from synthesis.checks.vocabulary import Vocabulary


class Labelled(Strict):
    """One text, what is annotated, and whether a careful reader would reject it."""

    text: str
    q: str = ""
    """The question that the text answers."""
    bad: bool
    p: list[str] = Field(default_factory=list)
    a: list[str] = Field(default_factory=list)
    u: list[str] = Field(default_factory=list)
    sides: dict[str, list[str]] = Field(default_factory=dict)
    centres: dict[str, list[tuple[float, float]]] = Field(default_factory=dict)
    counts: dict[str, int] = Field(default_factory=dict)
    sizes: dict[str, list[float]] = Field(default_factory=dict)
    oriented: bool = True

    def known(self) -> Known:
        """The annotation; what has a side, place, number or size is present."""
        polarity: dict[str, Polarity] = dict.fromkeys(
            [*self.p, *self.sides, *self.centres, *self.counts, *self.sizes], "present"
        )
        polarity.update(dict.fromkeys(self.a, "absent"))
        polarity.update(dict.fromkeys(self.u, "uncertain"))
        return Known(
            polarity,
            {term: frozenset(sides) for term, sides in self.sides.items()},
            {term: tuple(centres) for term, centres in self.centres.items()},
            self.counts,
            {term: tuple(sizes) for term, sizes in self.sizes.items()},
            self.oriented,
        )


class LabelledSet(Strict):
    """A file of labelled texts."""

    vocabulary: list[str] = Field(default_factory=list)
    cases: list[Labelled]


@dataclass(slots=True)
class Score:
    """How often a check was right; a positive is a rejected text."""

    hits: int = 0
    misses: int = 0
    false_alarms: int = 0
    passes: int = 0
    wrong: list[str] = field(default_factory=list)
    """Texts that it misjudged."""

    @property
    def precision(self) -> float:
        """Share of the rejected texts that were bad."""
        return self.hits / (self.hits + self.false_alarms) if self.hits + self.false_alarms else 1.0

    @property
    def recall(self) -> float:
        """Share of the bad texts that were rejected."""
        return self.hits / (self.hits + self.misses) if self.hits + self.misses else 1.0


Judge = Callable[[Labelled, Vocabulary], bool]


def grounding_judge(checks: Sequence[str]) -> Judge:
    """Rejects where one of the named grounding checks finds a contradiction."""

    def judge(case: Labelled, vocabulary: Vocabulary) -> bool:
        text = statements(case.q, case.text)
        return any(True for _ in contradictions(text, case.known(), vocabulary, checks))

    return judge


def score(path: Path, judge: Judge) -> Score:
    """The judge's score on the set in ``path``."""
    labelled = load_yaml(path, LabelledSet)
    vocabulary = Vocabulary(labelled.vocabulary)
    result = Score()
    for case, said_bad in _judged(labelled.cases, judge, vocabulary):
        if said_bad == case.bad:
            result.hits += case.bad
            result.passes += not case.bad
        else:
            result.misses += case.bad
            result.false_alarms += not case.bad
            result.wrong.append(case.text)
    return result


def _judged(cases: Sequence[Labelled], judge: Judge, vocabulary: Vocabulary) -> Iterator[tuple[Labelled, bool]]:
    for case in cases:
        yield case, judge(case, vocabulary)
