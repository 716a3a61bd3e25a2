"""Pictures that two datasets show and label differently, in the canonical words that both use."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

from quality.leaks import SHOWN
from quality.verdict import ReleaseFinding
from schemas.findings import Severity

GATE = "conflicting_labels"

Labelled = dict[str, Any]


def across(kept: Any, label_kinds: Mapping[str, str], max_share: float) -> list[ReleaseFinding]:
    """One finding for each two datasets that contradict each other about pictures that both show.

    A contradiction is a label that the one says is present and the other, which uses that word too, neither says is
    present nor calls uncertain.  Equal is what has the same decoded pixels, all pictures of a case taken together.

    Args:
        kept: `polars.DataFrame` with dataset, case_id, picture_key, labels and unsure (canonical names).
        label_kinds: ``label_kind`` by dataset; those without labels say nothing.
        max_share: share of the pictures of the smaller dataset above which the release is refused.  Pictures that both
            annotate alike are duplicates and kept once, so the pictures that both show are no measure.
    """
    import polars as pl

    labelled = [name for name, kind in label_kinds.items() if kind != "none"]
    cases = kept.filter(pl.col("dataset").is_in(labelled) & (pl.col("picture_key") != ""))
    words = {
        name: set(said)
        for name, said in cases.group_by("dataset").agg(pl.col("labels").explode().drop_nulls().unique()).iter_rows()
    }
    several = cases.filter(pl.col("dataset").n_unique().over("picture_key") > 1)
    table = several.select("picture_key", "dataset", "case_id", "labels", "unsure").sort("picture_key", "dataset")
    sizes = dict(cases.group_by("dataset").agg(pl.col("picture_key").n_unique()).iter_rows())
    odd: dict[tuple[str, str], list[Labelled]] = {}
    for _, group in table.group_by("picture_key", maintain_order=True):
        for one, other in combinations(_by_dataset(group), 2):
            pair = one["dataset"], other["dataset"]
            # The words themselves are not told: those of a restricted dataset are withheld everywhere else.
            if _odd(one, other, words[pair[1]]) or _odd(other, one, words[pair[0]]):
                odd.setdefault(pair, []).append({"cases": [_named(one), _named(other)]})
    told = []
    for pair, found in sorted(odd.items()):
        small, large = sorted(pair, key=lambda name: (sizes[name], name))
        told.append(_finding(small, large, sizes[small], found, max_share))
    return told


def _by_dataset(group: Any) -> list[Labelled]:
    """What each dataset says of one picture; several of its cases about it are taken together."""
    said: dict[str, Labelled] = {}
    for line in group.iter_rows(named=True):
        one = said.setdefault(line["dataset"], {**line, "labels": set(), "unsure": set()})
        one["labels"] |= set(line["labels"])
        one["unsure"] |= set(line["unsure"])
    return list(said.values())


def _odd(one: Labelled, other: Labelled, words: set[str]) -> set[str]:
    missing: set[str] = one["labels"] - other["labels"] - other["unsure"]
    return missing & words


def _named(one: Labelled) -> dict[str, str]:
    return {"dataset": one["dataset"], "case_id": one["case_id"]}


def _finding(name: str, other: str, total: int, found: list[Labelled], max_share: float) -> ReleaseFinding:
    severity = Severity.REFUSE_RELEASE if len(found) > max_share * total else Severity.FLAG
    text = (
        f"{name}: {len(found)} of {total} pictures are contradicted by {other}, which shows them too: a label that "
        f"both use is present in one of them only"
    )
    return ReleaseFinding(GATE, severity, text, name, tuple(found[:SHOWN]))
