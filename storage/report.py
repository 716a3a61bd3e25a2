"""report.html of a release: what came in and what became of it, gates, make-up, and rows with their regions drawn.

One file without scripts or outside references, to be opened from a disk or a mail.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from schemas.manifest import Manifest
from storage.atomic import write_bytes
from storage.card import STATUSES, Totals, by_split, ledger_lines
from storage.drawing import figure
from storage.quality_section import balance_section, shortcut_section
from storage.samples import sample_rows

CHARTS = (
    ("task", "task"), ("dataset", "dataset"), ("modality", "modality"), ("anatomy", "anatomy"),
    ("clinical_task", "clinical task"), ("provenance.converter", "converter"), ("answer", "commonest answers"),
)  # fmt: skip
BARS = 12
REASONS = 40


def write_report(folder: Path, manifest: Manifest, totals: Totals) -> None:
    """Write ``report.html`` beside the shards.

    Args:
        folder: the release folder with its Parquet shards and, if there is one, ``ledger.parquet``.
        manifest: of the release, with the shards in ``files``.
        totals: kind (``case``, ``row``) -> dataset -> status -> count.
    """
    write_bytes(folder / "report.html", render_report(folder, manifest, totals).encode())


def render_report(folder: Path, manifest: Manifest, totals: Totals) -> str:
    """The page; see `write_report`."""
    shards = [folder / file.path for file in manifest.files if file.path.startswith("data/")]
    title = f"{manifest.recipe.get('title') or manifest.name} {manifest.version}"
    sections = [
        f"<h1>{escape(title)}</h1><p class=soft>{escape(str(manifest.recipe.get('description') or ''))}</p>",
        _facts(manifest),
        _section("What became of every case and row", _ledger(totals)),
        _section("Why not", _reasons(folder / "ledger.parquet")),
        _section("Gates", _gates(manifest.gates)),
        _section("Splits", _splits(manifest)),
        _section("What it is made of", _charts(shards)),
        _section("Whom it is about", balance_section(folder, table)),
        _section("What is answered without looking", shortcut_section(folder, table)),
        _section("Rows", "".join(_row(row) for row in sample_rows(shards)), "rows"),
        f"<p class=soft>medcurate {escape(manifest.code_version)}, row schema {manifest.schema_version}. "
        "Rows are the first by id of every dataset and task.</p>",
    ]
    style = files("storage").joinpath("report.css").read_text("utf-8")
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title><style>{style}</style>"
    return f"{head}<main>{''.join(sections)}</main></html>\n"


def _section(title: str, content: str, kind: str = "") -> str:
    body = f'<div class="{kind}">{content}</div>' if kind and content else content
    return f"<h2>{title}</h2>{body}" if content else ""


def _facts(manifest: Manifest) -> str:
    splits = by_split(manifest.files)
    kept = {kind: counts.get("kept", 0) for kind, counts in manifest.totals.items()}
    facts = [
        ("cases", f"{kept.get('case', 0):,}"),
        ("rows", f"{kept.get('row', 0):,}"),
        ("datasets", f"{len(manifest.specs)}"),
        ("size", _bytes(sum(size for _, size in splits.values()))),
        ("licence", escape(manifest.license or "see datasets")),
    ]
    return '<div class="facts">' + "".join(f"<div><b>{value}</b>{name}</div>" for name, value in facts) + "</div>"


def _ledger(totals: Totals) -> str:
    return table(("dataset", "of", "in", *STATUSES), ledger_lines(totals))


def _reasons(ledger: Path) -> str:
    """Counts by reason of what was not kept, with one sentence as an example."""
    if not ledger.is_file():
        return ""
    import polars as pl

    grouped = pl.scan_parquet(ledger).filter(pl.col("status") != "kept")
    keys = ["dataset", "kind", "status", "stage", "reason"]
    found = grouped.group_by(keys).agg(pl.len().alias("count"), pl.col("detail").min())
    counted = found.sort("count", *keys, descending=[True] + [False] * len(keys)).head(REASONS).collect()
    lines = counted.select("dataset", "kind", "status", "stage", "reason", "count", "detail").rows()
    return table(("dataset", "of", "status", "stage", "reason", "count", "for example"), lines) if lines else ""


def _gates(verdicts: Sequence[Mapping[str, Any]]) -> str:
    lines = []
    for verdict in verdicts:
        waived = verdict.get("waived_by") or ""
        state = "passed" if verdict.get("passed") else "waived" if waived else "refused"
        cells = "".join(f"<td>{escape(str(part))}</td>" for part in (verdict.get("detail", ""), waived))
        lines.append(f'<tr><td>{escape(str(verdict.get("gate")))}</td><td class="{state}">{state}</td>{cells}</tr>')
    head = "<tr><th>gate<th>verdict<th>detail<th>waived because</tr>"
    return f"<table>{head}{''.join(lines)}</table>" if lines else "<p class=soft>No release gate was run.</p>"


def _splits(manifest: Manifest) -> str:
    lines = [(split, rows, _bytes(size)) for split, (rows, size) in by_split(manifest.files).items()]
    return table(("split", "rows", "size"), lines)


def _charts(shards: Sequence[Path]) -> str:
    if not shards:
        return ""
    import polars as pl

    rows = pl.scan_parquet([str(shard) for shard in shards])
    charts = []
    for column, title in CHARTS:
        first, _, inner = column.partition(".")
        value = pl.col(first).struct.field(inner) if inner else pl.col(first)
        counts = rows.select(value.alias("value")).filter(pl.col("value") != "").group_by("value").len()
        found = counts.sort(["len", "value"], descending=[True, False]).head(BARS).collect().rows()
        if found:
            charts.append(_chart(title, found))
    return f'<div class="charts">{"".join(charts)}</div>'


def _chart(title: str, counts: Sequence[tuple[str, int]]) -> str:
    most = max(count for _, count in counts)
    bars = "".join(
        f'<div class="bar"><span title="{escape(name)}">{escape(name)}</span>'
        f'<i style="width:{100 * count / most:.1f}%"></i><span>{count:,}</span></div>'
        for name, count in counts
    )
    return f'<div class="chart"><h3>{escape(title)}</h3>{bars}</div>'


def _row(row: Mapping[str, Any]) -> str:
    pictures = "".join(
        figure(image["bytes"], [region for region in row["regions"] if region["image_index"] == number])
        for number, image in enumerate(row["images"])
    )
    turns = "".join(
        f'<div class="turn {escape(turn["role"])}">{escape(turn["content"])}</div>' for turn in row["messages"]
    )
    flags = "".join(f'<span class="tag flag">{escape(flag)}</span>' for flag in row["quality"]["flags"])
    tags = "".join(f'<span class="tag">{escape(label)}</span>' for label in row["labels"])
    made = row["provenance"]
    origin = " · ".join(part for part in (made["template"] or made["converter"], made["model"], row["case_id"]) if part)
    return (
        f'<div class="row"><header><span>{escape(row["dataset"])} · {escape(row["split"])}</span>'
        f"<b>{escape(row['task'])}</b></header>"
        + (f'<div class="pictures">{pictures}</div>' if pictures else "")
        + f'<div class="turns">{turns}</div><footer>{tags}{flags}<br>{escape(origin)}</footer></div>'
    )


def table(names: Iterable[str], lines: Iterable[Iterable[Any]]) -> str:
    """An HTML table; columns of whole numbers stand to the right."""

    def cell(tag: str, value: Any) -> str:
        shown = f"{value:,}" if isinstance(value, int) else escape(str(value))
        return f"<{tag}{' class=number' if isinstance(value, int) else ''}>{shown}</{tag}>"

    rows, heads = [list(line) for line in lines], list(names)
    numeric = [bool(rows) and all(isinstance(row[n], int) for row in rows) for n in range(len(heads))]
    head = "".join(
        f"<th{' class=number' if right else ''}>{escape(name)}</th>" for name, right in zip(heads, numeric, strict=True)
    )
    body = "".join("<tr>" + "".join(cell("td", value) for value in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _bytes(size: int) -> str:
    value, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
