"""Which cases show pictures of a benchmark: the very same ones, or ones that look like them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from quality.near_duplicates import is_likeness, near_pairs
from quality.release_options import BenchmarkLeakOptions
from quality.verdict import ReleaseFinding
from schemas.findings import Severity

GATE = "benchmark_leak"


def matches(staged: Sequence[str], benchmarks: Mapping[str, Path], options: BenchmarkLeakOptions) -> Any:
    """Every case beside every benchmark that it meets.

    Args:
        staged: the partitions' ``cases.parquet``.
        benchmarks: by name, a Parquet of one line for each picture: ``sha256`` (of the bytes as they would be
            published; empty where the picture could not be read), ``pixel_digest``, ``phash`` (uint64) and
            ``origins`` (list, digests of what it was made from).
        options: how near is near.

    Returns:
        `polars.DataFrame` with dataset, case_id, benchmark, and ``exact``: true where a picture has the same bytes or
        pixels or is made from the same source file, false where one only looks alike.
    """
    import polars as pl

    shown = _shown(pl, staged)
    known = pl.concat(pl.read_parquet(path).with_columns(benchmark=pl.lit(name)) for name, path in benchmarks.items())
    known = known.filter(pl.col("sha256") != "")
    exact = [_equal(pl, shown, known, column) for column in ("sha256", "pixel_digest")]
    made = known.select("benchmark", origin="origins").explode("origin").drop_nulls()
    exact.append(_equal(pl, _origins(pl, staged), made, "origin"))
    near = _alike(pl, shown, known, options.radius)
    where = ["dataset", "case_id", "benchmark"]
    return pl.concat([*exact, near]).group_by(where).agg(exact=pl.col("exact").any()).sort(where)


def without_benchmarks(cases: Any, met: Any) -> Any:
    """Marks kept cases as filtered that show a picture of a benchmark.

    Args:
        cases: `polars.DataFrame` by order, with ``status``, ``reason`` and ``detail``.
        met: of `matches`.
    """
    import polars as pl

    first = met.filter("exact").group_by("dataset", "case_id").agg(benchmark=pl.col("benchmark").min())
    marked = cases.join(first, on=["dataset", "case_id"], how="left", maintain_order="left")
    drop = (pl.col("status") == "kept") & pl.col("benchmark").is_not_null()
    text = pl.format("it shows a picture of the benchmark {}", pl.col("benchmark"))
    return marked.with_columns(
        status=pl.when(drop).then(pl.lit("filtered")).otherwise("status"),
        reason=pl.when(drop).then(pl.lit(GATE)).otherwise("reason"),
        detail=pl.when(drop).then(text).otherwise("detail"),
    ).drop("benchmark")


def report(cases: Any, met: Any, benchmarks: Mapping[str, Path], options: BenchmarkLeakOptions) -> list[ReleaseFinding]:
    """For each dataset and benchmark one finding on equal pictures and one on look-alikes; one on unread pictures.

    Args:
        cases: `polars.DataFrame` with dataset, case_id, status and reason, after all decisions.
        met: of `matches`.
        benchmarks: as in `matches`.
        options: how many may leak.
    """
    import polars as pl

    kept, dropped = pl.col("status") == "kept", pl.col("reason") == GATE
    totals = dict(cases.filter(kept | dropped).group_by("dataset").len().iter_rows())
    counts = (
        cases.join(met, on=["dataset", "case_id"]).group_by("dataset", "benchmark")
        .agg(
            exact=(kept & pl.col("exact")).sum(), near=(kept & ~pl.col("exact")).sum(),
            dropped=(dropped & pl.col("exact")).sum(),
        )
        .sort("dataset", "benchmark")
    )  # fmt: skip
    found = [_unread(pl, name, path) for name, path in benchmarks.items()]
    for dataset, benchmark, exact, near, left_out in counts.iter_rows():
        whole = f"{dataset}: {{}} of {totals.get(dataset, 0)} cases"
        if exact:
            refusing = exact > options.max_share * totals[dataset]
            text = f"{whole.format(exact)} show pictures of the benchmark {benchmark}"
            found.append([ReleaseFinding(GATE, Severity.REFUSE_RELEASE if refusing else Severity.FLAG, text, dataset)])
        if left_out:
            text = f"{whole.format(left_out)} showed pictures of the benchmark {benchmark} and were left out"
            found.append([ReleaseFinding(GATE, Severity.FLAG, text, dataset)])
        if near:
            alike = f"show pictures that look like some of the benchmark {benchmark}"
            text = f"{whole.format(near)} {alike} (within {options.radius} of 64 bits)"
            found.append([ReleaseFinding(GATE, Severity.FLAG, text, dataset)])
    return [one for several in found for one in several]


def _unread(pl: Any, name: str, path: Path) -> list[ReleaseFinding]:
    table = pl.read_parquet(path, columns=["sha256"])
    unread = table.filter(pl.col("sha256") == "").height
    if table.height > unread:
        text = f"{unread} of {table.height} pictures of the benchmark {name} could not be read and were not compared"
        return [ReleaseFinding(GATE, Severity.FLAG, text)] if unread else []
    text = f"no picture of the benchmark {name} could be read, so nothing was compared with it"
    return [ReleaseFinding(GATE, Severity.REFUSE_RELEASE, text)]


def _shown(pl: Any, staged: Sequence[str]) -> Any:
    """dataset, case_id, sha256, pixel_digest and phash of every picture."""
    image = pl.Struct({"sha256": pl.String, "pixel_digest": pl.String, "phash": pl.UInt64})
    empty = pl.LazyFrame(schema={"dataset": pl.String, "case_id": pl.String, "images": pl.List(image)})
    frames = [pl.scan_parquet(path).select("dataset", "case_id", "images") for path in staged]
    exploded = pl.concat(frames or [empty]).explode("images").drop_nulls("images")
    fields = [pl.col("images").struct.field(name) for name in ("sha256", "pixel_digest", "phash")]
    return exploded.select("dataset", "case_id", *fields).collect()


def _origins(pl: Any, staged: Sequence[str]) -> Any:
    """dataset, case_id and origin of whatever every case shows; none where a stage has none."""
    frames = [pl.scan_parquet(path) for path in staged]
    having = [one.select("dataset", "case_id", origin="origins") for one in frames if _has_origins(one)]
    empty = pl.LazyFrame(schema={"dataset": pl.String, "case_id": pl.String, "origin": pl.List(pl.String)})
    return pl.concat(having or [empty]).explode("origin").drop_nulls().collect()


def _has_origins(table: Any) -> bool:
    return "origins" in table.collect_schema().names()


def _equal(pl: Any, shown: Any, known: Any, column: str) -> Any:
    there = known.filter(pl.col(column) != "").select(column, "benchmark").unique()
    met = shown.filter(pl.col(column) != "").join(there, on=column)
    return met.select("dataset", "case_id", "benchmark", exact=pl.lit(value=True))


def _alike(pl: Any, shown: Any, known: Any, radius: int) -> Any:
    pairs = _neighbours(pl, shown["phash"], known["phash"], radius)
    there = pairs.join(known.select("benchmark", look="phash").unique(), on="look")
    met = shown.join(there, on="phash")
    return met.select("dataset", "case_id", "benchmark", exact=pl.lit(value=False))


def _neighbours(pl: Any, ours: Any, theirs: Any, radius: int) -> Any:
    """Pairs ``phash`` (of ours) and ``look`` (of theirs) that differ by at most ``radius`` bits."""
    import numpy as np

    one, other = (np.unique(hashes.to_numpy().astype(np.uint64)) for hashes in (ours, theirs))
    one, other = one[is_likeness(one)], other[is_likeness(other)]
    both = np.intersect1d(one, other)
    found = [(both, both)]
    union = np.union1d(one, other)
    is_ours, is_theirs = np.isin(union, one), np.isin(union, other)
    for left, right in near_pairs(union, radius):
        for a, b in ((left, right), (right, left)):
            across = is_ours[a] & is_theirs[b]
            found.append((union[a[across]], union[b[across]]))
    columns = {
        name: np.concatenate(parts) for name, parts in zip(("phash", "look"), zip(*found, strict=True), strict=True)
    }
    return pl.DataFrame(columns, schema={"phash": pl.UInt64, "look": pl.UInt64}).unique()
