"""What a person decided about refused rows: a YAML beside the recipe, honoured by the next run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from schemas.findings import guarded
from schemas.spec import Strict
from schemas.yaml_file import load_yaml


class Fix(Strict):
    """New words for a row; what is not named stays."""

    messages: dict[int, str] = Field(default_factory=dict)
    """Content by number of the turn, the first being 0."""
    options: tuple[str, ...] = ()
    answer: str = ""
    answer_index: int | None = None

    def changes(self) -> list[str]:
        """Names of what is changed, as the provenance tells them."""
        named = [f"messages[{turn}]" for turn in sorted(self.messages)]
        whole = {"options": self.options, "answer": self.answer, "answer_index": self.answer_index is not None}
        return named + [name for name, given in whole.items() if given]


class Decision(Strict):
    """One decision about one row, or about all rows of one case that were refused for one reason."""

    row: str = ""
    """Id of a row, or"""
    case: str = ""
    """published id of a case, together with its dataset."""
    dataset: str = ""
    reason: str
    """The code that refused it.  A row that is refused for two reasons takes two decisions."""
    do: Literal["accept", "fix", "confirm", "undecided"] = "undecided"
    by: str = ""
    """Who decided; published with the row."""
    why: str = ""
    """Published with the row."""
    seen: str = ""
    """Digest of the words that the person saw; a row that reads otherwise now is not what was decided about."""
    waiver: str = ""
    """A second, written reason, without which nothing that was refused for privacy or licence is accepted."""
    fix: Fix | None = None

    @model_validator(mode="after")
    def _is_complete(self) -> "Decision":
        if bool(self.row) == bool(self.case):
            raise ValueError("a decision is about a row or about a case, exactly one of them; name it")
        if self.case and not self.dataset:
            raise ValueError(f"the decision about the case {self.case} must name its dataset")
        if self.do != "undecided" and not (self.by.strip() and len(self.why.strip()) >= 10):
            raise ValueError(f"a decision to {self.do} needs `by` and, in ten letters or more, `why`")
        if (self.do == "fix") != (self.fix is not None and bool(self.fix.changes())):
            raise ValueError("`fix` goes with `do: fix`, and says at least one new text")
        if self.do == "fix" and not self.row:
            raise ValueError("a fix is about one row; name it by `row`")
        if self.do == "accept" and guarded(self.reason) and len(self.waiver.strip()) < 10:
            raise ValueError(f"{self.reason} is about privacy or licence; to accept it, write a `waiver` too")
        if self.do == "accept" and guarded(self.reason) and not (self.row and self.seen):
            raise ValueError(
                f"{self.reason} is accepted row by row only, by `row` and the `seen` of the drafted decision"
            )
        return self

    def about(self) -> str:
        """What it is about, for a sentence."""
        return f"row {self.row}" if self.row else f"case {self.case} of {self.dataset}"


class Decisions(Strict):
    """The file."""

    decisions: tuple[Decision, ...] = ()

    @model_validator(mode="after")
    def _is_consistent(self) -> "Decisions":
        seen: set[tuple[str, str, str, str]] = set()
        for one in self.decisions:
            key = (one.row, one.dataset if one.case else "", one.case, one.reason)
            if key in seen:
                raise ValueError(f"two decisions are about the {one.about()} and {one.reason}; keep one")
            seen.add(key)
        return self


def load_decisions(path: str) -> Sequence[Decision]:
    """The decisions of a file, without those that are still undecided; none where ``path`` is empty.

    Raises:
        UserError: the file is missing, or one of its entries is incomplete.
    """
    if not path:
        return ()
    return [one for one in load_yaml(Path(path), Decisions).decisions if one.do != "undecided"]
