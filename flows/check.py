"""``medcurate check``: a few cases of a dataset, read and converted, with what is wrong in plain sentences."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from flows import fixtures, preflight
from flows.faces import treat_faces
from flows.making import open_converter
from flows.private_steps import demand_declaration, rewrite_texts
from flows.rows import Identities
from flows.screening import screen_pictures
from flows.steps import close_cases, convert, read, render_pictures, run_steps
from readers.base import open_reader
from readers.source import Source
from schemas.case import Case
from schemas.context import Context
from schemas.errors import UserError
from schemas.recipe import Choice
from schemas.spec import DatasetSpec, load_spec
from schemas.taxonomy import triplet_problems
from schemas.work import Work


@dataclass
class CheckReport:
    """What a check found."""

    spec: str
    cases: int = 0
    kept: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    """Rows by converter."""
    labels: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    examples: list[dict[str, str]] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    recorded: str = ""
    """Folder of the fixtures that were written."""

    @property
    def usable(self) -> bool:
        """Whether at least one case came through."""
        return self.kept > 0

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        return {**asdict(self), "usable": self.usable}


def check_spec(path: Path, cases: int, pictures: Path | None = None, record: Path | None = None) -> CheckReport:
    """Take a spec's first ``cases`` usable cases through reading, every converter, rendering and the row gates.

    At most ``20 * cases`` items are looked at, so that a folder that begins with strangers is still checked.

    Args:
        path: the spec.
        cases: how many usable ones.
        pictures: folder for pictures with regions drawn.
        record: folder for fixtures of these cases, as ``medcurate check-converter`` takes them.
    """
    from quality.row_gates import gate, open_gates

    spec = load_spec(path.resolve())
    preflight.check_root(spec)
    identities = Identities(spec)
    source = Source.open(spec.root)
    reader = open_reader(spec, path, source)
    context = Context(spec=spec)
    gates = open_gates({}, spec.gates)
    works = run_steps(
        read(islice(reader.items(), 20 * cases), reader),
        [
            rewrite_texts(gates, context),
            convert([open_converter(Choice(type=name)) for name in default_converters()], context),
            render_pictures(source, decode=True, all_of_case=True),
            screen_pictures(gates, source),
            treat_faces(gates, source, context),
            lambda found: gate(found, gates, context),
            close_cases,
        ],
    )
    seen: list[Case] = []
    report = _report(_remembered(works, seen), spec, pictures, cases)
    if record is not None:
        fixtures.record(record / spec.name, path, identities, seen)
        report.recorded = str(record / spec.name)
    return report


def _remembered(works: Iterator[Work], seen: list[Case]) -> Iterator[Work]:
    for work in works:
        if work.case is not None and work.dropped is None:
            seen.append(work.case)
        yield work


def default_converters() -> list[str]:
    """Every registered converter that needs no options."""
    from schemas import plugins

    found = []
    for name in plugins.names("converters"):
        kind = plugins.load("converters", name)
        if not any(option.is_required() for option in kind.Options.model_fields.values()):
            found.append(name)
    return found


def _report(works: Iterator[Work], spec: DatasetSpec, folder: Path | None, wanted: int) -> CheckReport:
    report = CheckReport(spec=spec.name, problems=[*triplet_problems(spec), *_undeclared(spec)])
    for work in works:
        report.cases += 1
        if work.dropped is not None:
            report.problems.append(f"{work.dropped.status} ({work.dropped.reason}): {work.dropped.detail}")
        else:
            report.kept += 1
            report.problems += [f"row refused ({drop.reason}): {drop.detail}" for _, drop in work.refused]
        if work.case is not None:
            report.labels.update(work.case.present())
            report.problems += [f"noticed ({found.code}): {found.detail}" for found in work.case.findings]
        for row in work.rows:
            if row.provenance.converter not in report.rows:
                said = {f"{turn.role} {index}": turn.content for index, turn in enumerate(row.messages)}
                report.examples.append({"converter": row.provenance.converter, **said})
            report.rows[row.provenance.converter] += 1
        if folder is not None:
            report.pictures += _draw(work, folder)
        if report.kept == wanted:
            break
    report.problems = list(dict.fromkeys(report.problems))
    if report.cases == 0:
        report.problems.append(
            f"{spec.root} holds no case that the reader {spec.reader.type!r} finds; check its options"
        )
    return report


def _undeclared(spec: DatasetSpec) -> list[str]:
    """What a run would refuse for privacy before it starts."""
    try:
        demand_declaration(spec)
    except UserError as error:
        return [str(error)]
    return []


def _draw(work: Work, folder: Path) -> list[str]:
    """Save each picture of the case with the regions of its rows drawn."""
    from flows.overlay import overlay

    folder.mkdir(parents=True, exist_ok=True)
    saved = []
    for index, (ref, picture) in enumerate(work.pictures.items()):
        places = [
            place
            for row in work.rows
            for place in row.regions
            if place.image_index < len(row.images) and row.images[place.image_index] == ref
        ]
        name = "".join(letter if letter.isalnum() else "_" for letter in work.case_id)[-80:]
        path = folder / f"{name}-{index}.png"
        overlay(picture.data, places).save(path)
        saved.append(str(path))
    return saved


def show(report: CheckReport) -> None:
    """Print the report for a person."""
    print(f"{report.spec}: {report.kept} of {report.cases} cases came through, {sum(report.rows.values())} rows")
    if report.labels:
        print("labels:", ", ".join(f"{name} {count}" for name, count in report.labels.most_common(12)))
    for example in report.examples:
        turns = (text for key, text in example.items() if key != "converter")
        print(f"\n[{example['converter']}] {report.rows[example['converter']]} rows, for example")
        for text in turns:
            print("   ", text.replace("\n", "\n    "))
    if report.problems:
        print("\nproblems:")
    for problem in report.problems[:40]:
        print(" -", problem)
    if len(report.problems) > 40:
        print(f" - and {len(report.problems) - 40} more; --json lists all")
    for path in report.pictures:
        print("picture:", path)
    if report.recorded:
        print("fixtures:", report.recorded)
