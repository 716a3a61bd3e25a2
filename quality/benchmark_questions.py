"""Questions of a release that are worded like those of a benchmark, found by MinHash and confirmed exactly."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from quality.release_options import BenchmarkQuestionsOptions
from quality.verdict import ReleaseFinding
from schemas.findings import Severity

GATE = "benchmark_questions"
WORDS = 3
"""Words of one shingle."""
PERMUTATIONS = 256

Shingles = frozenset[str]


def questions(shards: Sequence[str | Path]) -> Any:
    """Every distinct question of each dataset: `polars.DataFrame` with dataset, question and rows.

    A question is the first line with words of a row's first user turn, so that options below it do not count.
    """
    import polars as pl

    asked = pl.col("messages").list.eval(pl.element().filter(pl.element().struct.field("role") == "user"))
    line = (
        asked.list.first().struct.field("content").str.replace_all("<image>", "", literal=True).str.extract(r"(\S.*)")
    )
    table = pl.scan_parquet([str(shard) for shard in shards]).select("dataset", question=line).drop_nulls()
    return table.group_by("dataset", "question").agg(rows=pl.len()).sort("dataset", "question").collect()


def findings(
    shards: Sequence[str | Path], benchmarks: Mapping[str, Path], options: BenchmarkQuestionsOptions
) -> list[ReleaseFinding]:
    """For each dataset and benchmark how many rows ask what the benchmark asks; reported, never refused.

    Args:
        shards: local Parquet shards.
        benchmarks: by name, a Parquet with the column ``question``.
        options: how much wording must be shared.
    """
    import polars as pl

    known = {name: pl.read_parquet(path)["question"].to_list() for name, path in benchmarks.items()}
    if not shards or not any(known.values()):
        return []
    table = questions(shards)
    totals = dict(table.group_by("dataset").agg(pl.col("rows").sum()).iter_rows())
    found = []
    for name, theirs in known.items():
        index = _Index(theirs, options.jaccard)
        like = table.filter(pl.Series([index.has(one) for one in table["question"]], dtype=pl.Boolean))
        for dataset, count in like.group_by("dataset").agg(pl.col("rows").sum()).sort("dataset").iter_rows():
            text = (
                f"{dataset}: {count} of {totals[dataset]} rows ask in the words of the benchmark {name} "
                f"(Jaccard of {WORDS} words running {options.jaccard:g} or more)"
            )
            found.append(ReleaseFinding(GATE, Severity.FLAG, text, dataset))
    return found


def shingles(text: str) -> Shingles:
    """All runs of three words, without case and punctuation; a shorter text is one shingle, an empty one none."""
    words = re.findall(r"\w+", text.casefold())
    runs = (words[at : at + WORDS] for at in range(max(len(words) - WORDS, 0) + 1))
    return frozenset(" ".join(run) for run in runs if run)


class _Index:
    """The questions of one benchmark by their MinHash."""

    def __init__(self, known: Sequence[str], jaccard: float) -> None:
        from datasketch import MinHashLSH

        self._jaccard = jaccard
        self._known = sorted({shingles(text) for text in known} - {frozenset()}, key=sorted)
        # Too many candidates cost a little time, since each is confirmed; too few would be leaks not found.
        self._index = MinHashLSH(threshold=0.8 * jaccard, num_perm=PERMUTATIONS, weights=(0.1, 0.9))
        for number, one in enumerate(self._known):
            self._index.insert(number, _minhash(one))

    def has(self, question: str) -> bool:
        ours = shingles(question)
        return bool(ours) and any(
            len(ours & theirs) >= self._jaccard * len(ours | theirs) for theirs in self._candidates(ours)
        )

    def _candidates(self, ours: Shingles) -> Iterator[Shingles]:
        return (self._known[number] for number in self._index.query(_minhash(ours)))


def _minhash(of: Shingles) -> Any:
    from datasketch import MinHash

    made = MinHash(num_perm=PERMUTATIONS, seed=1)
    made.update_batch([one.encode() for one in sorted(of)])
    return made
