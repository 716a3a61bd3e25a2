"""Finds what is in two splits at once, and pictures that are annotated in two ways."""

from collections.abc import Mapping
from typing import Any

from quality.verdict import ReleaseFinding
from schemas.findings import Severity

GATE = "split_leak"

SHOWN = 200
"""Pictures of one dataset that a finding names."""

RANK = {"train": 0, "val": 1, "test": 2}
"""Splits in the order of their use; a leak is reported on the later one.  Other names come last, by name."""


def leaks(kept: Any, max_share: float = 0.0) -> list[ReleaseFinding]:
    """Pictures, groups and source files that are in more than one split.

    Args:
        kept: `polars.DataFrame` with dataset, group_id, pictures (list of digests), origins (list of digests of what
            they were made from) and split.
        max_share: share of a held-out split's pictures, groups or source files that may leak.

    Returns:
        One finding for each dataset, held-out split and place where its pictures or groups also are; it refuses
        the release where the share is above ``max_share``.
    """

    pictures = kept.select("dataset", "split", thing="pictures").explode("thing").drop_nulls().unique()
    groups = kept.select("dataset", "split", thing="group_id").unique()
    origins = clean(kept).select("dataset", "split", thing="origins").explode("thing").drop_nulls().unique()
    places = {"pictures": pictures, "groups": groups, "source files (shown otherwise)": origins}
    return [one for what, where in places.items() for one in shared(where, GATE, what, max_share)]


def clean(kept: Any) -> Any:
    """The cases none of whose pictures stands in two splits."""
    import polars as pl

    exploded = kept.select("split", "pictures").explode("pictures").drop_nulls().unique()
    exact = exploded.group_by("pictures").len().filter(pl.col("len") > 1)["pictures"].to_list()
    return kept.filter(pl.col("pictures").list.set_intersection(exact).list.len() == 0) if exact else kept


def conflicts(kept: Any, label_kinds: Mapping[str, str], max_share: float) -> list[ReleaseFinding]:
    """Pictures that stand in one dataset with different annotation.

    Equal is what has the same decoded pixels, all pictures of a case taken together; different is any label, region,
    text or question.  Not found: crops and other windows (`quality.look_alikes` reports those), and pictures that two
    datasets annotate in their own words.

    Args:
        kept: `polars.DataFrame` with dataset, picture_key and annotation_digest.
        label_kinds: ``label_kind`` by dataset: labels that contradict each other only exist where there are labels.
        max_share: share of a dataset's pictures above which the release is refused.
    """
    import polars as pl

    shown = kept.filter(pl.col("picture_key") != "")
    counted = shown.group_by("dataset", "picture_key").agg(ways=pl.col("annotation_digest").n_unique())
    table = counted.group_by("dataset").agg(total=pl.len(), several=(pl.col("ways") > 1).sum()).sort("dataset")
    return [
        _conflict(
            dataset, several, total, label_kinds.get(dataset, "none") != "none", max_share, _shown(pl, shown, dataset)
        )
        for dataset, total, several in table.iter_rows()
        if several
    ]


def _shown(pl: Any, shown: Any, dataset: str) -> tuple[dict[str, Any], ...]:
    """The first pictures that stand in several cases with different annotation, and those cases."""
    ours = shown.filter(pl.col("dataset") == dataset)
    several = ours.filter(pl.col("annotation_digest").n_unique().over("picture_key") > 1)
    table = several.group_by("picture_key", maintain_order=True).agg(pl.struct("case_id", "split").head(10).alias("of"))
    return tuple({"picture": key, "cases": cases} for key, cases in table.head(SHOWN).iter_rows())


def _conflict(
    dataset: str, several: int, total: int, labelled: bool, max_share: float, evidence: tuple[dict[str, Any], ...]
) -> ReleaseFinding:
    detail = f"{dataset}: {several} of {total} pictures stand in several cases with different annotation"
    if not labelled:
        return ReleaseFinding("repeated_pictures", Severity.NOTE, detail, dataset, evidence)
    severity = Severity.REFUSE_RELEASE if several / total > max_share else Severity.FLAG
    return ReleaseFinding("conflicting_labels", severity, detail, dataset, evidence)


def shared(places: Any, gate: str, what: str, max_share: float) -> list[ReleaseFinding]:
    """Things that are in several splits, reported on the later split.

    Args:
        places: `polars.DataFrame` with dataset, split and thing; all lines distinct.
        gate: whose findings they are.
        what: the things' plural noun.
        max_share: share of a split's things that may be in an earlier one too.
    """
    import polars as pl

    rank = pl.col("split").replace_strict(RANK, default=len(RANK), return_dtype=pl.Int64)
    ranked = places.with_columns(rank=rank)
    pairs = ranked.join(ranked, on="thing", suffix="_too").filter(
        (pl.col("rank") > pl.col("rank_too"))
        | ((pl.col("rank") == pl.col("rank_too")) & (pl.col("split") > pl.col("split_too")))
    )
    where = ["dataset", "split", "dataset_too", "split_too"]
    counts = pairs.group_by(where).agg(shared=pl.col("thing").n_unique()).sort(where)
    totals = {(dataset, split): n for dataset, split, n in places.group_by("dataset", "split").len().iter_rows()}
    found = []
    for dataset, split, other, split_too, shared in counts.iter_rows():
        total = totals[dataset, split]
        of = "" if other == dataset else f" of {other}"
        severity = Severity.REFUSE_RELEASE if shared / total > max_share else Severity.FLAG
        detail = f"{dataset}: {shared} of {total} {what} in {split} are in {split_too}{of} too"
        found.append(ReleaseFinding(gate, severity, detail, dataset))
    return found
