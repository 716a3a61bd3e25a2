"""Holds out combinations of modality, anatomy and task, and proves that training still sees each of their elements."""

from collections.abc import Iterable, Sequence
from typing import Any

from quality.verdict import ReleaseFinding
from schemas.errors import UserError
from schemas.findings import Severity
from schemas.identity import digest
from schemas.mixture import Combination, Compositions

AXES = ("modality", "anatomy", "clinical_task")
GATE = "compositions"
Triplet = tuple[str, ...]


def chosen(there: Iterable[Triplet], wanted: Compositions, seed: int) -> list[Triplet]:
    """The combinations to hold out, sorted.

    Args:
        there: combinations that kept cases have.
        wanted: of the recipe.
        seed: of the recipe, for a draw.

    Raises:
        UserError: a named combination that no case has; fewer can be drawn than were asked for.
    """
    known = sorted(set(there))
    if wanted.draw is None:
        found = [(one, [triplet for triplet in known if _is(triplet, one)]) for one in wanted.hold_out]
        for one, own in found:
            if not own:
                raise UserError(
                    f"compositions: no case has the combination {_named(one)}; there are "
                    f"{'; '.join(map(told, known)) or 'none'}"
                )
        return sorted({triplet for _, own in found for triplet in own})
    drawn: list[Triplet] = []
    for triplet in sorted(known, key=lambda one: digest(str(seed), "hold out", *one)):
        rest = [one for one in known if one not in drawn and one != triplet]
        if len(drawn) < wanted.draw and not unseen([*drawn, triplet], rest):
            drawn.append(triplet)
    if len(drawn) < wanted.draw:
        raise UserError(
            f"compositions: {wanted.draw} combinations were to be drawn, but only {len(drawn)} of {len(known)} can be "
            "held out without losing a modality, an anatomy or a task; draw fewer, or add datasets"
        )
    return sorted(drawn)


def unseen(held: Iterable[Triplet], seen: Iterable[Triplet]) -> list[tuple[Triplet, str, str]]:
    """Elements of held-out combinations that no seen combination has: (combination, axis, element)."""
    values: list[set[str]] = [set(), set(), set()]
    for triplet in seen:
        for place, element in zip(values, triplet, strict=True):
            place.add(element)
    return [
        (triplet, axis, element)
        for triplet in held
        for axis, element, place in zip(AXES, triplet, values, strict=True)
        if element not in place
    ]


def held_out(cases: Any, combinations: Any, wanted: Compositions, seed: int) -> tuple[Any, list[Triplet]]:
    """Adds ``held``: whether the case belongs into ``wanted.into``, and takes out what may not stay.

    Args:
        cases: `polars.DataFrame` by order, with status, reason, detail and ``component`` (of joined groups).
        combinations: `polars.DataFrame` with ``order`` and the three axes, a line for each combination of each case.
        wanted: of the recipe.
        seed: of the recipe.

    Returns:
        The cases, and the combinations held out.

    A case with several combinations counts as held out where one of them is.  A shipped case that is held out and
    stands in another split than ``wanted.into`` is filtered: its split is not ours to change.
    """
    import polars as pl

    kept = cases.filter(pl.col("status") == "kept").select("order")
    own = combinations.join(kept, on="order", how="semi")
    away = chosen(own.select(AXES).unique().iter_rows(), wanted, seed)
    table = pl.DataFrame(away, schema=dict.fromkeys(AXES, pl.String), orient="row")
    marked = own.join(table, on=list(AXES), how="semi").select("order").unique().with_columns(own=pl.lit(True))
    is_kept = pl.col("status") == "kept"
    cases = cases.join(marked, on="order", how="left", maintain_order="left").with_columns(
        own=pl.col("own").fill_null(False) & is_kept
    )
    some = pl.col("own").any().over("component")
    every = (pl.col("own") | ~is_kept).all().over("component")
    mixed = some & ~every
    fixed = (pl.col("split_policy") == "shipped") & (pl.col("shipped_split") != "")
    if wanted.mixed == "hold_out":
        held, gone = some, pl.lit(False)
    elif wanted.mixed == "drop_held_out":
        held, gone = some & ~mixed, mixed & pl.col("own")
    else:
        held, gone = some, mixed & ~pl.col("own")
    gone = gone & ~fixed | (pl.col("own") & fixed & (pl.col("shipped_split") != wanted.into))
    return cases.with_columns(
        held=held & is_kept,
        status=pl.when(is_kept & gone).then(pl.lit("filtered")).otherwise("status"),
        reason=pl.when(is_kept & gone).then(pl.lit("held_out_combination")).otherwise("reason"),
        detail=pl.when(is_kept & gone).then(pl.lit(_why(wanted))).otherwise("detail"),
    ).drop("own"), away


def proven(cases: Any, combinations: Any, away: Sequence[Triplet], into: str) -> list[ReleaseFinding]:
    """What was held out, as findings.

    Args:
        cases: the cases of the release, with ``order`` and ``split``.
        combinations: as in `held_out`.
        away: the combinations held out.
        into: their split.

    Raises:
        UserError: training does not see an element of a held-out combination in any other.
    """
    placed = combinations.join(cases.select("order", "split"), on="order", how="inner")
    counts = {tuple(line[:-1]): line[-1] for line in placed.group_by("split", *AXES).len().iter_rows()}
    missing = unseen(away, {tuple(triplet) for split, *triplet in counts if split == "train"} - set(away))
    if missing:
        triplet, axis, element = missing[0]
        raise UserError(
            f"compositions: {told(triplet)} cannot be held out, since no training case has the {axis} {element!r} "
            "in another combination; hold out less, or add a dataset that has it"
        )
    findings = []
    for triplet in away:
        count = counts.get((into, *triplet), 0)
        detail = f"held out: {told(triplet)}, {count} cases in {into}"
        findings.append(ReleaseFinding(GATE, Severity.NOTE if count else Severity.FLAG, detail))
    return findings


def told(triplet: Sequence[str]) -> str:
    """``CT x abdomen x organ segmentation``."""
    return " x ".join(triplet)


def _is(triplet: Triplet, one: Combination) -> bool:
    wanted = (one.modality, one.anatomy, one.clinical_task)
    return all(value in ("", own) for value, own in zip(wanted, triplet, strict=True))


def _named(one: Combination) -> str:
    return " x ".join(value or "any" for value in (one.modality, one.anatomy, one.clinical_task))


def _why(wanted: Compositions) -> str:
    if wanted.mixed == "drop_others":
        return "its group has cases of a held-out combination, which stand in another split"
    return "it is of a held-out combination, and its group or its shipped split belongs elsewhere"
