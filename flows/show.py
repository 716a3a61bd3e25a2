"""Tables and progress for a person at a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from flows.progress import Step, listen
from flows.release_files import STATUSES

TITLES = {
    "plan": "listing datasets",
    "cases": "reading, converting, checking",
    "episodes": "building rows over several cases",
    "shards": "packing shards",
    "gates": "release gates",
    "publish": "publishing",
}


def print_table(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows that share their keys."""
    table = Table(title=title)
    for name in rows[0] if rows else []:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    console = Console()
    (console if console.is_terminal else Console(width=160)).print(table if rows else f"no {title}")


def print_totals(totals: Mapping[str, Mapping[str, Mapping[str, int]]]) -> None:
    """What became of every case and row, by dataset; each cell is cases, then rows."""
    table = Table(title="what became of every case, and of the rows made of them", caption="cases / rows")
    table.add_column("dataset", no_wrap=True)
    for name in ("in", *STATUSES):
        table.add_column(name, justify="right", no_wrap=True)
    sums = [[0, 0] for _ in range(1 + len(STATUSES))]
    for name in totals["case"]:
        pairs = _pairs(totals["case"][name], totals["row"].get(name, {}))
        sums = [[a + c, b + d] for (a, b), (c, d) in zip(sums, pairs, strict=True)]
        table.add_row(name, *map(_cell, pairs))
    table.add_section()
    table.add_row("all", *map(_cell, sums), style="bold")
    console = Console()
    if console.width < 110 and not console.is_terminal:
        console = Console(width=110)
    console.print(table)


def _pairs(cases: Mapping[str, int], rows: Mapping[str, int]) -> list[list[int]]:
    both = [[cases.get(status, 0), rows.get(status, 0)] for status in STATUSES]
    return [[sum(cases.values()), sum(rows.values())], *both]


def _cell(pair: Sequence[int]) -> str:
    return f"{pair[0]:,} / {pair[1]:,}" if any(pair) else "·"


def show_difference(found: Any) -> None:
    """Print what changed from one release to another (`storage.diff.Difference`)."""
    print(f"{found.old} -> {found.new}: {found.same:,} rows are the same")
    for title in ("added", "removed", "changed", "columns"):
        for name, count in getattr(found, title).items():
            print(f"  {title} {name}: {count:,}")
    for title in ("recipe", "specs", "totals"):
        for key, (old, new) in getattr(found, title).items():
            print(f"  {title} {key}: {old} -> {new}")


class Bars:
    """One bar per phase of a run, with counts and time left."""

    def __init__(self) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._bars: dict[str, Any] = {}
        listen(self._step)

    def __enter__(self) -> "Bars":
        self._progress.start()
        self.waiting = self._progress.add_task("starting Prefect", total=None, unit="")
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        """Replace the line of the phase that has no count."""
        self._progress.update(self.waiting, description=text)

    def _step(self, step: Step) -> None:
        if self.waiting is not None:
            self._progress.update(self.waiting, visible=False)
        if step.phase not in self._bars:
            title = TITLES.get(step.phase, step.phase)
            self._bars[step.phase] = self._progress.add_task(title, total=step.total, unit=step.unit)
        self._progress.update(self._bars[step.phase], completed=step.done, total=step.total)
