"""Long texts that read alike: MinHash signatures, bands of them as candidates, each confirmed exactly."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from quality.benchmark_questions import WORDS, shingles
from quality.components import components
from quality.leaks import RANK
from quality.release_options import TextDuplicatesOptions
from quality.verdict import ReleaseFinding
from schemas.findings import Severity

GATE = "text_duplicates"
PERMUTATIONS = 64
BLOCK = 20_000
"""Texts whose shingles are in memory at once."""
MISSED = 0.01
"""At most so many of the pairs that are just as alike as asked for may share no band."""
SHOWN = 200


def findings(shards: Sequence[str | Path], options: TextDuplicatesOptions) -> list[ReleaseFinding]:
    """For each dataset how many of its long texts read like one of another group, and how many across splits.

    Args:
        shards: local Parquet shards.
        options: which texts, how much alike, and how many may leak.
    """
    rows = _rows(shards, options)
    if rows is None or not rows.height:
        return []
    texts = rows["text"].unique(maintain_order=True)
    of_text = dict(zip(texts, clusters(texts.to_list(), options.jaccard), strict=True))
    return _report(rows.with_columns(cluster=rows["text"].replace_strict(of_text)), options)


def clusters(texts: Sequence[str], jaccard: float) -> list[int]:
    """For each text the first of those that it is linked to by pairs at least so much alike.

    Args:
        texts: distinct.
        jaccard: share of runs of three words that two texts have in common.
    """

    @lru_cache(maxsize=65_536)
    def runs(number: int) -> frozenset[str]:
        return shingles(texts[number])

    def alike(one: int, other: int) -> bool:
        ours, theirs = runs(one), runs(other)
        return bool(ours) and len(ours & theirs) >= jaccard * len(ours | theirs)

    return components(len(texts), (pair for pair in _candidates(_signatures(texts), jaccard) if alike(*pair)))


def _rows(shards: Sequence[str | Path], options: TextDuplicatesOptions) -> Any:
    import polars as pl

    if not shards:
        return None
    said = pl.col("messages").list.last().struct.field("content").str.strip_chars()
    return (
        pl.scan_parquet([str(shard) for shard in shards])
        .filter(pl.col("task").is_in(options.tasks) & (pl.col("access") != "restricted"))
        .select("id", "dataset", "split", "group_id", text=said)
        .filter(pl.col("text").str.count_matches(r"\S+") >= options.min_words)
        .collect(engine="streaming")
    )


def _signatures(texts: Sequence[str]) -> Any:
    """MinHash by multiply-shift: array (texts, `PERMUTATIONS`) of uint32; a text without words has all ones."""
    import numpy as np

    draw = np.random.default_rng(1)
    factors = draw.integers(0, 2**63, PERMUTATIONS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    offsets = draw.integers(0, 2**63, PERMUTATIONS, dtype=np.uint64)
    made = np.full((len(texts), PERMUTATIONS), 2**32 - 1, np.uint32)
    for low in range(0, len(texts), BLOCK):
        hashes, owners = _hashed(texts[low : low + BLOCK])
        if not len(hashes):
            continue
        starts = np.flatnonzero(np.diff(owners, prepend=-1))
        for number, (factor, offset) in enumerate(zip(factors, offsets, strict=True)):
            mixed = ((hashes * factor + offset) >> np.uint64(32)).astype(np.uint32)
            made[low + owners[starts], number] = np.minimum.reduceat(mixed, starts)
    return made


def _hashed(texts: Sequence[str]) -> tuple[Any, Any]:
    """The hash of every run of three words, and the number of its text; a shorter text is one run."""
    import polars as pl

    words = pl.Series(texts, dtype=pl.String).str.to_lowercase().str.extract_all(r"\w+")
    short = words.list.eval(pl.element()).list.join(" ").to_frame("run").with_row_index("owner")
    short = short.filter((words.list.len() < WORDS) & (words.list.len() > 0))
    long = words.to_frame("word").with_row_index("owner").filter(words.list.len() >= WORDS).explode("word")
    run = pl.concat_str("word", pl.col("word").shift(-1), pl.col("word").shift(-2), separator=" ")
    whole = pl.col("owner") == pl.col("owner").shift(-(WORDS - 1))
    made = long.with_columns(run=run, whole=whole).filter("whole").select("owner", "run")
    table = pl.concat([made, short.select("owner", "run")]).sort("owner", maintain_order=True)
    return table["run"].hash(seed=0).to_numpy(), table["owner"].to_numpy().astype("int64")


def _candidates(signatures: Any, jaccard: float) -> Iterator[tuple[int, int]]:
    """Pairs that share a band: neighbours in its order, and each with the first."""
    import numpy as np

    rows = band_rows(jaccard)
    known = np.empty(0, np.int64)
    mix = np.random.default_rng(2).integers(1, 2**63, rows, dtype=np.uint64) | np.uint64(1)
    count = len(signatures)
    for low in range(0, PERMUTATIONS - rows + 1, rows):
        band = signatures[:, low : low + rows].astype(np.uint64)
        keys = ((band + np.uint64(low)) * mix).sum(axis=1, dtype=np.uint64)
        order = np.argsort(keys, kind="stable")
        same = np.flatnonzero(keys[order][1:] == keys[order][:-1])
        starts = np.flatnonzero(np.diff(keys[order], prepend=keys[order][:1] + np.uint64(1)))
        first = starts[np.searchsorted(starts, same, side="right") - 1]
        pairs = np.concatenate([order[same] * count + order[same + 1], order[first] * count + order[same + 1]])
        new = np.setdiff1d(pairs, known)
        known = np.union1d(known, new)
        yield from ((int(one), int(other)) for one, other in zip(new // count, new % count, strict=True))


def band_rows(jaccard: float) -> int:
    """Permutations in a band: as many as still find 99 of 100 pairs that are just so much alike."""
    found = [r for r in range(1, 9) if (1 - jaccard**r) ** (PERMUTATIONS // r) <= MISSED]
    return max(found, default=1)


def _report(rows: Any, options: TextDuplicatesOptions) -> list[ReleaseFinding]:
    import polars as pl

    rank = pl.col("split").replace_strict(RANK, default=len(RANK), return_dtype=pl.Int64)
    judged = rows.with_columns(
        alike=pl.col("group_id").n_unique().over("cluster") > 1,
        held=rank > 0,
        leaked=rank > rank.min().over("cluster"),
    )
    table = (
        judged.group_by("dataset")
        .agg(pl.len(), pl.col("alike").sum(), pl.col("held").sum(), (pl.col("leaked") & pl.col("alike")).sum())
        .sort("dataset")
    )
    found = []
    for name, total, alike, held, leaked in table.iter_rows():
        if not alike:
            continue
        text = (
            f"{name}: {alike} of {total} texts of {options.min_words} words or more read like a text of another group "
            f"(Jaccard of {WORDS} words running {options.jaccard:g} or more)"
        )
        if leaked:
            text += f"; {leaked} of the {held} in held-out splits read like one in an earlier split"
        severity = Severity.REFUSE_RELEASE if leaked > options.max_leak * held else Severity.FLAG
        found.append(ReleaseFinding(GATE, severity, text, name, _evidence(pl, judged, name)))
    return found


def _evidence(pl: Any, judged: Any, dataset: str) -> tuple[dict[str, Any], ...]:
    ours = judged.filter("alike", pl.col("dataset") == dataset)["cluster"].unique(maintain_order=True).head(SHOWN)
    table = judged.filter(pl.col("cluster").is_in(ours.to_list())).sort("cluster", "dataset", "id")
    named = pl.struct("dataset", "id", "split").head(10).alias("rows")
    rows = table.group_by("cluster", maintain_order=True).agg(named)
    return tuple({"rows": one} for one in rows["rows"].to_list())
