"""Applies a recipe's mixture: which rows of the kept cases stay, by caps, balance and draw.

Rows are taken in the order of their case's hash and, within a case, of their own id, which is a hash too: so the first
ones are a random sample that does not depend on partitions, and a smaller cap takes a part of what a larger one takes.
Memory holds one byte for each row, and the counts.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quality.mixture_draw import quotas
from quality.verdict import ReleaseFinding
from schemas.findings import Severity
from schemas.mixture import Balance, Cap, Draw, Mixture, Rule

LISTS = ("label", "image")
Kind = tuple[Any, ...]
"""Split, then the values that a row is counted under."""
Frames = Callable[[], Iterable[Any]]
"""Gives, each time anew, `polars.DataFrame` of rows by rising order, see `storage.row_facts`."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What the recipe says about each dataset."""

    weights: Mapping[str, float] = field(default_factory=dict)
    repeats: Mapping[str, int] = field(default_factory=dict)
    """Times that each training row is published."""


@dataclass(slots=True)
class _Pass:
    """Rows that are still in, by their number in the order of taking; a pass visits them all."""

    frames: Frames
    fates: bytearray = field(default_factory=bytearray)
    """0: still in; else the number of the rule that put it out."""
    reasons: list[tuple[str, str]] = field(default_factory=lambda: [("", "")])
    """By rule: code and sentence."""

    def rule(self, reason: str, detail: str) -> int:
        """The number of a new rule."""
        self.reasons.append((reason, detail))
        return len(self.reasons) - 1

    def each(self) -> Iterator[tuple[int, Any]]:
        """Every frame with the number of its first row."""
        at = 0
        for frame in self.frames():
            if len(self.fates) < at + frame.height:
                self.fates.extend(bytes(at + frame.height - len(self.fates)))
            yield at, frame
            at += frame.height

    def alive(self, rule: Rule | Draw) -> Iterator[tuple[int, Any]]:
        """The same, without the rows that are out or that the rule does not speak of; a row's number is ``at``."""
        import polars as pl

        for at, frame in self.each():
            numbered = frame.with_columns(
                at=pl.int_range(at, at + frame.height), fate=pl.Series(self.fates[at : at + frame.height])
            )
            yield at, numbered.filter((pl.col("fate") == 0) & _spoken_of(rule))


def mix(
    decisions: Any, frames: Frames, mixture: Mixture, sources: Sources, out: Path
) -> tuple[Any, list[ReleaseFinding]]:
    """Take rows out until every rule holds.

    Args:
        decisions: of `quality.resolve`, with ``episode`` (bool) where rows over several cases are among them.
        frames: the rows of the kept cases, with their ``split``.
        mixture: the rules.
        sources: weights and repeats.
        out: Parquet that is written: dataset, case_id, order, row_id, reason and detail of each row that goes.

    Returns:
        Decisions with ``rows`` as many as are published, ``repeats``, and cases without a row filtered; findings.
    """
    passing = _Pass(frames)
    _cap(passing, mixture.caps)
    for number, balance in enumerate(mixture.balance):
        _balance(passing, balance, number + 1)
    findings = _draw(passing, mixture.draw, sources) if mixture.draw is not None else []
    left = _write_dropped(passing, out)
    return _decided(decisions, left, sources), findings


def _cap(passing: _Pass, caps: Sequence[Cap]) -> None:
    if not caps:
        return
    rules = [passing.rule("mixture_cap", _told(cap)) for cap in caps]
    counts: list[Counter[Kind]] = [Counter() for _ in caps]
    for at, frame in passing.each():
        kinds = [_kinds_where(frame, cap) for cap in caps]
        for row, wanted in enumerate(zip(*kinds, strict=True)):
            full = next((n for n, own in enumerate(wanted) if any(counts[n][k] >= caps[n].max for k in own)), None)
            if full is not None:
                passing.fates[at + row] = rules[full]
                continue
            for count, own in zip(counts, wanted, strict=True):
                count.update(own)


