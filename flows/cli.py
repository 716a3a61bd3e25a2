"""The command line.  Each command imports what it needs when it runs, so that ``--help`` answers at once."""

import errno
import json
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.failures import sentence
from schemas.errors import CaseError, ReleaseError, UserError

app = typer.Typer(
    name="medcurate",
    help="Turn heterogeneous medical datasets into versioned, quality-gated instruction data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Workers = Annotated[int, typer.Option(min=0, help="Processes for pixel work; 0 for one per core.")]


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Register a command whose errors are one sentence; exit 1 refused or failed, 2 wrong use, 130 by Ctrl-C."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            function(*args, **kwargs)
        except UserError as error:
            _fail(str(error), 2)
        except (ReleaseError, CaseError) as error:
            _fail(str(error), 1)
        except OSError as error:
            if error.errno == errno.EPIPE:  # whoever reads what is printed has had enough: no mistake
                raise
            _fail(sentence(error), 1)
        except KeyboardInterrupt:
            _fail("stopped; the same command goes on from there", 130)

    return app.command()(run)


def _fail(sentence: str, code: int) -> None:
    typer.secho(f"medcurate: {sentence}", err=True, fg=typer.colors.RED)
    raise typer.Exit(code)


@command
def demo(
    folder: Annotated[Path, typer.Argument(help="Where the demo's data and release go.")] = Path(".demo"),
    workers: Workers = 0,
) -> None:
    """Make a small phantom hospital and run the whole pipeline on it: no network, GPU or server needed."""
    from flows.demo import run_demo

    run_demo(folder, workers)


@command
def run(
    recipe: Annotated[Path, typer.Argument(help="YAML of the release to make.")],
    workers: Workers = 0,
    store: Annotated[str, typer.Option(help="Folder or address instead of the recipe's store.")] = "",
    keep_work: Annotated[bool, typer.Option(help="Keep the work folder, for finding out what happened.")] = False,
    dry_run: Annotated[
        bool, typer.Option(help="Only say what a model would be asked, and what it would cost.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run a recipe: read, convert, write, gate, pack and publish; a killed run goes on where it stopped."""
    if dry_run:
        from flows.estimate import estimate_recipe, show_estimate

        found = estimate_recipe(recipe)
        print_json(found) if as_json else show_estimate(found)
        return
    from flows.run_command import run_recipe

    run_recipe(recipe, workers=workers, store=store, keep_work=keep_work, as_json=as_json)


@command
def inspect(
    path: Annotated[str, typer.Argument(help="A folder, zip or tar, also at an address.")],
    reader: Annotated[str, typer.Option(help="Draft for this reader instead of the likeliest.")] = "",
    as_json: Json = False,
) -> None:
    """Recognise the layout of a dataset and draft its spec."""
    from readers.inspect import draft_spec, inspect

    found = inspect(path)
    if not found:
        raise UserError(f"no reader recognises {path}; `medcurate catalog --readers` lists the layouts that are known")
    draft = draft_spec(path, reader, found=found)
    if as_json:
        claims = [{"reader": name, "confidence": claim.confidence, "why": claim.why} for name, claim in found]
        print_json({"recognised": claims, "draft": draft})
        return
    for name, claim in found:
        typer.secho(f"# {name} ({claim.confidence:.0%}): {claim.why}", err=True)
    typer.echo(draft)


@command
def check(
    spec: Annotated[Path, typer.Argument(help="YAML of a dataset.")],
    cases: Annotated[int, typer.Option(min=1, help="How many cases to try.")] = 8,
    pictures: Annotated[Path | None, typer.Option(help="Folder for pictures with their regions drawn.")] = None,
    record: Annotated[Path | None, typer.Option(help="Folder for fixtures of these cases (check-converter).")] = None,
    as_json: Json = False,
) -> None:
    """Read and convert a few cases of a dataset and report problems in plain sentences."""
    from flows.check import check_spec, show

    report = check_spec(spec, cases, pictures, record)
    if as_json:
        print_json(report.to_json())
    else:
        show(report)
    if not report.usable:
        raise typer.Exit(1)


@command
def releases(
    store: Annotated[str, typer.Argument(help="Folder or address.")] = "releases", as_json: Json = False
) -> None:
    """List the releases of a store."""
    from flows.show import print_table
    from storage.release import releases

    found = [item.to_json() for item in releases(store)]
    if as_json:
        print_json(found)
    else:
        print_table(f"releases in {store}", found)


@command
def pull(
    release: Annotated[str, typer.Argument(help="NAME@VERSION.")],
    to: Annotated[Path, typer.Option(help="Folder to copy into.")] = Path(),
    store: Annotated[str, typer.Option(help="Folder or address of the store.")] = "releases",
    split: Annotated[str | None, typer.Option(help="Only this split.")] = None,
    where: Annotated[str | None, typer.Option(help="Only rows for which this SQL condition holds.")] = None,
) -> None:
    """Copy a release, or one split of it, and verify every byte."""
    from storage.release import pull

    typer.echo(pull(release, store, to, split=split, where=where))


@command
def verify(
    release: Annotated[str, typer.Argument(help="Folder or address of one release.")], as_json: Json = False
) -> None:
    """Compare every file of a release with its manifest."""
    from storage.release import verify

    problems = verify(release)
    if as_json:
        print_json({"release": release, "problems": problems})
    for problem in [] if as_json else problems:
        typer.secho(problem, err=True, fg=typer.colors.RED)
    if problems:
        raise typer.Exit(1)
    if not as_json:
        typer.echo(f"{release}: every file is as published")


@command
def deploy(
    recipe: Annotated[Path, typer.Argument(help="YAML of the release to make.")],
    cron: Annotated[str, typer.Option(help="When, as five cron fields; never by itself where empty.")] = "",
    name: Annotated[str, typer.Option(help="Name of the deployment; the recipe's where empty.")] = "",
    pool: Annotated[str, typer.Option(help="Work pool, made as a process pool where it is missing.")] = "medcurate",
    workers: Workers = 0,
) -> None:
    """Register a deployment on the Prefect server at PREFECT_API_URL; `prefect worker start` then runs it."""
    from flows.deploy import register

    typer.echo(register(recipe, cron=cron, name=name, pool=pool, workers=workers))


def print_json(data: Any) -> None:
    """Print ``data`` for machines."""
    json.dump(data, sys.stdout, ensure_ascii=False, indent=1, sort_keys=True, default=str)
    sys.stdout.write("\n")


def main() -> None:
    """Entry point of the ``medcurate`` command."""
    from flows import cli_more  # noqa: F401 - registers its commands

    app()
