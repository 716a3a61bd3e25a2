"""Data Docs of a release: every expectation in great-expectations' own words, with what came of it.

great-expectations builds its site from scripts and styles of other hosts and with the time of the run in it.  These
pages have neither, so that they read the same without a network and are the same bytes on every run.
"""

import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from quality.expectations import Tally

FOLDER = "data_docs"
LISTED = 12
"""Values of a set that are written out."""
STYLE = """
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; font: 15px/1.5 system-ui, sans-serif; color: #1c2430; }
table { border-collapse: collapse; width: 100%; } th, td { padding: 6px 10px; text-align: left; vertical-align: top;
border-bottom: 1px solid #dfe4ea; } th { color: #5b6675; font-size: 13px; } .number { text-align: right; }
.met { color: #1a7f4b; } .not { color: #c0362c; font-weight: 600; } a { color: #2b5f97; }
"""


def write_docs(tallies: Sequence[Tally], rows: int, folder: Path) -> None:
    """Write ``data_docs/index.html`` and one page for each suite.

    Args:
        tallies: of all expectations.
        rows: of the release.
        folder: ``quality`` of the release.
    """
    target = folder / FOLDER
    target.mkdir(parents=True, exist_ok=True)
    suites = list(dict.fromkeys(one.suite for one in tallies))
    index = []
    for suite in suites:
        own = [one for one in tallies if one.suite == suite]
        name = re.sub(r"\W+", "_", suite) + ".html"
        (target / name).write_text(_page(suite, _expectations(own), back=True), "utf-8")
        failed = sum(not one.success for one in own)
        link = f'<a href="{name}">{escape(suite)}</a>'
        index.append((link, len(own), max(one.rows for one in own), _state(not failed, f"{failed} not met")))
    title = f"Expectations on {rows:,} rows"
    text = "<p>Checked with great-expectations on the metadata columns and the sizes of texts; no values are shown.</p>"
    table = _table(("suite", "expectations", "rows", "verdict"), index)
    (target / "index.html").write_text(_page(title, text + table, back=False), "utf-8")


def sentence(kind: str, kwargs: dict[str, Any]) -> str:
    """An expectation in words, as great-expectations itself puts it where it does.

    Args:
        kind: ``expect_column_values_to_be_between``.
        kwargs: of the expectation.
    """
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.render.renderer.inline_renderer import InlineRenderer

    shown = {name: _shortened(value) for name, value in kwargs.items()}
    told: Any = InlineRenderer(render_object=ExpectationConfiguration(type=kind, kwargs=shown)).get_rendered_content()
    value = told[0].to_json_dict().get("value", {}) if told else {}
    words = value.get("template") or f"{kind.removeprefix('expect_').replace('_', ' ')} {shown}"
    params = {name: one.get("value") for name, one in (value.get("params") or {}).items()}
    return re.sub(r"\$(\w+)", lambda found: _plain(params.get(found[1], found[0])), str(words))


def _shortened(value: Any) -> Any:
    if isinstance(value, list) and len(value) > LISTED:
        return [*value[:LISTED], f"and {len(value) - LISTED} more"]
    return value


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _expectations(tallies: Iterable[Tally]) -> str:
    lines = [
        (
            escape(sentence(one.type, one.kwargs)),
            one.rows,
            one.unexpected,
            _state(one.success, "; ".join(one.errors) or "not met"),
        )
        for one in tallies
    ]
    return _table(("expectation", "rows", "unexpected", "verdict"), lines)


def _state(met: bool, otherwise: str) -> str:
    return '<span class="met">met</span>' if met else f'<span class="not">{escape(otherwise)}</span>'


def _table(names: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    lines = list(lines)
    counts = [any(isinstance(line[place], int) for line in lines) for place in range(len(names))]
    head = "".join(
        f'<th class="number">{escape(name)}</th>' if number else f"<th>{escape(name)}</th>"
        for name, number in zip(names, counts, strict=True)
    )
    body = "".join("<tr>" + "".join(_cell(value) for value in line) + "</tr>" for line in lines)
    return f"<table><tr>{head}</tr>{body}</table>"


def _cell(value: Any) -> str:
    return f'<td class="number">{value:,}</td>' if isinstance(value, int) else f"<td>{value}</td>"


def _page(title: str, body: str, *, back: bool) -> str:
    link = '<p><a href="index.html">all suites</a></p>' if back else ""
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title><style>{STYLE}</style>"
    return f"{head}<h1>{escape(title)}</h1>{link}{body}</html>\n"
