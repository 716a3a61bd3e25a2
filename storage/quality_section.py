"""What ``report.html`` says about balance and shortcuts, from the files in a release's ``quality`` folder."""

import json
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import Any

Table = Callable[[Any, Any], str]


def balance_section(folder: Path, table: Table) -> str:
    """Cases by sex, age, device, site and label, and labels by sex; empty where the release has no such counts."""
    found = _read(folder / "quality" / "balance.json")
    if not found or not found["cases"]:
        return ""
    parts = []
    for axis in ("sex", "age", "device", "site"):
        lines = [(dataset, value, count) for dataset, values in found["axes"][axis].items()
                 for value, count in values.items() if set(values) != {"not stated"}]  # fmt: skip
        if lines:
            parts.append(f"<h3>{axis}</h3>" + table(("dataset", axis, "cases"), lines))
    for axis, crossed in found["label_by"].items():
        if crossed:
            parts.append(f"<h3>labels by {axis}</h3>" + _crossed(crossed, axis, table))
    note = f"<p class=soft>Numbers of cases; fewer than {found['hidden_below']} are not told.</p>"
    return note + "".join(parts) if parts else "<p class=soft>No source states sex, age, device or site.</p>"


def shortcut_section(folder: Path, table: Table) -> str:
    """What guessers that see no picture score on the questions; empty where nothing was probed."""
    found = _read(folder / "quality" / "profile.json")
    lines = [
        (one["dataset"], one["task"], one["rows"],
         *(f"{one.get(name, 0):.0%}" for name in ("chance", "majority", "text_only", "model")))
        for one in found.get("shortcut", ())
    ]  # fmt: skip
    names = (
        "dataset",
        "task",
        "questions",
        "chance",
        "commonest answer",
        "same question seen",
        "words of the question",
    )
    note = "<p class=soft>Share right without the picture: learned on train, asked on the other splits.</p>"
    return note + table(names, lines) if lines else ""


def _crossed(crossed: Mapping[str, Mapping[str, Any]], axis: str, table: Table) -> str:
    values = sorted({value for counts in crossed.values() for value in counts})
    lines = [(label, *(str(counts.get(value, 0)) for value in values)) for label, counts in crossed.items()]
    return table(("label", *map(escape, values)), lines)


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text("utf-8")) if path.is_file() else {}
