"""Commands around releases, the catalog and other people's converters."""

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli import Json, command, print_json


@command
def fetch(spec: Annotated[Path, typer.Argument(help="YAML of a dataset.")], as_json: Json = False) -> None:
    """Get the files that a spec names, resuming what broke off, and check them against their sha256."""
    from flows.fetch import fetch
    from flows.show import Bars, print_table

    if as_json:
        print_json(fetch(spec))
        return
    with Bars() as bars:
        bars.say("comparing with what is here")
        found = fetch(spec)
    print_table("files", found)


@command
def report(
    release: Annotated[str, typer.Argument(help="Folder of one release.")],
    to: Annotated[Path, typer.Option(help="File to write.")] = Path("report.html"),
) -> None:
    """Write a page about a release: what became of everything, gates, make-up, rows with regions drawn."""
    from flows.release_report import page_of

    to.write_text(page_of(release), "utf-8")
    typer.echo(str(to))


@command
def export(
    release: Annotated[str, typer.Argument(help="Folder or address of one release.")],
    format: Annotated[
        str, typer.Option(help="llava, llama_factory, openai, qwen, trl, trl_preference, vlmevalkit, r1 or coco.")
    ],
    to: Annotated[Path, typer.Option(help="An empty folder.")],
    split: Annotated[str | None, typer.Option(help="Only this split.")] = None,
    option: Annotated[list[str] | None, typer.Option(help="Of the format, as KEY=VALUE; may be repeated.")] = None,
    as_json: Json = False,
) -> None:
    """Write a release as a trainer or an evaluation kit wants it."""
    from storage.export import export

    done = export(release, format, to, split, _options(option or []))
    if as_json:
        print_json(done.to_json())
    else:
        counts = ", ".join(f"{rows:,} {split}" for split, rows in done.rows.items())
        left_out = f"; {done.left_out:,} left out, which the format cannot say" if done.left_out else ""
        typer.echo(f"rows written to {to}: {counts}{left_out}")


@command
def diff(
    old: Annotated[str, typer.Argument(help="Folder or address of one release.")],
    new: Annotated[str, typer.Argument(help="Folder or address of another.")],
    as_json: Json = False,
) -> None:
    """Say what changed from one release to another."""
    from flows.show import show_difference
    from storage.diff import diff

    found = diff(old, new)
    if as_json:
        print_json(found.to_json())
    else:
        show_difference(found)


@command
def catalog(
    modality: Annotated[str, typer.Option(help="In any spelling; mammography counts as X-ray.")] = "",
    anatomy: Annotated[str, typer.Option(help="In any spelling; the liver counts as abdomen.")] = "",
    task: Annotated[str, typer.Option(help="A clinical task, or its kind: classification, segmentation, ...")] = "",
    label: Annotated[str, typer.Option(help="A label in any spelling; the left kidney counts as kidney.")] = "",
    license: Annotated[str, typer.Option(help="Only licences that begin so.")] = "",
    access: Annotated[str, typer.Option(help="open, credentialed or restricted.")] = "",
    present: Annotated[bool, typer.Option("--present", help="Only datasets whose data is here.")] = False,
    search: Annotated[str, typer.Option(help="Words that name, title, homepage or notes hold.")] = "",
    folder: Annotated[Path | None, typer.Option(help="Another folder of specs.")] = None,
    readers: Annotated[bool, typer.Option("--readers", help="List the layouts that can be read instead.")] = False,
    words: Annotated[bool, typer.Option("--words", help="List the words that a spec may use instead.")] = False,
    as_json: Json = False,
) -> None:
    """List the datasets of the catalog, the layouts that can be read, or the words that a spec may use."""
    from flows.catalog_list import CATALOG, Wanted, layouts, list_catalog, list_words
    from flows.show import print_table

    if words:
        rows = list_words()
        print_json(rows) if as_json else print_table("words", rows)
        return
    wanted = Wanted(modality, anatomy, task, label, license, access, present=present, text=search)
    rows = layouts() if readers else list_catalog(wanted, folder or CATALOG)
    if as_json:
        print_json(rows)
    else:
        hidden = {"spec", "title", "here"}
        shown = [{key: value for key, value in row.items() if key not in hidden} for row in rows]
        print_table("layouts" if readers else "datasets", shown)


@command
def quarantine(
    release: Annotated[Path, typer.Argument(help="Folder of one release.")],
    reason: Annotated[str, typer.Option(help="Only rows that were refused for this reason.")] = "",
    rows: Annotated[int, typer.Option(min=1, help="How many to show of each reason.")] = 10,
    recipe: Annotated[Path | None, typer.Option(help="Its recipe, to make the pictures again.")] = None,
    page: Annotated[Path | None, typer.Option(help="Write a page of the rows with their pictures.")] = None,
    draft: Annotated[Path | None, typer.Option(help="Append undecided decisions to this file.")] = None,
    private: Annotated[bool, typer.Option("--private", help="Show also what may name a person.")] = False,
    as_json: Json = False,
) -> None:
    """Show which rows were refused and why, what each gate found and cost, and draft decisions about them."""
    from flows import quarantine as rooms
    from flows.show import print_table

    if page is not None or draft is not None:
        shown = rooms.rows_to_decide(release, recipe, reason=reason, count=rows, show_private=private)
        if page is not None:
            page.write_text(rooms.page_of(release, shown, show_private=private), "utf-8")
            typer.echo(f"{len(shown)} refused rows shown in {page}")
        if draft is not None:
            typer.echo(f"{rooms.draft(draft, shown)} decisions to be filled in appended to {draft}")
        return
    found = rooms.refused(release, reason, rows) if reason else rooms.reasons(release)
    if as_json:
        print_json(found if reason else {"reasons": found, "gates": rooms.costs(release)})
    else:
        print_table("refused rows", found)
        if not reason:
            print_table("gates", rooms.costs(release))


@command
def check_converter(
    entry: Annotated[str, typer.Argument(help="Registered name, or module:Class.")],
    fixtures: Annotated[Path | None, typer.Option(help="Folder of <dataset>/spec.yaml and cases.json.")] = None,
    golden: Annotated[Path | None, typer.Option(help="File of the rows that were right.")] = None,
    update: Annotated[bool, typer.Option("--update", help="Write the golden file anew.")] = False,
    as_json: Json = False,
) -> None:
    """Hold a converter against the contract: determinism, schema, placeholders, leaks, regions, agreement."""
    from converters.contract.kit import check_entry

    problems = check_entry(entry, fixtures, golden, update=update)
    sentences = list(dict.fromkeys(f"{problem.check}: {problem.sentence}" for problem in problems))
    if as_json:
        print_json(sentences)
    else:
        typer.echo("\n".join(sentences) or f"{entry} holds the converter contract")
    if problems:
        raise typer.Exit(1)


def _options(pairs: list[str]) -> dict[str, Any]:
    """``always_list=true tasks=[mcq, open]`` as options; values are YAML."""
    import yaml

    from schemas.errors import UserError

    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise UserError(f"--option {pair!r} is not KEY=VALUE, e.g. --option always_list=true")
        try:
            found[key.strip()] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise UserError(f"--option {pair!r}: the value is not YAML; put quotes around it") from None
    return found
