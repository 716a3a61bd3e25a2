"""A page of refused rows for the person who decides about them: reasons, costs of the gates, and rows with pictures.

It is no part of a release and is never written into one: it shows what the release itself does not publish.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from typing import Any

from storage.drawing import figure
from storage.report import table


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """One row that was refused."""

    dataset: str
    case_id: str
    row_id: str
    reason: str
    detail: str
    row: Mapping[str, Any] = field(default_factory=dict)
    """Published columns, or nothing where they may not be shown."""
    pictures: Sequence[bytes] = ()
    note: str = ""
    """Why words or pictures are missing; empty where nothing is."""
    draft: str = ""
    """The decision that is to be filled in, as YAML."""


@dataclass(frozen=True, slots=True)
class RefusedPage:
    """Everything on the page."""

    title: str
    private: bool
    """Whether it shows what was refused because it may name somebody."""
    reasons: Sequence[Mapping[str, Any]]
    costs: Mapping[str, Mapping[str, Any]]
    decisions: Sequence[Mapping[str, Any]]
    rows: Sequence[RefusedRow]
    cases: Sequence[Mapping[str, Any]] = ()
    """Cases that were refused before any row was made of them: dataset, reason, case_id, detail."""


def render_refused(page: RefusedPage) -> str:
    """One HTML file without scripts or outside references."""
    style = files("storage").joinpath("report.css").read_text("utf-8")
    parts = [
        f"<h1>{escape(page.title)}</h1>",
        _warning(page.private),
        _part("By reason", page.reasons, ("dataset", "stage", "reason", "rows", "cases", "detail")),
        _costs(page.costs),
        _part("Decisions that were honoured", page.decisions, ("row", "case", "reason", "do", "by", "why")),
        *(_reason(reason, page.rows) for reason in dict.fromkeys(row.reason for row in page.rows)),
        _part("Cases of which no row was made", page.cases, ("dataset", "reason", "case_id", "detail")),
    ]
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(page.title)}</title><style>{style}</style>"
    return f"{head}<main>{''.join(parts)}</main></html>\n"


def _warning(private: bool) -> str:
    if private:
        text = "This page shows what was refused because it may name a person. Do not pass it on; delete it afterwards."
        return f'<p class="refused"><b>{text}</b></p>'
    return "<p class=soft>Made on your machine from your sources; no part of the release. Do not publish it.</p>"


def _part(title: str, lines: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    if not lines:
        return ""
    return f"<h2>{title}</h2>" + table(names, ([line.get(name, "") for name in names] for line in lines))


def _costs(costs: Mapping[str, Mapping[str, Any]]) -> str:
    timed = any("seconds" in cost for cost in costs.values())
    names = ["gate", "rows looked at", "refused", "flagged", *(["seconds"] if timed else [])]
    lines = [
        [name, *(cost[key] for key in ("rows", "refused", "flagged")), *([f"{cost['seconds']:.2f}"] if timed else [])]
        for name, cost in costs.items()
    ]
    return "<h2>What each gate found and cost</h2>" + table(names, lines) if lines else ""


def _reason(reason: str, rows: Sequence[RefusedRow]) -> str:
    chosen = [row for row in rows if row.reason == reason]
    cards = "".join(map(_card, chosen))
    return f'<h2>{escape(reason)}</h2><p class=soft>{len(chosen)} shown</p><div class="rows">{cards}</div>'


def _card(one: RefusedRow) -> str:
    regions = one.row.get("regions", ())
    pictures = "".join(
        figure(data, [region for region in regions if region["image_index"] == number])
        for number, data in enumerate(one.pictures)
    )
    turns = "".join(
        f'<div class="turn {escape(turn["role"])}">{escape(turn["content"])}</div>'
        for turn in one.row.get("messages", ())
    )
    answer = f'<span class="tag">answer: {escape(one.row["answer"])}</span>' if one.row.get("answer") else ""
    tags = answer + "".join(f'<span class="tag">{escape(label)}</span>' for label in one.row.get("labels", ()))
    note = f"<p class=soft>{escape(one.note)}</p>" if one.note else ""
    draft = f"<details><summary>decision</summary><pre>{escape(one.draft)}</pre></details>" if one.draft else ""
    return (
        f'<div class="row"><header><span>{escape(one.dataset)} · {escape(one.case_id)}</span>'
        f"<b>{escape(str(one.row.get('task', '')))}</b></header>"
        + (f'<div class="pictures">{pictures}</div>' if pictures else "")
        + f'<div class="turns"><div class="refused">{escape(one.detail)}</div>{turns}{note}</div>'
        + f"<footer>{tags}<br>{escape(one.row_id)}{draft}</footer></div>"
    )
