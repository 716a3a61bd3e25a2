"""Mixture: which of the rows that were made a release takes, decided over their columns once all are known."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from schemas.spec import Strict

One = Literal[
    "dataset", "task", "converter", "language", "modality", "anatomy", "clinical_task", "answer", "case", "group",
]  # fmt: skip
"""What each row has one of."""
Key = Literal[
    "dataset", "task", "converter", "language", "modality", "anatomy", "clinical_task", "answer", "case", "group",
    "label", "image",
]  # fmt: skip
"""What rows are counted by; a row has several of ``label`` and ``image``, or none."""
Stable = Literal["dataset", "task", "converter", "language", "modality", "anatomy", "clinical_task"]
"""What is known of a row as soon as it is made."""


class Rule(Strict):
    """Which rows a rule speaks of."""

    splits: tuple[str, ...] = ()
    """Splits that it holds for, each counted on its own; all where empty."""
    where: dict[One, list[str]] = Field(default_factory=dict)
    """Only rows whose column is one of these values, e.g. ``{task: [mcq, open]}``."""


class Cap(Rule):
    """At most so many rows of each kind."""

    by: tuple[Key, ...] = Field(min_length=1)
    """Columns whose values together are a kind; a row with several labels or images is of several kinds and needs
    room in each."""
    max: int = Field(ge=1)

    @field_validator("by")
    @classmethod
    def _lists_once(cls, value: tuple[Key, ...]) -> tuple[Key, ...]:
        if len(set(value)) < len(value):
            raise ValueError("a column stands twice in by; keep one")
        if {"label", "image"} <= set(value):
            raise ValueError("label and image cannot stand in one cap, since a row has several of each; write two caps")
        return value


class Balance(Rule):
    """Downsamples the common values of a column until none stands more than ``max_ratio`` times as often as the rarest.

    A row with several labels counts under the rarest of them; a row without a label is passed over.
    """

    by: Literal["label", "answer", "task", "converter", "modality", "anatomy", "clinical_task", "dataset", "language"]
    within: tuple[One, ...] = ("dataset", "task")
    """Balanced within each value of these columns by itself."""
    max_ratio: float = Field(default=1.0, ge=1)


class Draw(Strict):
    """How many rows each dataset gives: by ``weight * rows ** (1 / temperature)``, none of them twice."""

    temperature: float = Field(default=1.0, gt=0)
    """1: as many as it has, times its weight; ``.inf``: the weights alone."""
    rows: int | None = Field(default=None, ge=1)
    """At most so many rows in each split; without, as many as the proportions allow."""
    splits: tuple[str, ...] = ("train",)


class Stage(Strict):
    """One stage of a curriculum; a row is of the first stage whose ``where`` it meets."""

    name: str
    """For people; the rows carry its number."""
    where: dict[Stable, list[str]] = Field(default_factory=dict)
    """As in `Rule`; without, every row that is left."""


class Mixture(Strict):
    """Rules in the order in which they are applied: caps together, each balance, then the draw."""

    caps: tuple[Cap, ...] = ()
    balance: tuple[Balance, ...] = ()
    draw: Draw | None = None

    @property
    def empty(self) -> bool:
        """Whether every row stays."""
        return not self.caps and not self.balance and self.draw is None


class Combination(Strict):
    """Values of a combination that training must not see."""

    modality: str = ""
    anatomy: str = ""
    clinical_task: str = ""
    """Empty where any value will do."""


class Compositions(Strict):
    """Holds out combinations of modality, anatomy and task whose single elements training still sees."""

    hold_out: tuple[Combination, ...] = ()
    """Combinations by name."""
    draw: int | None = Field(default=None, ge=1)
    """Instead: so many combinations, drawn by the recipe's seed among those whose elements all stand in others."""
    tasks: Literal["kind", "name"] = "kind"
    """What ``clinical_task`` means here: its kind in the taxonomy (classification, segmentation, detection, ...), since
    names of tasks mostly hold the anatomy; or its name."""
    into: str = "test"
    """Split of the cases that are held out."""
    mixed: Literal["hold_out", "drop_held_out", "drop_others"] = "hold_out"
    """A group with both kinds of cases: goes to ``into`` as a whole, or loses the one kind or the other."""

    @model_validator(mode="after")
    def _by_name_or_by_draw(self) -> "Compositions":
        if bool(self.hold_out) == (self.draw is not None):
            raise ValueError(
                "compositions needs hold_out (combinations by name) or draw (a number), and only one of them"
            )
        if any(not any(one.model_dump().values()) for one in self.hold_out):
            raise ValueError("a combination in hold_out names nothing; give modality, anatomy or clinical_task")
        if self.into == "train":
            raise ValueError("what is held out cannot go into train; choose another split")
        return self
