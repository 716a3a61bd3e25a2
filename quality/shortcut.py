"""How well the questions can be answered without looking: by the majority, by the very question, by its words."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from quality.release_options import ShortcutOptions
from quality.text_model import MOST_ROWS, TextModel
from quality.verdict import ReleaseFinding
from schemas.findings import Severity
from schemas.instruction import IMAGE

GATE = "shortcut"

CLOSED = ("mcq", "yes_no", "count", "ordinal", "multi_label", "open")
"""Tasks whose answers are few enough to be guessed."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What guessers score on the questions of one dataset and task."""

    dataset: str
    task: str
    rows: int
    """Questions that were guessed at."""
    chance: float
    """Expected share right of one who draws among the options; 0 where there are none."""
    majority: float
    """Share right of always saying what is said most often."""
    text_only: float
    """Share right of saying what was most often right for this very question (its words and sorted options)."""
    model: float = 0.0
    """Share right of `quality.text_model`, on the first rows by id."""

    def to_json(self) -> dict[str, Any]:
        """For the profile."""
        return asdict(self)


def probe(shards: Sequence[str | Path]) -> list[Probe]:
    """Score both guessers, learned on rows of ``train`` and asked on all others.

    A release with only one split is cut in two halves by the last digit of the group's hash.  The answer of a
    multiple choice question is the option's text, so a biased letter shows in the profile and not here.
    """
    import polars as pl

    if not shards:
        return []
    said = pl.col("messages").list.first().struct.field("content").str.replace_all(IMAGE, "", literal=True)
    # Options and their letters stand in the question in an order drawn by chance: only their set tells anything.
    stem = said.str.strip_chars().str.split("\n").list.first()
    rows = (
        pl.scan_parquet([str(shard) for shard in shards])
        .filter(pl.col("task").is_in(CLOSED) & (pl.col("access") != "restricted") & (pl.col("answer") != ""))
        .select(
            "id",
            "dataset",
            "task",
            "split",
            half=pl.col("group_id").str.tail(1).is_in(list("01234567")),
            answer=pl.col("answer").str.to_lowercase(),
            stem=stem,
            choices=pl.col("options").list.eval(pl.element().str.to_lowercase()),
            question=pl.concat_str(stem, pl.col("options").list.sort().list.join("|"), separator="\n").hash(seed=0),
            chance=pl.when(pl.col("options").list.len() > 0).then(1 / pl.col("options").list.len()).otherwise(0.0),
        )
        .collect(engine="streaming")
    )
    single = rows["split"].n_unique() < 2 or "train" not in rows["split"].unique()
    learned = pl.col("half") if single else pl.col("split") == "train"
    known, asked = rows.filter(learned), rows.filter(~learned)
    return [_with_model(pl, one, known, asked) for one in _scored(pl, known, asked)]


def findings(probes: Sequence[Probe], options: ShortcutOptions) -> list[ReleaseFinding]:
    """Refuses where a guesser is too good on enough questions."""
    found = []
    for one in probes:
        best = max(one.majority, one.text_only, one.model)
        if one.rows < options.min_rows or best - one.chance <= options.max_gain:
            continue
        text = (
            f"{one.dataset}: {best:.0%} of {one.rows} {one.task} questions are guessed right without the picture "
            f"(majority {one.majority:.0%}, same question {one.text_only:.0%}, "
            f"words {one.model:.0%}, chance {one.chance:.0%})"
        )
        severity = Severity.REFUSE_RELEASE if options.refuse else Severity.FLAG
        found.append(ReleaseFinding(GATE, severity, text, one.dataset))
    return found


def _with_model(pl: Any, found: Probe, known: Any, asked: Any) -> Probe:
    here = (pl.col("dataset") == found.dataset) & (pl.col("task") == found.task)
    train, test = (rows.filter(here).sort("id").head(MOST_ROWS) for rows in (known, asked))
    if not train.height:
        return found
    model = TextModel(train["stem"].to_list(), train["answer"].to_list())
    told = test.select("stem", "choices", "answer").iter_rows()
    right = sum(model.answer(stem, choices) == answer for stem, choices, answer in told)
    return replace(found, model=right / test.height)


def _scored(pl: Any, known: Any, asked: Any) -> list[Probe]:
    where = ["dataset", "task"]
    asked = _guess(pl, known, asked, where, "majority")
    asked = _guess(pl, known, asked, [*where, "question"], "by_question")
    # A question never seen before is guessed at by the majority.
    text_only = pl.coalesce("by_question", "majority") == pl.col("answer")
    table = (
        asked.group_by(where)
        .agg(
            rows=pl.len(),
            chance=pl.col("chance").mean(),
            majority=(pl.col("majority") == pl.col("answer")).fill_null(False).mean(),
            text_only=text_only.fill_null(False).mean(),
        )
        .sort(where)
    )
    return [Probe(*line) for line in table.iter_rows()]


def _guess(pl: Any, known: Any, asked: Any, by: list[str], name: str) -> Any:
    """``asked`` with the commonest answer of ``known`` for each value of ``by``."""
    best = (
        known.group_by(*by, "answer").len().sort(["len", "answer"], descending=[True, False])
        .group_by(by, maintain_order=True).agg(pl.col("answer").first().alias(name))
    )  # fmt: skip
    return asked.join(best, on=by, how="left")