def _balance(passing: _Pass, balance: Balance, number: int) -> None:
    detail = f"balance {number}: values of {balance.by} that are more common than the rarest are cut to its number"
    rule = passing.rule("mixture_balance", f"{detail} times {balance.max_ratio:g}")
    by = (*balance.within, balance.by)
    common: Counter[Kind] = Counter()
    for _, frame in passing.alive(balance):
        common.update(kind for kinds in _kinds(frame, by) for kind in kinds)
    rarest: Counter[Kind] = Counter()
    for _, frame in passing.alive(balance):
        rarest.update(_rarest(kinds, common) for kinds in _kinds(frame, by) if kinds)
    smallest: dict[Kind, int] = {}
    for kind, count in rarest.items():
        smallest[kind[:-1]] = min(count, smallest.get(kind[:-1], count))
    taken: Counter[Kind] = Counter()
    for _, frame in passing.alive(balance):
        for at, kinds in zip(frame["at"].to_list(), _kinds(frame, by), strict=True):
            if kinds:
                kind = _rarest(kinds, common)
                if taken[kind] >= int(balance.max_ratio * smallest[kind[:-1]] + 1e-9):
                    passing.fates[at] = rule
                taken[kind] += passing.fates[at] == 0


def _draw(passing: _Pass, draw: Draw, sources: Sources) -> list[ReleaseFinding]:
    rule = passing.rule("mixture_draw", "the draw of the mixture takes no more rows of its dataset in this split")
    there: Counter[Kind] = Counter()
    for _, frame in passing.alive(draw):
        there.update(kind for kinds in _kinds(frame, ("dataset",)) for kind in kinds)
    quota: dict[Kind, int] = {}
    findings = []
    for split in sorted({kind[0] for kind in there}):
        repeats = sources.repeats if split == "train" else {}
        rows = {name: count for (where, name), count in there.items() if where == split}
        found = quotas(rows, sources.weights, repeats, draw.temperature, draw.rows)
        quota |= {(split, name): count for name, count in found.items()}
        findings.append(_drawn(split, rows, found, repeats, draw))
    taken: Counter[Kind] = Counter()
    for _, frame in passing.alive(draw):
        for at, [kind] in zip(frame["at"].to_list(), _kinds(frame, ("dataset",)), strict=True):
            if taken[kind] >= quota[kind]:
                passing.fates[at] = rule
            taken[kind] += passing.fates[at] == 0
    return findings


def _drawn(
    split: str, rows: Mapping[str, int], found: Mapping[str, int], repeats: Mapping[str, int], draw: Draw
) -> ReleaseFinding:
    times = {name: repeats.get(name, 1) for name in rows}
    parts = ", ".join(f"{name} {found[name] * times[name]} of {rows[name] * times[name]}" for name in sorted(rows))
    total = sum(count * times[name] for name, count in found.items())
    short = draw.rows is not None and total + len(rows) <= draw.rows
    less = f"; {draw.rows} were asked for, but the proportions allow no more without repetition" if short else ""
    severity = Severity.FLAG if short else Severity.NOTE
    return ReleaseFinding("mixture", severity, f"drawn for {split}: {parts} rows{less}")


def _rarest(kinds: tuple[Kind, ...], common: Counter[Kind]) -> Kind:
    return min(kinds, key=lambda kind: (common[kind], str(kind[-1])))


def _spoken_of(rule: Rule | Draw) -> Any:
    """`polars.Expr`: whether the rule speaks of a row."""
    import polars as pl

    found = pl.col("split").is_in(list(rule.splits)) if rule.splits else pl.lit(True)
    for name, values in getattr(rule, "where", {}).items():
        found &= pl.col(name).is_in(values)
    return found


