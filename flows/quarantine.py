"""``medcurate quarantine``: the refused rows of a release by reason, a page of them, and decisions to be filled in."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from flows.gate_costs import costs_of
from flows.refused_rows import Again, made_again
from flows.workspace import read_json
from quality.decided import seen_digest
from schemas.decisions import Decisions
from schemas.errors import UserError
from schemas.findings import PRIVATE, guarded, private
from schemas.yaml_file import load_yaml
from storage.refused_page import RefusedPage, RefusedRow, render_refused

SHUT = "Its pictures are withheld, since another row of its case was refused for privacy; --private shows them."

HEAD = """\
# Decisions about refused rows; the next run of the recipe honours them.
#   do: accept   the row is kept and flagged; `by` and `why` are published with it
#   do: fix      it gets the words under `fix` (messages by turn, options, answer, answer_index) and is judged again
#   do: confirm  it stays out, and is not shown again
# What was refused for privacy or licence is accepted only with a `waiver`, a written reason of its own.
decisions:
"""


def reasons(release: Path) -> list[dict[str, Any]]:
    """How many rows each dataset lost for each reason, most first, with one sentence each."""
    return (
        _table(release)
        .group_by("dataset", "stage", "reason")
        .agg(pl.len().alias("rows"), pl.col("case_id").n_unique().alias("cases"), pl.col("detail").first())
        .sort("rows", "dataset", "reason", descending=[True, False, False])
        .collect()
        .to_dicts()
    )


def refused(release: Path, reason: str, count: int) -> list[dict[str, Any]]:
    """The first ``count`` rows refused for ``reason``, with what was asked and answered where that may be shown."""
    found = _table(release).filter(pl.col("reason") == reason).head(count).collect().to_dicts()
    return [
        {"case": row["case_id"], "row": row["row_id"], "detail": row["detail"], "said": _said(row["row"])}
        for row in found
    ]


def costs(release: Path) -> list[dict[str, Any]]:
    """What each gate looked at, refused and flagged, and its seconds where the release was made in this store."""
    return [{"gate": name, **cost} for name, cost in costs_of(release.resolve()).items()]


def rows_to_decide(
    release: Path, recipe: Path | None, *, reason: str = "", count: int = 10, show_private: bool = False
) -> list[RefusedRow]:
    """The first ``count`` refused rows of every reason, with pictures made again from the sources.

    Args:
        release: folder of the release.
        recipe: its recipe; without it there are no pictures.
        reason: only this one.
        count: of each reason.
        show_private: also show what was refused because it may name somebody, and restricted rows.
    """
    table = _table(release).collect()
    chosen = table.filter(pl.col("reason") == reason) if reason else table
    chosen = chosen.filter(pl.int_range(pl.len()).over("reason") < count)
    lines = chosen.sort("reason", maintain_order=True).to_dicts()
    again = {} if recipe is None else made_again(recipe, _wanted(lines), bare=show_private)
    hidden = set() if show_private else _private_cases(table)
    return [_row(line, again.get(line["row_id"]), hidden, recipe is not None, show_private) for line in lines]


def page_of(release: Path, rows: Sequence[RefusedRow], *, show_private: bool) -> str:
    """The HTML page of some refused rows and of everything around them."""
    page = RefusedPage(
        title=f"Refused rows of {release.resolve().parent.name} {release.resolve().name}",
        private=show_private,
        reasons=reasons(release),
        costs=costs_of(release.resolve()),
        decisions=read_json(release / "quality" / "decisions.json") or [],
        rows=rows,
        cases=_cases(release),
    )
    return render_refused(page)


def draft(path: Path, rows: Sequence[RefusedRow]) -> int:
    """Append an undecided entry for every row that the file does not decide about yet; return how many.

    Raises:
        UserError: the file is no file of decisions, or is laid out so that nothing can be appended.
    """
    known = {(one.row, one.reason) for one in load_yaml(path, Decisions).decisions} if path.exists() else set()
    new = [one for one in rows if (one.row_id, one.reason) not in known]
    before = path.read_text("utf-8") if path.exists() else HEAD
    text = before.rstrip("\n") + "\n" + "".join(f"\n  # {one.detail}\n{_indented(one.draft)}" for one in new)
    trial = path.with_name(f".{path.name}.part")
    trial.write_text(text, "utf-8")
    try:
        if new:
            load_yaml(trial, Decisions)
            trial.replace(path)
    except UserError as error:
        raise UserError(f"{path}: nothing can be appended to it ({error}); let its decisions be its last key") from None
    finally:
        trial.unlink(missing_ok=True)
    return len(new)


def _row(
    line: Mapping[str, Any], again: Again | None, hidden: set[tuple[str, str]], sought: bool, show_private: bool
) -> RefusedRow:
    closed = not show_private and (private(line["reason"]) or not line["row"])
    row: Mapping[str, Any] = json.loads(line["row"]) if line["row"] else {}
    if again is not None and not closed:
        row = row or again.row
    shut = (line["dataset"], line["case_id"]) in hidden
    pictures = again.pictures if again is not None and not shut else []
    return RefusedRow(
        dataset=line["dataset"],
        case_id=line["case_id"],
        row_id=line["row_id"],
        reason=line["reason"],
        detail=line["detail"],
        row=row,
        pictures=[] if closed else pictures,
        note=SHUT if shut and not closed else _note(bool(row), bool(pictures) and not closed, sought, closed),
        draft=_draft(line, row),
    )


def _note(words: bool, pictures: bool, sought: bool, closed: bool) -> str:
    if closed:
        return "Withheld, since it may name a person or is restricted; --private shows it on this machine."
    if not sought:
        return "Name the recipe with --recipe to see the pictures."
    missing = " and ".join(what for what, there in (("words", words), ("pictures", pictures)) if not there)
    return f"Its {missing} cannot be shown." if missing else ""


def _draft(line: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    entry = {"row": line["row_id"], "reason": line["reason"], "do": "undecided", "by": "", "why": ""}
    if row:
        entry["seen"] = seen_digest(row)
    if guarded(line["reason"]):
        entry["waiver"] = ""
    return str(yaml.safe_dump([entry], sort_keys=False, allow_unicode=True))


def _indented(entry: str) -> str:
    return "".join(f"  {line}\n" for line in entry.splitlines())


def _wanted(lines: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, set[str]]]:
    found: dict[str, dict[str, set[str]]] = {}
    for line in lines:
        found.setdefault(line["dataset"], {}).setdefault(line["case_id"], set()).add(line["row_id"])
    return found


def _private_cases(table: pl.DataFrame) -> set[tuple[str, str]]:
    """Cases of which one row was refused for privacy: the others show the same pictures."""
    about = pl.any_horizontal(*(pl.col("reason").str.starts_with(prefix) for prefix in PRIVATE))
    return set(table.filter(about).select("dataset", "case_id").unique().iter_rows())


def _cases(release: Path) -> list[dict[str, Any]]:
    """Cases that were quarantined before a row was made of them."""
    ledger = pl.scan_parquet(release / "ledger.parquet").filter(pl.col("status") == "quarantined")
    rows = ledger.filter(pl.col("kind") == "row").select("dataset", "case_id").unique()
    cases = ledger.filter(pl.col("kind") == "case").join(rows, on=["dataset", "case_id"], how="anti")
    return (
        cases.select("dataset", "reason", "case_id", "detail").sort("dataset", "reason", "case_id").collect().to_dicts()
    )


def _said(row: str) -> str:
    turns = json.loads(row)["messages"] if row else []
    return "\n".join(f"{turn['role']}: {turn['content']}" for turn in turns)


def _table(release: Path) -> pl.LazyFrame:
    path = release / "quarantine.parquet"
    if not path.is_file():
        raise UserError(f"there is no quarantine.parquet in {release}; name the folder of a release")
    return pl.scan_parquet(path)
