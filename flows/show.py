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
    "shards": "packing shards",
    "gates": "release gates",
    "publish": "publishing",
}


def print_table(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows that share their keys."""
    table = Table(title=title)
    for name in rows[0] if rows else []:
        table.add_column(name)
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    Console().print(table if rows else f"no {title}")


def print_totals(totals: Mapping[str, Mapping[str, Mapping[str, int]]]) -> None:
    """What became of every case and row, by dataset."""
    table = Table(title="what became of every case and row")
    table.add_column("dataset")
    table.add_column("cases in", justify="right")
    for kind in ("cases", "rows"):
        for status in STATUSES:
            table.add_column(f"{kind}\n{status}", justify="right")
    sums = [0] * (1 + 2 * len(STATUSES))
    for name in totals["case"]:
        cases, rows = totals["case"][name], totals["row"].get(name, {})
        numbers = [sum(cases.values()), *(found.get(status, 0) for found in (cases, rows) for status in STATUSES)]
        sums = [total + number for total, number in zip(sums, numbers, strict=True)]
        table.add_row(name, *(str(number) if number else "·" for number in numbers))
    table.add_section()
    table.add_row("all", *(str(number) for number in sums), style="bold")
    Console(width=max(Console().width, 120)).print(table)


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