def _kinds_where(frame: Any, cap: Cap) -> list[tuple[Kind, ...]]:
    """The kinds of each row, none for rows that the cap does not speak of."""
    spoken = frame.select(spoken=_spoken_of(cap))["spoken"]
    spoken = spoken.to_list() if len(spoken) == frame.height else spoken.to_list() * frame.height
    return [kinds if yes else () for kinds, yes in zip(_kinds(frame, cap.by), spoken, strict=True)]


def _kinds(frame: Any, by: Sequence[str]) -> list[tuple[Kind, ...]]:
    """The kinds of each row: its split, the single values in the order of ``by``, then each label or image."""
    single = [frame[name].to_list() for name in by if name not in LISTS]
    base: Iterable[Kind] = zip(frame["split"].to_list(), *single, strict=True)
    several = next((name for name in by if name in LISTS), None)
    if several is None:
        return [(kind,) for kind in base]
    values = frame[several].to_list()
    if several == "image":  # pictures are numbered within their case
        values = [[(order, n) for n in one] for order, one in zip(frame["order"].to_list(), values, strict=True)]
    return [tuple((*kind, value) for value in dict.fromkeys(one)) for kind, one in zip(base, values, strict=True)]


def _told(cap: Cap) -> str:
    where = f" with {' and '.join(cap.where)} as it says" if cap.where else ""
    return f"the mixture takes at most {cap.max} rows{where} for each {' and '.join(cap.by)} in a split"


def _write_dropped(passing: _Pass, out: Path) -> Any:
    """Writes the rows that go; returns `polars.DataFrame` of ``order`` and ``left``, how many stay of each case."""
    import polars as pl
    import pyarrow.parquet as pq

    schema = dict.fromkeys(("dataset", "case_id", "order", "row_id", "reason", "detail"), pl.String)
    codes, details = zip(*passing.reasons, strict=True)
    lefts = [pl.DataFrame(schema={"order": pl.String, "left": pl.UInt32})]
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_suffix(".part")
    with pq.ParquetWriter(temporary, pl.DataFrame(schema=schema).to_arrow().schema, compression="zstd") as writer:
        for at, frame in passing.each():
            fate = pl.Series("fate", list(passing.fates[at : at + frame.height]), dtype=pl.UInt32)
            marked = frame.with_columns(fate)
            lefts.append(marked.group_by("order", maintain_order=True).agg(left=(pl.col("fate") == 0).sum()))
            gone = marked.filter(pl.col("fate") > 0)
            gone = gone.with_columns(
                reason=pl.Series(codes, dtype=pl.String).gather(gone["fate"]),
                detail=pl.Series(details, dtype=pl.String).gather(gone["fate"]),
            )
            writer.write_table(gone.rename({"id": "row_id"}).select(*schema).to_arrow().cast(writer.schema))
    temporary.replace(out)
    return pl.concat(lefts).group_by("order").agg(left=pl.col("left").sum())


def _decided(decisions: Any, left: Any, sources: Sources) -> Any:
    """The decisions with the published number of rows; a case that no row is left of is filtered."""
    import polars as pl

    kept = pl.col("status") == "kept"
    repeat = pl.col("dataset").replace_strict(dict(sources.repeats), default=1, return_dtype=pl.Int32)
    table = decisions.join(left, on="order", how="left", maintain_order="left").with_columns(
        left=pl.when(kept).then(pl.col("left").fill_null(0)).otherwise(0),
        repeats=pl.when(kept & (pl.col("split") == "train")).then(repeat).otherwise(1),
    )
    gone = kept & (pl.col("left").sum().over("dataset", "case_id") == 0)
    return table.with_columns(
        rows=pl.when(kept).then(pl.col("left") * pl.col("repeats")).otherwise("rows").cast(pl.Int32),
        status=pl.when(gone).then(pl.lit("filtered")).otherwise("status"),
        reason=pl.when(gone).then(pl.lit("mixture")).otherwise("reason"),
        detail=pl.when(gone).then(pl.lit("the mixture leaves no row of it")).otherwise("detail"),
        split=pl.when(gone).then(pl.lit("")).otherwise("split"),
    ).drop("left")
