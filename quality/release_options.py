"""Thresholds of the checks of whole releases, set in ``recipe.gates`` beside those of the row gates."""

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import Field

from quality.base import GateOptions
from quality.licences import LicencesOptions
from schemas.spec import Strict
from schemas.yaml_file import validate


class SplitLeakOptions(GateOptions):
    """Pictures or groups that are in two splits."""

    max_share: float = Field(default=0.0, ge=0, le=1)
    """Share of a held-out split's pictures or groups that may also be in another split.  0: honest splits."""


class ConflictingLabelsOptions(GateOptions):
    """The same picture with different annotation within one dataset."""

    max_share: float = Field(default=1.0, ge=0, le=1)
    """Share of a dataset's pictures above which the release is refused; below it is reported.  1: only reported,
    since a picture may carry several true annotations.  Ours."""


class NearDuplicatesOptions(GateOptions):
    """Pictures that look the same by their 64-bit perceptual hash (imagehash.phash)."""

    radius: int = Field(default=4, ge=0, le=11)
    """Bits.  FIELD.md section 19: report at 8 and below; at 8 chest films of different patients begin to meet."""
    action: Literal["report", "join", "drop"] = "report"
    """``join``: look-alikes are put into one split; ``drop``: only the first of them is kept, others become
    duplicates.  Pictures of one group (slices of a volume) are never dropped for looking alike."""
    max_leak: float = Field(default=1.0, ge=0, le=1)
    """Share of a held-out split's look-alikes that may also be in another split; 1: only reported."""


class BenchmarkLeakOptions(GateOptions):
    """Cases that show pictures of a benchmark of ``recipe.benchmarks``."""

    max_share: float = Field(default=0.0, ge=0, le=1)
    """Share of a dataset's cases that may show pictures of one benchmark.  0: none."""
    action: Literal["refuse", "drop"] = "refuse"
    """``drop``: such cases are filtered instead (reason ``benchmark_leak``) and their number is reported."""
    radius: int = Field(default=4, ge=0, le=11)
    """Bits of the perceptual hash; look-alikes within it are reported only, as in `NearDuplicatesOptions`."""


class BenchmarkQuestionsOptions(GateOptions):
    """Rows that ask in the words of a benchmark of ``recipe.benchmarks``; reported only."""

    jaccard: float = Field(default=0.5, gt=0, le=1)
    """Share of runs of three words that two questions have in common."""


class TextDuplicatesOptions(GateOptions):
    """Long texts that read alike."""

    jaccard: float = Field(default=0.8, ge=0.5, le=1)
    """Share of runs of three words that two texts have in common.  FIELD.md section 19: MinHash over three words, 0.5;
    at 0.5 two normal reports by one hand meet, so ours is higher."""
    min_words: int = Field(default=20, ge=3)
    """Shorter texts are alike for want of words.  Ours."""
    tasks: tuple[str, ...] = ("caption", "report", "dialogue", "reasoning", "text")
    max_leak: float = Field(default=1.0, ge=0, le=1)
    """Share of the long texts in held-out splits that may read like one in an earlier split; 1: only reported."""


class ShortcutOptions(GateOptions):
    """Questions that are answered without looking."""

    max_gain: float = Field(default=0.3, ge=0, le=1)
    """Share right of the best guesser above chance from which it is a finding.  Ours; a text-only model gains
    about 0.2 on public medical benchmarks of multiple choice."""
    min_rows: int = Field(default=50, ge=1)
    """Questions of one dataset and task below which nothing is said."""
    refuse: bool = False
    """Whether the finding refuses the release; reported otherwise."""


class AnswersOptions(GateOptions):
    """Letters, yes and no."""

    letter_excess: float = Field(default=0.1, ge=0, le=1)
    """How far one letter may be right more often than an even share.  Ours: three standard deviations of 200 questions
    with four options.  FIELD.md section 19: letters balanced."""
    yes_no_excess: float = Field(default=0.2, ge=0, le=1)
    """The same of yes and no: 0.2 lets one of them be right in 7 of 10.  Ours."""
    yes_no_share: float = Field(default=1.0, ge=0, le=1)
    """Share of a dataset's rows that may ask for yes or no; 1: all.  Lingshu keeps them at or below 0.05."""
    min_rows: int = Field(default=200, ge=1)
    """Rows below which nothing is said.  Ours."""
    refuse: bool = False
    """Whether the finding refuses the release; reported otherwise."""


class BalanceOptions(GateOptions):
    """Whom the cases are about."""

    min_cell: int = Field(default=11, ge=2)
    """Counts of people below this are not published.  11: cell size policy of the US Centers for Medicare."""
    max_share: float = Field(default=0.9, gt=0, le=1)
    """Share of the cases that state an axis from which one value is a finding.  Ours."""
    min_cases: int = Field(default=50, ge=1)
    """Cases of one dataset that state an axis, below which nothing is said."""
    refuse: bool = False
    """Whether the finding refuses the release; reported otherwise."""


class DriftOptions(GateOptions):
    """How far a release may move from its parent."""

    max_distance: float = Field(default=0.5, ge=0, le=1)
    """Total variation between the distributions of one axis.  Ours: beyond, it is another data set."""
    axes: dict[str, float] = Field(default_factory=dict)
    """Limits of single axes of `quality.profile`."""


class ExtraExpectation(Strict):
    """An expectation of the recipe's own over the columns of `quality.metadata`."""

    expectation: str
    """As great-expectations names it: ``expect_column_mean_to_be_between``."""
    kwargs: dict[str, Any] = Field(default_factory=dict)
    task: str = ""
    """Only for rows of this task; for all rows where empty."""


class ExpectationsOptions(GateOptions):
    """The great-expectations suites."""

    batch_rows: int = Field(default=100_000, ge=1)
    """Rows in memory at once."""
    extra: tuple[ExtraExpectation, ...] = ()


RELEASE_GATES: dict[str, type[GateOptions]] = {
    "split_leak": SplitLeakOptions,
    "conflicting_labels": ConflictingLabelsOptions,
    "expectations": ExpectationsOptions,
    "licences": LicencesOptions,
    "near_duplicates": NearDuplicatesOptions,
    "benchmark_leak": BenchmarkLeakOptions,
    "benchmark_questions": BenchmarkQuestionsOptions,
    "text_duplicates": TextDuplicatesOptions,
    "shortcut": ShortcutOptions,
    "answers": AnswersOptions,
    "balance": BalanceOptions,
    "drift": DriftOptions,
}

Kind = TypeVar("Kind", bound=GateOptions)


def release_options(kind: type[Kind], gates: Mapping[str, Mapping[str, Any]]) -> Kind:
    """The options of one release gate from ``recipe.gates``; `UserError` names an unknown one."""
    name = next(name for name, model in RELEASE_GATES.items() if model is kind)
    return validate(kind, dict(gates.get(name, {})), f"gates.{name}")
